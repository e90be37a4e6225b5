"""Content lines of calendars and contacts: `NAME;PARAM=value:value`, folded.

RFC 5545 §3.1, RFC 6350 §3.3, and vCard 2.1 with its quoted-printable values. Reads anything and
never raises; names and parameter names are upper case.
"""

import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from webmail.attached import limits

_FOLD: Final = re.compile(r"\n[ \t]")
_NAME: Final = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]{1,64})(?=[;:])")
_PARAMETER: Final = re.compile(
    r';([A-Za-z0-9-]{1,64})(?:=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*))?'
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
# Controls but line feed and tab, and what turns text round: harmless wherever it is shown.
_UNSHOWN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One line. `value` is as written; parameters hold their values, unquoted."""

    name: str
    parameters: Mapping[str, tuple[str, ...]]
    value: str

    def parameter(self, name: str) -> str:
        """Return the first value of a parameter, or ""."""
        values = self.parameters.get(name, ())
        return values[0] if values else ""

    @property
    def text(self) -> str:
        """The value as text (RFC 5545 §3.3.11), safe to show, cut at `limits.VALUE` characters."""
        return shown(_unescaped(self.value))

    def texts(self, separator: str) -> tuple[str, ...]:
        """Return the value's parts between unescaped separators, each as text."""
        parts = re.split(rf"(?<!\\){re.escape(separator)}", self.value[: 4 * limits.VALUE])
        return tuple(shown(_unescaped(part)) for part in parts)


def content_lines(text: str) -> Iterator[ContentLine]:
    """Yield the lines of a file; what is no line is left out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    logical: Iterable[str] = _FOLD.sub("", plain).split("\n", limits.LINES)[: limits.LINES]
    for line in _joined(iter(logical)):
        found = _NAME.match(line)
        if found is None:
            continue
        parameters: dict[str, tuple[str, ...]] = {}
        at = found.end()
        while (each := _PARAMETER.match(line, at)) is not None:
            name, values = each[1].upper(), each[2]
            if values is None:  # vCard 2.1: a bare "HOME" or "QUOTED-PRINTABLE"
                key = "ENCODING" if name in {"QUOTED-PRINTABLE", "BASE64"} else "TYPE"
                parameters[key] = (*parameters.get(key, ()), name)
            else:
                added = tuple(one.strip('"') for one in re.findall(r'"[^"]*"|[^,]+', values))
                parameters[name] = (*parameters.get(name, ()), *added)
            at = each.end()
        if line[at : at + 1] != ":":
            continue
        value = line[at + 1 :]
        if parameters.get("ENCODING", ("",))[0].upper() == "QUOTED-PRINTABLE":
            value = _quoted_printable(value, parameters.get("CHARSET", ("utf-8",))[0])
        yield ContentLine(found[1].upper(), parameters, value)


def _joined(lines: Iterator[str]) -> Iterator[str]:
    """Join quoted-printable soft breaks of vCard 2.1."""
    for line in lines:
        whole = line
        if "QUOTED-PRINTABLE" in line[:200].upper():
            while whole.endswith("=") and len(whole) < 64 * limits.KIB:
                following = next(lines, None)
                if following is None:
                    break
                whole = whole[:-1] + following
        yield whole


def _quoted_printable(value: str, charset: str) -> str:
    octets = binascii.a2b_qp(value.encode("utf-8", "replace"))
    try:
        decoded = octets.decode("latin-1" if charset.lower() == "iso-8859-1" else "utf-8")
    except UnicodeDecodeError:
        decoded = octets.decode("latin-1")
    return decoded.replace("\r\n", "\n").replace("\\", "\\\\").replace("\n", "\\n")


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(
        lambda found: "\n" if found[1] in "nN" else found[1], value[: 4 * limits.VALUE]
    )


def shown(text: str) -> str:
    """Return `text` without controls and direction marks, at most `limits.VALUE` characters."""
    return _UNSHOWN.sub("", text.strip()[: limits.VALUE])


def escaped(text: str) -> str:
    """Return `text` as the value of a TEXT property (RFC 5545 §3.3.11)."""
    plain = _UNSHOWN.sub("", text)
    for character in ("\\", ";", ","):
        plain = plain.replace(character, f"\\{character}")
    return plain.replace("\n", "\\n")


def folded(line: str) -> str:
    """Return one line folded at 75 octets (RFC 5545 §3.1), with its CRLF."""
    pieces: list[str] = []
    piece, size = "", 0
    for character in line:
        width = len(character.encode("utf-8", "replace"))
        if size + width > 75:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += width
    return "\r\n".join([*pieces, piece]) + "\r\n"
