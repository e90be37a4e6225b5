"""Withdrawn certificates in the composer: what it says, what it refuses, what leaves."""

import uuid
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from smime import people, trust, vault
from smime.models import OwnKey
from smime.pki.authority import Revocation, crl, issue, new_root, to_pkcs12
from webmail.composer import certificates, drafts, outbox, preparing
from webmail.composer.composer_page import open_url
from webmail.composer.models import Draft, OutgoingMail
from webmail.composer.validation import NotSendable, check_sendable

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
DAY = timedelta(days=1)
SINCE = (NOW - 2 * DAY).strftime("%-d %B %Y")
BOB = "bob@example.org"


@pytest.fixture(scope="module")
def root():
    return new_root("Composer root", NOW - 99 * DAY)


@pytest.fixture
def pairs(alice, root):
    """Alice's own key, and Bob's certificate."""
    trust.add_anchor(root.certificate.public_bytes(Encoding.PEM), actor=None, reason="Ours")
    dates = {"not_before": NOW - 9 * DAY, "not_after": NOW + 99 * DAY, "key": "p256"}
    own = issue(root, "alice@example.org", "Alice", **dates)
    vault.import_keys(alice.user, to_pkcs12(own, "x"), "x", sealing=OwnKey.Sealing.MANAGED)
    bob = issue(root, BOB, "Bob", **dates)
    people.import_certificate(alice.user, BOB, bob.certificate.public_bytes(Encoding.PEM))
    return {"alice": own, "bob": bob}


def withdraw(root, pair):
    """An administrator gives the authority's list."""
    entry = Revocation(pair.certificate.serial_number, NOW - 2 * DAY)
    times = {"this_update": NOW - DAY, "next_update": NOW + 7 * DAY}
    trust.add_crl(crl(root, [entry], **times), actor=None, reason="Lost card")


def refusal(alice, draft):
    """What stands between the draft and its sending."""
    row = Draft.objects.get(pk=draft.pk)
    with pytest.raises(NotSendable) as refused:
        check_sendable(alice.user, row, drafts.content_of(row), None)
    return refused.value.protection


def test_the_composer_refuses_to_sign_and_says_since_when(alice, pairs, root):
    draft = alice.draft(sign=True)
    withdraw(root, pairs["alice"])
    panel = refusal(alice, draft)
    assert panel.kind == "own-key-withdrawn"
    assert panel.headline == f"Your certificate for this address was withdrawn on {SINCE}"
    assert [each.value for each in panel.choices] == ["plain"]


def test_a_new_mail_is_not_signed_by_itself_and_the_page_says_why(alice, pairs, root, site):
    withdraw(root, pairs["alice"])
    draft = alice.draft()
    answer = site.get(open_url(draft.pk))
    page = answer.content.decode()
    assert f"Your certificate for this address was withdrawn on {SINCE}" in page
    request = answer.wsgi_request
    assert certificates.default_protection(alice.user, alice.identity, request) == (False, False)


def test_nobody_encrypts_to_a_withdrawn_certificate_without_a_decision(alice, pairs, root):
    draft = alice.draft(to=f"{BOB}, alice@example.org", sign=True, encrypt=True)
    withdraw(root, pairs["bob"])
    panel = refusal(alice, draft)
    assert panel.kind == "people-missing"
    assert [(each.address, each.words) for each in panel.people] == [
        (BOB, f"Certificate withdrawn on {SINCE}")
    ]
    assert [each.value for each in panel.choices] == ["signed", "able-only"]


@pytest.mark.parametrize(
    ("whose", "why"), [("alice", "not withdrawn"), ("bob", "Nothing was sent")]
)
def test_what_is_withdrawn_after_send_was_pressed_does_not_leave(
    alice, pairs, root, posted, monkeypatch, whose, why
):
    """The crypto lane asks again: it reopens the draft rather than send it weaker."""
    monkeypatch.setattr("smime.vault.key_ticket", lambda request: "")  # managed keys need none
    draft = alice.draft(to=BOB, sign=True, encrypt=True)
    mail = outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
    withdraw(root, pairs[whose])
    preparing.prepare(mail.pk, "")
    row = OutgoingMail.objects.get(pk=mail.pk)
    assert row.state == OutgoingMail.State.FAILED
    assert not row.variants.exists()
    assert why in row.last_reply
