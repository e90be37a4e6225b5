"""From a signer's certificate to a trusted one (RFC 5280 §6, RFC 8550 §4).

`pyhanko-certvalidator` validates; which certificates it may use is chosen here first, so that a bag
of hostile certificates costs a bounded amount of work. Purposes, key sizes and revocation are
judged elsewhere, on the certificates of the path found.
"""

from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, override

from asn1crypto.x509 import Certificate as Asn1Certificate
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import (
    ExpiredError,
    NotYetValidError,
    PathBuildingError,
    PathError,
    ValidationError,
)
from pyhanko_certvalidator.policy_decl import (
    AcceptAllAlgorithms,
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
)

from smime.pki.certificates import (
    DamagedCertificateError,
    extension,
    is_self_issued,
    is_self_signed,
    key_strength,
    shown,
    verify_issued,
)
from smime.pki.composite_signatures import COMPOSITE_SIGNATURES, CompositePublicKey
from smime.pki.name_constraints import NameNotPermittedError, check_addresses
from smime.pki.private_keys import load_composite_public_key

PATH_LIMIT = 10  # certificates between signer and anchor
POOL_LIMIT = 24  # certificates a path is looked for in
SAME_NAME_LIMIT = 3  # certificates of one name and key: cross-certificates
CHAIN_LIMIT = 16  # ways to an anchor that are tried one by one
_STEP_LIMIT = 256  # links looked at to find them
KEY_SIZE_LIMIT = 8192  # bits
_SECOND = timedelta(seconds=1)
# Withdrawals are judged elsewhere. Looked for in vain, they leave errors behind that hold on to all
# that the callers were at.
_WITHOUT_REVOCATION = CertRevTrustPolicy(
    RevocationCheckingPolicy(RevocationCheckingRule.NO_CHECK, RevocationCheckingRule.NO_CHECK)
)
# What the validator says of a path, and what its decoder raises on damaged certificates.
_BROKEN = (
    PathError,
    ValidationError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    NotImplementedError,
    InvalidSignature,
    UnsupportedAlgorithm,
    NameNotPermittedError,
)

type Trust = Literal[
    "trusted",  # a valid path to a trusted certificate
    "pinned",  # the certificate itself is trusted, no authority is asked
    "broken",  # a path to a trusted certificate that breaks a rule of RFC 5280
    "unknown-root",  # ends at a self-signed certificate that is not trusted
    "self-signed",  # vouches for itself, and is not trusted
    "incomplete",  # a link is missing
]


@dataclass(frozen=True, slots=True)
class Path:
    """What leads from a certificate upwards, and how far that can be trusted."""

    trust: Trust
    certificates: tuple[x509.Certificate, ...]  # the signer's first, the trusted one last
    broken_rule: str = ""  # of "broken": what was wrong, for the details

    def __hash__(self) -> int:
        # Cheap: paths are keys of what is remembered of them.
        return hash((self.trust, self.certificates[0].serial_number, len(self.certificates)))

    @property
    def is_trusted(self) -> bool:
        """Somebody trusted vouches for the certificate, validity in time aside."""
        return self.trust in {"trusted", "pinned"}

    @property
    def below_root(self) -> tuple[x509.Certificate, ...]:
        """All but the root: those whose own signatures matter."""
        if len(self.certificates) > 1 and is_self_issued(self.certificates[-1]):
            return self.certificates[:-1]
        return self.certificates


def find_path(
    certificate: x509.Certificate,
    *,
    anchors: Sequence[x509.Certificate],
    others: Sequence[x509.Certificate],
    moments: Sequence[datetime],
) -> Path:
    """Find the path of a certificate; never raises.

    It need be valid at one of `moments` (tried in order), or else at the beginning or the end of
    the certificate's own life: validity *now* is the caller's question. `others` are certificates
    that may serve as links and prove nothing by themselves.
    """
    if certificate in anchors:
        return Path("pinned", (certificate,))
    issuing = issuing_anchors(anchors)
    return choose_path(certificate, issuing, useful(certificate, issuing, others), moments)


def issuing_anchors(anchors: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Choose the anchors that may vouch for others."""
    return [anchor for anchor in anchors if may_issue(anchor)]


def useful(
    certificate: x509.Certificate,
    issuing: Sequence[x509.Certificate],
    others: Sequence[x509.Certificate],
) -> list[x509.Certificate]:
    """Choose what lies above a certificate; it does not depend on time."""
    return _useful(certificate, [*issuing, *others], anchors=issuing)


def choose_path(
    certificate: x509.Certificate,
    issuing: Sequence[x509.Certificate],
    pool: Sequence[x509.Certificate],
    moments: Sequence[datetime],
) -> Path:
    """Find the path through a `useful` pool.

    Of the moments it matters only which certificates are valid at each (see `path_memory`).
    """
    own_life = (certificate.not_valid_after_utc - _SECOND, certificate.not_valid_before_utc)
    broken_rule = ""
    for moment in (*moments, *own_life):
        if not _may_live(certificate, moment):
            continue  # the validator would look at the whole path before it said so
        try:
            return Path("trusted", _validate(certificate, issuing, pool, moment))
        except (ExpiredError, NotYetValidError):
            continue
        except PathBuildingError as error:
            broken_rule = broken_rule or shown(str(error), limit=300)
            break
        except _BROKEN as error:
            broken_rule = broken_rule or shown(str(error), limit=300)
    # The validator tells of several ways only why the last one failed: each is asked about alone.
    chains = list(_chains(certificate, issuing, pool))
    for upwards in chains:
        try:
            return Path("trusted", _validate_alone(upwards))
        except _BROKEN as error:
            broken_rule = broken_rule or shown(str(error), limit=300)
    if chains:
        return Path("broken", chains[0], broken_rule)
    upwards = _walk(certificate, pool)
    last = upwards[-1]
    if is_self_signed(certificate):
        return Path("self-signed", upwards)
    return Path("unknown-root" if is_self_signed(last) else "incomplete", upwards)


def _may_live(certificate: x509.Certificate, moment: datetime) -> bool:
    """Leave out moments far from a certificate's life; the validator allows for a second itself."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begin - 2 * _SECOND <= moment <= end + 2 * _SECOND


def may_issue(certificate: x509.Certificate) -> bool:
    """Say whether a trusted certificate may vouch for others: trusting a person is not trusting
    an authority. A certificate without extensions of the first version of X.509 may.
    """
    try:
        constraints = extension(certificate, x509.BasicConstraints)
        usage = extension(certificate, x509.KeyUsage)
    except DamagedCertificateError:
        return False
    if usage is not None and not usage.key_cert_sign:
        return False
    if constraints is None:
        return certificate.version is x509.Version.v1 and is_self_issued(certificate)
    return constraints.ca


def issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Say whether `issuer` signed `certificate`; by name alone where the hash is not supported."""
    if certificate.issuer != issuer.subject:
        return False
    try:
        if key_strength(issuer)[1] > KEY_SIZE_LIMIT:
            return False
        verify_issued(issuer, certificate)
    except UnsupportedAlgorithm:
        return True
    except (InvalidSignature, DamagedCertificateError, ValueError, TypeError):
        return False
    return True


def _useful(
    certificate: x509.Certificate,
    offered: Sequence[x509.Certificate],
    *,
    anchors: Sequence[x509.Certificate],
) -> list[x509.Certificate]:
    """Choose the certificates that lie above this one, nearest first, at most POOL_LIMIT.

    Without that choice, certificates that issue each other in circles would make the search for
    paths explode.
    """
    found: list[x509.Certificate] = []
    frontier = [certificate]
    for _ in range(PATH_LIMIT):
        above: list[x509.Certificate] = []
        for candidate in dict.fromkeys(offered):
            if candidate in found or candidate in above or candidate == certificate:
                continue
            if not any(issued(candidate, below) for below in frontier):
                continue
            same = sum(_is_twin(candidate, other) for other in (*found, *above))
            if same < SAME_NAME_LIMIT or candidate in anchors:
                above.append(candidate)
            if len(found) + len(above) >= POOL_LIMIT:
                return [*found, *above]
        if not above:
            break
        found.extend(above)
        frontier = above
    return found


def _is_twin(one: x509.Certificate, other: x509.Certificate) -> bool:
    return one.subject == other.subject and (
        one.public_key_algorithm_oid == other.public_key_algorithm_oid
    )


def _walk(
    certificate: x509.Certificate, pool: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Follow issuers upwards as far as they are known; where no way ends at an anchor."""
    upwards = [certificate]
    while len(upwards) <= PATH_LIMIT and not is_self_issued(upwards[-1]):
        above = [each for each in pool if each not in upwards and issued(each, upwards[-1])]
        if not above:
            break
        upwards.append(above[0])
    return tuple(upwards)


def _chains(
    certificate: x509.Certificate,
    issuing: Sequence[x509.Certificate],
    pool: Sequence[x509.Certificate],
) -> Iterator[tuple[x509.Certificate, ...]]:
    """Give the ways to an anchor by names and signatures, the nearest certificates first.

    At most CHAIN_LIMIT of PATH_LIMIT certificates, and _STEP_LIMIT links looked at: certificates
    that issue each other in circles have no end of ways.
    """
    vouches = cache(issued)
    steps = count = 0
    open_ways: list[tuple[x509.Certificate, ...]] = [(certificate,)]
    while open_ways and steps < _STEP_LIMIT and count < CHAIN_LIMIT:
        way = open_ways.pop()
        above = [each for each in pool if each not in way and vouches(each, way[-1])]
        steps += 1
        for each in above:
            if each in issuing and count < CHAIN_LIMIT:
                count += 1
                yield (*way, each)
        if len(way) < PATH_LIMIT:
            open_ways.extend((*way, each) for each in reversed(above) if each not in issuing)


def _validate_alone(upwards: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...]:
    """Validate one way to an anchor at the first moment at which all below the anchor are valid.

    Whether that moment is the right one is the caller's question. Raises what `_validate` does.
    """
    certificate, links, anchor = upwards[0], upwards[1:-1], upwards[-1]
    begin = max(each.not_valid_before_utc for each in upwards[:-1])
    if begin > min(each.not_valid_after_utc for each in upwards[:-1]):
        raise PathError("its certificates were never valid at the same time")
    return _validate(certificate, [anchor], links, begin)


def _validate(
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    pool: Sequence[x509.Certificate],
    moment: datetime,
) -> tuple[x509.Certificate, ...]:
    context = ValidationContext(
        trust_roots=[_asn1(anchor) for anchor in anchors],
        other_certs=[_asn1(each) for each in pool],
        allow_fetching=False,
        moment=moment,
        revinfo_policy=_WITHOUT_REVOCATION,
        # Weak methods are told apart afterwards; here they would hide what else is wrong.
        algorithm_usage_policy=AcceptAllAlgorithms(),
        signature_validator=_Signatures(),
    )
    validator = CertificateValidator(_asn1(certificate), validation_context=context)
    path = _run(validator.async_validate_path())
    found = [
        x509.load_der_x509_certificate(each.dump()) for each in path.iter_certs(include_root=True)
    ]
    upwards = tuple(reversed(found)) if found[-1] == certificate else tuple(found)
    check_addresses(upwards)
    return upwards


class _Signatures(DefaultSignatureValidator):
    """The validator's own methods, and composite signatures."""

    @override
    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        oid = signature_algorithm["algorithm"].dotted
        if oid not in COMPOSITE_SIGNATURES:
            super().validate_signature(
                signature, signed_data, public_key_info, signature_algorithm, context
            )
            return
        key = load_composite_public_key(public_key_info.dump())
        if not isinstance(key, CompositePublicKey) or key.scheme.oid != oid:
            raise InvalidSignature
        key.verify(signature, signed_data)


def _run(validation: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits: nothing is fetched, so no event loop is needed."""
    try:
        validation.send(None)
    except StopIteration as done:
        return done.value
    validation.close()
    raise PathBuildingError("path validation wanted to wait")


def _asn1(certificate: x509.Certificate) -> Asn1Certificate:
    return Asn1Certificate.load(certificate.public_bytes(Encoding.DER))
