"""DKIM (RFC 6376) over certain header fields: who vouches for them, checked with the signer's key.

    DKIM-Signature fields ─► which may serve at all? ─► key by DNS ─► dkimpy ─► Verified
                              (no question otherwise)

dkimpy canonicalises, hashes and compares; what it is lenient about is decided here before it comes
to work: SHA-1 and short keys (RFC 8301), keys of no sensible size, keys in testing, fields that are
there twice, fields of a size that no signer makes.
"""

import base64
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import dkim
import dkim.util
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from webmail.remote.text_records import NameServers, NoRecord, text_record

LARGEST_MESSAGE: Final = 2 * 1024 * 1024  # octets; copied in memory several times over
MOST_TRIED: Final = 3  # signatures, so questions to name servers
_LONGEST_FIELD: Final = 8192  # octets of a DKIM-Signature
# dkimpy's expressions take cubic time over blanks in its own field, quadratic time elsewhere.
_BLANKS_IN_FIELD: Final = re.compile(rb"\s{80}")
_BLANKS: Final = re.compile(rb"[ \t]{128}")
_ALGORITHM: Final = b"rsa-sha256"
_KEY_BITS: Final = range(1024, 8193)
_LARGEST_EXPONENT: Final = 1 << 32
_FOLDING: Final = re.compile(rb"\r?\n")


class NotVerified(Exception):  # noqa: N818 - the name says what happened
    """No signature vouches for the fields; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that is valid. `fields`: by lower-case name, unfolded, as they were signed."""

    domain: str  # d=, lower case
    fields: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Candidate:
    position: int  # among the DKIM-Signature fields, from the top
    domain: str
    key_name: str
    signed: frozenset[str]
    has_own_identity: bool  # i= names exactly the domain, as a key with t=s demands


def verify(
    raw: bytes,
    *,
    covering: Collection[str],
    accepts: Callable[[str, frozenset[str]], bool],
    seconds: float,
    servers: NameServers,
) -> Verified:
    """Return a valid signature whose h= names From and every field of `covering`.

    covering: lower-case names; each is in the message exactly once. accepts: is asked with d= and
    the signed names before anything is looked up, so that nobody else's domain is. seconds: for
    each of at most MOST_TRIED keys. Raises NotVerified.
    """
    if len(raw) > LARGEST_MESSAGE:
        raise NotVerified("larger than the limit")
    if _BLANKS.search(raw):
        raise NotVerified("more blanks in a row than the limit")
    checker = _checker(raw)
    fields = _fields(checker, covering)
    reason = "no signature over these fields"
    tried = 0
    for candidate in _candidates(checker, frozenset({"from", *covering})):
        if not accepts(candidate.domain, candidate.signed):
            reason = "signed by others"
            continue
        if tried == MOST_TRIED:
            break
        tried += 1
        try:
            _verify_one(checker, candidate, seconds=seconds, servers=servers)
        except NotVerified as error:
            reason = str(error)
            continue
        return Verified(candidate.domain, fields)
    raise NotVerified(reason)


def _checker(raw: bytes) -> "dkim.DKIM":
    try:
        return dkim.DKIM(raw, minkey=_KEY_BITS.start)
    except (dkim.DKIMException, ValueError, LookupError) as error:
        raise NotVerified("not a message") from error


def _fields(checker: "dkim.DKIM", wanted: Collection[str]) -> dict[str, bytes]:
    """Return the fields as dkimpy sees them: what it hashes is what is acted on."""
    found: dict[str, bytes] = {}
    for raw_name, value in checker.headers:
        name = raw_name.lower().decode("ascii")
        if name not in wanted:
            continue
        if name in found:
            raise NotVerified("a field is there twice")
        found[name] = _FOLDING.sub(b"", value).strip()
    if len(found) != len(set(wanted)):
        raise NotVerified("a field is missing")
    return found


def _candidates(checker: "dkim.DKIM", needed: frozenset[str]) -> list[_Candidate]:
    values = [value for name, value in checker.headers if name.lower() == b"dkim-signature"]
    read = (_candidate(position, value) for position, value in enumerate(values[:50]))
    return [one for one in read if one is not None and needed <= one.signed]


def _candidate(position: int, value: bytes) -> _Candidate | None:
    if len(value) > _LONGEST_FIELD or _BLANKS_IN_FIELD.search(value):
        return None
    try:
        tags = dkim.util.parse_tag_value(value)
        domain = tags[b"d"].decode("ascii").lower()
        selector = tags[b"s"].decode("ascii")
        signed = tags[b"h"].decode("ascii").lower().split(":")
        identity = tags.get(b"i", b"@" + tags[b"d"]).decode("ascii").lower()
    except (dkim.util.InvalidTagValueList, LookupError, ValueError):
        return None
    if tags.get(b"a") != _ALGORITHM:
        return None
    return _Candidate(
        position,
        domain,
        f"{selector}._domainkey.{domain}",
        frozenset(name.strip() for name in signed),
        has_own_identity=identity.rpartition("@")[2] == domain,
    )


def _verify_one(
    checker: "dkim.DKIM", candidate: _Candidate, *, seconds: float, servers: NameServers
) -> None:
    try:
        record = text_record(candidate.key_name, seconds=seconds, servers=servers)
    except NoRecord as error:
        raise NotVerified(f"no key: {error}") from error
    _check_key(record, candidate)
    try:
        is_valid = checker.verify(candidate.position, dnsfunc=lambda _name, timeout: record)  # noqa: ARG005
    # Beside its own: what int(), base64, look-ups and asserts in dkimpy raise over hostile tags.
    except (dkim.DKIMException, ValueError, LookupError, TypeError, AssertionError) as error:
        raise NotVerified(type(error).__name__) from error
    if not is_valid:
        raise NotVerified("the signature is not valid")


def _check_key(record: bytes, candidate: _Candidate) -> None:
    """Refuse keys that mean "as if unsigned", and those that would cost more than a moment."""
    try:
        tags = dkim.util.parse_tag_value(record)
        flags = {flag.strip() for flag in tags.get(b"t", b"").split(b":")}
        der = base64.b64decode(b"".join(tags[b"p"].split()), validate=True)
        key = load_der_public_key(der)
    except (dkim.util.InvalidTagValueList, LookupError, ValueError, UnsupportedAlgorithm) as error:
        raise NotVerified("the key cannot be read") from error
    if b"y" in flags:
        raise NotVerified("the signer is only testing")  # RFC 6376 §3.6.1
    if b"s" in flags and not candidate.has_own_identity:
        raise NotVerified("the key is for another identity")
    if not isinstance(key, RSAPublicKey) or key.key_size not in _KEY_BITS:
        raise NotVerified("the key is too weak or too large")
    if key.public_numbers().e > _LARGEST_EXPONENT:
        raise NotVerified("the key is too weak or too large")
