"""What somebody typed into the search box, understood. Pure.

    invoice "quarterly report" from:ada to:bob subject:budget in:archive is:unread has:attachment
    before:2026-02-01 after:2026-01 larger:5M filename:plan.pdf -draft

Unknown operators are words. Whatever is typed is a query: nothing here raises.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal

type Field = Literal["any", "subject", "from", "to", "text"]

LONGEST = 1_000  # characters
MOST_TERMS = 20
_TOKEN = re.compile(r'(-?)(?:([A-Za-z]{2,10}):)?(?:"([^"]*)"|(\S+))')
_WORD = re.compile(r"[^\W_]+")
_SIZE = re.compile(r"(\d{1,9})([kKmMgG]?)[bB]?\Z")
_DAY = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?\Z")
_FIELDS: dict[str, Field] = {
    "from": "from", "to": "to", "cc": "to", "bcc": "to", "subject": "subject", "filename": "text",
}  # fmt: skip
_CLAIMS = frozenset({
    "unread", "read", "starred", "unstarred", "answered", "signed", "encrypted", "altered",
    "attachment",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """Words that all have to occur in a field, as beginnings of words."""

    field: Field
    words: tuple[str, ...]
    is_excluded: bool = False


@dataclass(slots=True)
class Query:
    """A search. folder: what `in:` named, as typed. sizes in octets."""

    terms: list[Term] = field(default_factory=list)
    claims: set[str] = field(default_factory=set)
    folder: str = ""
    before: datetime | None = None
    after: datetime | None = None
    larger: int | None = None
    smaller: int | None = None


def parse(text: str, *, zone: tzinfo) -> Query:
    """Understand a query; its days begin at midnight in `zone`."""
    query = Query()
    for found in _TOKEN.finditer(text[:LONGEST]):
        sign, operator, quoted, bare = found.groups()
        value = quoted if quoted is not None else bare
        name = (operator or "").lower()
        if _apply(query, name, value, zone):
            continue
        # An operator that is none, or has a value that is none, is words like any other.
        said = value if not operator or name in _FIELDS else f"{operator} {value}"
        words = fold(said)
        if words and len(query.terms) < MOST_TERMS:
            query.terms.append(Term(_FIELDS.get(name, "any"), words, bool(sign)))
    return query


def fold(text: str) -> tuple[str, ...]:
    """Return the words of a text as the index holds them: no case, no accents, no marks."""
    if text.isascii():
        return tuple(_WORD.findall(text.lower()))
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return tuple(_WORD.findall(plain))


def _apply(query: Query, operator: str, value: str, zone: tzinfo) -> bool:
    """Take a filter; False when it is none."""
    match operator:
        case "is" | "has":
            claim = value.lower().removesuffix("s") if operator == "has" else value.lower()
            if claim in _CLAIMS:
                query.claims.add(claim)
                return True
        case "in" if value:
            query.folder = value
            return True
        case "before" | "after" if (moment := _moment(value, zone)) is not None:
            setattr(query, operator, moment)
            return True
        case "larger" | "smaller" if (octets := _octets(value)) is not None:
            setattr(query, operator, octets)
            return True
    return False


def _moment(value: str, zone: tzinfo) -> datetime | None:
    found = _DAY.match(value)
    if not found:
        return None
    year, month, day = (int(part) if part else 1 for part in found.groups())
    try:
        return datetime(year, month, day, tzinfo=zone)
    except ValueError:
        return None


def _octets(value: str) -> int | None:
    found = _SIZE.match(value)
    if not found:
        return None
    return int(found[1]) * {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[found[2].lower()]
