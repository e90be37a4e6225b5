r"""IMAP flags and keywords as the bits of `Placement.flags`, and back."""

from collections.abc import Callable, Iterable

from webmail.mailbox.models import Flag

# What is sent; other spellings in use are read as the same (RFC 5788 registers the $ forms).
NAMES = {
    Flag.SEEN: "\\Seen",
    Flag.ANSWERED: "\\Answered",
    Flag.FLAGGED: "\\Flagged",
    Flag.DELETED: "\\Deleted",
    Flag.DRAFT: "\\Draft",
    Flag.FORWARDED: "$Forwarded",
    Flag.JUNK: "$Junk",
    Flag.NOT_JUNK: "$NotJunk",
    Flag.MDN_SENT: "$MDNSent",
}
_BITS = {name.lower(): int(flag) for flag, name in NAMES.items()} | {
    "forwarded": int(Flag.FORWARDED),
    "junk": int(Flag.JUNK),
    "nonjunk": int(Flag.NOT_JUNK),
    "notjunk": int(Flag.NOT_JUNK),
}
_MOST_KEYWORDS = 50
_LONGEST_KEYWORD = 100  # characters


def bits_of(names: Iterable[str]) -> tuple[int, list[str]]:
    """Return (bits, other keywords in order of their names)."""
    bits = 0
    keywords = []
    for name in names:
        bit = _BITS.get(name.lower())
        if bit is not None:
            bits |= bit
        elif not name.startswith("\\") and len(name) <= _LONGEST_KEYWORD and "\0" not in name:
            keywords.append(name)
    return bits, sorted(keywords)[:_MOST_KEYWORDS]


def bits_where(holds: Callable[[str], bool]) -> int:
    """Return the bits of the flags whose names `holds` is true of."""
    return sum(int(flag) for flag, name in NAMES.items() if holds(name))


def names_of(bits: int) -> list[str]:
    """Return the flags to send for these bits."""
    return [name for flag, name in NAMES.items() if bits & flag]
