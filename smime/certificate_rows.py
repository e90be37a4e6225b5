"""Between certificates and rows: what is read from a certificate, and files of certificates."""

import re
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from smime.models import Certificate
from smime.pki.addresses import canonical_address
from smime.pki.certificates import (
    DamagedCertificateError,
    UnknownKindError,
    addresses,
    display_name,
    fingerprint,
    issuer_name,
    key_strength,
)

FILE_LIMIT = 1024 * 1024  # bytes
CERTIFICATES_LIMIT = 200

_KEY_WORDS = {"rsa": "RSA {}", "dsa": "DSA {}", "ec": "ECDSA P-{}"}
_CLASSICAL_HALF = re.compile(
    r"rsa(?P<bits>\d+)|(?P<scheme>ecdsa|ecdh)-(?P<curve>p|brainpoolp)(?P<size>\d+)"
    r"|(?P<whole>ed25519|ed448|x25519|x448)"
)
# Post-quantum kinds, alone or the first part of a composite's name.
_POST_QUANTUM_WORDS = {
    "mldsa44": "ML-DSA-44",
    "mldsa65": "ML-DSA-65",
    "mldsa87": "ML-DSA-87",
    "mlkem768": "ML-KEM-768",
    "mlkem1024": "ML-KEM-1024",
}


class CertificateFileError(Exception):
    """A file holds no certificate that can be used; `reason` is a sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def fields_of(certificate: x509.Certificate) -> dict[str, Any]:
    """Return the columns of `models.Certificate` for it; raises CertificateFileError."""
    try:
        kind, bits = key_strength(certificate)
        named = [canonical_address(each.text) for each in addresses(certificate)]
    except UnknownKindError as error:
        raise CertificateFileError(
            "The certificate has a kind of key that Signet does not know."
        ) from error
    except DamagedCertificateError as error:
        raise CertificateFileError("The certificate is damaged and cannot be read.") from error
    return {
        "fingerprint": fingerprint(certificate),
        "der": certificate.public_bytes(Encoding.DER),
        "subject": certificate.subject.rfc4514_string()[:500],
        "name": display_name(certificate)[:200],
        "issuer": issuer_name(certificate)[:500],
        "serial": f"{certificate.serial_number:x}"[:64],
        "addresses": list(dict.fromkeys(each for each in named if each)),
        "not_before": certificate.not_valid_before_utc,
        "not_after": certificate.not_valid_after_utc,
        "algorithm": _key_words(kind, bits),
    }


def _key_words(kind: str, bits: int) -> str:
    first, _, rest = kind.partition("-")
    if first not in _POST_QUANTUM_WORDS:
        return _KEY_WORDS.get(kind, kind.capitalize()).format(bits)
    return " + ".join(filter(None, (_POST_QUANTUM_WORDS[first], _classical_words(rest))))


def _classical_words(rest: str) -> str:
    """Name the classical half of a composite; its hash says nothing to its owner."""
    match _CLASSICAL_HALF.match(rest):
        case None:
            return ""
        case found if found["bits"]:
            return f"RSA {found['bits']}"
        case found if found["size"]:
            curve = f"P-{found['size']}" if found["curve"] == "p" else f"Brainpool {found['size']}"
            return f"{found['scheme'].upper()} {curve}"
        case found:
            return found["whole"].capitalize()


def load(row: Certificate) -> x509.Certificate:
    """Return the certificate a row holds."""
    return _loaded(bytes(row.der))


@lru_cache(maxsize=4096)
def _loaded(der: bytes) -> x509.Certificate:
    """Load it once: who is written to often is also heard from often."""
    return x509.load_der_x509_certificate(der)


def read_certificates(content: bytes) -> tuple[x509.Certificate, ...]:
    """Read PEM, DER or a PKCS #7 bundle (.p7b); raises CertificateFileError."""
    if len(content) > FILE_LIMIT:
        raise CertificateFileError("The file is too large to be a certificate.")
    for read in (_pem, _der, _bundle):
        try:
            found = read(content)
        except (ValueError, TypeError):
            continue
        if 0 < len(found) <= CERTIFICATES_LIMIT:
            return tuple(found)
    raise CertificateFileError(
        "There is no certificate in this file. Choose a .pem, .crt, .cer or .p7b file."
    )


def _pem(content: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN PKCS7" in content:
        return pkcs7.load_pem_pkcs7_certificates(content)
    return x509.load_pem_x509_certificates(content)


def _der(content: bytes) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(content)]


def _bundle(content: bytes) -> list[x509.Certificate]:
    return pkcs7.load_der_pkcs7_certificates(content)
