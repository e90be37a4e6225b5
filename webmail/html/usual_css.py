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
    rf"{_SPACE}*+(?P<name>{_IDENT}){_SPACE}*+:{_SPACE}*+"
    rf"(?P<value>{_TOKEN}(?:{_BETWEEN}{_TOKEN})*+){_SPACE}*+"
    rf"(?P<important>!{_SPACE}*+(?i:important){_SPACE}*+)?"
)
_RUN = re.compile(rf"{_SPACE}+")


def read_usual(source: str) -> tuple[str, str] | None:
    """Return what stands between two `;` as lower-case name and value; "" and "" if it is blank.

    A value is as tinycss2 would write it, with `!important` behind it. None: what this `;` is a
    part of is for tinycss2. Linear in the length of `source`.
    """
    match = _DECLARATION.fullmatch(source)
    if match is None:
        return None if source.strip(" \t\n\r\f") else ("", "")
    name, value, important = match.group("name", "value", "important")
    value = _RUN.sub(" ", value).replace("'", '"')
    return name.lower(), f"{value}!important" if important else value
