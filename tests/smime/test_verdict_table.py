"""Each row of the table that the crafted mails do not reach, and each fine point."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from smime.cms import AES_256_CBC, AES_256_GCM, encrypt, sign_detached, sign_opaque
from smime.cms import asn1 as structures
from smime.pki import KeyPair
from smime.pki.authority import Revocation, crl, new_intermediate, new_root
from smime.pki.certificates import fingerprint
from smime.pki.revocation import load_crls
from smime.reading import read_message
from smime.verdict import History, Policy, judge
from smime.verdict_questions import questions
from tests.smime.cms.messages import HEAD, PLAIN, clear, mail, mixed, opaque, pkcs7
from tests.smime.pki.people import DAY, NOW, YEAR, context, fresh_crl, person, world
from webmail.mime import Address


def verdict_of(raw, *, keys=(), **changes):
    known = changes.get("known_certificates", ())
    reading = read_message(raw, keys=keys, certificates=known)
    return judge(reading.facts, context=context(**changes))


def codes(raw, **changes):
    verdict = verdict_of(raw, **changes)
    encryption = verdict.encryption.code if verdict.encryption else None
    return verdict.signature.code, encryption, verdict.level


def head(**fields) -> bytes:
    """The usual header with other fields; None leaves one out."""
    usual = {
        "From": "Alice <alice@example.org>",
        "To": "Bob <bob@example.org>",
        "Subject": "Invoice 1",
        "Date": "Mon, 23 Nov 2026 12:00:00 +0000",
        "MIME-Version": "1.0",
    }
    fields = usual | {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}\r\n" for name, value in fields.items() if value is not None]
    return "".join(lines).encode()


# --- signatures -----------------------------------------------------------------------------------


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
    altered = HEAD + clear(PLAIN.replace(b"100", b"900"), _proof())
    assert codes(altered) == ("altered", None, "warn")
    kept = {"known_certificates": (world().alice.certificate,)}
    assert codes(altered, **kept) == ("altered", None, "bad")


def _proof(pair=None, **options) -> bytes:
    return sign_detached(PLAIN, pair or world().alice, signed_at=options.get("at", NOW))


def test_the_user_may_bind_an_address():
    raw = head(From="boss@example.org") + opaque()
    bound = {fingerprint(world().alice.certificate): frozenset({"boss@example.org"})}
    assert codes(raw, bound_addresses=bound) == ("signed", None, "ok")


def test_a_trusted_list_may_change_a_message():
    altered = HEAD + clear(PLAIN.replace(b"100", b"900"), _proof())
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
    whole = b"List-Id: <club.lists.example>\r\n" + HEAD + clear(PLAIN, _proof())
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


# --- several layers and signers -------------------------------------------------------------------


def _two_signers(first, second, *, break_second=False) -> bytes:
    """One SignedData with two SignerInfos."""
    infos = [
        structures.ContentInfo.load(sign_opaque(PLAIN, pair, signed_at=NOW))
        for pair in (first, second)
    ]
    one, two = (info["content"] for info in infos)
    other = two["signer_infos"][0]
    if break_second:
        broken = bytearray(bytes(other["signature"]))
        broken[-1] ^= 1
        other["signature"] = bytes(broken)
    one["signer_infos"] = structures.SignerInfos([*one["signer_infos"], other])
    one["certificates"] = structures.AnySet([*one["certificates"], *two["certificates"]])
    return HEAD + pkcs7(infos[0].dump(force=True))


def test_the_one_bound_to_from_leads():
    mallory = world().mallory
    for pairs in ((world().alice, mallory), (mallory, world().alice)):
        found = verdict_of(_two_signers(*pairs))
        assert found.signature.code == "signed"
        assert "other-signers" in found.signature.notes
        assert found.signature.lead.address == "alice@example.org"


def test_a_failing_signature_of_the_sender_leads():
    alice = person("alice@example.org", "Alice")
    found = verdict_of(_two_signers(world().mallory, alice, break_second=True))
    assert (found.signature.code, found.level) == ("forged", "warn")
    other = verdict_of(_two_signers(alice, world().mallory, break_second=True))
    assert (other.signature.code, other.level) == ("signed", "ok")
    assert "second-signature-bad" in other.signature.notes


def test_two_signatures_round_one_body():
    both = HEAD + opaque(opaque(), world().mallory)
    found = verdict_of(both)
    assert (found.signature.code, found.level) == ("signed", "ok")
    assert "outer-signature" in found.signature.notes
    # The outer one fails: the failing one leads.
    failing = HEAD + clear(opaque(), _proof(world().mallory))
    assert verdict_of(failing).signature.code == "altered"


def _encrypted(entity: bytes, cipher=AES_256_GCM) -> bytes:
    der = encrypt(entity, [world().bob.certificate], cipher=cipher)
    kind = "authEnveloped-data" if cipher.is_authenticated else "enveloped-data"
    return pkcs7(der, kind)


BOB = {"keys": (world().bob,)}


@pytest.mark.parametrize(
    ("entity", "found"),
    [
        (lambda: _encrypted(opaque()), ("signed", "encrypted-signed", "ok")),
        (lambda: _encrypted(opaque(), AES_256_CBC), ("signed", "encrypted-signed", "ok")),
        (lambda: _encrypted(PLAIN), ("unsigned", "encrypted", "none")),
        (lambda: _encrypted(PLAIN, AES_256_CBC), ("unsigned", "old-method-unsigned", "warn")),
        (lambda: opaque(_encrypted(PLAIN)), ("signed-outside", "encrypted", "none")),
        (
            lambda: opaque(_encrypted(PLAIN, AES_256_CBC)),
            ("signed-outside", "old-method-unsigned", "warn"),
        ),
        (lambda: clear(_encrypted(PLAIN), _proof()), ("unsigned", "encrypted", "none")),
        (
            lambda: _encrypted(clear(PLAIN.replace(b"1", b"9"), _proof())),
            ("altered", "encrypted-signed", "warn"),
        ),
        (
            lambda: _encrypted(clear(PLAIN.replace(b"1", b"9"), _proof()), AES_256_CBC),
            ("altered", "old-method-unsigned", "warn"),
        ),
        (
            lambda: _encrypted(opaque(signer=world().mallory), AES_256_CBC),
            ("signer-not-from", "encrypted-signed", "warn"),
        ),
        (lambda: mixed(PLAIN, opaque()), ("partly-signed", None, "none")),
        (lambda: mixed(opaque()), ("partly-signed", None, "none")),
        (lambda: mixed(PLAIN, _encrypted(PLAIN)), ("unsigned", "partly-encrypted", "none")),
        (lambda: _encrypted(mixed(opaque(), PLAIN)), ("partly-signed", "encrypted", "none")),
    ],
)
def test_layers(entity, found):
    assert codes(HEAD + entity(), **BOB) == found


def test_a_certificate_collection_is_no_signature():
    info = structures.ContentInfo.load(sign_opaque(PLAIN, world().alice, signed_at=NOW))
    info["content"]["signer_infos"] = structures.SignerInfos([])
    assert codes(HEAD + pkcs7(info.dump(force=True)))[0] == "no-signature"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, ("unsigned", "no-own-key", "none")),
        ({"keys": (world().mallory,)}, ("unsigned", "key-missing", "none")),
        ({"is_vault_locked": True}, ("unsigned", "key-locked", "none")),
    ],
)
def test_what_cannot_be_opened_claims_nothing(changes, found):
    assert codes(HEAD + _encrypted(opaque()), **changes) == found
    outside = verdict_of(HEAD + opaque(_encrypted(PLAIN)), **changes)
    assert outside.signature.code == "unsigned"
    assert "outer-signature" in outside.signature.notes
    assert outside.signature.signers == ()


def test_nested_too_deeply():
    entity = PLAIN
    for _ in range(8):
        entity = opaque(entity)
    assert codes(HEAD + entity)[0] == "signed"
    assert codes(HEAD + opaque(entity)) == ("uncheckable", "too-nested", "warn")
    reading = read_message(HEAD + opaque(entity))
    assert not reading.is_shown


def test_many_framed_parts_are_bounded():
    reading = read_message(HEAD + mixed(*[opaque()] * 40))
    assert len(reading.frames) == 20


def test_forwarded_messages_have_a_trust_of_their_own():
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + HEAD
    signed = verdict_of(HEAD + mixed(PLAIN, forwarded + opaque()))
    assert (signed.signature.code, signed.level) == ("unsigned", "none")
    assert "nested-signed" in signed.signature.notes
    secret = verdict_of(HEAD + mixed(PLAIN, forwarded + _encrypted(PLAIN)), **BOB)
    assert (secret.signature.code, secret.encryption) == ("unsigned", None)
    assert "nested-encrypted" in secret.signature.notes


def test_doubled_structural_fields_are_never_green():
    doubled = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n" + opaque()
    found = verdict_of(HEAD + doubled)
    assert (found.signature.code, found.level) == ("signed", "warn")
    assert "structure-unusual" in found.signature.notes


def test_line_feeds_alone_are_read_as_the_line_ends_that_were_signed():
    raw = (HEAD + clear(PLAIN, _proof())).replace(b"\r\n", b"\n")
    assert codes(raw) == ("signed", None, "ok")


@pytest.mark.parametrize("children", [0, 1, 3])
def test_multipart_signed_has_two_children(children):
    proof = b"Content-Type: application/pkcs7-signature\r\n\r\nx"
    parts = [PLAIN, proof, PLAIN][:children]
    body = b"".join(b"--sgn\r\n" + part + b"\r\n" for part in parts)
    raw = b'Content-Type: multipart/signed; boundary="sgn"\r\n\r\n' + body + b"--sgn--\r\n"
    found = verdict_of(HEAD + raw)
    assert found.signature.code == "uncheckable"
    assert found.sentence.text == "The message is not built as a signed message is."


def test_the_content_decides_not_what_is_said_about_it():
    der = sign_opaque(PLAIN, world().alice, signed_at=NOW)
    assert codes(HEAD + pkcs7(der, "enveloped-data")) == ("signed", None, "ok")
    octets = pkcs7(der).replace(b"application/pkcs7-mime", b"application/octet-stream")
    assert codes(HEAD + octets) == ("signed", None, "ok")
    old = pkcs7(der).replace(b"application/pkcs7-mime", b"application/x-pkcs7-mime")
    assert codes(HEAD + old) == ("signed", None, "ok")


def test_tails():
    to_bob = verdict_of(HEAD + _encrypted(opaque()), **BOB)
    assert to_bob.summary.endswith("Encrypted for you.")
    copy = mail(recipients=[world().bob.certificate, world().alice.certificate])
    assert verdict_of(copy, **BOB).tail.text == "Encrypted for you."
    three = mail(recipients=[each.certificate for each in (world().bob, world().mallory)])
    assert verdict_of(three, **BOB).tail.text == "Encrypted for you and 1 other."
    unproven = verdict_of(HEAD + _encrypted(opaque(signer=world().mallory)), **BOB)
    assert unproven.tail.text == "Encrypted, but that does not show by whom."
    clear_reply = verdict_of(mail(), was_conversation_encrypted=True)
    assert clear_reply.tail.text == "Not encrypted."


def test_names_come_from_the_certificate():
    raw = mail(from_=Address("Bank of Somewhere", "alice@example.org"))
    found = verdict_of(raw)
    assert found.headline.text == "Signed by Alice"
    assert "Bank" not in found.summary


def test_smtputf8_mailbox():
    jorg = person("jörg@example.org", "Jörg")
    assert codes(head(From="jörg@example.org") + opaque(signer=jorg)) == ("signed", None, "ok")
    assert codes(head(From="Jörg@example.org") + opaque(signer=jorg))[0] == "signer-not-from"
    assert codes(head(From="jorg@example.org") + opaque(signer=jorg))[0] == "signer-not-from"


def test_an_authority_s_own_key_does_not_sign_mail():
    alone = new_root("Alone", NOW)
    pair = KeyPair(alone.key, alone.certificate)
    assert codes(HEAD + opaque(signer=pair))[0] == "wrong-key-usage"


def test_a_certificate_kept_here_serves_signatures_that_come_without():
    info = structures.ContentInfo.load(sign_opaque(PLAIN, world().alice, signed_at=NOW))
    info["content"]["certificates"] = structures.AnySet([])
    raw = HEAD + pkcs7(info.dump(force=True))
    assert codes(raw)[0] == "uncheckable"
    kept = (world().alice.certificate, world().inter.certificate)
    assert codes(raw, known_certificates=kept)[0] == "signed"
