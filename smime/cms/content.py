"""The outermost layer of every CMS object: which kind it is (RFC 5652 §3)."""

from dataclasses import dataclass
from typing import Any, Literal

from asn1crypto import parser
from asn1crypto.core import ObjectIdentifier, Void

from smime.cms import algorithms, asn1
from smime.cms.carving import carve
from smime.cms.counting import costs_too_much
from smime.cms.errors import CmsError, reading

SIZE_LIMIT = 64 * 1024 * 1024  # bytes of one CMS object

type Kind = Literal["signed", "enveloped", "auth-enveloped", "compressed", "signed-and-enveloped"]

_KINDS: dict[str, Kind] = {
    algorithms.SIGNED_DATA: "signed",
    algorithms.ENVELOPED_DATA: "enveloped",
    algorithms.AUTH_ENVELOPED_DATA: "auth-enveloped",
    algorithms.COMPRESSED_DATA: "compressed",
    algorithms.SIGNED_AND_ENVELOPED_DATA: "signed-and-enveloped",
}
_INTRODUCTION = 32  # bytes within which the kind is named


@dataclass(frozen=True, slots=True)
class Content:
    """A CMS object of a known kind, its content not yet taken apart."""

    kind: Kind
    value: Any  # the asn1crypto structure of that kind, parsed as it is read
    pieces: tuple[memoryview, ...] | None = None  # what it holds, left out of the structure

    def octets(self, field: Any) -> tuple[bytes | memoryview, ...] | None:
        """Give what the object holds, piece by piece and uncopied; None when it holds nothing.

        `field` is where the structure has its content.
        """
        if isinstance(field, Void):
            return None
        return self.pieces if self.pieces is not None else (bytes(field),)


def open_content(der: bytes) -> Content:
    """Read a ContentInfo (DER or BER).

    Raises CmsError: "damaged" (also for more elements than are taken apart here, see `carving` and
    `counting`), "trailing-bytes", "unknown-algorithm" for other content types.
    """
    if len(der) > SIZE_LIMIT:
        raise CmsError("damaged")
    with reading():
        carved = carve(der)
        if costs_too_much(carved.skeleton):
            raise CmsError("damaged")
        info = asn1.ContentInfo.load(carved.skeleton)
        oid = info["content_type"].dotted
        value = info["content"]
        # Not `dump()`: that would write an indefinite length anew, and copy the whole.
        length = parser.peek(carved.skeleton)
    if length != len(carved.skeleton):
        raise CmsError("trailing-bytes")
    kind = _KINDS.get(oid)
    if kind is None:
        raise CmsError("unknown-algorithm")
    return Content(kind=kind, value=value, pieces=carved.pieces)


def likely_kind(der: bytes) -> Kind | None:
    """Guess the kind of an object too damaged to read, from the identifier it begins with."""
    start = der[:_INTRODUCTION]
    for oid, kind in _KINDS.items():
        encoded = ObjectIdentifier(oid).dump()
        if encoded in start:
            return kind
    return None
