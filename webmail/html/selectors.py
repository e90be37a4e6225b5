"""Selectors and media conditions of mail, rebuilt from tokens."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tinycss2

from webmail.html.model import Theme
from webmail.html.rules import Css
from webmail.html.words import words

_PSEUDO_CLASSES = words(
    """
    active any-link checked empty enabled disabled first-child first-of-type focus focus-visible
    focus-within hover last-child last-of-type link only-child only-of-type root target visited
    """
)
_NTH = frozenset({"nth-child", "nth-last-child", "nth-last-of-type", "nth-of-type"})
_COMBINATORS = frozenset("*>+~")
_MATCHERS = frozenset({"=", "~=", "|=", "^=", "$=", "*="})
_MEDIA_TYPES = frozenset({"all", "print", "screen", "only", "not", "and"})
_LENGTH = frozenset({"dimension", "number"})
_SIZE = re.compile(r"(?:min-|max-)?(?:device-)?(?:width|height)")
_MOST_SELECTORS = 200
# Selectors as nearly all mail writes them: tinycss2 would write back what it read.
_WHITE = r"[ \t\n\r\f]"
_NAME = r"-?[a-zA-Z_][a-zA-Z0-9_-]*+"
_REFINED = rf"(?:[.#]{_NAME}|:(?i:{'|'.join(sorted(_PSEUDO_CLASSES))})(?![a-zA-Z0-9_-]))"
_COMPOUND = rf"(?:(?:{_NAME}|\*){_REFINED}*+|{_REFINED}++)"
_USUAL = rf"{_COMPOUND}(?:(?:{_WHITE}*+[>+~]{_WHITE}*+|{_WHITE}++){_COMPOUND})*+"
_USUAL_LIST = re.compile(rf"{_USUAL}(?:{_WHITE}*+,{_WHITE}*+{_USUAL})*+")
_RUN = re.compile(rf"{_WHITE}+")
_AROUND_COMMA = re.compile(rf"{_WHITE}*,{_WHITE}*")
_UNICODE_RANGE = re.compile(r"[uU]\+")


@dataclass(frozen=True, slots=True)
class MediaCondition:
    """A rebuilt media query list; "" when it holds always. `names_scheme`: asked for the theme."""

    text: str
    names_scheme: bool


def safe_selectors(prelude: Css) -> str:
    """The selectors of a list that hold only what is listed, joined by `,`; "" for none."""
    usual = _usual_selectors(prelude) if isinstance(prelude, str) else None
    if usual is not None:
        return usual
    kept: list[str] = []
    for tokens in _split_at_commas(_tokens(prelude)):
        text = _selector(tokens)
        if text and len(kept) < _MOST_SELECTORS:
            kept.append(text)
    return ",".join(kept)


def _usual_selectors(text: str) -> str | None:
    """Return a list of usual selectors as it would be rebuilt; None: it is for tinycss2."""
    text = text.strip(" \t\n\r\f")
    if _USUAL_LIST.fullmatch(text) is None or _UNICODE_RANGE.search(text):
        return None
    if text.count(",") >= _MOST_SELECTORS:
        return None
    return _RUN.sub(" ", _AROUND_COMMA.sub(",", text))


def _tokens(css: Css) -> Sequence[Any]:
    return tinycss2.parse_component_value_list(css) if isinstance(css, str) else css


def _split_at_commas(tokens: Sequence[Any]) -> Iterator[list[Any]]:
    part: list[Any] = []
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            yield part
            part = []
        elif token.type != "comment":
            part.append(token)
    yield part


def _selector(tokens: Sequence[Any]) -> str | None:
    parts: list[str] = []
    prefix = ""  # "." or ":" waiting for its name
    for token in tokens:
        kind = token.type
        if prefix:
            text = _prefixed(prefix, token)
            if text is None:
                return None
            parts.append(text)
            prefix = ""
        elif kind == "literal" and token.value in {".", ":"}:
            prefix = token.value
        elif kind == "whitespace":
            parts.append(" ")
        elif kind == "ident" or (kind == "hash" and token.is_identifier):
            parts.append(token.serialize())
        elif kind == "literal" and token.value in _COMBINATORS:
            parts.append(token.value)
        elif kind == "[] block":
            text = _attribute_selector(token.content)
            if text is None:
                return None
            parts.append(text)
        else:
            return None
    return None if prefix else "".join(parts).strip()


def _prefixed(prefix: str, token: Any) -> str | None:
    if token.type == "ident":
        if prefix == "." or token.lower_value in _PSEUDO_CLASSES:
            return prefix + str(token.serialize())
        return None
    if prefix == ":" and token.type == "function" and token.lower_name in _NTH:
        position = _position(token.arguments)
        return None if position is None else f":{token.lower_name}({position})"
    return None


def _position(tokens: Sequence[Any]) -> str | None:
    """An+B of nth-child and its kin (CSS Syntax §6): numbers, `n`, signs, odd, even."""
    text = "".join(str(token.serialize()) for token in tokens if token.type != "comment")
    return text.strip() if re.fullmatch(r"\s*[0-9a-zA-Z+\s-]{1,24}", text) else None


def _attribute_selector(tokens: Sequence[Any]) -> str | None:
    significant = [token for token in tokens if token.type not in {"whitespace", "comment"}]
    match significant:
        case [name]:
            if name.type == "ident" and name.lower_value in {"class", "id"}:
                return f"[{name.lower_value}]"
        case [name, matcher, value]:
            if (
                name.type == "ident"
                and name.lower_value in {"class", "id"}
                and matcher.type == "literal"
                and matcher.value in _MATCHERS
                and value.type in {"ident", "string"}
            ):
                return f"[{name.lower_value}{matcher.value}{value.serialize()}]"
        case _:
            return None
    return None


def media_condition(prelude: Css, *, scheme: Theme) -> MediaCondition | None:
    """Rebuild the queries that ask only for listed features; None when none is left.

    Queries for `scheme` lose that condition, queries for the other scheme are dropped.
    """
    kept: list[str] = []
    names_scheme = False
    for tokens in _split_at_commas(_tokens(prelude)):
        query = _media_query(tokens, scheme)
        if query is None:
            continue
        text, has_scheme = query
        names_scheme |= has_scheme
        kept.append(text)
    if not kept:
        return None
    return MediaCondition(text="" if "" in kept else ",".join(kept), names_scheme=names_scheme)


def _media_query(tokens: Sequence[Any], scheme: Theme) -> tuple[str, bool] | None:
    """One query as text, and whether it named the scheme. Terms are joined by `and` only."""
    terms: list[str] = []
    has_scheme = False
    for token in tokens:
        if token.type == "whitespace":
            continue
        if token.type == "ident" and token.lower_value in _MEDIA_TYPES:
            if token.lower_value != "and":
                terms.append(token.lower_value)
        elif token.type == "() block":
            feature = _media_feature(token.content)
            if feature is None:
                return None
            if feature.startswith("(prefers-color-scheme"):
                if feature != f"(prefers-color-scheme:{scheme})":
                    return None
                has_scheme = True
            else:
                terms.append(feature)
        else:
            return None
    if has_scheme and "not" in terms:
        return None
    return _join_terms(terms), has_scheme


def _join_terms(terms: Sequence[str]) -> str:
    """`only screen (a) (b)` to `only screen and (a) and (b)`."""
    text = ""
    for term in terms:
        if not text:
            text = term
        elif text in {"only", "not"}:
            text = f"{text} {term}"
        else:
            text = f"{text} and {term}"
    return text if text not in {"only", "not", "all"} else ""


def _media_feature(tokens: Sequence[Any]) -> str | None:
    significant = [token for token in tokens if token.type not in {"whitespace", "comment"}]
    if not significant or significant[0].type != "ident":
        return None
    name = significant[0].lower_value
    match significant[1:]:
        case []:
            return f"({name})" if _SIZE.fullmatch(name) else None
        case [colon, value] if colon.type == "literal" and colon.value == ":":
            text = str(value.serialize()).lower()
            if _SIZE.fullmatch(name) and value.type in _LENGTH:
                return f"({name}:{text})"
            if name == "orientation" and text in {"portrait", "landscape"}:
                return f"(orientation:{text})"
            if name == "prefers-color-scheme" and text in {"light", "dark"}:
                return f"(prefers-color-scheme:{text})"
    return None
