"""Write EnvelopedData (RFC 5652 §6) and AuthEnvelopedData (RFC 5083).

One fresh content key per message; RSA recipients by v1.5 or OAEP, elliptic ones by ephemeral-static
Diffie-Hellman with an AES wrap of the content key's size (RFC 8551 §2.3).
"""

import os
from collections.abc import Sequence

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smime.cms import algorithms, asn1
from smime.cms.algorithms import (
    AES_256_CBC,
    ContentCipher,
    algorithm,
    algorithm_with_null,
    content_info,
)
from smime.cms.identifiers import issuer_and_serial
from smime.cms.keys import derive_wrapping_key
from smime.pki.certificates import DamagedCertificateError, may_encrypt, public_key

_NONCE_SIZE = 12  # RFC 5084 §3.2
_TAG_SIZE = 16
_MINIMUM_RSA = 2048  # RFC 8551 §4.3


class CannotEncryptError(Exception):
    """No content key may be encrypted to this certificate; `certificate` says which."""

    def __init__(self, certificate: x509.Certificate, why: str) -> None:
        super().__init__(why)
        self.certificate = certificate


def encrypt(
    content: bytes,
    recipients: Sequence[x509.Certificate],
    *,
    cipher: ContentCipher = AES_256_CBC,
    oaep: bool = False,
) -> bytes:
    """Give the DER of `content` encrypted to every recipient, all with the same content key.

    GCM gives AuthEnvelopedData, CBC EnvelopedData. `oaep` uses RSA-OAEP with SHA-256. Raises
    CannotEncryptError for a certificate that must not be encrypted to, ValueError without any.
    """
    if not recipients:
        raise ValueError("nobody to encrypt to")
    if cipher.name not in algorithms.WRITABLE_CIPHERS:
        raise ValueError("this cipher is only read")
    content_key = os.urandom(cipher.key_size)
    infos = [_recipient(each, content_key, oaep=oaep) for each in dict.fromkeys(recipients)]
    if cipher.is_authenticated:
        return _auth_enveloped(content, content_key, infos, cipher)
    return _enveloped(content, content_key, infos, cipher)


def _enveloped(
    content: bytes, key: bytes, infos: list[asn1.RecipientInfo], cipher: ContentCipher
) -> bytes:
    iv = os.urandom(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(AES(key), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(content) + padder.finalize())
    only_rsa_by_name = all(info.name == "ktri" for info in infos)
    enveloped = asn1.EnvelopedData(
        {
            "version": 0 if only_rsa_by_name else 2,  # RFC 5652 §6.1
            "recipient_infos": infos,
            "encrypted_content_info": {
                "content_type": algorithms.DATA,
                "content_encryption_algorithm": algorithm(cipher.oid, core.OctetString(iv)),
                "encrypted_content": ciphertext + encryptor.finalize(),
            },
        }
    )
    return content_info(algorithms.ENVELOPED_DATA, enveloped)


def _auth_enveloped(
    content: bytes, key: bytes, infos: list[asn1.RecipientInfo], cipher: ContentCipher
) -> bytes:
    nonce = os.urandom(_NONCE_SIZE)
    sealed = AESGCM(key).encrypt(nonce, content, None)
    parameters = asn1.GcmParameters({"nonce": nonce, "icv_length": _TAG_SIZE})
    enveloped = asn1.AuthEnvelopedData(
        {
            "version": 0,
            "recipient_infos": infos,
            "auth_encrypted_content_info": {
                "content_type": algorithms.DATA,
                "content_encryption_algorithm": algorithm(cipher.oid, parameters),
                "encrypted_content": sealed[:-_TAG_SIZE],
            },
            "mac": sealed[-_TAG_SIZE:],
        }
    )
    return content_info(algorithms.AUTH_ENVELOPED_DATA, enveloped)


def _recipient(
    certificate: x509.Certificate, content_key: bytes, *, oaep: bool
) -> asn1.RecipientInfo:
    try:
        key = public_key(certificate)
        allowed = may_encrypt(certificate)
    except DamagedCertificateError as error:
        raise CannotEncryptError(certificate, "the certificate is damaged") from error
    if not allowed:
        raise CannotEncryptError(certificate, "its key is not allowed to encrypt")
    match key:
        case rsa.RSAPublicKey():
            if key.key_size < _MINIMUM_RSA:
                raise CannotEncryptError(certificate, "its key is too short")
            return _transport(certificate, key, content_key, oaep=oaep)
        case ec.EllipticCurvePublicKey() | x25519.X25519PublicKey() | x448.X448PublicKey():
            return _agreement(certificate, key, content_key)
        case _:
            raise CannotEncryptError(certificate, "its kind of key only signs")


def _transport(
    certificate: x509.Certificate, key: rsa.RSAPublicKey, content_key: bytes, *, oaep: bool
) -> asn1.RecipientInfo:
    # RFC 3560 §4: a key that says OAEP is used for nothing else.
    wants_oaep = certificate.public_key_algorithm_oid.dotted_string == algorithms.RSA_OAEP
    if oaep or wants_oaep:
        sha256 = algorithm(algorithms.DIGEST_OIDS["sha256"])
        parameters = asn1.OaepParameters(
            {"hash": sha256, "mask": algorithm(algorithms.MGF1, sha256)}
        )
        method = algorithm(algorithms.RSA_OAEP, parameters)
        scheme = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        encrypted = key.encrypt(content_key, scheme)
    else:
        method = algorithm_with_null(algorithms.RSA_ENCRYPTION)
        encrypted = key.encrypt(content_key, rsa_padding.PKCS1v15())
    return asn1.RecipientInfo(
        "ktri",
        asn1.KeyTransRecipientInfo(
            {
                "version": 0,
                "rid": asn1.SignerIdentifier(
                    "issuer_and_serial_number", issuer_and_serial(certificate)
                ),
                "key_encryption_algorithm": method,
                "encrypted_key": encrypted,
            }
        ),
    )


def _agreement(
    certificate: x509.Certificate,
    key: ec.EllipticCurvePublicKey | x25519.X25519PublicKey | x448.X448PublicKey,
    content_key: bytes,
) -> asn1.RecipientInfo:
    ukm = os.urandom(32)
    wrap = algorithm(algorithms.WRAP_OIDS[len(content_key)])
    if isinstance(key, ec.EllipticCurvePublicKey):
        ephemeral = ec.generate_private_key(key.curve)
        shared = ephemeral.exchange(ec.ECDH(), key)
        point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        scheme, key_oid = algorithms.ECDH_X963_SHA256, algorithms.EC_PUBLIC_KEY
    else:
        shared, point, key_oid = _montgomery(key)
        scheme = algorithms.ECDH_HKDF_SHA256
    wrapping_key = derive_wrapping_key(shared, scheme=scheme, wrap=wrap, ukm=ukm)
    originator = asn1.OriginatorPublicKey(
        {"algorithm": algorithm(key_oid), "public_key": core.OctetBitString(point)}
    )
    info = asn1.KeyAgreeRecipientInfo(
        {
            "version": 3,
            "originator": asn1.OriginatorIdentifierOrKey("originator_key", originator),
            "ukm": ukm,
            "key_encryption_algorithm": algorithm(scheme, wrap),
            "recipient_encrypted_keys": [
                {
                    "rid": asn1.KeyAgreeRecipientIdentifier(
                        "issuer_and_serial_number", issuer_and_serial(certificate)
                    ),
                    "encrypted_key": aes_key_wrap(wrapping_key, content_key),
                }
            ],
        }
    )
    return asn1.RecipientInfo("kari", info)


def _montgomery(
    key: x25519.X25519PublicKey | x448.X448PublicKey,
) -> tuple[bytes, bytes, str]:
    if isinstance(key, x25519.X25519PublicKey):
        short = x25519.X25519PrivateKey.generate()
        return short.exchange(key), short.public_key().public_bytes_raw(), algorithms.X25519
    long = x448.X448PrivateKey.generate()
    return long.exchange(key), long.public_key().public_bytes_raw(), algorithms.X448
