"""Names that pass for others at a glance: of domains, and of people.

Letters are compared by what they look like (the one list of such letters is in `hosts`), and a
domain by one slip of the pen besides. Meant for a hint, never for a decision: short names and names
that differ honestly (another top-level domain, a host below) are left alone.
"""

import re
import unicodedata
from functools import lru_cache

from webmail.html.hosts import (
    CYRILLIC_LOOKALIKES,
    GREEK_LOOKALIKES,
    INVISIBLE,
    are_related,
    labels_of,
    organisation,
)

_SLIP_LENGTH = 6  # letters of a label from which on one slip of the pen is remarkable
_SWAP_LENGTH = 5  # and two letters that changed places
_REMEMBERED = 4096  # a person's correspondents are compared with each sender
_LONGEST = 200  # characters that are compared of a name
_LATIN = CYRILLIC_LOOKALIKES | GREEK_LOOKALIKES
# Latin letters without a decomposition, digits, and what a capital I is taken for.
_ALIKE = {"ı": "l", "ł": "l", "đ": "d", "ø": "o", "ß": "b", "0": "o", "1": "l", "i": "l", "|": "l"}
_LETTERS = str.maketrans(_ALIKE | {char: _ALIKE.get(to, to) for char, to in _LATIN.items()})
_PAIRS = (("rn", "m"), ("vv", "w"))
_GAP = re.compile(r"[\s,;()]+")
_TWO_LETTERS = re.compile(r"[^\W\d_]{2}")


@lru_cache(maxsize=_REMEMBERED)
def skeleton(text: str) -> str:
    """Give the form that texts share which look alike: small letters without marks."""
    bare = INVISIBLE.sub("", unicodedata.normalize("NFKD", text[:_LONGEST]).casefold())
    plain = "".join(char for char in bare if not unicodedata.combining(char)).translate(_LETTERS)
    for pair, letter in _PAIRS:
        plain = plain.replace(pair, letter)
    return plain


def domain_passes_for(domain: str, known: str) -> bool:
    """Say whether `domain` could be taken for `known` (A-labels) and is another's."""
    if are_related(domain, known):
        return False
    label, suffix = _registered(domain)
    known_label, known_suffix = _registered(known)
    if label == known_label:
        return False  # example.com and example.org are often of one owner, and told apart at sight
    if skeleton(label) == skeleton(known_label):
        return True
    return suffix == known_suffix and _is_slip(label, known_label)


@lru_cache(maxsize=_REMEMBERED)
def name_key(name: str) -> str:
    """Give the key that names of people share which read the same; "" for none or a single word.

    "Lindqvist, Anna" and "Anna Lindqvist" are one name; "Support" is nobody's.
    """
    plain = unicodedata.normalize("NFKC", INVISIBLE.sub("", name[:_LONGEST]))
    words = [word for word in _GAP.split(plain) if _TWO_LETTERS.search(word)]
    return " ".join(sorted(skeleton(word) for word in words)) if len(words) > 1 else ""


@lru_cache(maxsize=_REMEMBERED)
def _registered(domain: str) -> tuple[str, str]:
    """Split the registered domain into its first label, in Unicode, and the rest."""
    first, *rest = labels_of(organisation(domain))
    return first, ".".join(rest)


def _is_slip(one: str, other: str) -> bool:
    """Say whether one letter was added, left out, exchanged, or two changed places."""
    short, long = sorted((one, other), key=len)
    if len(short) < _SWAP_LENGTH or len(long) - len(short) > 1:
        return False
    start = next(
        (at for at, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]),
        len(short),
    )
    if len(short) < len(long):
        return len(long) >= _SLIP_LENGTH + 1 and short[start:] == long[start + 1 :]
    is_swap = (
        short[start : start + 2] == long[start : start + 2][::-1]
        and short[start + 2 :] == long[start + 2 :]
    )
    return is_swap or (len(short) >= _SLIP_LENGTH and short[start + 1 :] == long[start + 1 :])
