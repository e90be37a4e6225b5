"""Hosts of links: what a target really names, and what a text seems to name."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import idna

from webmail.html.words import words

# Characters that hide in URLs and texts: C0, C1, no-break space, soft hyphen, zero width, bidi.
INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
_AUTHORITY = re.compile(r"https?:[\\/]*([^\\/?#]*)", re.IGNORECASE)
_EXPLICIT = re.compile(
    r"(?P<url>(?:https?:[\\/]{1,3}|www\.)[^\s\\/?#<>\"')\]]{1,253})(?:[\\/?#]\S*)?", re.IGNORECASE
)
_BARE = re.compile(
    r"(?<![\w@.-])(?P<host>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?P<top>[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}))"
    r"(?![\w-])(?!\.\w)(?!@)(?:[/?#:]\S*)?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+-]{1,64}@((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})", re.IGNORECASE)
# Names of files and programs that look like hosts.
_FILE_EXTENSIONS = words(
    """
    pdf doc docx xls xlsx ppt pptx odt ods odp txt rtf csv htm html xml json js ts css py sh md
    png jpg jpeg gif webp svg bmp tif tiff mp3 mp4 mov avi wav zip gz tar rar exe msi dmg iso php
    asp aspx jsp net4 ics vcf eml log ini yaml yml toml sql cpp java rb go
    """
)
_JAPANESE = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"})
_SCRIPT_SETS = (
    _JAPANESE,
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
# Letters that pass for the Latin ones below them.
CYRILLIC_LOOKALIKES = dict(zip("асԁеһіјӏорԛѕԝхуьв", "acdehijlopqswxybb", strict=True))
GREEK_LOOKALIKES = dict(zip("αινορυκτχ", "aivopuktx", strict=True))
_SHORT_SECOND_LEVEL = 3  # co.uk, com.au: two short labels are no owner's domain


@dataclass(frozen=True, slots=True)
class HttpHost:
    """The host of an http(s) URL as a browser connects to it, and what is odd about it."""

    name: str  # A-labels, lower case; an IP literal without brackets
    has_userinfo: bool
    is_disguised: bool  # a label mixes scripts or imitates Latin, or the authority hides itself


def http_host(url: str) -> HttpHost | None:
    """Read the authority of an absolute http(s) URL as the URL Standard does; None if unusable."""
    match = _AUTHORITY.match(url)
    if match is None:
        return None
    _, at, host = match[1].rpartition("@")
    host = unquote(host)
    is_bracketed = host.startswith("[")
    name = host[1:].partition("]")[0] if is_bracketed else host.partition(":")[0]
    disguised = "\\" in match[0] or "%" in match[1].rpartition("@")[2] or INVISIBLE.search(host)
    ascii_name = to_ascii(name)
    if ascii_name is None:
        return None
    return HttpHost(
        name=ascii_name,
        has_userinfo=bool(at),
        is_disguised=bool(disguised) or is_disguised(ascii_name),
    )


def to_ascii(host: str) -> str | None:
    """Lower-case A-labels without the trailing dot, or None when it is no host name."""
    name = unicodedata.normalize("NFKC", INVISIBLE.sub("", host)).strip().lower()
    name = name.replace("\u3002", ".").removesuffix(".")
    if not name or re.search(r"[\s<>\"'`{}|\\^@/?#%]", name):
        return None
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None


def labels_of(name: str) -> list[str]:
    """The labels of an A-label name in Unicode; a label that does not decode stays as it is."""
    labels: list[str] = []
    for label in name.split("."):
        try:
            labels.append(idna.decode(label) if label.startswith("xn--") else label)
        except (idna.IDNAError, UnicodeError):
            labels.append(label)
    return labels


def is_disguised(name: str) -> bool:
    """True when a host (A-labels) mixes scripts in a label, or imitates Latin in another one."""
    return any(_is_disguised(label) for label in labels_of(name))


def _is_disguised(label: str) -> bool:
    """Mixed scripts, or a label made only of Cyrillic or Greek letters that look Latin."""
    if label.isascii():
        return label.startswith("xn--")  # it did not decode
    letters = {char for char in label if char.isalpha()}
    scripts = {unicodedata.name(char, "UNKNOWN").split()[0].split("-")[0] for char in letters}
    if len(scripts) > 1 and not any(scripts <= allowed for allowed in _SCRIPT_SETS):
        return True
    return bool(letters) and (
        letters <= CYRILLIC_LOOKALIKES.keys() or letters <= GREEK_LOOKALIKES.keys()
    )


def named_hosts(text: str) -> set[str]:
    """The hosts that a visible text seems to name, as A-labels: URLs, bare hosts, addresses."""
    if text.isascii() and "." not in text and "%2" not in text:
        return set()  # a host has a dot, and only an escape could hide it
    shown = unicodedata.normalize("NFKC", INVISIBLE.sub("", text[:500]))
    found: set[str] = set()
    for match in _EXPLICIT.finditer(shown):
        url = match["url"]
        if not url.lower().startswith("http"):
            url = f"http://{url}"
        host = http_host(url.rstrip(".,;:!"))
        if host is not None and "." in host.name:
            found.add(host.name)
    for match in _BARE.finditer(_EXPLICIT.sub(" ", shown)):
        if match["top"].lower() not in _FILE_EXTENSIONS:
            name = to_ascii(match["host"])
            if name is not None:
                found.add(name)
    for match in _ADDRESS.finditer(shown):
        name = to_ascii(match[1])
        if name is not None:
            found.add(name)
    return found


def covers(named: str, target: str) -> bool:
    """True when a text that names `named` may lead to `target`: the same host or one below it."""
    named, target = named.removeprefix("www."), target.removeprefix("www.")
    if named == target:
        return True
    labels = named.split(".")
    return target.endswith("." + named) and len(labels) > 1 and not _is_suffix(labels)


def organisation(name: str) -> str:
    """The domain that somebody registered and `name` (A-labels) is below; itself if that is not
    known. Without a list of suffixes: two labels, or three below one like co.uk.
    """
    labels = name.lower().removesuffix(".").split(".")
    if len(labels) < 3 or labels[-1].isdecimal() or ":" in name:
        return ".".join(labels)
    return ".".join(labels[-3:] if _is_suffix(labels[-2:]) else labels[-2:])


def are_related(one: str, other: str) -> bool:
    """True when two hosts (A-labels) belong to one organisation, as far as their names show."""
    one, other = one.lower().removesuffix("."), other.lower().removesuffix(".")
    if organisation(one) == organisation(other):
        return True
    short, long = sorted((one, other), key=len)
    return "." in short and long.endswith(f".{short}")


def _is_suffix(labels: Sequence[str]) -> bool:
    return len(labels) == 2 and len(labels[0]) <= _SHORT_SECOND_LEVEL and len(labels[1]) == 2
