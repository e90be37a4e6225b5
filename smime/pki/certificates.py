"""What one certificate says about itself: names, addresses, key, purposes.

Everything here reads `cryptography` certificates. A certificate whose extensions do not parse
raises `DamagedCertificateError`; callers treat it as one that proves nothing.
"""

import hashlib
import unicodedata
import warnings
from collections.abc import Iterable
from functools import lru_cache

from asn1crypto.core import UTF8String
from asn1crypto.x509 import Certificate as Asn1Certificate
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import (
    dsa,
    ec,
    ed448,
    ed25519,
    mldsa,
    mlkem,
    rsa,
    x448,
    x25519,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smime.pki.addresses import CertificateAddress
from smime.pki.composite_kems import CompositeKemPublicKey
from smime.pki.composite_signatures import COMPOSITE_SIGNATURES, CompositePublicKey
from smime.pki.key_info import read_public_key_info
from smime.pki.private_keys import PublicKey, load_composite_public_key

SMTP_UTF8_MAILBOX = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9")  # RFC 9598 §3
_REMEMBERED = 4096  # certificates whose names are worked out once
SHOWN_NAME_LIMIT = 64  # characters of a name on screen (ui.md §4.2)

_PURPOSE_WORDS = {
    ExtendedKeyUsageOID.SERVER_AUTH: "web servers",
    ExtendedKeyUsageOID.CLIENT_AUTH: "signing in",
    ExtendedKeyUsageOID.CODE_SIGNING: "signing programs",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "mail",
    ExtendedKeyUsageOID.TIME_STAMPING: "time stamps",
    ExtendedKeyUsageOID.OCSP_SIGNING: "revocation answers",
}


# Public keys that encapsulate a secret (RFC 9629).
ENCAPSULATING = (mlkem.MLKEM768PublicKey, mlkem.MLKEM1024PublicKey, CompositeKemPublicKey)
_NEVER_SIGN = (x25519.X25519PublicKey, x448.X448PublicKey, *ENCAPSULATING)
_ONLY_SIGN = (
    dsa.DSAPublicKey,
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
    mldsa.MLDSA44PublicKey,
    mldsa.MLDSA65PublicKey,
    mldsa.MLDSA87PublicKey,
    CompositePublicKey,
)


class DamagedCertificateError(Exception):
    """The certificate's key or extensions cannot be read."""


class UnknownKindError(DamagedCertificateError):
    """Its key is of a kind that is not known here."""


def load_certificate(der: bytes) -> x509.Certificate:
    """Load a certificate whose names, serial number and dates can be read.

    The library reads those when they are asked for, and only then finds them damaged; a serial
    number below one (RFC 5280 §4.1.2.2) is damage, too. Raises DamagedCertificateError.
    """
    try:
        with warnings.catch_warnings():
            # What else is against the rules and still readable is nothing to print.
            warnings.simplefilter("ignore")
            certificate = x509.load_der_x509_certificate(der)
            serial = certificate.serial_number
        _ = (
            certificate.subject,
            certificate.issuer,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            certificate.signature_algorithm_oid,
            certificate.public_key_algorithm_oid,
        )
    except (ValueError, TypeError, OverflowError, x509.InvalidVersion) as error:
        raise DamagedCertificateError("unreadable certificate") from error
    if serial <= 0:
        raise DamagedCertificateError("a serial number below one")
    return certificate


@lru_cache(maxsize=_REMEMBERED)
def fingerprint(certificate: x509.Certificate) -> str:
    """Give the SHA-256 fingerprint in lower-case hexadecimal digits."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def public_key(certificate: x509.Certificate) -> PublicKey:
    """Give the public key; raises DamagedCertificateError for one that cannot be loaded.

    UnknownKindError, one of those, is raised for a kind of key that is not known here.
    """
    try:
        try:
            return certificate.public_key()
        except UnsupportedAlgorithm as error:
            composite = load_composite_public_key(_key_info(certificate))
            if composite is None:
                raise UnknownKindError("a kind of key that is not known") from error
            return composite
    except ValueError as error:
        raise DamagedCertificateError("unreadable public key") from error


def key_digest(certificate: x509.Certificate) -> bytes:
    """Give the SHA-1 of the public key's octets (RFC 5280 §4.2.1.2, method 1), of any kind of key.

    Raises DamagedCertificateError.
    """
    try:
        _, octets = read_public_key_info(_key_info(certificate))
    except (ValueError, TypeError) as error:
        raise DamagedCertificateError("unreadable public key") from error
    return hashlib.sha1(octets, usedforsecurity=False).digest()


def readable_key(certificate: x509.Certificate) -> bytes | None:
    """Give the `key_digest`; None for a key that cannot be read."""
    try:
        return key_digest(certificate)
    except DamagedCertificateError:
        return None


def verify_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> None:
    """Check that `issuer` signed `certificate`, composite signatures included.

    Raises InvalidSignature; ValueError or TypeError for names or keys that do not fit;
    UnsupportedAlgorithm; DamagedCertificateError.
    """
    if certificate.signature_algorithm_oid.dotted_string not in COMPOSITE_SIGNATURES:
        certificate.verify_directly_issued_by(issuer)
        return
    if certificate.issuer != issuer.subject:
        raise ValueError("another issuer's name")
    verify_composite(
        issuer,
        certificate.signature_algorithm_oid,
        certificate.signature,
        certificate.tbs_certificate_bytes,
    )


def verify_composite(
    issuer: x509.Certificate, algorithm: x509.ObjectIdentifier, signature: bytes, signed: bytes
) -> None:
    """Check a composite signature of `issuer`; raises InvalidSignature, TypeError for its key."""
    key = public_key(issuer)
    if not isinstance(key, CompositePublicKey) or key.scheme.oid != algorithm.dotted_string:
        raise TypeError("a key of another kind")
    key.verify(signature, signed)


def signature_hash(certificate: x509.Certificate) -> hashes.HashAlgorithm | None:
    """Give the hash its issuer signed; None where the method fixes one that is strong.

    Raises UnsupportedAlgorithm or ValueError for methods that are not known.
    """
    if certificate.signature_algorithm_oid.dotted_string in COMPOSITE_SIGNATURES:
        return None
    return certificate.signature_hash_algorithm


def _key_info(certificate: x509.Certificate) -> bytes:
    """Give the DER of the SubjectPublicKeyInfo as it stands in the certificate."""
    whole = Asn1Certificate.load(certificate.public_bytes(Encoding.DER))
    return bytes(whole["tbs_certificate"]["subject_public_key_info"].dump())


def extension[T: x509.ExtensionType](certificate: x509.Certificate, kind: type[T]) -> T | None:
    """Give the extension of that kind, or None; raises DamagedCertificateError."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise DamagedCertificateError("unreadable extensions") from error


def addresses(certificate: x509.Certificate) -> tuple[CertificateAddress, ...]:
    """Give the mail addresses named: rfc822Name, SmtpUTF8Mailbox, emailAddress in the subject."""
    found: list[CertificateAddress] = []
    names = extension(certificate, x509.SubjectAlternativeName)
    for name in names or ():
        if isinstance(name, x509.RFC822Name):
            found.append(CertificateAddress(text=name.value, kind="rfc822"))
        elif isinstance(name, x509.OtherName) and name.type_id == SMTP_UTF8_MAILBOX:
            mailbox = _utf8_string(name.value)
            if mailbox:
                found.append(CertificateAddress(text=mailbox, kind="smtputf8"))
    found.extend(
        CertificateAddress(text=text, kind="rfc822")
        for text in _subject_values(certificate, NameOID.EMAIL_ADDRESS)
        if "@" in text
    )
    return tuple(dict.fromkeys(found))


def display_name(certificate: x509.Certificate) -> str:
    """Give the subject's name as it may be shown: common name, else address, else organisation."""
    return _first_shown(
        (
            *_subject_values(certificate, NameOID.COMMON_NAME),
            *_subject_values(certificate, NameOID.PSEUDONYM),
            *_addresses_or_none(certificate),
            *_subject_values(certificate, NameOID.ORGANIZATION_NAME),
        ),
        fallback=certificate.subject.rfc4514_string(),
    )


@lru_cache(maxsize=_REMEMBERED)
def issuer_name(certificate: x509.Certificate) -> str:
    """Give the issuer's name as it may be shown."""
    names = [
        *certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME),
        *certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME),
    ]
    return _first_shown(
        (str(name.value) for name in names), fallback=certificate.issuer.rfc4514_string()
    )


def shown(text: str, *, limit: int = SHOWN_NAME_LIMIT) -> str:
    """Take controls, bidi and invisible characters out of a name and cut it to `limit`."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs"})
    clean = " ".join(text.split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def key_strength(certificate: x509.Certificate) -> tuple[str, int]:
    """Give the key's kind ("rsa", "dsa", "ec", "ed25519", …) and its size in bits."""
    match public_key(certificate):
        case rsa.RSAPublicKey() as key:
            return "rsa", key.key_size
        case dsa.DSAPublicKey() as key:
            return "dsa", key.key_size
        case ec.EllipticCurvePublicKey() as key:
            return "ec", key.curve.key_size
        case ed25519.Ed25519PublicKey():
            return "ed25519", 256
        case ed448.Ed448PublicKey():
            return "ed448", 448
        case x25519.X25519PublicKey():
            return "x25519", 256
        case x448.X448PublicKey():
            return "x448", 448
        case CompositePublicKey() | CompositeKemPublicKey() as key:
            return key.scheme.name.lower(), 256
        case other:
            return type(other).__name__.removesuffix("PublicKey").lower(), 256


def may_sign(certificate: x509.Certificate) -> bool:
    """Say whether key usage and kind let the key sign mail (RFC 8550 §4.4.2)."""
    if isinstance(public_key(certificate), _NEVER_SIGN):
        return False
    usage = extension(certificate, x509.KeyUsage)
    return usage is None or usage.digital_signature or usage.content_commitment


def may_encrypt(certificate: x509.Certificate) -> bool:
    """Say whether key usage and kind let a content key be encrypted to this key.

    RFC 8550 §4.4.2; keys that encapsulate need keyEncipherment as RSA keys do (RFC 9936 §2.3).
    """
    key = public_key(certificate)
    if isinstance(key, _ONLY_SIGN):
        return False
    usage = extension(certificate, x509.KeyUsage)
    if usage is None:
        return True
    enciphers = isinstance(key, (rsa.RSAPublicKey, *ENCAPSULATING))
    return usage.key_encipherment if enciphers else usage.key_agreement


def purposes(certificate: x509.Certificate) -> tuple[x509.ObjectIdentifier, ...] | None:
    """Give the extended key usages, or None when the certificate does not limit them."""
    usages = extension(certificate, x509.ExtendedKeyUsage)
    return None if usages is None else tuple(usages)


def allows_mail(certificate: x509.Certificate) -> bool:
    """Say whether extended key usage lets the key serve mail (RFC 8550 §4.4.4)."""
    usages = purposes(certificate)
    return usages is None or bool(
        {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
        & set(usages)
    )


def purpose_words(certificate: x509.Certificate) -> str:
    """Name the purposes in words, for the sentence of `wrong-purpose`."""
    usages = purposes(certificate) or ()
    words = [_PURPOSE_WORDS.get(usage, usage.dotted_string) for usage in usages]
    return ", ".join(dict.fromkeys(words)) or "other purposes"


def is_self_issued(certificate: x509.Certificate) -> bool:
    """Say whether issuer and subject are the same name."""
    return certificate.issuer == certificate.subject


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Say whether the certificate is signed with its own key."""
    if not is_self_issued(certificate):
        return False
    try:
        verify_issued(certificate, certificate)
    except (
        InvalidSignature,
        UnsupportedAlgorithm,
        DamagedCertificateError,
        ValueError,
        TypeError,
    ):
        return False
    return True


def _subject_values(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [
        text
        for attribute in certificate.subject.get_attributes_for_oid(oid)
        if isinstance(text := attribute.value, str)
    ]


def _addresses_or_none(certificate: x509.Certificate) -> list[str]:
    try:
        return [address.text for address in addresses(certificate)]
    except DamagedCertificateError:
        return []


def _first_shown(names: Iterable[str], *, fallback: str) -> str:
    for name in names:
        if clean := shown(name):
            return clean
    return shown(fallback)


def _utf8_string(der: bytes) -> str:
    try:
        return str(UTF8String.load(der, strict=True).native)
    except (ValueError, TypeError):
        return ""
