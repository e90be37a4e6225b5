"""Read the usual kind of recipient by its few elements: a mail to hundreds names each of them.

asn1crypto takes a tenth of a millisecond for one; what is not exactly of this shape is left to it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from asn1crypto.core import ObjectIdentifier

from smime.cms.identifiers import CertificateId
from smime.cms.signed import Algorithm
from smime.cms.unwrapping import Transport

_INTEGER, _OCTETS, _OBJECT_ID, _SEQUENCE, _KEY_ID = 0x02, 0x04, 0x06, 0x30, 0x80
_TRANSPORT: Final = (
    (_INTEGER, _SEQUENCE, _SEQUENCE, _OCTETS),
    (_INTEGER, _KEY_ID, _SEQUENCE, _OCTETS),
)
_LONG_TAG, _LONG_LENGTH = 0x1F, 0x80


@lru_cache(maxsize=64)
def _dotted(encoded: bytes) -> str:
    return str(ObjectIdentifier.load(encoded).dotted)


def split(encoded: bytes) -> list[bytes] | None:
    """Give elements that stand one after the other; None if they are not in DER's short form."""
    try:
        return [encoded[at:stop] for _, at, _, stop in _children(encoded, 0, len(encoded))]
    except ValueError:
        return None


def read_transport(encoded: bytes) -> Transport | None:
    """Read a KeyTransRecipientInfo (RFC 5652 §6.2.1); None for everything else."""
    try:
        return _transport(encoded)
    except ValueError:
        return None


def _transport(encoded: bytes) -> Transport | None:
    (whole,) = _children(encoded, 0, len(encoded))
    fields = list(_children(encoded, whole[2], whole[3]))
    if whole[0] != _SEQUENCE or tuple(field[0] for field in fields) not in _TRANSPORT:
        return None
    _, name, method, key = fields
    if name[0] == _KEY_ID:
        identifier = CertificateId(key_id=encoded[name[2] : name[3]])
    else:
        issuer, serial = _children(encoded, name[2], name[3])
        if serial[0] != _INTEGER:
            return None
        identifier = CertificateId(
            issuer=encoded[issuer[1] : issuer[3]],
            serial=int.from_bytes(encoded[serial[2] : serial[3]], signed=True),
        )
    oid, *parameters = _children(encoded, method[2], method[3])
    if oid[0] != _OBJECT_ID or len(parameters) > 1:
        return None
    return Transport(
        identifier=identifier,
        algorithm=Algorithm(
            oid=_dotted(encoded[oid[1] : oid[3]]),
            parameters=encoded[parameters[0][1] : parameters[0][3]] if parameters else None,
        ),
        encrypted_key=encoded[key[2] : key[3]],
    )


def _children(encoded: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, first octet, start and end of contents; ValueError for what is not definite."""
    while at < stop:
        if at + 2 > stop:
            raise ValueError("cut")
        tag, length, start = encoded[at], encoded[at + 1], at + 2
        if tag & _LONG_TAG == _LONG_TAG or length == _LONG_LENGTH:
            raise ValueError("not of the short form")
        if length > _LONG_LENGTH:
            size = length & ~_LONG_LENGTH
            length = int.from_bytes(encoded[start : start + size])
            start += size
        end = start + length
        if end > stop:
            raise ValueError("cut")
        yield tag, at, start, end
        at = end
