"""CMSAlgorithmProtection (RFC 6211): the algorithms of a signature, signed along with the rest.

Without it somebody in between could name another algorithm for the same octets. Written with
post-quantum signatures (RFC 9882 §3.3); compared wherever it is found.
"""

# mypy: disable-error-code="misc"
# asn1crypto has no types, so its classes look like Any to subclass.

from asn1crypto import core

from smime.cms import asn1
from smime.cms.errors import CmsError, reading
from smime.cms.signed import Algorithm, read_algorithm

_NULL = b"\x05\x00"


class _Protection(core.Sequence):
    _fields = [
        ("digest_algorithm", asn1.Algorithm),
        ("signature_algorithm", asn1.Algorithm, {"implicit": 1, "optional": True}),
        ("mac_algorithm", asn1.Algorithm, {"implicit": 2, "optional": True}),
    ]


def algorithm_protection(digest: asn1.Algorithm, signature: asn1.Algorithm) -> bytes:
    """Give the DER of the attribute's value."""
    fields = {"digest_algorithm": digest, "signature_algorithm": signature}
    return bytes(_Protection(fields).dump())


def check_protection(value: bytes, digest: Algorithm, signature: Algorithm) -> None:
    """Compare the attribute with what the SignerInfo says.

    Raises CmsError("attributes") when they differ. NULL and absent parameters are the same: both
    are written for the same algorithm (RFC 5754 §2).
    """
    with reading("attributes"):
        stated = _Protection.load(value, strict=True)
        if isinstance(stated["signature_algorithm"], core.Void):
            raise CmsError("attributes")  # RFC 6211 §2: MAC algorithms are not for signatures
        is_same = _plain(read_algorithm(stated["digest_algorithm"])) == _plain(digest) and _plain(
            read_algorithm(stated["signature_algorithm"])
        ) == _plain(signature)
    if not is_same:
        raise CmsError("attributes")


def _plain(algorithm: Algorithm) -> tuple[str, bytes | None]:
    parameters = algorithm.parameters
    return algorithm.oid, None if parameters == _NULL else parameters
