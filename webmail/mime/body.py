"""Octets and text of one part."""

from dataclasses import dataclass
from typing import Final

from webmail.mime import transfer
from webmail.mime.charset import (
    believed_codec,
    codec_for,
    declared_in_html,
    decode_as,
    detect_codec,
    is_ascii_label,
)
from webmail.mime.embedded import may_hold_files, without_files
from webmail.mime.limits import Limits
from webmail.mime.parts import Message, Part

_DEFAULT_TEXT: Final = Limits().text


@dataclass(frozen=True, slots=True)
class DecodedText:
    """The text of a part: line ends are LF, a lone CR stays, NUL is U+FFFD."""

    text: str
    charset: str  # the codec that was used, as Python names it
    truncated: bool


def part_source(message: Message, part: Part) -> bytes:
    """The exact octets of a part with its header: what a signature covers (RFC 1847 §2.1)."""
    return message.raw[part.header_start : part.end]


def decode_body(message: Message, part: Part, *, limit: int | None = None) -> bytes:
    """The body without its transfer encoding, at most `limit` octets of it; never raises."""
    if part.content is not None:
        return part.content if limit is None else part.content[:limit]
    # RFC 2045 §6.4: an encoding stated on a container is not one.
    encoding = "binary" if part.children else part.transfer_encoding
    if limit is not None:
        return transfer.decode_start(message.raw, part.body_start, part.end, encoding, limit)
    if encoding == "base64":  # which needs no copy of the text
        return transfer.decode_base64(memoryview(message.raw)[part.body_start : part.end])
    return transfer.decode(message.raw[part.body_start : part.end], encoding)


def decode_text(message: Message, part: Part, *, limit: int = _DEFAULT_TEXT) -> DecodedText:
    """The text of a part without the files in it, cut at `limit` octets; never raises.

    A charset label that is known wins unless the octets contradict it; `<meta charset>` counts only
    without one.
    """
    content = decode_body(message, part, limit=limit + 1)
    if may_hold_files(part) and b"begin" in content:  # what files take does not count
        content = without_files(decode_body(message, part))[: limit + 1]
    is_cut = len(content) > limit
    if is_cut:
        content = content[:limit]
    label = part.parameters.get("charset", "")
    codec = codec_for(label)
    if codec is None and part.content_type == "text/html" and not is_ascii_label(label):
        codec = declared_in_html(content)
    if codec is None:
        codec = detect_codec(content, is_cut=is_cut)
    else:
        codec = believed_codec(content, codec, is_cut=is_cut)
    text = decode_as(content, codec, final=not is_cut)
    del content  # long texts are not kept twice
    text = text.replace("\r\n", "\n")
    return DecodedText(text.replace("\0", "\ufffd"), codec, is_cut)
