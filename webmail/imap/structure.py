"""BODYSTRUCTURE as a tree of frozen parts (RFC 9051 §7.5.2)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.header import decode_header
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from webmail.imap.lexer import Value

MAX_DEPTH = 60
MAX_PARTS = 2_000
_CONTINUED = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?\Z")
NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class BodyStructure:
    """One part as the server describes it, before any body is read.

    path: the section to fetch; "" for a multipart root, "1" for a single-part root, "2.TEXT" for
    the multipart root of the message in part 2.
    content_type: "type/subtype", lower case. size: octets as transferred (0 for a multipart).
    encoding: lower case. filename: as sent, decoded, **not** made safe. disposition: lower case
    or None when absent. children: parts of a multipart, or the one body of a message/rfc822.
    """

    path: str
    content_type: str
    size: int = 0
    encoding: str = ""
    filename: str | None = None
    disposition: str | None = None
    charset: str | None = None
    content_id: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    children: tuple["BodyStructure", ...] = ()

    def walk(self) -> Iterator["BodyStructure"]:
        """The part itself and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()


class _Malformed(Exception):  # noqa: N818
    """The server's description does not follow the grammar, or goes past the limits."""


def parse_structure(value: Value) -> BodyStructure | None:
    """The tree, or None when the description is malformed or larger than the limits.

    A hostile message must not make its folder unreadable, so this never raises.
    """
    try:
        return _Builder().root(value)
    except (_Malformed, IndexError, ValueError, TypeError, AttributeError):
        return None


class _Builder:
    def __init__(self) -> None:
        self._room = MAX_PARTS

    def root(self, value: Value) -> BodyStructure:
        if not isinstance(value, list) or not value:
            raise _Malformed
        return self._part(value, "" if isinstance(value[0], list) else "1", "", MAX_DEPTH)

    def _part(self, value: list[Value], path: str, prefix: str, depth: int) -> BodyStructure:
        self._room -= 1
        if not depth or self._room < 0:
            raise _Malformed
        if isinstance(value[0], list):
            return self._multipart(value, path, prefix, depth)
        return self._single(value, path, depth)

    def _multipart(self, value: list[Value], path: str, prefix: str, depth: int) -> BodyStructure:
        children = []
        index = 0
        for index, item in enumerate(value):
            if not isinstance(item, list):
                break
            number = f"{prefix}{index + 1}"
            children.append(self._part(item, number, f"{number}.", depth - 1))
        rest = value[index:]
        parameters = _parameters(rest[1]) if len(rest) > 1 else NO_PARAMETERS
        disposition, filename = _disposition(rest[2]) if len(rest) > 2 else (None, None)
        return BodyStructure(
            path=path,
            content_type=f"multipart/{_word(rest[0]) or 'mixed'}",
            filename=filename,
            disposition=disposition,
            parameters=parameters,
            children=tuple(children),
        )

    def _single(self, value: list[Value], path: str, depth: int) -> BodyStructure:
        content_type = f"{_word(value[0])}/{_word(value[1])}"
        parameters = _parameters(value[2])
        children: tuple[BodyStructure, ...] = ()
        extension = 7
        if content_type.startswith("text/"):
            extension = 8
        elif content_type in ("message/rfc822", "message/global") and _is_message(value):
            extension = 10
            body = value[8]
            assert isinstance(body, list)
            inner = f"{path}.TEXT" if isinstance(body[0], list) else f"{path}.1"
            children = (self._part(body, inner, f"{path}.", depth - 1),)
        # Extension data: MD5, disposition, language, location.
        disposition, filename = (
            _disposition(value[extension + 1]) if len(value) > extension + 1 else (None, None)
        )
        size = value[6]
        return BodyStructure(
            path=path,
            content_type=content_type,
            size=int(size) if isinstance(size, bytes) and size.isdigit() else 0,
            encoding=_word(value[5]),
            filename=filename or parameter_filename(parameters, "name"),
            disposition=disposition,
            charset=parameters.get("charset"),
            content_id=_text(value[3]).strip().strip("<>") or None if value[3] else None,
            parameters=parameters,
            children=children,
        )


def _is_message(value: list[Value]) -> bool:
    return len(value) > 8 and isinstance(value[8], list) and bool(value[8])


def _word(value: Value) -> str:
    """A type, subtype, encoding or disposition: ASCII, compared without case."""
    return value.decode("ascii", "replace").lower() if isinstance(value, bytes) else ""


def _text(value: Value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _parameters(value: Value) -> Mapping[str, str]:
    """Attribute/value pairs with lower-case names; the first of equal names counts."""
    if not isinstance(value, list):
        return NO_PARAMETERS
    found: dict[str, str] = {}
    for name, content in zip(value[::2], value[1::2], strict=False):
        found.setdefault(_word(name), _text(content))
    return found


def _disposition(value: Value) -> tuple[str | None, str | None]:
    if not isinstance(value, list) or not value:
        return None, None
    parameters = _parameters(value[1]) if len(value) > 1 else NO_PARAMETERS
    return _word(value[0]) or None, parameter_filename(
        parameters, "filename"
    ) if parameters else None


def parameter_filename(parameters: Mapping[str, str], name: str) -> str | None:
    """A file name, RFC 2231 forms first, then the plain one with encoded words (RFC 2047 in a
    parameter is forbidden and common).
    """
    plain = parameters.get(name)
    if any("*" in key for key in parameters):
        extended = _extended(parameters, name)
        if extended is not None:
            return extended
    if plain and "=?" in plain:
        try:
            return "".join(
                word if isinstance(word, str) else word.decode(charset or "ascii", "replace")
                for word, charset in decode_header(plain)
            )
        except (ValueError, LookupError):
            return plain
    return plain


def _extended(parameters: Mapping[str, str], name: str) -> str | None:
    """RFC 2231 §3, §4: `name*=utf-8''…` or `name*0*=…; name*1=…`; None when there is none."""
    pieces: dict[int, tuple[str, bool]] = {}
    for key, content in parameters.items():
        found = _CONTINUED.match(key)
        if found and found[1] == name and (found[2] or found[3]):
            pieces[int(found[2] or 0)] = (content, bool(found[3]))
    if 0 not in pieces:
        return None
    charset = "utf-8"
    first, is_encoded = pieces[0]
    if is_encoded and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
        pieces[0] = (first, True)
    raw = b""
    for index in range(len(pieces)):
        if index not in pieces:
            break
        content, is_encoded = pieces[index]
        raw += unquote_to_bytes(content) if is_encoded else content.encode()
    try:
        return raw.decode(charset or "utf-8", "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")
