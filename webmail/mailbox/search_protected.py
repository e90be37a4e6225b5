"""Searching what stands only inside encrypted messages: opened in memory, never indexed.

Of the newest 5,000 messages with protected fields those that the person can open now are looked
through, word by word as the index is. What is not found inside may be found by the index: a
subject from inside and a sender from outside match together.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from webmail.mailbox import search_index
from webmail.mailbox.protected_fields import Opener, ProtectedFields
from webmail.mailbox.search_query import Term, fold

# Ways in which words are found partly inside and partly by the index; each is a look into it.
MOST_MIXED = 30


@dataclass(frozen=True, slots=True)
class FoundInside:
    """Messages, by row id, that words were found inside of."""

    # What is left for the index to find of a query, and where: () if all of it stands inside.
    left: Mapping[tuple[Term, ...], Sequence[int]] = field(default_factory=dict)
    excluded: Sequence[int] = ()

    def condition(self, terms: Collection[Term], *, account_id: int) -> Q:
        """Messages of an account that hold all the terms, inside or outside, and none excluded."""
        found = search_index.condition(terms, account_id=account_id)
        excluded = [term for term in terms if term.is_excluded]
        for left, ids in self.left.items():
            rest = search_index.condition([*left, *excluded], account_id=account_id)
            found |= Q(pk__in=ids) & rest
        return found & ~Q(pk__in=self.excluded) if self.excluded else found


def look(terms: Collection[Term], opener: Opener | None) -> FoundInside:
    """Look for the words of a query inside what `opener` opens."""
    wanted = [
        Term(term.field, (word,)) for term in terms if not term.is_excluded for word in term.words
    ]
    unwanted = [term for term in terms if term.is_excluded]
    if opener is None or not (wanted or unwanted):
        return FoundInside()
    groups: dict[tuple[Term, ...], list[int]] = defaultdict(list)
    excluded: list[int] = []
    for message_id, fields in opener.newest().items():
        words = _Words(fields)
        if any(words.hold(term) for term in unwanted):
            excluded.append(message_id)
            continue
        left = tuple(term for term in wanted if not words.hold(term))
        if len(left) < len(wanted):
            groups[left].append(message_id)
    most_inside = sorted(groups, key=len)[:MOST_MIXED]
    return FoundInside({left: groups[left] for left in most_inside}, excluded)


class _Words:
    """The folded words of one message's protected fields."""

    def __init__(self, fields: ProtectedFields) -> None:
        self._subject = fold(fields.subject or "")
        self._sender = fold(fields.sender_name or "")

    def hold(self, term: Term) -> bool:
        """Say whether all words of a term occur, as beginnings of words."""
        match term.field:
            case "subject":
                here: tuple[str, ...] = self._subject
            case "from":
                here = self._sender
            case "any":
                here = self._subject + self._sender
            case _:
                return False
        return all(any(one.startswith(word) for one in here) for word in term.words)
