"""What receiving servers say they checked: Authentication-Results (RFC 8601 §2.2).

A field is a claim of whoever wrote it. Which claims count is decided where it is known which
servers are trusted, by the field's place in the trace (`webmail.mime.trace`). Received-SPF and
ARC-Authentication-Results name no server that could be asked for, and are not read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from webmail.mime.charset import decode_fallback
from webmail.mime.headers import Headers
from webmail.mime.lexemes import Lexeme, lexemes
from webmail.mime.shown import shown_safe

VERSION: Final = 1  # RFC 8601 §2.2: fields of other versions say nothing
FIELD_LIMIT: Final = 16_384  # octets that are read of one field
RESULT_LIMIT: Final = 50  # of one field
PROPERTY_LIMIT: Final = 30  # of one result
VALUE_LIMIT: Final = 320  # characters: an address

_NAME_LIMIT: Final = 200  # characters of a method or property with what belongs to it
_SEAL_LIMIT: Final = 50  # RFC 8617 §4.2.1: instances are numbered from 1 to 50
_SERVER: Final = re.compile(r"[^\s;()\"=,<>\x00-\x20\x7f]{1,255}")
_KEYWORD: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
_METHOD: Final = re.compile(rf"({_KEYWORD.pattern})(?:/(\d{{1,4}}))?")
_PROPERTY: Final = re.compile(rf"{_KEYWORD.pattern}\.{_KEYWORD.pattern}")
_TAG: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]{0,20})\s*=\s*([^;]{0,300}?)\s*(?:;|$)")


@dataclass(frozen=True, slots=True)
class AuthenticationResult:
    """One method's result. Keywords are in lower case, values as written and safe to show."""

    method: str  # "spf", "dkim", "dmarc", "arc", …
    result: str  # "pass", "fail", "none", …
    reason: str = ""
    properties: tuple[tuple[str, str], ...] = ()  # ("header.d", "nordlys.example")

    def value(self, name: str) -> str:
        """Return the first property of this name, "" without one."""
        return next((value for each, value in self.properties if each == name), "")


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """One field. Without results: "none", another version, or nothing that can be read."""

    authserv_id: str  # lower case
    results: tuple[AuthenticationResult, ...] = ()
    is_damaged: bool = False  # something in it could not be read and was left out


def canonical_authserv_id(text: str) -> str:
    """Return an authserv-id as fields are compared by it; "" when it is none."""
    identifier = text.strip().rstrip(".").lower()
    return identifier if _SERVER.fullmatch(identifier) else ""


def parse_authentication_results(value: bytes) -> AuthenticationResults | None:
    """Read an Authentication-Results value; None if no server is named. Never raises.

    A result that cannot be read is left out and the others stand.
    """
    pieces = list(lexemes(shown_safe(decode_fallback(value[:FIELD_LIMIT]))))
    is_cut = len(value) > FIELD_LIMIT or any(each.is_unclosed for each in pieces)
    first, *rest = _split(pieces)
    words = [each for each in first if each.kind in {"word", "quoted"}]
    server = canonical_authserv_id(words[0].text) if words else ""
    if not server or len(words) > 2:
        return None
    version = words[1].text if len(words) == 2 else str(VERSION)
    if version != str(VERSION):
        return AuthenticationResults(server, is_damaged=not version.isdecimal())
    results: list[AuthenticationResult] = []
    for group in rest[:RESULT_LIMIT]:
        result = _result(group)
        if result is not None:
            results.append(result)
        elif [each.text.lower() for each in group if each.kind == "word"] not in ([], ["none"]):
            is_cut = True
    return AuthenticationResults(server, tuple(results), is_cut or len(rest) > RESULT_LIMIT)


def newest_seals(headers: Headers) -> tuple[str, ...]:
    """Name the domains (d=) of the ARC-Seal fields, newest first (RFC 8617 §4.1.3).

    Empty unless the instances are numbered 1, 2, … without gaps. A seal proves nothing by itself:
    only a trusted `arc=pass` says that these hold.
    """
    found: dict[int, str] = {}
    values = headers.get_all("arc-seal")
    for value in values[: _SEAL_LIMIT + 1]:
        text = shown_safe(decode_fallback(value[:4096]))
        tags = {name.lower(): tag for name, tag in _TAG.findall(text)}
        instance, domain = tags.get("i", ""), tags.get("d", "").lower()
        if not (instance.isascii() and instance.isdecimal() and len(instance) <= 2 and domain):
            return ()
        found[int(instance)] = domain[:VALUE_LIMIT]
    numbers = range(len(values), 0, -1)
    if len(values) > _SEAL_LIMIT or set(found) != set(numbers):
        return ()
    return tuple(found[number] for number in numbers)


def _split(pieces: Sequence[Lexeme]) -> list[list[Lexeme]]:
    """Cut at the semicolons; comments go."""
    groups: list[list[Lexeme]] = [[]]
    for piece in pieces:
        if piece.kind == "semicolon":
            groups.append([])
        elif piece.kind != "comment":
            groups[-1].append(piece)
    return groups


def _result(group: Sequence[Lexeme]) -> AuthenticationResult | None:
    """Read one resinfo; None when it names no method and result."""
    pairs = _pairs(group)
    name, result = next(pairs, ("", ""))
    method = _METHOD.fullmatch(name)
    # RFC 8601 §2.2: a method's version may follow it; another than 1 is another method.
    if method is None or _KEYWORD.fullmatch(result) is None or method[2] not in {None, "1"}:
        return None
    reason = ""
    properties: list[tuple[str, str]] = []
    for each, value in pairs:
        key = each.lower()
        if key == "reason" and not properties:
            reason = value[:VALUE_LIMIT]
        elif _PROPERTY.fullmatch(key) and len(properties) < PROPERTY_LIMIT:
            properties.append((key, value[:VALUE_LIMIT]))
    return AuthenticationResult(method[1].lower(), result.lower(), reason, tuple(properties))


def _pairs(group: Sequence[Lexeme]) -> Iterator[tuple[str, str]]:
    """Yield name and value of each "name=value", with white space allowed around "=", "." and "/".

    What is no such pair is passed over.
    """
    name = ""
    at = 0
    while at < len(group):
        piece = group[at]
        at += 1
        if piece.kind != "word":
            name = ""
            continue
        left, equals, right = piece.text.partition("=")
        name = _joined(name, left)
        if not equals:
            continue
        value = right
        if not value and at < len(group) and not _begins_property(group[at]):
            value, at = group[at].text, at + 1
        while at < len(group) and group[at].is_glued:  # "a b"@example.org
            value, at = value + group[at].text, at + 1
        yield name, value
        name = ""


def _begins_property(piece: Lexeme) -> bool:
    name, equals, _ = piece.text.partition("=")
    return piece.kind == "word" and bool(equals) and _PROPERTY.fullmatch(name) is not None


def _joined(name: str, piece: str) -> str:
    """Join pieces of a name that white space parts round "." or "/"; others begin a new name."""
    is_split = name.endswith((".", "/")) or piece.startswith((".", "/")) or not piece
    return (name + piece if is_split else piece)[:_NAME_LIMIT]
