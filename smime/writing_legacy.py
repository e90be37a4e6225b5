"""Copies of hidden header fields in the text, for readers without header protection.

RFC 9788 §5.2.2 to §5.2.4: only in the main text parts of encrypted mail, each marked with
`hp-legacy-display="1"`, so that other readers drop the copy again.
"""

import html
import re
from binascii import b2a_qp
from collections.abc import Sequence

from smime.reading_headers import LEGACY_CLASS, LEGACY_DISPLAY
from webmail.mime import (
    Message,
    Part,
    choose_body,
    decode_header_value,
    decode_text,
    parse_message,
)
from webmail.mime.write import add_parameter, fold_field

_BODY_TAG = re.compile(r"<body\b[^<>]{0,2000}>", re.IGNORECASE)
_LINE_LIMIT = 76


def with_legacy_display(entity: bytes, hidden: Sequence[tuple[str, str]]) -> bytes:
    """Put `hidden` fields (ASCII values, encoded words allowed) before the text of an entity."""
    if not hidden:
        return entity
    message = parse_message(entity)
    lines = [f"{name}: {_one_line(value)}" for name, value in hidden]
    main = {
        choice.blocks[0].part.path: choice.blocks[0].part
        for choice in (choose_body(message, prefer="plain"), choose_body(message, prefer="html"))
        if choice.blocks and choice.blocks[0].part.content_type in {"text/plain", "text/html"}
    }
    # From the end to the beginning, so that offsets of what is still to do stay true.
    for part in sorted(main.values(), key=lambda part: part.header_start, reverse=True):
        view = memoryview(entity)
        text = _with_lines(message, part, lines)
        entity = b"".join((view[: part.header_start], text, view[part.end :]))
    return entity


def _one_line(value: str) -> str:
    return " ".join(decode_header_value(value.encode("ascii", "replace")).split())


def _with_lines(message: Message, part: Part, lines: Sequence[str]) -> bytes:
    text = decode_text(message, part).text
    if part.content_type == "text/html":
        inside = html.escape("\n".join(lines), quote=True)
        copy = f'<div class="{LEGACY_CLASS}"><pre>{inside}</pre></div>\n'
        tag = _BODY_TAG.search(text)
        at = tag.end() if tag is not None else 0
        text = text[:at] + copy + text[at:]
    else:
        text = "\n".join(lines) + "\n\n" + text
    return _leaf(part, text)


def _leaf(part: Part, text: str) -> bytes:
    """Write a text part again with another text; all its other fields stay."""
    content = text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "replace")
    is_plain = content.isascii() and all(
        len(line) <= _LINE_LIMIT for line in content.split(b"\r\n")
    )
    encoding = "7bit" if is_plain else "quoted-printable"
    body = content if is_plain else b2a_qp(content, istext=True)
    kept = [
        (name, value.decode("ascii", "replace"))
        for name, value in part.headers.items()
        if name.lower() != "content-transfer-encoding"
    ]
    head = b"".join(
        fold_field(name, value) for name, value in [*kept, ("Content-Transfer-Encoding", encoding)]
    )
    return add_parameter(head + b"\r\n" + body, LEGACY_DISPLAY, "1")
