"""Read CompressedData (RFC 3274) up to a limit."""

import zlib

from asn1crypto import core

from smime.cms import algorithms
from smime.cms.content import Content
from smime.cms.errors import CmsError, reading

CONTENT_LIMIT = 25 * 1024 * 1024  # bytes unpacked; compressed mail is rare and small


class ContentTooLargeError(Exception):
    """Unpacking would go beyond the limit; nothing of it is given out."""


def decompress(content: Content, *, limit: int = CONTENT_LIMIT) -> bytes:
    """Unpack; raises CmsError for damage, ContentTooLargeError beyond `limit` bytes."""
    with reading():
        whole = content.value
        encapsulated = whole["encap_content_info"]
        method = whole["compression_algorithm"]["algorithm"].dotted
        body = encapsulated["content"]
        if isinstance(body, core.Void):
            raise CmsError("damaged")
        if encapsulated["content_type"].dotted != algorithms.DATA:
            raise CmsError("content-type")
        packed = bytes(body)
    if method != algorithms.ZLIB:
        raise CmsError("unknown-algorithm")
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(packed, limit + 1)
    except zlib.error as error:
        raise CmsError("damaged") from error
    if len(unpacked) > limit:
        raise ContentTooLargeError
    if not unpacker.eof:
        raise CmsError("damaged")
    return unpacked
