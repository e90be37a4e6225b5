"""A person with mail, and workers that do what they are asked at once, in this process."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client

from smime import trust, vault
from smime.pki.authority import issue, new_root, to_pkcs12
from smime.writing import protect
from tests.webmail.pages.conftest import Mailbox, browser, mailbox, mira, stranger  # noqa: F401
from tests.webmail.reader.judged import (  # noqa: F401
    anchor,
    authority,
    mail,
    nothing_is_rendered,
    petra,
)
from webmail.celery import app
from webmail.mailbox import blobs
from webmail.mailbox.models import Message
from webmail.mime import Address
from webmail.mime.write import Attachment, Composition, build_entity, header_fields


@pytest.fixture
def workers(monkeypatch, valkey):
    """Tasks run when they are posted; the list says which."""
    ran: list[str] = []

    def post(task_name, *args, lane):
        if task_name.startswith("reader."):
            ran.append(task_name)
            app.tasks[task_name](*args)

    import webmail.reader.tasks  # noqa: F401

    monkeypatch.setattr("accounts.lanes.post", post)
    monkeypatch.setattr("accounts.lanes.post_later", post)
    return ran


class Letters:
    """Mail in Mira's inbox, byte for byte."""

    def __init__(self, owner: Mailbox, client: Client) -> None:
        self.mailbox, self.client = owner, client

    def put(self, raw: bytes, **values) -> Message:
        """Mirror a message as it came."""
        message = self.mailbox.receive("Letter", size=len(raw), **values)
        blobs.put(self.mailbox.account, raw, message=message)
        return message

    def letter(self, *files: tuple[str, str, bytes], text="See the files.\n") -> Message:
        """Mirror a letter with files: (name, media type, content)."""
        return self.put(self.mail_with(*files, text=text))

    def mail_with(self, *files: tuple[str, str, bytes], text="See the files.\n") -> bytes:
        """Return a letter with files: (name, media type, content)."""
        made = EmailMessage()
        made["From"] = "Anna Lindqvist <anna@nordlys.example>"
        made["To"] = self.mailbox.user.address
        made["Subject"] = "Files"
        made["Message-ID"] = "<files@nordlys.example>"
        made.set_content(text)
        for name, media_type, content in files:
            main, _, sub = media_type.partition("/")
            made.add_attachment(content, maintype=main, subtype=sub, filename=name)
        return made.as_bytes()

    def encrypted(self, *files: tuple[str, str, bytes]) -> Message:
        """Mirror a signed and encrypted letter that Mira's managed key opens."""
        return self.put(self.encrypted_mail(*files), is_secured=True)

    def encrypted_mail(self, *files: tuple[str, str, bytes]) -> bytes:
        """Return a signed and encrypted letter that Mira's managed key opens."""
        now = datetime.now(UTC)
        root = new_root("Nordlys Root", now - timedelta(days=9))
        trust.add_anchor(root.certificate.public_bytes(Encoding.PEM), actor=None, reason="test")
        dates = {"not_before": now - timedelta(days=3), "not_after": now + timedelta(days=90)}
        anna = issue(root, "anna@nordlys.example", "Anna", key="p256", **dates)
        owner = issue(root, self.mailbox.user.address, "Mira", key="p256", **dates)
        file = to_pkcs12(owner, "word")
        vault.import_keys(self.mailbox.user, file, "word", sealing="managed")
        made = Composition(
            from_=Address("Anna", "anna@nordlys.example"),
            to=(Address("Mira", self.mailbox.user.address),),
            subject="Secret files",
            date=now,
            message_id="secret@nordlys.example",
            text="Only for you.\n",
            attachments=tuple(Attachment(*file) for file in files),
        )
        return protect(
            build_entity(made), header_fields(made), signer=anna, recipients=[owner.certificate],
            cipher="aes-256-gcm",
        )  # fmt: skip

    def forwarded(self, inner: bytes, **values) -> Message:
        """Mirror a plain letter with a whole message in it."""
        return self.put(
            b"From: a@nordlys.example\r\nTo: mira@nordlys.example\r\nSubject: Fwd\r\n"
            b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\n'
            b"Content-Type: text/plain\r\n\r\nLook.\r\n--o\r\nContent-Type: message/rfc822\r\n"
            b"\r\n" + inner + b"\r\n--o--\r\n",
            **values,
        )

    def opened(self, message: Message) -> str:
        """The message's page."""
        return self.client.get(f"/message/{message.pk}").content.decode()

    def cards(self, message: Message) -> str:
        """The page's attachments after a worker looked at them."""
        self.opened(message)
        answer = self.client.get(f"/message/{message.pk}/attached", headers={"HX-Request": "true"})
        assert answer.status_code == 200
        return answer.content.decode()


@pytest.fixture
def letters(mailbox, browser, workers) -> Letters:  # noqa: F811
    return Letters(mailbox, browser)
