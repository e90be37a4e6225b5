"""Declarations as nearly all mail writes them, read by one pattern instead of a tokeniser.

The pattern names what it understands: ASCII names, numbers with units, colours, quoted words. Of
these tinycss2 writes back what it read, but for runs of white space and for the quotes. Anything
else is left to it: `read_usual` answers None and never guesses.
"""

import re

_SPACE = r"[ \t\n\r\f]"
_IDENT = r"-?[a-zA-Z][a-zA-Z0-9-]*+"
_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_UNIT = r"(?:%|px|em|ex|pt|pc|cm|mm|in|rem|vh|vw)"
_COLOUR = r"#[0-9a-zA-Z]+"
_WORDS = r"[a-zA-Z0-9_-]+(?: [a-zA-Z0-9_-]+)*+"
_PARTS = rf"{_NUMBER}%?(?:{_SPACE}*,{_SPACE}*{_NUMBER}%?)*+"
_TOKEN = (
    rf"(?:{_NUMBER}{_UNIT}?|{_COLOUR}|(?:rgb|hsl)a?\({_PARTS}\)|{_IDENT}"
    rf"|\"{_WORDS}\"|'{_WORDS}')"
)
# Tokens never touch: what follows one is this or the end, so none is the start of another kind.
_BETWEEN = rf"(?:{_SPACE}*[,/]{_SPACE}*|{_SPACE}+)"
_DECLARATION = re.compile(
    rf"(?:{_SPACE}|;)*+(?P<name>{_IDENT}){_SPACE}*+:{_SPACE}*+"
    rf"(?P<value>{_TOKEN}(?:{_BETWEEN}{_TOKEN})*+){_SPACE}*+"
    rf"(?P<important>!{_SPACE}*+(?i:important){_SPACE}*+)?(?:;|\Z)"
)
_END = re.compile(rf"(?:{_SPACE}|;)*+\Z")
_RUN = re.compile(rf"{_SPACE}+")


def read_usual(source: str) -> list[tuple[str, str]] | None:
    """Return the declarations of `source` as lower-case names and values, or None.

    A value is as tinycss2 would write it, with `!important` behind it. None: something in `source`
    is for tinycss2. Linear in the length of `source`.
    """
    found: list[tuple[str, str]] = []
    at = 0
    while (match := _DECLARATION.match(source, at)) is not None:
        name, value, important = match.group("name", "value", "important")
        value = _RUN.sub(" ", value).replace("'", '"')
        found.append((name.lower(), f"{value}!important" if important else value))
        at = match.end()
    return found if _END.match(source, at) else None
