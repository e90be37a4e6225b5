"""Header blocks (RFC 5322 §2.2): where they end, their fields, and their values as text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from webmail.mime.limits import Limits
from webmail.mime.words import decode_header_value

# A space before the colon is obsolete syntax, but still a field (RFC 5322 §4.5).
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")
_FROM_FIELD: Final = re.compile(rb"From[ \t]+:")
_DEFAULTS: Final = Limits()
_UNFOLDED: Final = re.compile(rb"\r?\n(?=[ \t])")  # RFC 5322 §2.2.3
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")


class Headers:
    """The fields of one header block, in order. Names are matched without case."""

    __slots__ = ("_fields", "_index")

    def __init__(self, fields: tuple[tuple[str, bytes], ...] = ()) -> None:
        self._fields = fields
        self._index: dict[str, list[bytes]] = {}
        for name, value in fields:
            self._index.setdefault(name.lower(), []).append(value)

    def get(self, name: str) -> bytes | None:
        """The unfolded raw value of the first field of that name."""
        values = self._index.get(name.lower())
        return values[0] if values else None

    def get_all(self, name: str) -> list[bytes]:
        """The unfolded raw values of all fields of that name."""
        return list(self._index.get(name.lower(), ()))

    def items(self) -> list[tuple[str, bytes]]:
        """Every field as sent: name, unfolded raw value without white space around it."""
        return list(self._fields)

    def text(self, name: str) -> str:
        """The first value decoded and safe to show; empty when the field is absent."""
        value = self.get(name)
        return "" if value is None else decode_header_value(value)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._index

    def __len__(self) -> int:
        return len(self._fields)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return iter(self._fields)

    def __repr__(self) -> str:
        return f"Headers({[name for name, _ in self._fields]!r})"


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """A header block as read; `end` is the offset of the body."""

    headers: Headers
    end: int
    has_junk: bool  # lines that are neither a field nor the continuation of one
    is_unterminated: bool  # no empty line: the block ended where the fields ended


def read_headers(raw: bytes, *, limits: Limits = _DEFAULTS) -> Headers:
    """The fields of a header block alone, as `parse_message` reads them; never raises."""
    start = after_mbox_line(raw)
    block = read_header_block(raw, start, len(raw), limits=limits, on_limit=lambda _name: None)
    return block.headers


def after_mbox_line(raw: bytes) -> int:
    """Skip the separator line of an mbox file (RFC 4155); `From :` is a field all the same."""
    is_separator = raw.startswith(b"From ") and _FROM_FIELD.match(raw) is None
    return raw.find(b"\n", 0, 1024) + 1 if is_separator else 0


def read_header_block(
    raw: bytes, start: int, end: int, *, limits: Limits, on_limit: Callable[[str], None]
) -> HeaderBlock:
    """Read the header block at `start` of a part that reaches to `end`.

    The block ends at the first empty line, as servers see it, and lines without a colon in it are
    skipped. A part without any field before that line has no header: all of it is body. Without an
    empty line the block ends at the first line that is no field.
    """
    if raw.startswith((b"\n", b"\r\n"), start, end):
        return HeaderBlock(Headers(), min(raw.index(b"\n", start) + 1, end), False, False)
    blank = _BLANK_LINE.search(raw, start, end)
    block_end = end if blank is None else blank.start() + 1
    cut = min(block_end, start + limits.header_block)
    if cut < block_end:
        on_limit("header-block")
    fields, junk_at = _read_fields(raw, start, cut, limits=limits, on_limit=on_limit)
    if not fields and junk_at is not None:
        return HeaderBlock(Headers(), start, False, True)
    if blank is None:
        if junk_at is not None:
            fields, _ = _read_fields(raw, start, junk_at, limits=limits, on_limit=on_limit)
            return HeaderBlock(Headers(fields), junk_at, False, True)
        return HeaderBlock(Headers(fields), end, False, True)
    return HeaderBlock(Headers(fields), blank.end(), junk_at is not None, False)


def _read_fields(
    raw: bytes, start: int, end: int, *, limits: Limits, on_limit: Callable[[str], None]
) -> tuple[tuple[tuple[str, bytes], ...], int | None]:
    """The fields between two offsets, and where the first line stands that is none."""
    usual = _read_usual(raw[start:end], limits)
    return (usual, None) if usual is not None else _read_any(raw, start, end, limits, on_limit)


def _read_usual(block: bytes, limits: Limits) -> tuple[tuple[str, bytes], ...] | None:
    """The fields of a block of nothing but fields within the limits; None: read it by line."""
    lines = _UNFOLDED.sub(b"", block).split(b"\n")
    if len(lines) > limits.header_fields or len(block) > limits.header_value:
        return None
    found = []
    for line in lines:
        field = _FIELD.match(line)
        if field is not None:
            value = line[field.end() :].removesuffix(b"\r").strip(b" \t")
            found.append((field[1].decode("ascii"), value))
        elif line not in {b"", b"\r"}:
            return None
    return tuple(found)


def _read_any(
    raw: bytes, start: int, end: int, limits: Limits, on_limit: Callable[[str], None]
) -> tuple[tuple[tuple[str, bytes], ...], int | None]:
    found: list[tuple[str, list[bytes]]] = []
    junk_at: int | None = None
    at = start
    for line in raw[start:end].split(b"\n"):
        line_start, at = at, at + len(line) + 1
        text = line.removesuffix(b"\r")
        if text[:1] in {b" ", b"\t"}:
            if found:
                found[-1][1].append(text)
            continue
        if not text:
            continue
        field = _FIELD.match(text)
        if field is None:
            junk_at = line_start if junk_at is None else junk_at
            continue
        if len(found) >= limits.header_fields:
            on_limit("header-fields")
            break
        found.append((field[1].decode("ascii"), [text[field.end() :]]))
    return tuple((name, _value(lines, limits, on_limit)) for name, lines in found), junk_at


def _value(lines: list[bytes], limits: Limits, on_limit: Callable[[str], None]) -> bytes:
    """Unfold (RFC 5322 §2.2.3): only the line ends go."""
    value = b"".join(lines).strip(b" \t")
    if len(value) > limits.header_value:
        on_limit("header-value")
        value = value[: limits.header_value]
    return value
