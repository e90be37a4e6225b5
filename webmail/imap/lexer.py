"""Reads the values of an IMAP response fast: atoms, strings, literals, parenthesised lists.

A response comes from the wire as *pieces*: text, literal, text, literal, …, text, the text
without its `{n}` marks. One regular expression cuts each text into tokens inside the `re`
engine; Python only sees whole tokens. That is what makes bulk FETCH replies cheap.
"""

import re
from collections.abc import Sequence

from webmail.sasl.errors import ProtocolViolation

type Value = bytes | list[Value] | None
"""NIL is None; atoms and strings are bytes; a parenthesised list is a list."""

MAX_DEPTH = 100
_NIL = frozenset({b"NIL", b"nil"})

# An atom may carry a bracketed section that holds spaces and parentheses: BODY[HEADER.FIELDS (TO)].
_TOKEN = re.compile(
    rb'[()]|"[^"\\]*(?:\\.[^"\\]*)*"|[^ ()"\[]+(?:\[[^\]]*\](?:<\d+>)?)?|[^ ()"]+', re.DOTALL
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
LITERAL_MARK = re.compile(rb"\{(\d{1,20})\+?\}\Z")


def parse_values(
    pieces: Sequence[bytes], start: int = 0, *, max_depth: int = MAX_DEPTH
) -> list[Value]:
    """The values of a response from byte `start` of its first text on.

    Raises ProtocolViolation when parentheses do not match or nest deeper than `max_depth`.
    """
    current: list[Value] = []
    stack: list[list[Value]] = []
    for index, piece in enumerate(pieces):
        if index % 2:
            current.append(piece)
            continue
        for token in _TOKEN.findall(piece, start) if start else _TOKEN.findall(piece):
            match token[0]:
                case 0x28:  # (
                    if len(stack) >= max_depth:
                        raise ProtocolViolation("The server sent a reply that nests too deeply.")
                    stack.append(current)
                    inner: list[Value] = []
                    current.append(inner)
                    current = inner
                case 0x29:  # )
                    if not stack:
                        raise ProtocolViolation("The server sent a malformed reply.")
                    current = stack.pop()
                case 0x22:  # "
                    text = token[1:-1]
                    current.append(_ESCAPED.sub(rb"\1", text) if b"\\" in text else text)
                case _:
                    current.append(None if token in _NIL else token)
        start = 0
    if stack:
        raise ProtocolViolation("The server sent a malformed reply.")
    return current


def number(value: Value, *, maximum: int = 2**63 - 1) -> int:
    """A number of the protocol. Raises ProtocolViolation when it is none or too large."""
    if isinstance(value, bytes) and value.isdigit() and len(value) < 20:
        result = int(value)
        if result <= maximum:
            return result
    raise ProtocolViolation("The server sent something else where a number belongs.")


def text(value: Value) -> str:
    """A string as text; bytes that are not UTF-8 become U+FFFD."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
