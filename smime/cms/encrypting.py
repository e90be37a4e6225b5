"""Write EnvelopedData (RFC 5652 §6) and AuthEnvelopedData (RFC 5083).

One fresh content key per message; RSA recipients by v1.5 or OAEP, elliptic ones by ephemeral-static
Diffie-Hellman with an AES wrap of the content key's size (RFC 8551 §2.3).
"""

import os
from collections.abc import Iterable, Sequence
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smime.cms import algorithms, asn1
from smime.cms.algorithms import (
    AES_256_CBC,
    ContentCipher,
    algorithm,
    algorithm_with_null,
    content_pieces,
)
from smime.cms.elements import (
    EXPLICIT_0,
    SEQUENCE,
    Octets,
    element,
    in_portions,
    integer,
    object_identifier,
    octet_string,
    sequence,
    set_of,
    wrapped,
)
from smime.cms.identifiers import issuer_and_serial
from smime.cms.kem import encapsulated
from smime.cms.keys import derive_wrapping_key
from smime.pki.certificates import (
    DamagedCertificateError,
    UnknownKindError,
    may_encrypt,
    public_key,
)
from smime.pki.composite_kems import CompositeKemPublicKey

_NONCE_SIZE = 12  # RFC 5084 §3.2
_TAG_SIZE = 16
_BLOCK_SIZE = 16  # of AES
_ENCRYPTED_CONTENT = 0x80  # [0] IMPLICIT OCTET STRING
_KEY_AGREEMENT, _ORIGINATOR_KEY, _EXPLICIT_1 = 0xA1, 0xA1, 0xA1  # [1], each in its structure
_BIT_STRING, _NO_UNUSED_BITS = 0x03, b"\0"
_AT_ONCE = 256 * 1024  # bytes
_MINIMUM_RSA = 2048  # RFC 8551 §4.3
_OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


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
    return b"".join(enveloped_data([content], recipients, cipher=cipher, oaep=oaep))


def enveloped_data(
    content: Iterable[Octets],
    recipients: Sequence[x509.Certificate],
    *,
    cipher: ContentCipher = AES_256_CBC,
    oaep: bool = False,
) -> list[Octets]:
    """Encrypt `content` as it comes, piece by piece; gives the DER in pieces. As `encrypt`."""
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
    content: Iterable[Octets], key: bytes, infos: list[asn1.RecipientInfo], cipher: ContentCipher
) -> list[Octets]:
    iv = os.urandom(_BLOCK_SIZE)
    padder = padding.PKCS7(8 * _BLOCK_SIZE).padder()
    encryptor = Cipher(AES(key), modes.CBC(iv)).encryptor()
    ciphertext: list[Octets] = []
    size = 0
    for piece in in_portions(content, _AT_ONCE):
        ciphertext.append(encryptor.update(piece))
        size += len(piece)
    # The padding depends on the length alone: padding the whole would be a copy of it.
    ending = padder.update(bytes(size % _BLOCK_SIZE)) + padder.finalize()
    ciphertext += (encryptor.update(ending[size % _BLOCK_SIZE :]), encryptor.finalize())
    fields: list[Octets] = [
        integer(_version(infos)),
        set_of(info.dump() for info in infos),
        *_encrypted_content(cipher, octet_string(iv), ciphertext),
    ]
    return content_pieces(algorithms.ENVELOPED_DATA, fields)


def _version(infos: list[asn1.RecipientInfo]) -> int:
    """Choose EnvelopedData's version by its recipients (RFC 5652 §6.1)."""
    kinds = {info.name for info in infos}
    if "ori" in kinds:
        return 3
    return 0 if kinds == {"ktri"} else 2


def _auth_enveloped(
    content: Iterable[Octets], key: bytes, infos: list[asn1.RecipientInfo], cipher: ContentCipher
) -> list[Octets]:
    nonce = os.urandom(_NONCE_SIZE)
    encryptor = Cipher(AES(key), modes.GCM(nonce)).encryptor()
    ciphertext: list[Octets] = [encryptor.update(piece) for piece in in_portions(content, _AT_ONCE)]
    ciphertext.append(encryptor.finalize())
    fields: list[Octets] = [
        integer(0),
        set_of(info.dump() for info in infos),
        *_encrypted_content(cipher, sequence(octet_string(nonce), integer(_TAG_SIZE)), ciphertext),
        octet_string(encryptor.tag),
    ]
    return content_pieces(algorithms.AUTH_ENVELOPED_DATA, fields)


def _encrypted_content(
    cipher: ContentCipher, parameters: bytes, ciphertext: Sequence[Octets]
) -> list[Octets]:
    method = sequence(object_identifier(cipher.oid), parameters)
    content = wrapped(_ENCRYPTED_CONTENT, ciphertext)
    return wrapped(SEQUENCE, [object_identifier(algorithms.DATA), method, *content])


def _recipient(
    certificate: x509.Certificate, content_key: bytes, *, oaep: bool
) -> asn1.RecipientInfo:
    try:
        key = public_key(certificate)
        allowed = may_encrypt(certificate)
    except UnknownKindError as error:
        raise CannotEncryptError(certificate, "its kind of key is not known") from error
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
        case mlkem.MLKEM768PublicKey() | mlkem.MLKEM1024PublicKey() | CompositeKemPublicKey():
            return encapsulated(certificate, key, content_key)
        case _:
            raise CannotEncryptError(certificate, "its kind of key only signs")


def _transport(
    certificate: x509.Certificate, key: rsa.RSAPublicKey, content_key: bytes, *, oaep: bool
) -> asn1.RecipientInfo:
    # RFC 3560 §4: a key that says OAEP is used for nothing else.
    wants_oaep = certificate.public_key_algorithm_oid.dotted_string == algorithms.RSA_OAEP
    is_oaep = oaep or wants_oaep
    scheme = _OAEP if is_oaep else rsa_padding.PKCS1v15()
    info = sequence(
        integer(0),
        issuer_and_serial(certificate),
        _transport_method(is_oaep),
        octet_string(key.encrypt(content_key, scheme)),
    )
    recipient: asn1.RecipientInfo = asn1.RecipientInfo.load(info)
    return recipient


@cache
def _transport_method(is_oaep: bool) -> bytes:
    if not is_oaep:
        return bytes(algorithm_with_null(algorithms.RSA_ENCRYPTION).dump())
    sha256 = algorithm(algorithms.DIGEST_OIDS["sha256"])
    parameters = asn1.OaepParameters({"hash": sha256, "mask": algorithm(algorithms.MGF1, sha256)})
    return bytes(algorithm(algorithms.RSA_OAEP, parameters).dump())


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
    originator = element(
        _ORIGINATOR_KEY,
        sequence(object_identifier(key_oid)),
        element(_BIT_STRING, _NO_UNUSED_BITS, point),
    )
    wrapped_key = aes_key_wrap(wrapping_key, content_key)
    info = element(
        _KEY_AGREEMENT,
        integer(3),
        element(EXPLICIT_0, originator),
        element(_EXPLICIT_1, octet_string(ukm)),
        sequence(object_identifier(scheme), wrap.dump()),
        sequence(sequence(issuer_and_serial(certificate), octet_string(wrapped_key))),
    )
    recipient: asn1.RecipientInfo = asn1.RecipientInfo.load(info)
    return recipient


def _montgomery(
    key: x25519.X25519PublicKey | x448.X448PublicKey,
) -> tuple[bytes, bytes, str]:
    if isinstance(key, x25519.X25519PublicKey):
        short = x25519.X25519PrivateKey.generate()
        return short.exchange(key), short.public_key().public_bytes_raw(), algorithms.X25519
    long = x448.X448PrivateKey.generate()
    return long.exchange(key), long.public_key().public_bytes_raw(), algorithms.X448
