"""Large mail from a real server: what it costs each process, and what is passed on unread."""

import base64
import itertools
import os
import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client

from tests.live.mailbox_rig import letter, make_box
from tests.servers.dovecot import PASSWORD
from tests.site import site, wait_for  # noqa: F401 - a fixture
from webmail.celery import app
from webmail.demo.bench import memory
from webmail.imap import Session
from webmail.mailbox import sessions
from webmail.mailbox.models import Message
from webmail.reader import pieces, tasks

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

MIB = 1024 * 1024
_names = itertools.count(1)


def large_letter(subject: str, octets: int) -> bytes:
    """A mail of about `octets` with two attachments."""
    file = base64.encodebytes(os.urandom(octets * 3 // 8)).replace(b"\n", b"\r\n")
    lines = [
        b"From: Bob <bob@example.test>", b"To: alice@example.test",
        b"Subject: " + subject.encode(), b"Date: Fri, 20 Nov 2026 10:00:00 +0000",
        b"Message-ID: <large-%d@example.test>" % next(_names), b"MIME-Version: 1.0",
        b'Content-Type: multipart/mixed; boundary="o"', b"", b"--o",
        b"Content-Type: text/plain; charset=utf-8", b"", b"The drawings of the bridge.",
    ]  # fmt: skip
    for name in (b"first.bin", b"second.bin"):
        lines += [
            b"--o", b"Content-Type: application/octet-stream",
            b'Content-Disposition: attachment; filename="' + name + b'"',
            b"Content-Transfer-Encoding: base64", b"", file,
        ]  # fmt: skip
    return b"\r\n".join([*lines, b"--o--", b""])


def web_and_others() -> tuple[float, dict[str, float]]:
    """MB (PSS) of the web, and of every process that may hold no message but the crypto lane."""
    sizes = memory.resting(os.getpid())
    others = {name: size for name, size in sizes.items() if "crypto" not in name}
    return sizes["web"], others


def test_a_message_of_25_mb_stays_out_of_the_web(site, mail_servers):  # noqa: F811
    """performance.md P16, and 10 MB for the web."""
    client = site.client()
    client.sign_in(mail_servers.alice.address, PASSWORD)

    def arrived(subject: str) -> str | None:
        row = rf'class="row-link" href="([^"]+)" aria-label="[^"]*{subject}'
        found = re.search(row, client.get("/mail/inbox"))
        return unescape(found[1]) if found else None

    def shown(url: str) -> str | None:
        page = client.get(url)
        return page if "first.bin" in page else None

    with Session.open(mail_servers.dovecot.endpoint(), mail_servers.alice.credentials) as session:
        for subject, octets in (("Small drawings", 40_000), ("Large drawings", 25_000_000)):
            session.append(
                "INBOX",
                large_letter(subject, octets),
                flags=(),
                internal_date=datetime.now(UTC),
            )
    warm = wait_for("the small mail", lambda: arrived("Small drawings"), seconds=90)
    wait_for("its page", lambda: shown(warm))
    url = wait_for("the large mail", lambda: arrived("Large drawings"), seconds=90)
    web, others = web_and_others()
    page = wait_for("the large page", lambda: shown(url), seconds=60)
    assert "second.bin" in page
    opened, _others = web_and_others()
    assert opened - web <= 10, f"opening added {opened - web:.1f} MB to the web"
    for address in re.findall(r'href="(/(?:part|attached)/[^"]+)"', page):
        if "download=1" in address or address.endswith(".zip"):
            client.get(unescape(address))
    downloaded, after = web_and_others()
    assert downloaded - web <= 40, f"downloads added {downloaded - web:.1f} MB to the web"
    grown = {name: size - others.get(name, 0) for name, size in after.items()}
    assert max(grown.values()) <= 120, grown


@pytest.mark.django_db(transaction=True)
def test_an_original_beyond_the_limit_is_passed_on(mail_servers, valkey, settings, monkeypatch):
    """A window at a time, by partial FETCH; nothing of it is read or kept."""
    raw = large_letter("Huge", 40 * MIB)
    user = mail_servers.add_user(f"huge{next(_names)}")
    box = make_box(mail_servers.dovecot.endpoint(), user.credentials)
    box.append(letter("Small"), raw)
    box.sync()
    message = Message.objects.get(subject="Huge")
    settings.MESSAGE_LIMIT = 30 * MIB
    ran = []
    assert tasks.attachment_tasks.fetch_window.name in app.tasks  # known by the import

    def post(task_name, *args, lane):
        if task_name.startswith("reader."):
            ran.append((task_name, lane))
            app.tasks[task_name](*args)

    monkeypatch.setattr("accounts.lanes.post", post)
    client = Client()
    client.force_login(box.account.user)
    answer = client.get(f"/message/{message.pk}/raw.eml")
    assert b"".join(answer.streaming_content) == raw
    windows = -(-len(raw) // pieces.WINDOW)
    assert ran == [("reader.fetch_window", "interactive")] * windows
    page = client.get(f"/message/{message.pk}").content.decode()
    assert "larger than" in page
    sessions.close_kept()
