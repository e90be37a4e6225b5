"""Raw message → tree of parts: a linear scan for boundaries that decodes and copies no body.

Each level of nesting looks at its own bytes once with `bytes.find`, so time is at most the depth
limit times the length of the message. A child never reads past its parent's next delimiter.
"""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from webmail.mime import transfer
from webmail.mime.envelope import read_envelope
from webmail.mime.filenames import is_deceptive_filename, safe_filename
from webmail.mime.headers import HeaderBlock, Headers, after_mbox_line, read_header_block
from webmail.mime.limits import Limits
from webmail.mime.parameters import ParameterValue, parse_content_type, parse_disposition
from webmail.mime.parts import Flag, Message, Part
from webmail.mime.shown import shown_safe

_DEFAULTS: Final = Limits()
_MESSAGE_TYPES: Final = frozenset({"message/rfc822", "message/global"})
_OPAQUE_TYPE: Final = "application/octet-stream"
_NO_PARAMETERS: Final = MappingProxyType[str, str]({})
_DOUBLED: Final = (
    ("content-type", Flag.DUPLICATE_TYPE),
    ("content-transfer-encoding", Flag.DUPLICATE_ENCODING),
    ("content-disposition", Flag.DUPLICATE_DISPOSITION),
)


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a part stands in the tree."""

    path: str  # its section number if it has no numbered children
    container_path: str  # its section number if it is a multipart with children
    prefix: str  # of the section numbers of its children
    depth: int
    default_type: str = "text/plain"
    is_only: bool = False  # the root of a message: a broken type is text


@dataclass(slots=True)
class _Scan:
    raw: bytes
    limits: Limits
    limits_hit: list[str] = field(default_factory=list)
    count: int = 0

    def hit(self, name: str) -> None:
        if name not in self.limits_hit:
            self.limits_hit.append(name)


def parse_message(raw: bytes, *, limits: Limits = _DEFAULTS) -> Message:
    """Parse any octets as a message; never raises. `raw` is kept, not copied."""
    scan = _Scan(raw, limits)
    start = after_mbox_line(raw)
    root = _read_part(scan, start, len(raw), _Position("1", "", "", 1, is_only=True))
    return Message(
        raw=raw,
        root=root,
        envelope=read_envelope(root.headers, limits=limits, on_limit=scan.hit),
        flags=frozenset().union(*(part.flags for part in root.walk())),
        limits_hit=tuple(scan.limits_hit),
    )


def _read_part(scan: _Scan, start: int, end: int, position: _Position) -> Part:
    scan.count += 1
    hits: set[str] = set()

    def on_limit(name: str) -> None:
        hits.add(name)
        scan.hit(name)

    block = read_header_block(scan.raw, start, end, limits=scan.limits, on_limit=on_limit)
    value = block.headers.get("content-type")
    stated = parse_content_type(value, limits=scan.limits, on_limit=on_limit)
    placed = parse_disposition(
        block.headers.get("content-disposition"), limits=scan.limits, on_limit=on_limit
    )
    flags = _flags(block, stated, placed)
    if hits:
        flags.add(Flag.HEADER_CUT)
    content_type = stated.token
    if value is None:
        content_type = position.default_type
    elif not content_type:
        flags.add(Flag.BROKEN_TYPE)
        content_type = "text/plain" if position.is_only else _OPAQUE_TYPE
    encoding = transfer.normal_encoding(block.headers.get("content-transfer-encoding"))
    if encoding not in transfer.KNOWN:
        flags.add(Flag.UNKNOWN_ENCODING)
    if end - start > scan.limits.raw:
        scan.hit("raw")
        flags.add(Flag.TOO_LARGE)
        children: tuple[Part, ...] = ()
    else:
        boundary = stated.boundary
        children = _children(
            scan, block.end, end, position, content_type, boundary, encoding, flags
        )
    if content_type.startswith("multipart/") and not children and Flag.BROKEN_TYPE in flags:
        content_type = "text/plain" if position.is_only else _OPAQUE_TYPE
    is_container = bool(children) and content_type not in _MESSAGE_TYPES
    path = position.container_path if is_container else position.path
    filename, is_deceptive = _filename(stated, placed, path)
    if is_deceptive:
        flags.add(Flag.DECEPTIVE_FILENAME)
    return Part(
        path=path,
        content_type=content_type,
        parameters=stated.parameters,
        headers=block.headers,
        header_start=start,
        body_start=block.end,
        end=end,
        transfer_encoding=encoding,
        disposition=placed.token or None,
        disposition_parameters=placed.parameters,
        content_id=_content_id(block.headers),
        filename=filename,
        children=children,
        flags=frozenset(flags),
    )


def _flags(block: HeaderBlock, stated: ParameterValue, placed: ParameterValue) -> set[str]:
    flags: set[str] = {flag for name, flag in _DOUBLED if len(block.headers.get_all(name)) > 1}
    if block.has_junk:
        flags.add(Flag.HEADER_JUNK)
    if block.is_unterminated:
        flags.add(Flag.HEADER_UNTERMINATED)
    if "boundary" in stated.duplicates:
        flags.add(Flag.DUPLICATE_BOUNDARY)
    if stated.duplicates or placed.duplicates:
        flags.add(Flag.DUPLICATE_PARAMETER)
    return flags


def _children(
    scan: _Scan,
    start: int,
    end: int,
    position: _Position,
    content_type: str,
    boundary: bytes | None,
    encoding: str,
    flags: set[str],
) -> tuple[Part, ...]:
    is_message = content_type in _MESSAGE_TYPES
    if not is_message and not content_type.startswith("multipart/"):
        return ()
    if position.depth >= scan.limits.depth:
        scan.hit("depth")
        flags.add(Flag.TOO_DEEP)
        return ()
    if encoding not in transfer.IDENTITY:
        flags.add(Flag.ENCODED_CONTAINER)
        if is_message:
            return ()  # its octets are not in the message: decode it and parse the result
    if is_message:
        return _forwarded(scan, start, end, position, flags)
    if not boundary or len(boundary) > scan.limits.boundary:
        if boundary:
            scan.hit("boundary")
        flags.add(Flag.BROKEN_TYPE)
        return ()
    return _parts(scan, start, end, position, content_type, boundary, flags)


def _forwarded(
    scan: _Scan, start: int, end: int, position: _Position, flags: set[str]
) -> tuple[Part, ...]:
    """The message inside a message/rfc822 part."""
    if scan.count >= scan.limits.parts:
        scan.hit("parts")
        flags.add(Flag.PARTS_CUT)
        return ()
    path = position.path
    inner = _Position(f"{path}.1", f"{path}.TEXT", f"{path}.", position.depth + 1, is_only=True)
    return (_read_part(scan, start, end, inner),)


def _parts(
    scan: _Scan,
    start: int,
    end: int,
    position: _Position,
    content_type: str,
    boundary: bytes,
    flags: set[str],
) -> tuple[Part, ...]:
    spans, is_closed = split_multipart(
        scan.raw, start, end, boundary, most=max(scan.limits.parts - scan.count, 0)
    )
    is_cut = is_closed is None
    if not is_closed and not is_cut:
        flags.add(Flag.UNCLOSED)
    default_type = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
    children: list[Part] = []
    for number, (child_start, child_end) in enumerate(spans, 1):
        if scan.count >= scan.limits.parts:
            is_cut = True
            break
        path = f"{position.prefix}{number}"
        place = _Position(path, path, f"{path}.", position.depth + 1, default_type)
        children.append(_read_part(scan, child_start, child_end, place))
    if is_cut:
        scan.hit("parts")
        flags.add(Flag.PARTS_CUT)
    elif not children:
        flags.add(Flag.NO_PARTS)
    return tuple(children)


def split_multipart(
    raw: bytes, start: int, end: int, boundary: bytes, *, most: int
) -> tuple[list[tuple[int, int]], bool | None]:
    """Offsets of the children of a multipart body (RFC 2046 §5.1.1).

    A delimiter is LF "--" boundary [white space] and a line end or the end of the body; the line
    end before it belongs to it. The second value: was the close delimiter seen? None: it was not
    looked for, because `most` children were found before.
    """
    needle = b"\n--" + boundary
    spans: list[tuple[int, int]] = []
    opened: int | None = None  # where the child in work starts
    at = max(start - 1, 0)  # the empty line above the body ends the line before the first delimiter
    while (found := raw.find(needle, at, end)) >= 0:
        line_end, is_close = _delimiter_end(raw, found + len(needle), end)
        if line_end is None:
            at = found + len(needle)
            continue
        if opened is not None:
            child_end = found - 1 if raw[found - 1 : found] == b"\r" else found
            spans.append((opened, max(child_end, opened)))
            if len(spans) >= most and not is_close:
                return spans, None
        if is_close:
            return spans, True
        opened = line_end
        at = line_end - 1
    if opened is not None:
        spans.append((opened, end))
    return spans, False


def _delimiter_end(raw: bytes, at: int, end: int) -> tuple[int | None, bool]:
    """Offset behind the line of a delimiter whose boundary ends at `at`; None: it is none."""
    is_close = raw.startswith(b"--", at, end)
    at += 2 if is_close else 0
    while at < end and raw[at] in b" \t":
        at += 1
    if at >= end:
        return end, is_close
    if raw.startswith(b"\n", at, end):
        return at + 1, is_close
    if raw.startswith(b"\r\n", at, end):
        return at + 2, is_close
    return None, False


def _content_id(headers: Headers) -> str | None:
    value = headers.get("content-id")
    if value is None:
        return None
    return shown_safe(value.decode("utf-8", "replace")).strip("<> ") or None


def _filename(stated: ParameterValue, placed: ParameterValue, path: str) -> tuple[str | None, bool]:
    """The safe name of a part, and whether the stated one deserves a warning."""
    for value, key in ((placed, "filename"), (stated, "name")):
        if key in value.parameters:
            is_deceptive = any(is_deceptive_filename(name) for name in value.unsafe_names)
            return safe_filename(value.unsafe_names[0], path=path), is_deceptive
    return None, False
