"""What an answer shows outside: whatever the first author hid stays hidden (RFC 9788 §6.1.2)."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from smime import people, trust, vault
from smime.models import OwnKey
from smime.pki.authority import issue, new_root, to_pkcs12
from smime.reading import read_message
from smime.writing import hcp_baseline, protect
from webmail.composer import choices, drafts, outbox, preparing, replying, sealed_files
from webmail.composer.models import Variant
from webmail.composer.outward import Hidden, hidden_in, in_the_clear, outside, policy_for
from webmail.mailbox.models import Message, Thread
from webmail.mime import Address, parse_message
from webmail.mime.write import Composition, build_entity, header_fields

NOW = timezone.now().replace(microsecond=0)
ALICE, BOB, CY = "alice@example.org", "bob@example.org", "cy@example.org"


def hcp_shy(name, value):
    """RFC 9788 §3.2.2 in short: bare addresses, and here Cc and Message-ID go altogether."""
    if name in {"From", "To"}:
        return ", ".join(piece.partition("<")[2].rstrip(">") for piece in value.split(", "))
    return None if name in {"Cc", "Message-ID"} else hcp_baseline(name, value)


@pytest.fixture(scope="module")
def pairs():
    root = new_root("Outward root", NOW - timedelta(days=99))
    dates = {"not_before": NOW - timedelta(days=9), "not_after": NOW + timedelta(days=99)}
    made = {each: issue(root, each, each, key="p256", **dates) for each in (ALICE, BOB, CY)}
    return {"root": root, **made}


def original(pairs, policy, **changes):
    """Mail from Bob to Alice, Cy in copy."""
    made = Composition(
        **(
            {
                "from_": Address("Bob Builder", BOB),
                "to": (Address("Alice Adler", ALICE),),
                "cc": (Address("Cy Canary", CY),),
                "subject": "Offer",
                "date": NOW,
                "message_id": "secret.1@example.org",
                "references": ("first@example.org",),
                "text": "We go up to 40.\n",
            }
            | changes
        )
    )
    readers = [pairs[ALICE].certificate, pairs[CY].certificate]
    return protect(
        build_entity(made), header_fields(made), signer=pairs[BOB], recipients=readers,
        cipher="aes-256-gcm", policy=policy,
    )  # fmt: skip


def hidden_of(pairs, raw):
    return hidden_in(read_message(raw, keys=[pairs[ALICE]]).headers)


# --- the rule -------------------------------------------------------------------------------------


def test_baseline_hides_no_person_and_no_identifier(pairs):
    assert hidden_of(pairs, original(pairs, hcp_baseline)) == Hidden()


def test_names_and_people_and_identifiers_that_were_inside_only(pairs):
    hidden = hidden_of(pairs, original(pairs, hcp_shy))
    assert dict(hidden.people) == {BOB: "", ALICE: "", CY: None}
    assert dict(hidden.message_ids) == {"secret.1@example.org": ""}


def test_whoever_strips_the_outer_header_makes_nothing_secret_and_nothing_known(pairs):
    raw = original(pairs, hcp_shy)
    for changed in (
        raw.replace(b"From: bob@example.org", b"From: Bob Builder <bob@example.org>", 1),
        raw.replace(b"To: alice@example.org\r\n", b"", 1),
    ):
        assert changed != raw
        assert hidden_of(pairs, changed) == hidden_of(pairs, raw)


def test_mail_without_protected_fields_hides_none(pairs):
    made = Composition(
        from_=Address("Bob", BOB), to=(Address("", ALICE),), subject="Offer", date=NOW,
        message_id="m@example.org", text="Hi\n",
    )  # fmt: skip
    raw = protect(
        build_entity(made), header_fields(made), signer=pairs[BOB],
        recipients=[pairs[ALICE].certificate], protect_headers=False,
    )  # fmt: skip
    assert hidden_of(pairs, raw) == Hidden()


HIDDEN = Hidden(((BOB, ""), (CY, None)), (("in@x", "out@x"), ("gone@x", "")))
ANSWER = Composition(
    from_=Address("Alice Adler", ALICE),
    to=(Address("Bob Builder", "BOB@example.org"), Address("Dee", "dee@example.org")),
    cc=(Address("Cy Canary", CY),),
    subject="Re: Offer",
    date=datetime(2026, 11, 3, tzinfo=UTC),
    message_id="re@example.org",
    in_reply_to="in@x",
    references=("gone@x", "kept@x", "in@x"),
    text="No.\n",
)


def test_each_mailbox_and_identifier_is_asked_about():
    shown = outside(ANSWER, HIDDEN)
    assert shown.to == (Address("", "BOB@example.org"), Address("Dee", "dee@example.org"))
    assert shown.cc == ()
    assert (shown.in_reply_to, shown.references) == ("out@x", ("kept@x", "out@x"))
    assert outside(ANSWER, Hidden()) == ANSWER


def test_in_the_clear_everybody_it_goes_to_is_named_by_address_alone():
    shown = in_the_clear(ANSWER, HIDDEN)
    assert shown.cc == (Address("", CY),)
    assert (shown.in_reply_to, shown.references) == ("out@x", ("kept@x", "out@x"))


def test_the_policy_is_baseline_and_more():
    policy = policy_for(ANSWER, HIDDEN)
    shown = {name: policy(name, value) for name, value in header_fields(ANSWER)}
    assert shown["Subject"] == "[...]"
    assert shown["From"] == "Alice Adler <alice@example.org>"
    assert shown["To"] == "BOB@example.org, Dee <dee@example.org>"
    assert shown["Cc"] is None
    assert shown["In-Reply-To"] == "<out@x>"
    assert policy("Bcc", "x@example.org") is None


# --- as it is sent --------------------------------------------------------------------------------


@pytest.fixture
def keys(alice, pairs, posted, monkeypatch):
    trust.add_anchor(pairs["root"].certificate.public_bytes(Encoding.PEM), actor=None, reason="x")
    vault.import_keys(alice.user, to_pkcs12(pairs[ALICE], "x"), "x", sealing=OwnKey.Sealing.MANAGED)
    for each in (BOB, CY):
        pem = pairs[each].certificate.public_bytes(Encoding.PEM)
        people.import_certificate(alice.user, each, pem)
    monkeypatch.setattr("smime.vault.key_ticket", lambda request: "")


def answered(alice, pairs, monkeypatch, relation):
    raw = original(pairs, hcp_shy)
    monkeypatch.setattr("webmail.mailbox.bodies.raw", lambda message, **_: raw)
    thread = Thread.objects.create(account=alice.account, last_date=NOW)
    message = Message.objects.create(
        account=alice.account, thread=thread, content_key="k", internal_date=NOW, is_secured=True
    )
    draft = drafts.new(alice.user, relation=relation, related_message=message)
    replying.prepare_reply(draft.pk, "")
    draft.refresh_from_db()
    return draft


def sent(alice, draft):
    mail = outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
    preparing.prepare(mail.pk, "")
    mail.refresh_from_db()
    assert mail.state == "queued", mail.last_reply
    return sealed_files.read_all(Variant.objects.get(outgoing=mail).key)


@pytest.mark.django_db
@pytest.mark.usefixtures("keys")
def test_an_encrypted_answer_shows_outside_what_the_original_showed(alice, pairs, monkeypatch):
    raw = sent(alice, answered(alice, pairs, monkeypatch, "reply-all"))
    for secret in (b"Bob Builder", b"Cy Canary", b"cy@", b"secret.1", b"Offer"):
        assert secret not in raw
    assert b"Subject: [...]" in raw
    reading = read_message(raw, keys=[pairs[BOB]])
    inner = reading.envelope
    assert [str(each.name) for each in inner.to] == ["Bob Builder"]
    assert [each.address for each in inner.cc] == [CY]
    assert (inner.subject, inner.in_reply_to) == ("Re: Offer", ("secret.1@example.org",))
    outer = dict(reading.headers.outer_fields)  # HP-Outer says the same
    assert {name.lower() for name in outer} == {"from", "to", "subject", "date", "message-id",
                                                "references"}  # fmt: skip
    assert outer["To"] == b"bob@example.org"


@pytest.mark.django_db
@pytest.mark.usefixtures("keys")
def test_in_the_clear_no_hidden_value_goes_out_either(alice, pairs, monkeypatch):
    """The quote is taken out (ui.md), and with it names and identifiers that nobody saw."""
    draft = answered(alice, pairs, monkeypatch, "reply-all")
    choices.choose(alice.user, draft.pk, "remove-quote")
    draft.refresh_from_db()
    assert not draft.encrypt
    raw = sent(alice, draft)
    for secret in (b"Bob Builder", b"Cy Canary", b"secret.1", b"Offer", b"up to 40"):
        assert secret not in raw
    assert [each.address for each in parse_message(raw).envelope.cc] == [CY]


@pytest.mark.django_db
@pytest.mark.usefixtures("keys")
def test_a_forward_hides_the_same(alice, pairs, monkeypatch):
    draft = answered(alice, pairs, monkeypatch, "forward")
    content = drafts.content_of(draft)
    assert dict(content.hidden_ids) == {"secret.1@example.org": ""}
    assert dict(content.hidden_people)[CY] is None
