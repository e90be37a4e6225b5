"""Each row of the table that the crafted mails do not reach: one signature round the whole."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from smime.pki.authority import Revocation, crl, new_intermediate
from smime.pki.certificates import fingerprint
from smime.pki.revocation import load_crls
from smime.reading import read_message
from smime.verdict import History, Policy
from smime.verdict_questions import questions
from tests.smime.cms.messages import HEAD, PLAIN, clear, mail, opaque
from tests.smime.judging import codes, head, verdict_of
from tests.smime.pki.people import DAY, NOW, YEAR, fresh_crl, person, world
from tests.smime.verdict_mails import proof


def test_signed():
    assert codes(mail()) == ("signed", None, "ok")


@pytest.mark.parametrize(
    ("sender", "code", "level"),
    [
        ("Alice <alice@example.org>, Alice <ALICE@example.org>", "signed", "ok"),
        ("Alice <alice@example.org>, Bob <bob@example.org>", "several-authors", "warn"),
        ("Team: alice@example.org;", "from-malformed", "bad"),
        ("undisclosed:;", "from-malformed", "bad"),
        ('"Alice <alice@example.org>', "from-malformed", "bad"),
        ("Alice", "from-malformed", "bad"),
        (None, "from-malformed", "bad"),
        ("alice@example.org (bob@example.org)", "signed", "warn"),
        ('"bob＠example.org" <alice@example.org>', "signed", "warn"),
        ('"bob\u200b@example.org" <alice@example.org>', "signed", "warn"),
        ('"bob﹫example.org" <alice@example.org>', "signed", "warn"),
        ('"Alice @ home" <alice@example.org>', "signed", "ok"),
        ('"alice@example.org" <alice@example.org>', "signed", "ok"),
        ('"alice"@example.org', "signed", "ok"),
    ],
)
def test_from(sender, code, level):
    found = verdict_of(head(From=sender) + opaque())
    assert (found.signature.code, found.level) == (code, level)
    note = "name-holds-other-address"
    if code != "from-malformed":
        assert (note in found.signature.notes) is (code == "signed" and level == "warn")


def test_an_unsigned_mail_without_sender_is_only_unsigned():
    assert codes(head(From=None) + PLAIN) == ("unsigned", None, "none")


@pytest.mark.parametrize(
    ("sender", "agent", "code"),
    [
        ("boss@example.org", "alice@example.org", "signer-is-agent"),
        ("boss@example.org", None, "signer-not-from"),
        ("boss@example.org", "other@example.org", "signer-not-from"),
        ("alice@example.org", "other@example.org", "signed"),
    ],
)
def test_who_signed(sender, agent, code):
    found = verdict_of(head(From=sender, Sender=agent) + opaque())
    assert found.signature.code == code
    assert ("sender-on-behalf" in found.signature.notes) is (code == "signed")


def test_known_to_sign_makes_it_worse():
    boss = person("boss@example.org", "Boss")
    raw = head(From="boss@example.org") + opaque()
    known = {"known_certificates": (boss.certificate,)}
    assert codes(raw) == ("signer-not-from", None, "warn")
    assert codes(raw, **known) == ("impostor", None, "bad")
    altered = HEAD + clear(PLAIN.replace(b"100", b"900"), proof())
    assert codes(altered) == ("altered", None, "warn")
    kept = {"known_certificates": (world().alice.certificate,)}
    assert codes(altered, **kept) == ("altered", None, "bad")


def test_the_user_may_bind_an_address():
    raw = head(From="boss@example.org") + opaque()
    bound = {fingerprint(world().alice.certificate): frozenset({"boss@example.org"})}
    assert codes(raw, bound_addresses=bound) == ("signed", None, "ok")


def test_a_trusted_list_may_change_a_message():
    altered = HEAD + clear(PLAIN.replace(b"100", b"900"), proof())
    by_list = b"List-Id: Club <club.lists.example>\r\n" + altered
    trusted = {"is_list_change_trusted": True}
    assert codes(by_list, **trusted) == ("altered-by-list", None, "none")
    assert codes(by_list, known_certificates=(world().alice.certificate,), **trusted) == (
        "altered-by-list",
        None,
        "none",
    )
    # nobody vouches; no list at all; the signer is the list itself; nothing was altered
    assert codes(by_list) == ("altered", None, "warn")
    assert codes(altered, **trusted) == ("altered", None, "warn")
    for own in (b"List-Id: <alice.example.org>", b"List-Post: <mailto:Alice@example.org>"):
        assert codes(own + b"\r\n" + altered, **trusted) == ("altered", None, "warn")
    whole = b"List-Id: <club.lists.example>\r\n" + HEAD + clear(PLAIN, proof())
    assert codes(whole, **trusted) == ("signed", None, "ok")


def test_blocked_issuer():
    policy = Policy(blocked_issuers=frozenset({fingerprint(world().inter.certificate)}))
    assert codes(mail(), policy=policy) == ("issuer-blocked", None, "bad")


def _revoked(days, reason=None, **changes):
    at = NOW - timedelta(days=days)
    return codes(mail(), crls=(fresh_crl((world().alice, at, reason)),), **changes)


@pytest.mark.parametrize(
    ("days", "reason", "received", "found"),
    [
        (5, None, NOW, ("revoked", None, "bad")),
        (5, None, NOW - 10 * DAY, ("revoked-later", None, "ok")),
        (5, x509.ReasonFlags.superseded, NOW - 10 * DAY, ("revoked-later", None, "ok")),
        (5, x509.ReasonFlags.key_compromise, NOW - 10 * DAY, ("revoked-later", None, "warn")),
        (5, x509.ReasonFlags.ca_compromise, NOW - 10 * DAY, ("revoked-later", None, "warn")),
        # Receipt unknown: the message itself says it is younger than the withdrawal.
        (5, None, None, ("revoked", None, "bad")),
    ],
)
def test_revocation(days, reason, received, found):
    assert _revoked(days, reason, received_at=received) == found


def test_a_message_that_claims_to_be_older_than_the_withdrawal_is_looked_at():
    at = NOW - 5 * DAY
    crls = (fresh_crl((world().alice, at, None)),)
    raw = mail(date=NOW - 9 * DAY, signing_time=NOW - 9 * DAY)
    assert codes(raw, crls=crls, received_at=None) == ("revoked-later", None, "warn")


def test_a_revoked_intermediate_is_a_withdrawal():
    entry = Revocation(world().inter.certificate.serial_number, NOW - 5 * DAY)
    listed = crl(world().root, [entry], this_update=NOW - DAY, next_update=NOW + DAY)
    assert codes(mail(), crls=(*load_crls([listed]), fresh_crl())) == ("revoked", None, "bad")


@pytest.mark.parametrize(
    ("start", "end", "received", "found"),
    [
        (-365, -1, NOW - 10 * DAY, ("signed-expired-since", None, "ok")),
        (-365, -1, NOW, ("expired", None, "warn")),
        (-365, -1, None, ("expired", None, "warn")),
        (1, 365, NOW, ("not-yet-valid", None, "warn")),
    ],
)
def test_validity(start, end, received, found):
    alice = person(
        "alice@example.org",
        "Alice",
        not_before=NOW + start * DAY,
        not_after=NOW + end * DAY,
    )
    assert codes(mail(signer=alice), received_at=received) == found


def test_an_expired_intermediate_is_like_an_expired_leaf():
    brief = new_intermediate(world().root, "Brief", NOW - 60 * DAY, lifetime=50 * DAY)
    alice = person("alice@example.org", "Alice", brief)
    crls = (fresh_crl(issuer=brief),)
    assert codes(mail(signer=alice), crls=crls)[0] == "expired"
    then = NOW - 20 * DAY
    assert codes(mail(signer=alice), crls=crls, received_at=then)[0] == "signed-expired-since"


@pytest.mark.parametrize(
    ("eku", "code"),
    [
        (None, "signed"),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], "signed"),
        ([ExtendedKeyUsageOID.CLIENT_AUTH], "wrong-purpose"),
        (
            [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION],
            "signed",
        ),
    ],
)
def test_purpose_of_the_leaf(eku, code):
    assert codes(mail(signer=person("alice@example.org", "Alice", eku=eku)))[0] == code


def test_purpose_of_an_authority():
    servers = new_intermediate(
        world().root, "Servers", NOW - YEAR, eku=[ExtendedKeyUsageOID.SERVER_AUTH]
    )
    alice = person("alice@example.org", "Alice", servers)
    found = verdict_of(mail(signer=alice), crls=(fresh_crl(issuer=servers),))
    assert found.signature.code == "wrong-purpose"
    assert found.sentence.text == "It was issued for web servers."


@pytest.mark.parametrize(
    ("ku", "code"),
    [
        (None, "signed"),
        ({"digital_signature"}, "signed"),
        ({"content_commitment"}, "signed"),
        ({"key_encipherment"}, "wrong-key-usage"),
        ({"key_agreement"}, "wrong-key-usage"),
    ],
)
def test_key_usage(ku, code):
    assert codes(mail(signer=person("alice@example.org", "Alice", ku=ku)))[0] == code


def test_weak_and_broken_keys():
    weak = person("alice@example.org", "Weak", kind="rsa1024")
    assert codes(mail(signer=weak)) == ("weak-algorithm", None, "warn")
    old = new_intermediate(world().root, "Old", NOW - YEAR, key="rsa1024")
    alice = person("alice@example.org", "Alice", old)
    assert codes(mail(signer=alice), crls=(fresh_crl(issuer=old),))[0] == "weak-algorithm"


@pytest.mark.parametrize(
    ("apart", "code", "note"),
    [
        (0, "signed", None),
        (2, "signed", "late-signing"),
        (29, "signed", "late-signing"),
        (31, "old-signature", None),
    ],
)
def test_signing_time(apart, code, note):
    found = verdict_of(mail(signing_time=NOW - timedelta(days=apart, hours=1)))
    assert found.signature.code == code
    assert ("late-signing" in found.signature.notes) is (note is not None)


def test_trust():
    raw = mail()
    assert codes(raw, anchors=()) == ("chain-incomplete", None, "unknown")
    root = (world().root.certificate,)
    assert codes(raw, anchors=(), intermediates=root) == ("issuer-unknown", None, "unknown")
    alice = person("alice@example.org", "Alice", world().stranger)
    assert codes(mail(signer=alice))[0] == "chain-incomplete"


def test_a_pinned_certificate_is_signed_and_vouches_for_itself():
    raw = mail()
    found = verdict_of(raw, anchors=(world().alice.certificate,), crls=())
    assert (found.signature.code, found.level) == ("signed", "ok")
    asked = questions(found, read_message(raw).facts)
    assert asked[2].answer.text == "The certificate itself is trusted here."


@pytest.mark.parametrize(
    ("history", "policy", "crls", "found"),
    [
        (None, Policy(), True, ("signed", "ok")),
        (None, Policy(), False, ("signed-not-rechecked", "ok")),
        (None, Policy(demand_revocation=True), False, ("signed-not-rechecked", "warn")),
        (History(), Policy(), True, ("signed-first", "ok")),
        (History(), Policy(demand_revocation=True), False, ("signed-not-rechecked", "warn")),
        (
            History(has_signed_before=True, fingerprints=frozenset({"x"}), new_since=NOW),
            Policy(),
            True,
            ("signed-new-certificate", "ok"),
        ),
    ],
)
def test_history_and_policy(history, policy, crls, found):
    verdict = verdict_of(
        mail(), history=history, policy=policy, crls=(fresh_crl(),) if crls else ()
    )
    assert (verdict.signature.code, verdict.level) == found


def test_the_same_certificate_again_is_simply_signed():
    known = frozenset({fingerprint(world().alice.certificate)})
    history = History(has_signed_before=True, fingerprints=known)
    assert codes(mail(), history=history)[0] == "signed"


@pytest.mark.parametrize(
    ("run", "list_id", "code"),
    [(2, None, "unsigned"), (3, None, "signature-missing"), (3, "<a.list>", "unsigned")],
)
def test_a_missing_signature_is_noticed(run, list_id, code):
    history = History(has_signed_before=True, signed_in_a_row=run, name="Alice")
    verdict = verdict_of(head(List_Id=list_id) + PLAIN, history=history)
    assert verdict.signature.code == code
    if code == "signature-missing":
        assert verdict.headline.text == "Not signed, unlike other mail from Alice"
        assert verdict.level == "warn"
