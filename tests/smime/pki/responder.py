"""An OCSP responder of our own: answers as they should be, and as they should not."""

from datetime import datetime, timedelta

from asn1crypto import core
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from smime.pki import KeyPair
from smime.pki.authority import Authority, issue, new_root
from smime.pki.certificates import display_name
from smime.pki.composite_signatures import CompositePrivateKey
from smime.pki.issuing import hash_for
from tests.smime.pki.people import DAY, NOW, YEAR

HOUR = timedelta(hours=1)


def answer(
    pair: KeyPair,
    issuer: Authority,
    *,
    signer: KeyPair | None = None,  # a delegate
    status: str = "good",
    at: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    this_update: datetime = NOW - HOUR,
    next_update: datetime | None = NOW + DAY,
    nonce: bytes | None = None,
    by: ocsp.OCSPResponderEncoding = ocsp.OCSPResponderEncoding.NAME,
    cert_hash: hashes.HashAlgorithm | None = None,
    signing_hash: hashes.HashAlgorithm | None = None,
    extra: x509.ExtensionType | None = None,
    carries: bool = True,
) -> bytes:
    key = signer.key if signer else issuer.key
    named = signer.certificate if signer else issuer.certificate
    composite = key if isinstance(key, CompositePrivateKey) else None
    if composite is not None:  # the library's builder needs a key it knows, under the same name
        stand_in = new_root(display_name(named), NOW)
        key, named = stand_in.key, stand_in.certificate
    states = {
        "good": ocsp.OCSPCertStatus.GOOD,
        "revoked": ocsp.OCSPCertStatus.REVOKED,
        "unknown": ocsp.OCSPCertStatus.UNKNOWN,
    }
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=pair.certificate,
            issuer=issuer.certificate,
            algorithm=cert_hash or hashes.SHA1(),
            cert_status=states[status],
            this_update=this_update,
            next_update=next_update,
            revocation_time=(at or NOW - DAY) if status == "revoked" else None,
            revocation_reason=reason,
        )
        .responder_id(by, named)
    )
    if signer is not None and carries:
        builder = builder.certificates([signer.certificate])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    if extra is not None:
        builder = builder.add_extension(extra, critical=True)
    used = signing_hash or hashes.SHA256() if hash_for(key) is not None else None
    encoded = builder.sign(key, used).public_bytes(Encoding.DER)
    return encoded if composite is None else _signed_anew(encoded, composite)


def _signed_anew(encoded: bytes, key: CompositePrivateKey) -> bytes:
    """The answer with the signature of a key that the library's builder does not know."""
    whole = asn1_ocsp.OCSPResponse.load(encoded)
    basic = whole["response_bytes"]["response"].parsed
    basic["signature_algorithm"] = {"algorithm": key.scheme.oid}
    basic["signature"] = key.sign(basic["tbs_response_data"].dump())
    whole["response_bytes"]["response"] = core.ParsableOctetString(basic.dump(force=True))
    return whole.dump(force=True)


def delegate(
    issuer: Authority,
    *,
    eku=(ExtendedKeyUsageOID.OCSP_SIGNING,),
    no_check: bool = True,
    ku=frozenset({"digital_signature"}),
    not_before: datetime = NOW - YEAR,
    not_after: datetime = NOW + 50 * YEAR,  # the builder stamps answers with the real clock
    key="p256",
) -> KeyPair:
    """A delegated responder: issued by `issuer` for this purpose."""
    pair = issue(
        issuer,
        None,
        "Responder",
        not_before=not_before,
        not_after=not_after,
        key=key,
        eku=eku,
        ku=ku,
    )
    if not no_check:
        return pair
    # Issue again with the extension that `issue` does not know.
    old = pair.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for each in old.extensions:
        builder = builder.add_extension(each.value, each.critical)
    made = builder.add_extension(x509.OCSPNoCheck(), critical=False).sign(
        issuer.key, hashes.SHA256()
    )
    return KeyPair(key=pair.key, certificate=made, chain=pair.chain)
