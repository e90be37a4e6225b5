"""The replies servers send nearly always, recognised whole by one regular expression each.

Tokenising a row costs a hundred Python steps; matching it costs one call into `re`. Every pattern
here accepts only what it fully understands (no escapes, no literals inside, usual order) and
answers None otherwise, so that the general reader decides. Both must agree: a test compares them.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from webmail.imap.structure import (
    MAX_DEPTH,
    MAX_PARTS,
    NO_PARAMETERS,
    BodyStructure,
    parameter_filename,
)

_Q = rb'"[^"\\]*"'
_NQ = rb'(?:NIL|"[^"\\]*")'
_PAIRS = rb'(?:NIL|\("[^"\\]*" "[^"\\]*"(?: "[^"\\]*" "[^"\\]*")*\))'

ROW = re.compile(
    rb"\* \d{1,10} FETCH \(UID (\d{1,10}) FLAGS \(([^()\"]*)\) "
    rb'INTERNALDATE "([^"\\]{26})" RFC822\.SIZE (\d{1,18}) (?:MODSEQ \((\d{1,18})\) )?'
    rb"BODYSTRUCTURE (\(.*\)) BODY\[HEADER\.FIELDS \([A-Z -]+\)\] \Z",
    re.DOTALL,
)
"""The text before a row's header literal: uid, flags, date, size, modseq, structure.

The structure is whatever lies between a prefix without quotes and a suffix that ends the text: a
hostile file name inside it cannot move either end.
"""
FLAGS = re.compile(
    rb"\* \d{1,10} FETCH \(UID (\d{1,10}) FLAGS \(([^()\"]*)\)(?: MODSEQ \((\d{1,18})\))?\)\Z"
)

_LEAF = re.compile(
    rb'\("([^"\\]*)" "([^"\\]*)" (' + _PAIRS + rb") (" + _NQ + rb") " + _NQ + rb" (" + _NQ + rb")"
    rb" (\d{1,18})( \d{1,18})?(?: " + _NQ + rb'(?: (NIL|\("[^"\\]*" ' + _PAIRS + rb"\))"
    rb"(?: (?:" + _NQ + rb"|\(" + _Q + rb"(?: " + _Q + rb")*\))(?: " + _NQ + rb")?)?)?)?\)"
)
_TAIL = re.compile(
    rb' "([^"\\]*)"(?: (' + _PAIRS + rb') (NIL|\("[^"\\]*" ' + _PAIRS + rb"\))"
    rb"(?: (?:" + _NQ + rb"|\(" + _Q + rb"(?: " + _Q + rb")*\))(?: " + _NQ + rb")?)?)?\)"
)
_STRING = re.compile(rb'"([^"\\]*)"')


def read_structure(text: bytes) -> BodyStructure | None:
    """A BODYSTRUCTURE of plain leaves and multiparts, None when it holds anything else."""
    if text[1:2] != b"(":
        leaf = _LEAF.fullmatch(text)
        return _leaf(leaf, "1") if leaf else None
    stack: list[tuple[str, list[BodyStructure]]] = []
    path, children = "", list[BodyStructure]()
    at, room = 1, MAX_PARTS
    while room:
        room -= 1
        number = f"{path}.{len(children) + 1}" if path else str(len(children) + 1)
        if text[at : at + 2] == b"((":
            if len(stack) > MAX_DEPTH - 3:
                return None
            stack.append((path, children))
            path, children = number, []
            at += 1
            continue
        if found := _LEAF.match(text, at):
            part = _leaf(found, number)
            if part is None:
                return None
            children.append(part)
        elif (found := _TAIL.match(text, at)) and children:
            whole = _multipart(found, path, children)
            if not stack:
                return whole if found.end() == len(text) else None
            path, children = stack.pop()
            children.append(whole)
        else:
            return None
        at = found.end()
    return None


def _leaf(found: re.Match[bytes], path: str) -> BodyStructure | None:
    major, minor, parameters, content_id, encoding, size, lines, disposition = found.groups()
    content_type = _content_type(major, minor)
    if content_type is None or (lines is not None) != content_type.startswith("text/"):
        return None
    attributes, charset, name = _attributes(parameters)
    kind, filename = _disposition(disposition or b"NIL")
    return BodyStructure(
        path,
        content_type,
        int(size),
        _lower(encoding),
        filename or name,
        kind,
        charset,
        None if content_id == b"NIL" else _content_id(content_id),
        attributes,
    )


def _multipart(found: re.Match[bytes], path: str, children: list[BodyStructure]) -> BodyStructure:
    subtype, parameters, disposition = found.groups()
    kind, filename = _disposition(disposition or b"NIL")
    return BodyStructure(
        path,
        _content_type(b"multipart", subtype) or "multipart/mixed",
        filename=filename,
        disposition=kind,
        parameters=_pairs(parameters or b"NIL"),
        children=tuple(children),
    )


@lru_cache(maxsize=1024)
def _content_type(major: bytes, minor: bytes) -> str | None:
    if major.lower() == b"message":
        return None
    minor = minor or b"mixed" if major == b"multipart" else minor
    return f"{major.decode('ascii', 'replace')}/{minor.decode('ascii', 'replace')}".lower()


@lru_cache(maxsize=256)
def _lower(value: bytes) -> str:
    return "" if value == b"NIL" else value[1:-1].decode("ascii", "replace").lower()


def _content_id(value: bytes) -> str | None:
    return value[1:-1].decode("utf-8", "replace").strip().strip("<>") or None


def _pairs(value: bytes) -> Mapping[str, str]:
    if value == b"NIL":
        return NO_PARAMETERS
    words = _STRING.findall(value)
    found: dict[str, str] = {}
    for name, content in zip(words[::2], words[1::2], strict=True):
        found.setdefault(
            name.decode("ascii", "replace").lower(), content.decode("utf-8", "replace")
        )
    return found


@lru_cache(maxsize=2048)
def _attributes(value: bytes) -> tuple[Mapping[str, str], str | None, str | None]:
    """(parameters, charset, name) of a leaf; most mail shares a few dozen of them."""
    found = _pairs(value)
    return found, found.get("charset"), parameter_filename(found, "name")


@lru_cache(maxsize=2048)
def _disposition(value: bytes) -> tuple[str | None, str | None]:
    if value == b"NIL":
        return None, None
    kind, _, parameters = value[1:-1].partition(b'" ')
    return (
        kind[1:].decode("ascii", "replace").lower() or None,
        parameter_filename(_pairs(parameters), "filename"),
    )
