"""An example of each code and each note, made here with a clock; none may be without one."""

import hashlib
import os
import zlib
from datetime import timedelta
from functools import cache
from unittest import mock

import pytest
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import padding as blocks
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.x509.oid import ExtendedKeyUsageOID

from smime import words
from smime.cms import (
    AES_256_CBC,
    AES_256_GCM,
    algorithms,
    encrypt,
    encrypting,
    sign_detached,
    sign_opaque,
    signing,
)
from smime.cms import asn1 as structures
from smime.cms.algorithms import algorithm, algorithm_with_null
from smime.cms.elements import object_identifier
from smime.pki import KeyPair
from smime.pki.authority import new_key
from smime.pki.certificates import fingerprint
from smime.reading import LAYER_LIMIT, read_message
from smime.verdict import History, Policy, judge
from tests.smime.cms.messages import HEAD, PLAIN, clear, mail, mixed, opaque, pkcs7
from tests.smime.pki.people import DAY, NOW, context, fresh_crl, person, world

ALICE = "alice@example.org"
CHANGED = PLAIN.replace(b"100", b"900")


def sender(value: str, entity: bytes) -> bytes:
    return HEAD.replace(b"Alice <alice@example.org>", value.encode()) + entity


def proof(pair=None) -> bytes:
    return sign_detached(PLAIN, pair or world().alice, signed_at=NOW)


def encrypted(entity: bytes, cipher=AES_256_GCM, *, to=None) -> bytes:
    der = encrypt(entity, [(to or world().bob).certificate], cipher=cipher)
    return pkcs7(der, "authEnveloped-data" if cipher.is_authenticated else "enveloped-data")


def with_md5() -> bytes:
    """A signature with MD5, good otherwise."""
    digest = algorithm("1.2.840.113549.2.5")
    method = signing._Method("md5", digest, algorithm_with_null(algorithms.RSA_ENCRYPTION))

    def sign(pair, _method, message):
        return pair.key.sign(message, padding.PKCS1v15(), hashes.MD5())

    with (
        mock.patch.object(signing, "_method", lambda _pair: method),
        mock.patch.object(signing, "_sign", sign),
    ):
        return HEAD + opaque()


def forged() -> bytes:
    info = structures.ContentInfo.load(sign_opaque(PLAIN, world().alice, signed_at=NOW))
    signer = info["content"]["signer_infos"][0]
    broken = bytearray(bytes(signer["signature"]))
    broken[-1] ^= 1
    signer["signature"] = bytes(broken)
    return HEAD + pkcs7(info.dump(force=True))


def without_signers() -> bytes:
    info = structures.ContentInfo.load(sign_opaque(PLAIN, world().alice, signed_at=NOW))
    info["content"]["signer_infos"] = structures.SignerInfos([])
    return HEAD + pkcs7(info.dump(force=True))


def without_time() -> bytes:
    real = signing._attributes

    def attributes(*args):
        named = object_identifier(algorithms.SIGNING_TIME)
        return [each for each in real(*args) if named not in each]

    with mock.patch.object(signing, "_attributes", attributes):
        return HEAD + opaque()


def self_made() -> KeyPair:
    """A certificate that Alice made herself."""
    key = new_key("p256")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Alice Alone")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 9 * DAY)
        .not_valid_after(NOW + 9 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(ALICE)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(key, certificate)


def two_senders() -> bytes:
    inside = b'From: carol@example.org\r\nContent-Type: text/plain; hp="clear"\r\n\r\nHello\r\n'
    return HEAD + opaque(inside)


def content_info(oid: str, value) -> bytes:
    return structures.ContentInfo({"content_type": oid, "content": value}).dump()


def with_tag_changed() -> bytes:
    der = bytearray(encrypt(PLAIN, [world().bob.certificate], cipher=AES_256_GCM))
    der[-1] ^= 1
    return HEAD + pkcs7(bytes(der), "authEnveloped-data")


def compressed(entity: bytes) -> bytes:
    value = structures.CompressedData(
        {
            "version": 0,
            "compression_algorithm": algorithm(algorithms.ZLIB),
            "encap_content_info": {
                "content_type": algorithms.DATA,
                "content": zlib.compress(entity),
            },
        }
    )
    return pkcs7(content_info("1.2.840.113549.1.9.16.1.9", value), "compressed-data")


def bomb() -> bytes:
    return HEAD + compressed(bytes(26 * 1024 * 1024))


def nested(depth: int, layer=opaque) -> bytes:
    entity = PLAIN
    for _ in range(depth):
        entity = layer(entity)
    return HEAD + entity


def with_triple_des() -> bytes:
    """Signed inside 3DES, which only others write."""
    key, iv = os.urandom(24), os.urandom(8)
    padder = blocks.PKCS7(64).padder()
    encryptor = Cipher(TripleDES(key), modes.CBC(iv)).encryptor()
    content = encryptor.update(padder.update(opaque()) + padder.finalize()) + encryptor.finalize()
    reader = old_reader()
    enveloped = structures.EnvelopedData(
        {
            "version": 0,
            "recipient_infos": [encrypting._recipient(reader.certificate, key, oaep=False)],
            "encrypted_content_info": {
                "content_type": algorithms.DATA,
                "content_encryption_algorithm": algorithm(
                    "1.2.840.113549.3.7", core.OctetString(iv)
                ),
                "encrypted_content": content,
            },
        }
    )
    return HEAD + pkcs7(content_info(algorithms.ENVELOPED_DATA, enveloped), "enveloped-data")


@cache
def old_reader() -> KeyPair:
    return person("bob@example.org", "Bob RSA", kind="rsa2048")


def known(pair) -> dict:
    return {"known_certificates": (pair.certificate,)}


def revoked(days: int, **more) -> dict:
    entry = (world().alice, NOW - timedelta(days=days), None)
    return {"crls": (fresh_crl(entry),)} | more


HISTORY = History(
    has_signed_before=True, fingerprints=frozenset({"other"}), new_since=NOW, signed_in_a_row=4,
    name="Alice",
)  # fmt: skip
SIGNED = "Matches the sender and unchanged since signing."

# code → (mail, context, class, headline, beginning of the sentence)
SIGNATURES = {
    "from-malformed": (
        lambda: sender("Alice", opaque()), {}, "bad",
        "The sender field is malformed", "Nobody can say whose message",
    ),
    "two-senders": (
        two_senders, {}, "bad", "Two different senders are named",
        "Outside it says alice@example.org, inside carol@example.org.",
    ),
    "altered-by-list": (
        lambda: b"List-Id: <plans.lists.example>\r\n" + HEAD + clear(CHANGED, proof()),
        {"is_list_change_trusted": True}, "none",
        "Signature not checkable", "A mailing list changed this message",
    ),
    "altered": (
        lambda: HEAD + clear(CHANGED, proof()), {}, "warn",
        "This message was changed after it was signed", "A mail gateway may have done this",
    ),
    "forged": (
        forged, {}, "warn", "The signature is not genuine", "It was not made with the key it names",
    ),
    "broken-algorithm": (
        with_md5, {}, "none", "The signature proves nothing", "It was made with a method that anyone",
    ),
    "no-signature": (
        without_signers, {}, "none", "Not signed", "This message carries certificates",
    ),
    "uncheckable": (
        lambda: HEAD + pkcs7(sign_opaque(PLAIN, world().alice, signed_at=NOW)[:-9]), {}, "warn",
        "This signature cannot be checked", "It is incomplete or damaged.",
    ),
    "wrong-key-usage": (
        lambda: HEAD + opaque(signer=person(ALICE, "Alice", ku={"key_encipherment"})), {}, "warn",
        "This signature does not count", "It was made with a key that is not allowed",
    ),
    "signed-outside": (
        lambda: HEAD + opaque(encrypted(PLAIN)), {}, "none",
        "Signed on the outside only", "Alice closed this envelope.",
    ),
    "impostor": (
        lambda: sender("boss@example.org", opaque()),
        lambda: known(person("boss@example.org", "Boss")), "bad",
        "Signed by someone other than the sender",
        ("The message says it is from boss@example.org, whose certificate you know; "
        "the signature belongs to alice@example.org."),
    ),
    "issuer-blocked": (
        mail,
        lambda: {"policy": Policy(frozenset({fingerprint(world().inter.certificate)}))}, "bad",
        "Your organisation does not accept this signer", "Certificates from Test Issuer are blocked",
    ),
    "revoked": (
        mail, lambda: revoked(5), "bad", "The signer's certificate was withdrawn",
        "It was revoked on 18 November 2026, before this message.",
    ),
    "signer-is-agent": (
        lambda: sender("boss@example.org\r\nSender: alice@example.org", opaque()), {}, "warn",
        "Signed by the sending agent, not the author",
        "alice@example.org signed for boss@example.org.",
    ),
    "signer-not-from": (
        lambda: sender("boss@example.org", opaque()), {}, "warn",
        "Signed by someone other than the sender",
        "The message says it is from boss@example.org, but the signature belongs to alice@",
    ),
    "several-authors": (
        lambda: sender("alice@example.org, bob@example.org", opaque()), {}, "warn",
        "Several senders are named", "Only alice@example.org signed.",
    ),
    "no-address": (
        lambda: HEAD + opaque(signer=person(None, "Nobody")), {}, "warn",
        "Signed, but without an address", "The signature belongs to Nobody.",
    ),
    "expired": (
        lambda: mail(signer=person(ALICE, "Alice", not_after=NOW - DAY)), {}, "warn",
        "Signed after the certificate had expired",
        "It expired on 22 November 2026. This was signed on 23 November 2026.",
    ),
    "not-yet-valid": (
        lambda: mail(signer=person(ALICE, "Alice", not_before=NOW + DAY)), {}, "warn",
        "Signed with a certificate that is not valid yet", "It starts on 24 November 2026.",
    ),
    "wrong-purpose": (
        lambda: mail(signer=person(ALICE, "Alice", eku=[ExtendedKeyUsageOID.CLIENT_AUTH])), {},
        "warn", "The certificate is not meant for signing mail", "It was issued for signing in.",
    ),
    "weak-algorithm": (
        lambda: mail(signer=person(ALICE, "Alice", kind="rsa1024")), {}, "warn",
        "Signed with an outdated method", "It can be forged with effort. Ask Alice to renew",
    ),
    "old-signature": (
        lambda: mail(signing_time=NOW - 40 * DAY), {}, "warn", "Signed long before it was sent",
        "It was signed on 14 October 2026: perhaps an old message",
    ),
    "revoked-later": (
        mail, lambda: revoked(5, received_at=NOW - 9 * DAY), "ok", "Signed by Alice",
        "Matches the sender and unchanged. The certificate was withdrawn later, on 18 November",
    ),
    "chain-incomplete": (
        mail, {"anchors": ()}, "unknown", "Signature from a certificate we cannot check",
        "A link to its issuer is missing.",
    ),
    "self-signed": (
        lambda: HEAD + opaque(signer=self_made()), {}, "unknown",
        "Alice Alone vouches only for themselves", "The certificate is self-made.",
    ),
    "issuer-unknown": (
        mail, lambda: {"anchors": (), "intermediates": (world().root.certificate,)}, "unknown",
        "Signature from a certificate we do not know",
        'Unchanged since signing, but nobody you trust vouches for "Alice".',
    ),
    "signed-expired-since": (
        lambda: mail(signer=person(ALICE, "Alice", not_after=NOW - DAY)),
        {"received_at": NOW - 9 * DAY}, "ok", "Signed by Alice",
        "Matches the sender and unchanged. The certificate was valid when the message arrived",
    ),
    "signed-first": (
        mail, {"history": History()}, "ok", "Signed by Alice, for the first time",
        SIGNED + " You have not had signed mail",
    ),
    "signed-new-certificate": (
        mail, {"history": HISTORY}, "ok", "Signed by Alice with a new certificate",
        "Matches the sender and unchanged. The certificate is new since 23 November 2026.",
    ),
    "signed-not-rechecked": (
        mail, {"crls": ()}, "ok", "Signed by Alice",
        "Matches the sender and unchanged. We could not check whether",
    ),
    "signed": (mail, {}, "ok", "Signed by Alice", SIGNED),
    "partly-signed": (
        lambda: HEAD + mixed(PLAIN, opaque()), {}, "none", "Not signed as a whole",
        "A part of this message is signed; it is framed.",
    ),
    "signature-missing": (
        lambda: HEAD + PLAIN, {"history": HISTORY}, "warn",
        "Not signed, unlike other mail from Alice",
        "The last 4 messages from this address were signed.",
    ),
    "unsigned": (lambda: HEAD + PLAIN, {}, "none", "Not signed, not encrypted", ""),
}  # fmt: skip

# code → (mail, context, class of the message, headline or tail, beginning of the sentence)
ENCRYPTIONS = {
    "key-missing": (
        lambda: HEAD + encrypted(PLAIN, to=world().mallory), {}, "none",
        "You cannot open this message yet", "It is encrypted for a certificate you do not have",
    ),
    "no-own-key": (
        lambda: HEAD + encrypted(PLAIN), {"keys": ()}, "none",
        "This message is encrypted", "Add your certificate with its private key",
    ),
    "key-locked": (
        lambda: HEAD + encrypted(PLAIN), {"keys": (), "is_vault_locked": True, "lock_minutes": 30},
        "none", "Unlock your keys",
        "Enter your passphrase once to read encrypted mail. Keys lock again after 30 minutes.",
    ),
    "damaged": (
        lambda: HEAD + pkcs7(encrypt(PLAIN, [world().bob.certificate])[:-9], "enveloped-data"), {},
        "warn", "The encrypted message is incomplete or damaged", "Ask the sender to send it again.",
    ),
    "tampered": (
        with_tag_changed, {}, "bad", "This message was changed or damaged on the way",
        "It is not shown. Ask the sender",
    ),
    "too-nested": (
        lambda: nested(LAYER_LIMIT + 1, compressed), {}, "warn",
        "This message is packed too deeply", "It was not unpacked.",
    ),
    "too-large": (
        bomb, {}, "warn", "This message would become too large", "It was not unpacked.",
    ),
    "old-method-unsigned": (
        lambda: HEAD + encrypted(PLAIN, AES_256_CBC), {}, "warn",
        "Encrypted with an old method", "Its text could have been changed on the way.",
    ),
    "obsolete-cipher": (
        with_triple_des, lambda: {"keys": (old_reader(),)}, "warn",
        "Encrypted with an outdated method", "",
    ),
    "encrypted": (
        lambda: HEAD + encrypted(PLAIN), {}, "none", "Encrypted, sender not proven",
        "It reached you encrypted.",
    ),
    "encrypted-signed": (
        lambda: HEAD + encrypted(opaque()), {}, "ok", "Signed by Alice", SIGNED,
    ),
    "partly-encrypted": (
        lambda: HEAD + mixed(PLAIN, encrypted(PLAIN)), {}, "none",
        "Not encrypted as a whole", "A part of this message was encrypted; it is framed.",
    ),
    "not-encrypted": (
        mail, {"was_conversation_encrypted": True}, "ok", "Signed by Alice", SIGNED,
    ),
}  # fmt: skip


def former_key() -> tuple[bytes, dict]:
    old = person("bob@example.org", "Bob of old", not_after=NOW + DAY)
    return HEAD + encrypted(PLAIN, to=old), {"keys": (old, world().bob)}


PROTECTED = b'From: alice@example.org\r\nContent-Type: text/plain; hp="clear"\r\n\r\nHello\r\n'


def second_signer(*, is_broken: bool) -> bytes:
    info, other = (
        structures.ContentInfo.load(sign_opaque(PLAIN, pair, signed_at=NOW))
        for pair in (world().alice, world().mallory)
    )
    one, two = info["content"], other["content"]
    added = two["signer_infos"][0]
    if is_broken:
        broken = bytearray(bytes(added["signature"]))
        broken[-1] ^= 1
        added["signature"] = bytes(broken)
    one["signer_infos"] = structures.SignerInfos([*one["signer_infos"], added])
    one["certificates"] = structures.AnySet([*one["certificates"], *two["certificates"]])
    return HEAD + pkcs7(info.dump(force=True))


FORWARDED = b"Content-Type: message/rfc822\r\n\r\n" + HEAD

# note → mail (with what it is read with), and a mail that has everything but what the note is about
NOTES = {
    "sender-on-behalf": (
        lambda: sender("alice@example.org\r\nSender: office@example.org", opaque()),
        lambda: sender("alice@example.org\r\nSender: alice@example.org", opaque()),
    ),
    "second-signature-bad": (
        lambda: second_signer(is_broken=True), lambda: second_signer(is_broken=False),
    ),
    "other-signers": (
        lambda: second_signer(is_broken=False), lambda: second_signer(is_broken=True),
    ),
    "outer-signature": (lambda: HEAD + opaque(opaque(), world().mallory), lambda: HEAD + opaque()),
    "outer-signature-bad": (
        lambda: HEAD + clear(encrypted(opaque()), proof(world().mallory)),
        lambda: HEAD + opaque(encrypted(opaque()), world().mallory),
    ),
    "nested-signed": (
        lambda: HEAD + mixed(PLAIN, FORWARDED + opaque()),
        lambda: HEAD + mixed(PLAIN, FORWARDED + PLAIN),
    ),
    "nested-encrypted": (
        lambda: HEAD + mixed(PLAIN, FORWARDED + encrypted(PLAIN)),
        lambda: HEAD + mixed(PLAIN, FORWARDED + PLAIN),
    ),
    "subject-not-covered": (lambda: HEAD + opaque(), mail),
    "headers-protected": (mail, lambda: HEAD + opaque()),
    "encrypted-on-the-way": (
        lambda: HEAD + encrypted(opaque(PROTECTED)), lambda: HEAD + opaque(PROTECTED),
    ),
    "no-signing-time": (without_time, lambda: HEAD + opaque()),
    "micalg-differs": (
        lambda: HEAD + clear(PLAIN, proof(), micalg="sha-512"),
        lambda: HEAD + clear(PLAIN, proof()),
    ),
    "late-signing": (lambda: mail(signing_time=NOW - 2 * DAY), mail),
    "name-holds-other-address": (
        lambda: sender('"boss@example.org" <alice@example.org>', opaque()),
        lambda: sender('"alice@example.org" <alice@example.org>', opaque()),
    ),
    "structure-unusual": (
        lambda: HEAD + b"Content-Type: application/pkcs7-mime\r\n" + opaque(),
        lambda: HEAD + opaque(),
    ),
    "former-key": (former_key, lambda: (former_key()[0], {"keys": ()})),
}  # fmt: skip


def judged(raw, changes):
    changes = dict(changes() if callable(changes) else changes)
    if isinstance(raw, tuple):
        raw, more = raw
        changes |= more
    keys = changes.pop("keys", (world().bob,))
    return judge(read_message(raw, keys=keys).facts, context=context(**changes))


@pytest.mark.parametrize("code", SIGNATURES)
def test_signature(code):
    make, changes, level, headline, sentence = SIGNATURES[code]
    verdict = judged(make(), changes)
    assert verdict.signature.code == code
    assert verdict.signature.level == level
    said = words.SIGNATURE[code]
    assert verdict.headline.text == headline
    assert verdict.sentence.text.startswith(sentence)
    assert "{" not in verdict.summary
    assert verdict.flag == said.flag


@pytest.mark.parametrize("code", ENCRYPTIONS)
def test_encryption(code):
    make, changes, level, headline, sentence = ENCRYPTIONS[code]
    verdict = judged(make(), changes)
    assert verdict.encryption.code == code
    assert verdict.level == level
    assert verdict.headline.text == headline
    assert verdict.sentence.text.startswith(sentence)
    assert "{" not in verdict.summary


def test_signed_too_often():
    """Fine point 19: the signature is named; the code of the encryption says why."""
    verdict = judged(nested(LAYER_LIMIT + 1), {})
    assert (verdict.signature.code, verdict.encryption.code) == ("uncheckable", "too-nested")
    assert verdict.sentence.text == "What was signed could not be unpacked."


@pytest.mark.parametrize("note", NOTES)
def test_note(note):
    present, absent = NOTES[note]
    verdict = judged(present(), {})
    assert note in verdict.signature.notes
    said = dict(zip(verdict.signature.notes, verdict.notes, strict=True))[note].text
    assert "{" not in said
    assert said == words.NOTES[note] or "{" in words.NOTES[note]
    assert note not in judged(absent(), {}).signature.notes


def test_notes_are_filled_in():
    on_behalf, late = (
        judged(NOTES[note][0](), {}) for note in ("sender-on-behalf", "late-signing")
    )
    assert on_behalf.notes[0].text == "Sent by office@example.org on behalf of the author."
    assert "It was signed on 21 November 2026, some days apart from its date." in {
        note.text for note in late.notes
    }


def test_each_code_of_the_catalogue_has_an_example():
    assert list(SIGNATURES) == list(words.SIGNATURE)
    assert list(ENCRYPTIONS) == list(words.ENCRYPTION)
    assert list(NOTES) == list(words.NOTES)


def test_md5_is_what_is_measured():
    """The example would be good with another hash."""
    assert judged(HEAD + opaque(), {}).signature.code == "signed"
    assert hashlib.new("md5", b"").digest_size == 16
