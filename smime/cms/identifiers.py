"""How CMS names a certificate: issuer and serial number, or subject key identifier."""

from dataclasses import dataclass
from typing import Any

from asn1crypto.x509 import Name
from cryptography import x509

from smime.cms import asn1
from smime.cms.elements import integer, sequence
from smime.pki.certificates import DamagedCertificateError, extension, key_digest


@dataclass(frozen=True, slots=True)
class CertificateId:
    """Either both of `issuer` and `serial`, or `key_id`."""

    issuer: bytes = b""  # DER of the name
    serial: int = 0
    key_id: bytes | None = None

    def fits(self, certificate: x509.Certificate) -> bool:
        """Say whether it names this certificate; several may share a key identifier."""
        if self.key_id is not None:
            return key_identifier(certificate) == self.key_id
        return self.serial == certificate.serial_number and _same_name(
            self.issuer, certificate.issuer.public_bytes()
        )


def certificate_id(choice: Any) -> CertificateId:
    """Read a SignerIdentifier, RecipientIdentifier or KeyAgreeRecipientIdentifier."""
    chosen = choice.chosen
    match choice.name:
        case "issuer_and_serial_number":
            return CertificateId(
                issuer=asn1.encoded(chosen["issuer"]), serial=chosen["serial_number"].native
            )
        case "r_key_id":
            return CertificateId(key_id=bytes(chosen["subject_key_identifier"]))
        case _:
            return CertificateId(key_id=bytes(chosen))


def issuer_and_serial(certificate: x509.Certificate) -> bytes:
    """Give the DER of the name of a certificate that every client understands."""
    return sequence(certificate.issuer.public_bytes(), integer(certificate.serial_number))


def key_identifier(certificate: x509.Certificate) -> bytes | None:
    """Give the subject key identifier, from the extension or else the SHA-1 of the key."""
    try:
        stated = extension(certificate, x509.SubjectKeyIdentifier)
        if stated is not None:
            return stated.digest
        return key_digest(certificate)
    except DamagedCertificateError:
        return None


def _same_name(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    try:
        # RFC 5280 §7.1: the same name may be written with other string types and case.
        return bool(Name.load(one).hashable == Name.load(other).hashable)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False
