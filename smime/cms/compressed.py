"""Read CompressedData (RFC 3274) up to a limit."""

import zlib
from io import BytesIO

from smime.cms import algorithms
from smime.cms.content import Content
from smime.cms.elements import in_portions
from smime.cms.errors import CmsError, reading

CONTENT_LIMIT = 25 * 1024 * 1024  # bytes unpacked; compressed mail is rare and small
_AT_ONCE = 256 * 1024  # bytes


class ContentTooLargeError(Exception):
    """Unpacking would go beyond the limit; nothing of it is given out."""


def decompress(content: Content, *, limit: int = CONTENT_LIMIT) -> bytes:
    """Unpack; raises CmsError for damage, ContentTooLargeError beyond `limit` bytes."""
    with reading():
        whole = content.value
        encapsulated = whole["encap_content_info"]
        method = whole["compression_algorithm"]["algorithm"].dotted
        pieces = content.octets(encapsulated["content"])
        if pieces is None:
            raise CmsError("damaged")
        if encapsulated["content_type"].dotted != algorithms.DATA:
            raise CmsError("content-type")
    if method != algorithms.ZLIB:
        raise CmsError("unknown-algorithm")
    unpacker = zlib.decompressobj()
    unpacked = BytesIO()
    try:
        for packed in in_portions(pieces, _AT_ONCE):
            waiting: bytes | memoryview = packed
            is_more = True  # a full portion may have left some of it inside the unpacker
            while is_more and not unpacker.eof:
                is_more = unpacked.write(unpacker.decompress(waiting, _AT_ONCE)) == _AT_ONCE
                if unpacked.tell() > limit:
                    raise ContentTooLargeError
                waiting = unpacker.unconsumed_tail
                is_more = is_more or bool(waiting)
    except zlib.error as error:
        raise CmsError("damaged") from error
    if not unpacker.eof:
        raise CmsError("damaged")
    return unpacked.getvalue()
