"""OCSP (RFC 6960): the question about one certificate, and whether an answer counts.

Who may answer: the issuer itself, or whom the issuer certified for it (id-kp-OCSPSigning, never
"any purpose"), at the time the answer was made. Such a delegate cannot be asked about himself:
his certificate says `nocheck`, or a list at hand clears him.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from asn1crypto import ocsp as asn1_ocsp
from asn1crypto.keys import PublicKeyInfo
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from smime.pki.certificates import (
    DamagedCertificateError,
    extension,
    key_strength,
    public_key,
    purposes,
    verify_issued,
)
from smime.pki.composite_signatures import COMPOSITE_SIGNATURES, CompositePublicKey
from smime.pki.crl import read_crl
from smime.pki.revocation_answers import (
    BROKEN_HASHES,
    RevocationAnswer,
    is_weakly_signed,
    without_warnings,
)

NONCE_SIZE = 32  # octets (RFC 9654 §2.1)
# An answer without an end says that newer ones are always to be had (RFC 6960 §4.2.2.1).
WITHOUT_END = timedelta(hours=12)
_SKEW = timedelta(minutes=5)
_KEY_SIZE_LIMIT = 8192  # bits
_CERTIFICATES_LIMIT = 8  # that travel with an answer
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - said to be weak by the caller
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_UNREADABLE = (
    DamagedCertificateError,
    UnsupportedAlgorithm,
    InvalidSignature,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
)


class RefusedAnswerError(Exception):
    """The answer does not count; the text says why, for the log and the admin panel."""


def question(certificate: x509.Certificate, issuer: x509.Certificate, *, nonce: bytes) -> bytes:
    """Make the request about one certificate, in DER.

    The certificate is named by SHA-1, which every responder knows (RFC 9654 changes nothing of
    it); nothing relies on that hash: what comes back must name this certificate again.
    """
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate,
        issuer,
        hashes.SHA1(),  # noqa: S303
    )
    return (
        builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        .build()
        .public_bytes(Encoding.DER)
    )


def read_ocsp(
    encoded: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    nonce: bytes | None = None,
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> RevocationAnswer:
    """Read a response about `certificate`; raises RefusedAnswerError, nothing else.

    `nonce` is what was sent: an answer that carries another is refused; one that carries none
    counts, because many responders prepare their answers (RFC 6960 §4.4.1). Freshness is asked
    apart (`revocation.counts_at`).
    """
    try:
        with without_warnings():
            return _read(encoded, certificate, issuer, nonce, crls)
    except _UNREADABLE as error:
        raise RefusedAnswerError(f"it cannot be read: {type(error).__name__}") from error


def _read(
    encoded: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    nonce: bytes | None,
    crls: Sequence[x509.CertificateRevocationList],
) -> RevocationAnswer:
    response = ocsp.load_der_ocsp_response(encoded)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise RefusedAnswerError(f"the responder says {response.response_status.name.lower()}")
    _check_extensions(response, nonce)
    if not _is_about(response, certificate, issuer):
        raise RefusedAnswerError("it is about another certificate")
    return _answer(response, _signer(response, encoded, issuer, crls))


def _check_extensions(response: ocsp.OCSPResponse, nonce: bytes | None) -> None:
    for each in (*response.extensions, *response.single_extensions):
        if isinstance(each.value, x509.OCSPNonce):
            if nonce is not None and each.value.nonce != nonce:
                raise RefusedAnswerError("it answers another question")
        elif each.critical:
            raise RefusedAnswerError("it has a critical extension that is not known")


def _is_about(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    """Compare the CertID with the certificate's issuer and number.

    The library raises ValueError for a response about several certificates: one was asked about.
    """
    if response.serial_number != certificate.serial_number:
        return False
    name = issuer.subject.public_bytes()
    hash_name = response.hash_algorithm.name
    return (
        response.issuer_name_hash == hashlib.new(hash_name, name).digest()
        and response.issuer_key_hash == hashlib.new(hash_name, _key_octets(issuer)).digest()
        and certificate.issuer == issuer.subject
    )


def _key_octets(certificate: x509.Certificate) -> bytes:
    """Give the subjectPublicKey BIT STRING's octets: what key hashes are made of."""
    spki = public_key(certificate).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return bytes(PublicKeyInfo.load(spki)["public_key"].contents[1:])


def _signer(
    response: ocsp.OCSPResponse,
    encoded: bytes,
    issuer: x509.Certificate,
    crls: Sequence[x509.CertificateRevocationList],
) -> x509.Certificate:
    """Find who made the answer, check that they may, and their signature."""
    if _is_named(response, issuer):
        signer = issuer
    else:
        delegates = [each for each in _carried(response) if _is_named(response, each)]
        if not delegates:
            raise RefusedAnswerError("nobody it names signed it")
        signer = delegates[0]
        _check_delegate(signer, issuer, response, crls)
    _check_signature(response, encoded, signer)
    return signer


def _carried(response: ocsp.OCSPResponse) -> list[x509.Certificate]:
    return response.certificates[:_CERTIFICATES_LIMIT]


def _is_named(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    """Compare the responder id, by name or by SHA-1 of the key (RFC 6960 §4.2.2.3)."""
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    return response.responder_key_hash == hashlib.sha1(_key_octets(certificate)).digest()  # noqa: S324


def _check_delegate(
    delegate: x509.Certificate,
    issuer: x509.Certificate,
    response: ocsp.OCSPResponse,
    crls: Sequence[x509.CertificateRevocationList],
) -> None:
    """RFC 6960 §4.2.2.2: issued directly by the issuer, for this purpose, alive, not withdrawn."""
    if key_strength(issuer)[1] > _KEY_SIZE_LIMIT:
        raise RefusedAnswerError("a key that is too large")
    try:
        verify_issued(issuer, delegate)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise RefusedAnswerError("its signer is not the issuer's delegate") from error
    if ExtendedKeyUsageOID.OCSP_SIGNING not in (purposes(delegate) or ()):
        raise RefusedAnswerError("its signer may not answer")
    usage = extension(delegate, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise RefusedAnswerError("its signer's key may not sign")
    made = response.produced_at_utc
    if not delegate.not_valid_before_utc - _SKEW <= made <= delegate.not_valid_after_utc:
        raise RefusedAnswerError("its signer's certificate was not valid then")
    if extension(delegate, x509.OCSPNoCheck) is None and not _is_cleared(
        delegate, issuer, response, crls
    ):
        raise RefusedAnswerError("its signer might be withdrawn")


def _is_cleared(
    delegate: x509.Certificate,
    issuer: x509.Certificate,
    response: ocsp.OCSPResponse,
    crls: Sequence[x509.CertificateRevocationList],
) -> bool:
    said = [read_crl(crl, delegate, issuer) for crl in crls]
    made = response.produced_at_utc
    current = [each for each in said if each is not None and each.until >= made]
    return bool(current) and all(each.state == "good" for each in current)


def _check_signature(response: ocsp.OCSPResponse, encoded: bytes, signer: x509.Certificate) -> None:
    if key_strength(signer)[1] > _KEY_SIZE_LIMIT:
        raise RefusedAnswerError("a key that is too large")
    used = _hash(response, encoded)
    if used is not None and used.name in BROKEN_HASHES:
        raise RefusedAnswerError("its signature can be forged")
    key, signature, signed = public_key(signer), response.signature, response.tbs_response_bytes
    try:
        match key:
            case rsa.RSAPublicKey() if used is not None:
                key.verify(signature, signed, _padding(response, encoded), used)
            case ec.EllipticCurvePublicKey() if used is not None:
                key.verify(signature, signed, ec.ECDSA(used))
            case (
                ed25519.Ed25519PublicKey()
                | ed448.Ed448PublicKey()
                | mldsa.MLDSA44PublicKey()
                | mldsa.MLDSA65PublicKey()
                | mldsa.MLDSA87PublicKey()
            ) if used is None:
                key.verify(signature, signed)
            case CompositePublicKey() if key.scheme.oid == _method(response):
                key.verify(signature, signed)
            case _:
                raise RefusedAnswerError("it is signed with a method that is not known")
    except InvalidSignature as error:
        raise RefusedAnswerError("its signature is wrong") from error


def _pss_parameters(encoded: bytes) -> tuple[hashes.HashAlgorithm, int]:
    """Read hash and salt length of RSASSA-PSS, which the library does not give (RFC 4055 §3.1)."""
    basic = asn1_ocsp.OCSPResponse.load(encoded)["response_bytes"]["response"].parsed
    found = basic["signature_algorithm"]["parameters"].native
    mask = found["mask_gen_algorithm"]["parameters"]["algorithm"]
    used = found["hash_algorithm"]["algorithm"]
    if mask != used:
        raise RefusedAnswerError("it is signed with a method that is not known")
    return _HASHES[used], int(found["salt_length"])


def _hash(response: ocsp.OCSPResponse, encoded: bytes) -> hashes.HashAlgorithm | None:
    if response.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
        return _pss_parameters(encoded)[0]
    if _method(response) in COMPOSITE_SIGNATURES:
        return None
    return response.signature_hash_algorithm


def _method(response: ocsp.OCSPResponse) -> str:
    return response.signature_algorithm_oid.dotted_string


def _padding(response: ocsp.OCSPResponse, encoded: bytes) -> padding.PSS | padding.PKCS1v15:
    if response.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
        used, salt = _pss_parameters(encoded)
        return padding.PSS(mgf=padding.MGF1(used), salt_length=salt)
    return padding.PKCS1v15()


def _answer(response: ocsp.OCSPResponse, signer: x509.Certificate) -> RevocationAnswer:
    has_no_hash = _method(response) in {
        SignatureAlgorithmOID.RSASSA_PSS.dotted_string,
        *COMPOSITE_SIGNATURES,
    }
    is_weak = is_weakly_signed(None if has_no_hash else response.signature_hash_algorithm, signer)
    issued = response.this_update_utc
    until = response.next_update_utc or issued + WITHOUT_END
    if until < issued:
        raise RefusedAnswerError("its times contradict each other")
    match response.certificate_status:
        case ocsp.OCSPCertStatus.GOOD:
            return RevocationAnswer("good", issued, until, is_weak=is_weak)
        case ocsp.OCSPCertStatus.REVOKED:
            return RevocationAnswer(
                "revoked",
                issued,
                until,
                response.revocation_time_utc,
                response.revocation_reason,
                is_weak,
            )
        case _:
            raise RefusedAnswerError("the responder does not know the certificate")
