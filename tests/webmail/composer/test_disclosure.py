"""Bcc with encryption: no copy tells anyone else who else got one (parsed as it is sent)."""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from smime.models import OwnKey
from smime.pki.authority import issue, new_root
from smime.reading import read_message
from webmail.composer import (
    attachments,
    choices,
    drafts,
    outbox,
    preparing,
    replying,
    sealed_files,
)
from webmail.composer.models import OutgoingMail, Variant
from webmail.composer.recipients import parse
from webmail.mailbox.models import Message, Thread

pytestmark = pytest.mark.django_db

PEOPLE = ("alice", "bob", "cy", "dee", "eve")


@dataclass
class State:
    """What smime.people says of a recipient."""

    code: str
    certificate: object
    gcm_capable: bool


@dataclass
class Stored:
    """A certificate row as far as the composer reads it."""

    der: bytes
    not_after: datetime


@dataclass
class Opened:
    """What the vault opened."""

    pairs: tuple
    locked: bool
    has_any: bool


@pytest.fixture(scope="module")
def pairs():
    now = datetime.now(UTC)
    root = new_root("Test root", now)
    span = {"not_before": now - timedelta(days=1), "not_after": now + timedelta(days=365)}
    return {
        name: issue(root, f"{name}@example.org", name.title(), key="p256", **span)
        for name in PEOPLE
    }


@pytest.fixture
def keys(alice, pairs, monkeypatch, posted):
    """Everybody has a certificate; Alice has her key, managed."""
    own = pairs["alice"].certificate
    OwnKey.objects.create(
        user=alice.user, sealing="managed", fingerprint="f", der=own.public_bytes(Encoding.DER), sealed_key=b"",
        subject="", issuer="", serial="1", addresses=["alice@example.org"], algorithm="ECDSA P-256",
        not_before=own.not_valid_before_utc, not_after=own.not_valid_after_utc,
    )  # fmt: skip
    capable = dict.fromkeys(PEOPLE, True)

    def recipient_states(user, addresses, now):
        found = {}
        for address in addresses:
            name = address.partition("@")[0]
            if name in pairs:
                certificate = pairs[name].certificate
                stored = Stored(
                    certificate.public_bytes(Encoding.DER), certificate.not_valid_after_utc
                )
                found[address] = State("ok", stored, capable[name])
            else:
                found[address] = State("none", None, False)
        return found

    monkeypatch.setattr("smime.people.recipient_states", recipient_states)
    monkeypatch.setattr("smime.vault.key_ticket", lambda request: "")
    monkeypatch.setattr(
        "smime.vault.open_keys", lambda user, *, kek: Opened((pairs["alice"],), False, True)
    )
    monkeypatch.setattr("smime.vault.signing_key", lambda user, address, opened: opened.pairs[0])
    return capable


def made(alice, **options):
    """Queue and prepare; return ({recipients: bytes}, the copy for Sent)."""
    draft = alice.draft(**options)
    mail = outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
    preparing.prepare(mail.pk, "")
    mail.refresh_from_db()
    assert mail.state == "queued", mail.last_reply
    variants = {
        frozenset(variant.deliveries.values_list("recipient", flat=True)): sealed_files.read_all(
            variant.key
        )
        for variant in Variant.objects.filter(outgoing=mail)
    }
    return variants, sealed_files.read_all(mail.sent_copy_key)


def readers(raw, pairs):
    """Who is named in the CMS object, by serial number."""
    (encryption,) = [layer.encryption for layer in read_message(raw).layers if layer.is_encryption]
    named = {
        name
        for each in encryption.recipients
        for name, pair in pairs.items()
        if each.fits(pair.certificate)
    }
    assert len(encryption.recipients) == len(named)
    return named


def addresses(*names):
    return frozenset(f"{name}@example.org" for name in names)


BOTH = {
    "to": "Bob <bob@example.org>",
    "cc": "cy@example.org",
    "bcc": "dee@example.org, eve@example.org",
}


def test_each_copy_names_its_own_readers_alone(alice, keys, pairs):
    variants, copy = made(alice, encrypt=True, **BOTH)
    assert set(variants) == {addresses("bob", "cy"), addresses("dee"), addresses("eve")}
    assert readers(variants[addresses("bob", "cy")], pairs) == {"alice", "bob", "cy"}
    assert readers(variants[addresses("dee")], pairs) == {"dee"}
    assert readers(variants[addresses("eve")], pairs) == {"eve"}
    assert readers(copy, pairs) == {"alice"}


def test_no_copy_but_the_senders_holds_bcc(alice, keys, pairs):
    variants, copy = made(alice, encrypt=True, subject="Canary", **BOTH)
    opener = {addresses("bob", "cy"): "bob", addresses("dee"): "dee", addresses("eve"): "eve"}
    for recipients, raw in variants.items():
        reading = read_message(raw, keys=[pairs[opener[recipients]]])
        assert reading.is_decrypted
        assert reading.envelope.subject == "Canary"
        assert reading.envelope.bcc == ()
        for source in (raw.lower(), reading.content.raw.lower()):
            assert b"dee@" not in source
            assert b"eve@" not in source
            assert b"\nbcc:" not in source
    mine = read_message(copy, keys=[pairs["alice"]])
    assert [each.address for each in mine.envelope.bcc] == ["dee@example.org", "eve@example.org"]
    assert b"dee@" not in copy
    assert b"\nbcc:" not in copy.lower()


def test_what_travels_outside_does_not_hold_the_subject(alice, keys):
    variants, copy = made(alice, encrypt=True, subject="Canary", text="Canary words")
    for raw in (*variants.values(), copy):
        assert b"Canary" not in raw
        assert b"Subject: [...]" in raw


@pytest.mark.parametrize(
    ("weakest", "kind"), [(None, "auth-enveloped"), ("bob", "enveloped"), ("eve", "enveloped")]
)
def test_one_content_cipher_for_all_copies(alice, keys, weakest, kind):
    if weakest:
        keys[weakest] = False
    variants, copy = made(alice, encrypt=True, **BOTH)
    kinds = {read_message(raw).layers[0].kind for raw in (*variants.values(), copy)}
    assert kinds == {kind}


def test_signed_in_the_clear_shares_one_copy_without_bcc(alice, keys):
    variants, copy = made(alice, sign=True, **BOTH)
    ((recipients, raw),) = variants.items()
    assert recipients == addresses("bob", "cy", "dee", "eve")
    assert b"dee@" not in raw
    reading = read_message(raw)
    assert reading.layers[0].kind == "clear-signed"
    assert reading.layers[0].is_ok
    assert "to" in reading.headers.protected_names(is_signature_valid=True)
    assert [each.address for each in read_message(copy).envelope.bcc] == [
        "dee@example.org",
        "eve@example.org",
    ]


def test_encrypted_mail_is_signed_inside(alice, keys, pairs):
    variants, _ = made(alice, encrypt=True)
    (raw,) = variants.values()
    kinds = [layer.kind for layer in read_message(raw, keys=[pairs["bob"]]).layers]
    assert kinds[0] in {"auth-enveloped", "enveloped"}
    assert kinds[1] in {"clear-signed", "signed"}


def test_someone_without_a_certificate_stops_the_mail(alice, keys):
    with pytest.raises(outbox.NotSendable) as caught:
        made(alice, encrypt=True, to="bob@example.org, zoe@example.org")
    assert caught.value.protection.kind == "people-missing"
    assert not OutgoingMail.objects.exists()


def test_a_locked_key_stops_the_mail_and_says_so(alice, keys, monkeypatch):
    monkeypatch.setattr("smime.vault.open_keys", lambda user, *, kek: Opened((), True, True))
    monkeypatch.setattr("smime.vault.signing_key", lambda user, address, opened: None)
    mail = outbox.queue(
        alice.user, alice.draft(sign=True), idempotency_key=uuid.uuid4(), request=None
    )
    preparing.prepare(mail.pk, "")
    mail.refresh_from_db()
    assert (mail.state, mail.lease_until) == ("preparing", None)  # its ticket may still come
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    preparing.prepare(mail.pk, "")
    mail.refresh_from_db()
    assert mail.state == "failed"
    assert mail.draft.failure == "Your keys are locked. Unlock them and send again."


@pytest.fixture
def secret_message(alice, keys, monkeypatch):
    """A mail that came encrypted for Alice, with a file."""
    draft = alice.draft(
        to="alice@example.org",
        subject="Canary subject",
        text="Canary words of Bob.\n",
        encrypt=True,
    )
    attachments.attach_content(
        alice.user,
        draft.pk,
        filename="canary.pdf",
        content_type="application/pdf",
        chunks=[b"%PDF"],
    )
    mail = outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
    preparing.prepare(mail.pk, "")
    raw = sealed_files.read_all(Variant.objects.get(outgoing=mail).key)
    OutgoingMail.objects.update(state="filed")
    now = timezone.now()
    monkeypatch.setattr("webmail.mailbox.bodies.raw", lambda message, **_: raw)
    return Message.objects.create(
        account=alice.account, thread=Thread.objects.create(account=alice.account, last_date=now),
        content_key="k", internal_date=now, is_secured=True,
    )  # fmt: skip


def reply_to(alice, message, relation):
    draft = drafts.new(alice.user, relation=relation, related_message=message)
    replying.prepare_reply(draft.pk, "")
    draft.refresh_from_db()
    return draft


@pytest.mark.parametrize("relation", ["reply", "forward"])
def test_what_came_encrypted_is_quoted_and_held(alice, secret_message, relation):
    draft = reply_to(alice, secret_message, relation)
    content = drafts.content_of(draft)
    assert (draft.holds_encrypted_quote, draft.sign, draft.encrypt) == (True, True, True)
    assert "Canary words" in content.text
    assert "Subject: Canary subject\n\nCanary" not in content.text  # legacy display is dropped
    assert draft.attachments.filter(is_from_encrypted=True).count() == (relation == "forward")
    assert b"Canary" not in bytes(draft.sealed_content)


@pytest.mark.parametrize("relation", ["reply", "forward"])
def test_it_leaves_encrypted_or_without_the_quote(alice, secret_message, relation):
    draft = reply_to(alice, secret_message, relation)
    content = replace(drafts.content_of(draft), to=parse("bob@example.org"))
    content = replace(content, text="My own words.\n" + content.text, html="")
    draft = drafts.save(
        alice.user, draft.pk, content, 0, identity=alice.identity, sign=True, encrypt=False
    )
    with pytest.raises(outbox.NotSendable) as caught:
        outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
    assert caught.value.protection.kind == "encrypted-quote"
    draft = choices.choose(alice.user, draft.pk, "remove-quote")
    assert not draft.holds_encrypted_quote
    mail = outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
    preparing.prepare(mail.pk, "")
    sent = sealed_files.read_all(Variant.objects.get(outgoing=mail).key)
    assert b"My own words." in sent
    assert b"anary" not in sent


def test_post_quantum_keys_are_written_with_where_the_site_allows(
    alice, keys, pairs, settings, monkeypatch
):
    settings.POST_QUANTUM = "pure"
    now = datetime.now(UTC)
    span = {"not_before": now - timedelta(days=1), "not_after": now + timedelta(days=365)}
    root = new_root("Test root", now)
    reader = issue(root, "bob@example.org", "Bob", key="mlkem768", **span)
    monkeypatch.setitem(pairs, "bob", reader)
    variants, _copy = made(alice, encrypt=True)
    (raw,) = variants.values()
    for name in ("bob", "alice"):
        assert read_message(raw, keys=[pairs[name]]).is_decrypted
