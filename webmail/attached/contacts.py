"""Contacts files (vCard 2.1, 3.0 and 4.0; RFC 6350): people as plain facts.

Reads anything within `limits` and never raises. Pictures and sounds in cards are not looked at.
Writes names, addresses and notes as version 3.0, which every address book reads.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from webmail.attached import limits
from webmail.attached.lines import ContentLine, content_lines, shown

_ADDRESS: Final = re.compile(r"[^\s<>,;:\"@]{1,64}@[^\s<>,;:\"@]{1,255}")
_MOST_VALUES: Final = 20  # of one kind in a card


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One person or organisation."""

    name: str
    emails: tuple[str, ...]
    phones: tuple[str, ...] = ()
    organisation: str = ""
    title: str = ""
    addresses: tuple[str, ...] = ()  # postal
    urls: tuple[str, ...] = ()
    birthday: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """A file."""

    cards: tuple[Card, ...]
    is_cut: bool


def read_cards(text: str) -> Cards | None:
    """Return the cards of a file; None when there is none in it."""
    found: list[list[ContentLine]] = []
    depth = 0
    for line in content_lines(text[: limits.CONTACTS]):
        is_card = line.value.strip().upper() == "VCARD"
        if line.name == "BEGIN" and is_card:
            depth += 1
            if depth == 1:
                found.append([])
        elif line.name == "END" and is_card:
            depth = max(0, depth - 1)
        elif depth == 1:
            found[-1].append(line)
    if not found:
        return None
    return Cards(
        cards=tuple(_card(lines) for lines in found[: limits.CARDS]),
        is_cut=len(found) > limits.CARDS or len(text) > limits.CONTACTS,
    )


def _card(lines: list[ContentLine]) -> Card:
    def texts(name: str) -> tuple[str, ...]:
        values = [line.text for line in lines if line.name == name]
        return tuple(dict.fromkeys(value for value in values if value))[:_MOST_VALUES]

    def first(name: str) -> str:
        return next(iter(texts(name)), "")

    structured = [line.texts(";") for line in lines if line.name == "N"]
    name = first("FN") or (_name(structured[0]) if structured else "")
    organisation = next((line.texts(";") for line in lines if line.name == "ORG"), ())
    phones = (each.removeprefix("tel:") for each in texts("TEL"))
    emails = (each.removeprefix("mailto:") for each in texts("EMAIL"))
    postal = (
        ", ".join(" ".join(part.split()) for part in line.texts(";") if part.strip())
        for line in lines
        if line.name == "ADR"
    )
    return Card(
        name=" ".join(name.split())[:200],
        emails=tuple(each for each in emails if _ADDRESS.fullmatch(each)),
        phones=tuple(phones),
        organisation=", ".join(part for part in organisation if part),
        title=first("TITLE"),
        addresses=tuple(shown(each) for each in postal if each)[:_MOST_VALUES],
        urls=texts("URL"),
        birthday=first("BDAY"),
        note=first("NOTE"),
    )


def _name(parts: tuple[str, ...]) -> str:
    """Return "Prefix Given Additional Family Suffix" of an N value (RFC 6350 §6.2.2)."""
    family, given, additional, prefix, suffix = (*parts, "", "", "", "", "")[:5]
    return " ".join(each for each in (prefix, given, additional, family, suffix) if each)


_LINE: Final = 75  # octets of a content line without its end (RFC 2426 §2.6)


def write_cards(cards: Iterable[Card]) -> str:
    """Return a file of cards with their names, mail addresses and notes (RFC 2426)."""
    lines: list[str] = []
    for card in cards:
        name = _escaped(card.name)
        lines += ["BEGIN:VCARD", "VERSION:3.0", f"FN:{name}", f"N:{name};;;;"]
        lines += [f"EMAIL;TYPE=INTERNET:{_escaped(each)}" for each in card.emails]
        if card.note:
            lines.append(f"NOTE:{_escaped(card.note)}")
        lines.append("END:VCARD")
    return "".join(_folded(line) for line in lines)


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    text = "\\n".join(text.splitlines())
    return "".join(each for each in text if each >= " " and each != "\x7f")


def _folded(line: str) -> str:
    """Return a line with its end, continued where it is long and never inside a character."""
    pieces, size = [""], 0
    for character in line:
        octets = len(character.encode())
        if size + octets > _LINE:
            pieces.append(" ")
            size = 1
        pieces[-1] += character
        size += octets
    return "\r\n".join(pieces) + "\r\n"
