"""Check the signatures of a SignedData: digest, attributes, key. Paths are not looked at here."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from asn1crypto import core
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
    padding,
    rsa,
)
from cryptography.hazmat.primitives.serialization import Encoding

from smime.cms import algorithms, asn1
from smime.cms.algorithm_protection import check_protection
from smime.cms.algorithms import HashName, Scheme
from smime.cms.errors import CmsError, Reason, reading
from smime.cms.signed import Algorithm, SignedData, SignerInfo
from smime.pki.certificates import (
    DamagedCertificateError,
    key_strength,
    load_certificate,
    public_key,
)
from smime.pki.composite_signatures import CompositePublicKey

KEY_SIZE_LIMIT = 8192  # bits; above that a check costs more than a stranger may ask for
_SALT_LIMIT = 1024

_TOO_SHORT: frozenset[HashName | None] = frozenset({"md2", "md5", "sha1", "sha224", "sha3_224"})
_OF_ANY_HASH = frozenset({"rsa", "rsa-pss", "ecdsa", "dsa"})
_PURE_KEYS = (
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
    mldsa.MLDSA44PublicKey,
    mldsa.MLDSA65PublicKey,
    mldsa.MLDSA87PublicKey,
)
# Which of them sign what: the message itself, no hash is chosen.
_PURE = dict(
    zip(("ed25519", "ed448", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"), _PURE_KEYS, strict=True)
)

type Integrity = Literal["good", "altered", "forged", "uncheckable"]
type Check = Callable[[bytes, bytes], None]  # signature, message; raises InvalidSignature


@dataclass(frozen=True, slots=True)
class Method:
    """How a signature was made."""

    scheme: Scheme
    digest: HashName  # of the content
    hash: HashName  # inside the signature; the digest's where the scheme has none of its own

    @property
    def name(self) -> str:
        """Name it as `inspect` does: "rsa-sha256", "rsa-pss-sha256", "ed25519", "ml-dsa-65"."""
        if self.scheme in _OF_ANY_HASH:
            return f"{self.scheme}-{self.hash.replace('_', '-')}"
        return self.scheme


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """What is true of one signature, whoever made it."""

    integrity: Integrity
    reason: Reason | None = None  # for "uncheckable"
    method: Method | None = None
    certificate: x509.Certificate | None = None  # whose key made it, or the one it names


def load_certificates(encoded: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Load those certificates that can be loaded."""
    found: list[x509.Certificate] = []
    for der in encoded:
        try:
            found.append(load_certificate(der))
        except DamagedCertificateError:
            continue  # an attribute certificate or a damaged one vouches for nothing
    return tuple(dict.fromkeys(found))


def check_signature(
    signer: SignerInfo,
    signed: SignedData,
    *,
    content: bytes,
    candidates: Sequence[x509.Certificate],
) -> SignatureCheck:
    """Check one signature over `content`, the bytes that are shown.

    `candidates` are all certificates at hand; each one the signer's identifier fits is tried
    (RFC 8551 §2.6). Never raises: what cannot be checked says so.
    """
    fitting = [each for each in candidates if signer.identifier.fits(each)]
    named = fitting[0] if fitting else None
    method: Method | None = None
    try:
        method = _method(signer)
        if signed.content is not None and signed.content != content:
            return SignatureCheck("altered", method=method, certificate=named)
        if not _digest_fits(signer, signed, method, content):
            return SignatureCheck("altered", method=method, certificate=named)
        return _try_keys(signer, method, content, fitting)
    except CmsError as error:
        return SignatureCheck("uncheckable", error.reason, method, named)


def _try_keys(
    signer: SignerInfo,
    method: Method,
    content: bytes,
    fitting: Sequence[x509.Certificate],
) -> SignatureCheck:
    if not fitting:
        raise CmsError("certificate-missing")
    messages = signer.signed or (content,)
    trouble: CmsError | None = None
    for certificate in fitting:
        if not _names(signer, certificate):
            continue
        try:
            check = _check_for(certificate, signer, method)
        except CmsError as error:
            trouble = error
            continue
        for message in messages:
            try:
                check(signer.signature, message)
            except (InvalidSignature, ValueError):
                continue
            except UnsupportedAlgorithm as error:
                trouble = CmsError("unknown-algorithm")
                trouble.__cause__ = error
                continue
            return SignatureCheck("good", method=method, certificate=certificate)
    if trouble is not None:
        raise trouble
    # Without signed attributes nothing tells a changed content from a foreign key.
    failed: Integrity = "forged" if signer.signed else "altered"
    return SignatureCheck(failed, method=method, certificate=fitting[0])


def _method(signer: SignerInfo) -> Method:
    digest = algorithms.DIGESTS.get(signer.digest.oid)
    scheme, fixed = algorithms.SIGNATURES.get(signer.algorithm.oid, (None, None))
    if signer.algorithm.oid in algorithms.POST_QUANTUM_SIGNATURES:
        digest = _post_quantum_digest(signer, digest, fixed)
    if digest is None or scheme is None:
        raise CmsError("unknown-algorithm")
    return Method(scheme=scheme, digest=digest, hash=fixed or digest)


def _post_quantum_digest(
    signer: SignerInfo, digest: HashName | None, fixed: HashName | None
) -> HashName | None:
    """Hold ML-DSA and composites to their rules; gives the digest that counts.

    RFC 9882 §3.3: no parameters; without signed attributes the stated digest means nothing. Digests
    too short for any parameter set are refused; SHA-256 is taken from everyone. A composite's own
    hash must be the digest (draft-ietf-lamps-cms-composite-sigs §3.4).
    """
    if signer.algorithm.parameters is not None:
        raise CmsError("unknown-algorithm")
    if not signer.signed:
        return fixed or "sha512"
    if digest in _TOO_SHORT or (fixed is not None and digest != fixed):
        raise CmsError("attributes")
    return digest


def _digest_fits(signer: SignerInfo, signed: SignedData, method: Method, content: bytes) -> bool:
    """Check the signed attributes and compare the content's digest (RFC 5652 §5.4, §11)."""
    if signed.content_type != algorithms.DATA:
        raise CmsError("content-type")
    if not signer.signed:
        if _looks_like_attributes(content):
            # The attributes of another signature, passed off as content.
            raise CmsError("attributes")
        return True
    for oid in algorithms.SINGLE_ATTRIBUTES & signer.attributes.keys():
        occurrences = signer.attributes[oid]
        if len(occurrences) != 1 or len(occurrences[0]) != 1:
            raise CmsError("attributes")
    if algorithms.ALGORITHM_PROTECTION in signer.attributes:
        check_protection(
            _single(signer, algorithms.ALGORITHM_PROTECTION), signer.digest, signer.algorithm
        )
    content_type = _single(signer, algorithms.CONTENT_TYPE)
    stated = _single(signer, algorithms.MESSAGE_DIGEST)
    with reading("attributes"):
        if core.ObjectIdentifier.load(content_type, strict=True).dotted != signed.content_type:
            raise CmsError("attributes")
        expected = bytes(core.OctetString.load(stated, strict=True))
    actual = algorithms.digest(method.digest, content)
    if actual is None:
        raise CmsError("unknown-algorithm")
    return actual == expected


def _single(signer: SignerInfo, oid: str) -> bytes:
    occurrences = signer.attributes.get(oid, ())
    if len(occurrences) != 1 or len(occurrences[0]) != 1:
        raise CmsError("attributes")
    return occurrences[0][0]


def _looks_like_attributes(content: bytes) -> bool:
    if content[:1] != b"\x31":
        return False
    try:
        with reading():
            attributes = asn1.Attributes.load(content, strict=True)
            return any(each["type"].dotted == algorithms.MESSAGE_DIGEST for each in attributes)
    except CmsError:
        return False


def _names(signer: SignerInfo, certificate: x509.Certificate) -> bool:
    """Say whether the signing-certificate attributes, where present, name this certificate."""
    der = certificate.public_bytes(Encoding.DER)
    with reading("attributes"):
        if algorithms.SIGNING_CERTIFICATE in signer.attributes:
            value = _single(signer, algorithms.SIGNING_CERTIFICATE)
            first = asn1.SigningCertificate.load(value, strict=True)["certs"][0]
            if bytes(first["hash"]) != hashlib.sha1(der, usedforsecurity=False).digest():
                return False
        if algorithms.SIGNING_CERTIFICATE_V2 in signer.attributes:
            value = _single(signer, algorithms.SIGNING_CERTIFICATE_V2)
            first = asn1.SigningCertificateV2.load(value, strict=True)["certs"][0]
            if bytes(first["hash"]) != _certificate_digest(first["algorithm"], der):
                return False
    return True


def _certificate_digest(stated: Any, der: bytes) -> bytes | None:
    if isinstance(stated, core.Void):
        return hashlib.sha256(der).digest()
    name = algorithms.DIGESTS.get(stated["algorithm"].dotted)
    return algorithms.digest(name, der) if name is not None else None


def _check_for(certificate: x509.Certificate, signer: SignerInfo, method: Method) -> Check:
    """Give the function that checks a signature with this certificate's key; raises CmsError."""
    try:
        key = public_key(certificate)
        _, bits = key_strength(certificate)
    except DamagedCertificateError as error:
        raise CmsError("certificate-damaged") from error
    if bits > KEY_SIZE_LIMIT:
        raise CmsError("key-too-large")
    if isinstance(key, CompositePublicKey):
        return key.verify if key.scheme.oid == signer.algorithm.oid else _never
    if isinstance(key, _PURE_KEYS):
        return key.verify if isinstance(key, _PURE.get(method.scheme, ())) else _never
    match method.scheme, key:
        case "rsa", rsa.RSAPublicKey():
            if certificate.public_key_algorithm_oid.dotted_string == algorithms.RSA_PSS:
                raise CmsError("unknown-algorithm")  # RFC 4055 §1.2: such a key does PSS only
            used = _hash(method.hash)
            return lambda signature, message: key.verify(
                signature, message, padding.PKCS1v15(), used
            )
        case "rsa-pss", rsa.RSAPublicKey():
            scheme, pss_hash = _pss(signer.algorithm, method, certificate)
            return lambda signature, message: key.verify(signature, message, scheme, pss_hash)
        case "ecdsa", ec.EllipticCurvePublicKey():
            ecdsa = ec.ECDSA(_hash(method.hash))
            return lambda signature, message: key.verify(signature, message, ecdsa)
        case "dsa", dsa.DSAPublicKey():
            used = _hash(method.hash)
            return lambda signature, message: key.verify(signature, message, used)
        case _:
            # A key of another kind cannot have made this signature.
            return _never


def _never(_signature: bytes, _message: bytes) -> None:
    raise InvalidSignature


def _hash(name: HashName) -> hashes.HashAlgorithm:
    found = algorithms.hash_algorithm(name)
    if found is None:
        raise CmsError("unknown-algorithm")
    return found


@dataclass(frozen=True, slots=True)
class _Pss:
    hash: HashName
    mask: HashName
    salt: int


def _pss(
    used: Algorithm, method: Method, certificate: x509.Certificate
) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    """Read PSS parameters and hold them against the key's own (RFC 4056 §2.2, §3)."""
    if used.parameters is None:
        raise CmsError("unknown-algorithm")
    stated = _pss_parameters(used.parameters)
    if stated.hash != method.digest:
        raise CmsError("attributes")
    limit = _key_parameters(certificate)
    if limit is not None and (
        (limit.hash, limit.mask) != (stated.hash, stated.mask) or stated.salt < limit.salt
    ):
        raise CmsError("attributes")
    return padding.PSS(padding.MGF1(_hash(stated.mask)), stated.salt), _hash(stated.hash)


def _pss_parameters(der: bytes) -> _Pss:
    with reading("unknown-algorithm"):
        parameters = asn1.PssParameters.load(der, strict=True)
        salt, trailer = parameters["salt_length"].native, parameters["trailer"].native
        found = _Pss(
            hash=hash_of(parameters["hash"]), mask=mask_hash_of(parameters["mask"]), salt=salt
        )
    if trailer != 1 or not 0 <= salt <= _SALT_LIMIT:
        raise CmsError("unknown-algorithm")
    return found


def _key_parameters(certificate: x509.Certificate) -> _Pss | None:
    if certificate.public_key_algorithm_oid.dotted_string != algorithms.RSA_PSS:
        return None
    with reading("certificate-damaged"):
        whole = Asn1Certificate.load(certificate.public_bytes(Encoding.DER))
        spki = whole["tbs_certificate"]["subject_public_key_info"]["algorithm"]
        parameters = asn1.Algorithm.load(spki.dump())["parameters"]
        if isinstance(parameters, core.Void):
            return None
        return _pss_parameters(asn1.encoded(parameters))


def hash_of(stated: Any) -> HashName:
    """Read a hash that defaults to SHA-1 (RFC 4055); raises CmsError."""
    if isinstance(stated, core.Void):
        return "sha1"
    name = algorithms.DIGESTS.get(stated["algorithm"].dotted)
    if name is None:
        raise CmsError("unknown-algorithm")
    return name


def mask_hash_of(stated: Any) -> HashName:
    """Read MGF1 and its hash, SHA-1 by default (RFC 4055); raises CmsError."""
    if isinstance(stated, core.Void):
        return "sha1"
    if stated["algorithm"].dotted != algorithms.MGF1:
        raise CmsError("unknown-algorithm")
    return hash_of(asn1.Algorithm.load(asn1.encoded(stated["parameters"])))
