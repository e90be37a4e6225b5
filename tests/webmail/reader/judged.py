"""A mailbox whose verdicts are judged again: mail of Petra's, signed under an authority of its own."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from smime import trust
from smime.pki.authority import new_root
from smime.writing import protect
from tests.smime.conftest import NOW, certify
from tests.webmail.mailbox.conftest import make_owner
from webmail.mailbox import blobs
from webmail.mailbox.models import Conversation, Message
from webmail.mime import Address
from webmail.mime.write import Composition, build_entity, header_fields
from webmail.reader import pipeline, rendering, sweeping
from webmail.reader.models import Reading, Rejudging
from webmail.reader.variants import Variant

PETRA = "petra@partner.test"
WHY = "Tests"
AGAIN = "signed-not-rechecked"  # no list of withdrawals is at hand
SECRET = "The harbour at nine"


def pem(certificate):
    return certificate.public_bytes(Encoding.PEM)


def composed(day, **changes):
    return Composition(
        **(
            {
                "from_": Address("Petra", PETRA),
                "to": (Address("Anna", "anna@example.test"),),
                "subject": SECRET,
                "date": NOW + timedelta(days=day),
                "message_id": f"{day}@partner.test",
                "text": "Please pay 100 EUR.\n",
            }
            | changes
        )
    )


def signed(day, pair, *recipients, **changes):
    made = composed(day, **changes)
    return protect(
        build_entity(made),
        header_fields(made),
        signer=pair,
        recipients=[each.certificate for each in recipients],
        cipher="aes-256-gcm",
        signing_time=made.date,
    )


def plain(day, **changes):
    made = composed(day, **changes)
    head = b"".join(f"{name}: {value}\r\n".encode() for name, value in header_fields(made))
    return head + b"Content-Type: text/plain\r\n\r\nHello\r\n"


class Mail:
    """Anna's mailbox: mail arrives and is rendered as the crypto lane does it."""

    def __init__(self, authority):
        self.authority = authority
        self.owner = make_owner("anna@example.test")
        self.account = self.owner.account
        self.user = self.owner.user

    def arrives(self, day, raw, *, sender=PETRA):
        placement = self.owner.place(
            uid=day + 1000,
            minutes=day,
            from_address=sender,
            content_key=f"key{day}",
            is_secured=b"pkcs7" in raw,
            first_seen_at=NOW + timedelta(days=day),
        )
        message = placement.message
        Message.objects.filter(pk=message.pk).update(internal_date=NOW + timedelta(days=day))
        self.owner.refresh(placement)
        blobs.put(self.account, raw, message=message)
        self.render(message)
        return message

    def render(self, message):
        assert rendering.render(message.pk, "", Variant().key) == "done"

    def sweep(self):
        """Run the chain that the scanner would begin; returns how many steps it took."""
        sweeping.start_due()
        state = Rejudging.objects.get(account=self.account)
        steps = 1
        while sweeping.step(self.account.pk, state.fence):
            steps += 1
            assert steps < 99
        return steps

    def code(self, message):
        reading = Reading.objects.get(message=message)
        if reading.verdict:
            assert reading.verdict["code"] == reading.signature_code
            assert reading.verdict["level"] == reading.level
        return reading.signature_code

    def drawn(self, message):
        """What the list draws, which is the same everywhere."""
        found = Message.objects.get(pk=message.pk)
        row = Conversation.objects.get(newest=message)
        assert (row.seal, row.seal_flag) == (found.seal, found.seal_flag)
        return found.seal, found.seal_flag


@pytest.fixture(scope="module")
def authority():
    return new_root("Test CA", NOW - timedelta(days=400))


@pytest.fixture
def mail(settings, tmp_path, authority, db):
    settings.BLOB_DIR = tmp_path
    return Mail(authority)


@pytest.fixture
def anchor(authority, db):
    (row,) = trust.add_anchor(pem(authority.certificate), actor=None, reason=WHY)
    return row


@pytest.fixture
def petra(authority, anchor):
    return certify(authority, PETRA, begins=-60)


@pytest.fixture
def nothing_is_rendered(monkeypatch):
    def fail(*_args, **_more):
        raise AssertionError("a document was made or a mail was read")

    def forbid():
        monkeypatch.setattr(pipeline, "build", fail)
        monkeypatch.setattr(blobs, "get", fail)

    return forbid
