"""Recipients as people type them: lists of addresses with or without names, and their checks."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import idna

MOST_RECIPIENTS = 500  # of one mail: more is a mailing list's work

# RFC 5321 §4.1.2: Dot-string without quotes. Quoted local parts exist but nobody has one; they are
# refused, because servers read them differently. Bounds: RFC 5321 §4.5.3.1.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NEEDS_QUOTES = re.compile(r"[^\w !#$%&\'*+/=?^`{|}~.-]|^\s|\s$")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


class BadAddressError(ValueError):
    """Not an address that mail can be sent to; the text is a sentence for the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One entry of an address field; `address` is as typed and may be no address."""

    name: str
    address: str

    def __str__(self) -> str:
        """Return it as the form's field holds it."""
        if not self.name:
            return self.address
        name = self.name
        if _NEEDS_QUOTES.search(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name} <{self.address}>"


def parse(text: str) -> tuple[Recipient, ...]:
    """Return the entries of an address field, none lost: what is no address stays as typed."""
    return tuple(
        recipient
        for piece in _split(text)
        if (recipient := _entry(piece)).address or recipient.name
    )


def written(recipients: Iterable[Recipient]) -> str:
    """Return entries as one field's text; `parse` reads it back."""
    return ", ".join(str(recipient) for recipient in recipients)


def sendable(address: str) -> str:
    """Return `address` as the envelope has it: local part as typed, domain as A-labels.

    Raises BadAddressError.
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain:
        raise BadAddressError(f"“{address}” is not an address like name@example.org.")
    if not local.isascii():
        raise BadAddressError(
            f"“{address}” has letters before @ that mail servers here cannot carry."
        )
    if len(local) > 64 or not _LOCAL.fullmatch(local):
        raise BadAddressError(f"“{address}” is not an address: check the part before @.")
    try:
        ascii_domain = idna.encode(domain.rstrip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        ascii_domain = domain.rstrip(".").lower()
    labels = ascii_domain.split(".")
    if len(ascii_domain) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadAddressError(f"“{address}” is not an address: check the part after @.")
    return f"{local}@{ascii_domain}"


def comparable(address: str) -> str:
    """Return the key under which two spellings are one person (local parts without case)."""
    try:
        return sendable(address).lower()
    except BadAddressError:
        return address.strip().lower()


def without_repeats(
    recipients: Iterable[Recipient], *, seen: set[str] | None = None
) -> tuple[Recipient, ...]:
    """Return each person once, the first spelling; `seen` carries over from field to field."""
    seen = set() if seen is None else seen
    kept = []
    for recipient in recipients:
        key = comparable(recipient.address)
        if key not in seen:
            seen.add(key)
            kept.append(recipient)
    return tuple(kept)


def _split(text: str) -> Iterator[str]:
    """Cut at commas, semicolons and line ends that are in neither quotes nor angle brackets."""
    piece: list[str] = []
    in_quotes = in_angle = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif in_quotes and character == "\\":
            escaped = True
        elif character == '"' and not in_angle:
            in_quotes = not in_quotes
        elif not in_quotes and character in "<>":
            in_angle = character == "<"
        elif character in "\r\n" or (character in ",;" and not in_quotes and not in_angle):
            yield "".join(piece)
            piece, in_quotes, in_angle = [], False, False
            continue
        piece.append(character)
    yield "".join(piece)


def _entry(piece: str) -> Recipient:
    text = _CONTROLS.sub(" ", piece).strip()
    if text.endswith(">") and "<" in text:
        name, _, address = text[:-1].rpartition("<")
        return Recipient(name=_unquoted(name.strip())[:200], address=address.strip())
    return Recipient(name="", address=text)


def _unquoted(name: str) -> str:
    if len(name) >= 2 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1]).strip()
    return name
