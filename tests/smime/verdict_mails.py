"""Mail for each code and note of the catalogue, made with the tests' own people and clock."""

import os
import zlib
from datetime import timedelta
from functools import cache
from unittest import mock

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import padding as blocks
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from smime.cms import (
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
from smime.verdict import History
from tests.smime.cms.messages import HEAD, PLAIN, opaque, pkcs7
from tests.smime.pki.people import DAY, NOW, fresh_crl, person, world

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


def former_key() -> tuple[bytes, dict]:
    old = person("bob@example.org", "Bob of old", not_after=NOW + DAY)
    return HEAD + encrypted(PLAIN, to=old), {"keys": (old, world().bob)}


PROTECTED = b'From: alice@example.org\r\nContent-Type: text/plain; hp="clear"\r\n\r\nHello\r\n'


def two_signers(first: KeyPair, second: KeyPair, *, is_broken: bool = False) -> bytes:
    """One SignedData with two SignerInfos, the second of which may be broken."""
    info, other = (
        structures.ContentInfo.load(sign_opaque(PLAIN, pair, signed_at=NOW))
        for pair in (first, second)
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


def second_signer(*, is_broken: bool) -> bytes:
    return two_signers(world().alice, world().mallory, is_broken=is_broken)


FORWARDED = b"Content-Type: message/rfc822\r\n\r\n" + HEAD
