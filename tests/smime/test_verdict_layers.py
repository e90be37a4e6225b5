"""Several layers and signers, and each fine point of the table."""

import pytest

from smime.cms import AES_256_CBC, sign_opaque
from smime.cms import asn1 as structures
from smime.pki import KeyPair
from smime.pki.authority import new_root
from smime.reading import read_message
from tests.smime.cms.messages import HEAD, PLAIN, clear, mail, mixed, opaque, pkcs7
from tests.smime.judging import codes, head, verdict_of
from tests.smime.pki.people import NOW, person, world
from tests.smime.verdict_mails import encrypted, proof, two_signers
from webmail.mime import Address


def test_the_one_bound_to_from_leads():
    mallory = world().mallory
    for pairs in ((world().alice, mallory), (mallory, world().alice)):
        found = verdict_of(two_signers(*pairs))
        assert found.signature.code == "signed"
        assert "other-signers" in found.signature.notes
        assert found.signature.lead.address == "alice@example.org"


def test_a_failing_signature_of_the_sender_leads():
    alice = person("alice@example.org", "Alice")
    found = verdict_of(two_signers(world().mallory, alice, is_broken=True))
    assert (found.signature.code, found.level) == ("forged", "warn")
    other = verdict_of(two_signers(alice, world().mallory, is_broken=True))
    assert (other.signature.code, other.level) == ("signed", "ok")
    assert "second-signature-bad" in other.signature.notes


def test_two_signatures_round_one_body():
    both = HEAD + opaque(opaque(), world().mallory)
    found = verdict_of(both)
    assert (found.signature.code, found.level) == ("signed", "ok")
    assert "outer-signature" in found.signature.notes
    # The outer one fails: the failing one leads.
    failing = HEAD + clear(opaque(), proof(world().mallory))
    assert verdict_of(failing).signature.code == "altered"


BOB = {"keys": (world().bob,)}


@pytest.mark.parametrize(
    ("entity", "found"),
    [
        (lambda: encrypted(opaque()), ("signed", "encrypted-signed", "ok")),
        (lambda: encrypted(opaque(), AES_256_CBC), ("signed", "encrypted-signed", "ok")),
        (lambda: encrypted(PLAIN), ("unsigned", "encrypted", "none")),
        (lambda: encrypted(PLAIN, AES_256_CBC), ("unsigned", "old-method-unsigned", "warn")),
        (lambda: opaque(encrypted(PLAIN)), ("signed-outside", "encrypted", "none")),
        (
            lambda: opaque(encrypted(PLAIN, AES_256_CBC)),
            ("signed-outside", "old-method-unsigned", "warn"),
        ),
        (lambda: clear(encrypted(PLAIN), proof()), ("unsigned", "encrypted", "none")),
        (
            lambda: encrypted(clear(PLAIN.replace(b"1", b"9"), proof())),
            ("altered", "encrypted-signed", "warn"),
        ),
        (
            lambda: encrypted(clear(PLAIN.replace(b"1", b"9"), proof()), AES_256_CBC),
            ("altered", "old-method-unsigned", "warn"),
        ),
        (
            lambda: encrypted(opaque(signer=world().mallory), AES_256_CBC),
            ("signer-not-from", "encrypted-signed", "warn"),
        ),
        (lambda: mixed(PLAIN, opaque()), ("partly-signed", None, "none")),
        (lambda: mixed(opaque()), ("partly-signed", None, "none")),
        (lambda: mixed(PLAIN, encrypted(PLAIN)), ("unsigned", "partly-encrypted", "none")),
        (lambda: encrypted(mixed(opaque(), PLAIN)), ("partly-signed", "encrypted", "none")),
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
    assert codes(HEAD + encrypted(opaque()), **changes) == found
    outside = verdict_of(HEAD + opaque(encrypted(PLAIN)), **changes)
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
    secret = verdict_of(HEAD + mixed(PLAIN, forwarded + encrypted(PLAIN)), **BOB)
    assert (secret.signature.code, secret.encryption) == ("unsigned", None)
    assert "nested-encrypted" in secret.signature.notes


def test_doubled_structural_fields_are_never_green():
    doubled = b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n" + opaque()
    found = verdict_of(HEAD + doubled)
    assert (found.signature.code, found.level) == ("signed", "warn")
    assert "structure-unusual" in found.signature.notes


def test_line_feeds_alone_are_read_as_the_line_ends_that_were_signed():
    raw = (HEAD + clear(PLAIN, proof())).replace(b"\r\n", b"\n")
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
    to_bob = verdict_of(HEAD + encrypted(opaque()), **BOB)
    assert to_bob.summary.endswith("Encrypted for you.")
    copy = mail(recipients=[world().bob.certificate, world().alice.certificate])
    assert verdict_of(copy, **BOB).tail.text == "Encrypted for you."
    three = mail(recipients=[each.certificate for each in (world().bob, world().mallory)])
    assert verdict_of(three, **BOB).tail.text == "Encrypted for you and 1 other."
    unproven = verdict_of(HEAD + encrypted(opaque(signer=world().mallory)), **BOB)
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
