"""Values with parameters: Content-Type and Content-Disposition (RFC 2045 §5.1, 2183, 2231).

One pass from left to right over at most `Limits.content_value` octets. Values are kept as Latin-1
text until the end, so that the octets of a boundary are never lost.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

from webmail.mime.charset import decode_fallback, decode_labelled
from webmail.mime.limits import Limits
from webmail.mime.shown import shown_safe
from webmail.mime.words import decode_words

_TYPE: Final = re.compile(r"[ \t]*([!#$%&'*+\-.^_`{|}~0-9A-Za-z]+)[ \t]*(/?)[ \t]*")
_SUBTYPE: Final = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+")
_GAP: Final = re.compile(r"[ \t\r\n;]+")
_NAME: Final = re.compile(r"[^ \t\r\n;=\"(]+")
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)("?)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_UNQUOTED: Final = re.compile(r"[^;]*")
_TRAILING_COMMENT: Final = re.compile(r"[ \t]\([^()]*\)[ \t]*$")
_SECTION: Final = re.compile(r"(.+?)\*(0|[1-9][0-9]{0,3})(\*?)$")
_FILE_NAMES: Final = ("filename", "name")

MAX_SECTIONS: Final = 32  # of one RFC 2231 value


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parsed value. `parameters` are decoded and shown-safe, their names in lower case."""

    token: str  # "type/subtype" or the disposition, lower case; empty when it cannot be read
    parameters: MappingProxyType[str, str]
    boundary: bytes | None  # the octets of the boundary parameter
    duplicates: frozenset[str]  # parameters that were given more than once; the first counts
    unsafe_names: tuple[str, ...] = field(default=())  # file names before shown_safe


_EMPTY: Final = ParameterValue("", MappingProxyType({}), None, frozenset())


def parse_content_type(
    value: bytes | None, *, limits: Limits, on_limit: Callable[[str], None]
) -> ParameterValue:
    """Parse a Content-Type value; `token` is empty when it names no type and subtype."""
    if value is None:
        return _EMPTY
    text = _bounded(value, limits, on_limit)
    at = _after_comments(text, 0)
    found = _TYPE.match(text, at)
    token = ""
    if found is not None:
        at = found.end()
        subtype = _SUBTYPE.match(text, at) if found[2] else None
        if subtype is not None:
            token, at = f"{found[1]}/{subtype[0]}".lower(), subtype.end()
    return _with_parameters(text, at, token, limits, on_limit)


def parse_disposition(
    value: bytes | None, *, limits: Limits, on_limit: Callable[[str], None]
) -> ParameterValue:
    """Parse a Content-Disposition value (RFC 2183 §2); the token may be missing in broken mail."""
    if value is None:
        return _EMPTY
    text = _bounded(value, limits, on_limit)
    at = _after_comments(text, 0)
    found = _NAME.match(text, at)
    token = ""
    if found is not None and _EQUALS.match(text, found.end()) is None:
        token, at = found[0].lower(), found.end()
    return _with_parameters(text, at, token, limits, on_limit)


def _bounded(value: bytes, limits: Limits, on_limit: Callable[[str], None]) -> str:
    if len(value) > limits.content_value:
        on_limit("content-value")
        value = value[: limits.content_value]
    return value.decode("latin-1")


def _with_parameters(
    text: str, at: int, token: str, limits: Limits, on_limit: Callable[[str], None]
) -> ParameterValue:
    pairs: list[tuple[str, str]] = []
    for name, value in _pairs(text, at):
        if len(pairs) >= limits.parameters:
            on_limit("parameters")
            break
        pairs.append((name, value))
    return _collect(token, pairs)


def _pairs(text: str, at: int) -> list[tuple[str, str]]:
    """Attribute and raw value of each parameter; what is neither is skipped to the next `;`."""
    pairs = []
    while at < len(text):
        gap = _GAP.match(text, at)
        at = _after_comments(text, gap.end() if gap else at)
        if (gap := _GAP.match(text, at)) is not None:
            at = gap.end()
        name = _NAME.match(text, at)
        equals = _EQUALS.match(text, name.end()) if name is not None else None
        if name is None or equals is None:
            junk = _UNQUOTED.match(text, name.end() if name is not None else at + 1)
            at = junk.end() if junk is not None else len(text)
            continue
        value, at = _value(text, equals.end(), is_file=name[0].lower().split("*")[0] in _FILE_NAMES)
        pairs.append((name[0].lower(), value))
    return pairs


def _value(text: str, at: int, *, is_file: bool) -> tuple[str, int]:
    quoted = _QUOTED.match(text, at)
    if quoted is not None and quoted[2]:
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
    unquoted = _UNQUOTED.match(text, at)
    if unquoted is None:
        return "", len(text)
    value = unquoted[0].strip(" \t\r\n").removeprefix('"')
    if not is_file:  # `report (1).pdf` is a name that was not quoted
        value = _TRAILING_COMMENT.sub("", value)
    return value, unquoted.end()


def _after_comments(text: str, at: int) -> int:
    """The offset behind white space and comments (RFC 5322 §3.2.2), which nest."""
    depth = 0
    while at < len(text):
        char = text[at]
        if char == "(":
            depth += 1
        elif depth and char == "\\":
            at += 1
        elif depth and char == ")":
            depth -= 1
        elif not depth and char not in " \t\r\n":
            break
        at += 1
    return at


def _collect(token: str, pairs: list[tuple[str, str]]) -> ParameterValue:
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    duplicates: set[str] = set()
    for name, value in pairs:
        section = _SECTION.match(name) if "*" in name else None
        if section is not None:
            key, index, is_encoded = section[1], int(section[2]), bool(section[3])
        elif name.endswith("*") and len(name) > 1:
            key, index, is_encoded = name[:-1], 0, True
        else:
            if name in plain:
                duplicates.add(name)
            plain.setdefault(name, value)
            continue
        known = sections.setdefault(key, {})
        duplicates.update({key} if index in known else ())
        known.setdefault(index, (value, is_encoded))
    values: dict[str, str] = {name: _decode_plain(value) for name, value in plain.items()}
    for name, parts in sections.items():
        if (text := _join_sections(parts)) is not None:
            values[name] = text
    if "boundary" in plain and "boundary" in sections:
        duplicates.add("boundary")
    boundary = plain.get("boundary", values.get("boundary"))
    return ParameterValue(
        token,
        MappingProxyType({name: shown_safe(text) for name, text in values.items()}),
        None if boundary is None else _boundary_octets(boundary),
        frozenset(duplicates),
        tuple(values[name] for name in _FILE_NAMES if name in values),
    )


def _boundary_octets(boundary: str) -> bytes:
    try:
        octets = boundary.encode("latin-1")
    except UnicodeEncodeError:
        octets = boundary.encode("utf-8", "surrogatepass")
    return octets.rstrip(b" \t")  # RFC 2046 §5.1.1: it does not end in white space


def _decode_plain(value: str) -> str:
    """8-bit octets, and encoded-words although RFC 2047 §5 forbids them here."""
    if value.isascii() and "=?" not in value:
        return value
    return decode_words(decode_fallback(value.encode("latin-1")))[0]


def _join_sections(sections: dict[int, tuple[str, bool]]) -> str | None:
    """RFC 2231 §3, §4: sections from 0 in order up to the first gap; None when 0 is missing."""
    if 0 not in sections:
        return None
    charset = ""
    octets = bytearray()
    any_encoded = False
    for index in range(min(len(sections), MAX_SECTIONS)):
        if index not in sections:
            break
        value, is_encoded = sections[index]
        if index == 0 and is_encoded and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        piece = value.encode("latin-1")
        octets += unquote_to_bytes(piece) if is_encoded else piece
        any_encoded |= is_encoded
    text = decode_labelled(bytes(octets), charset)
    return text if any_encoded else decode_words(text)[0]  # RFC 2047 cut up by RFC 2231
