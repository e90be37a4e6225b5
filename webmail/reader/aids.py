"""Hints at who a sender may not be, found while a message is rendered (crypto lane).

Hints, not verdicts: they say what can be seen, and the person decides. What they are found in is
the header to show, protected where there is protection. `aid_words` chooses among them for a page,
adds those that only the moment of reading knows, and looks again for those of a page that was made
while the person's mail was still coming in: whom they know was not known yet.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from smime.pki.addresses import canonical_address, split_address
from smime.verdict import Verdict
from webmail.html.hosts import are_related, is_disguised, organisation
from webmail.html.lookalikes import domain_passes_for, name_key
from webmail.mailbox.correspondents import Correspondent
from webmail.mime import Address, Envelope

_HEARD_ENOUGH = 3  # messages that make somebody known who was never written to
_WRITTEN_ENOUGH = 3  # messages to a domain that make it the person's own choice
_OWN = 1_000_000  # weight of the person's own domains
_NAME_LIMIT = 100  # characters that are said
_LONGEST_NAME = 300  # characters that are compared; the cache of names holds no more

# A code and what its sentence is filled in with.
type Found = tuple[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """Whom the reader knows."""

    own: frozenset[str] = frozenset()  # canonical addresses
    known: Sequence[Correspondent] = ()
    is_whole: bool = True  # the person's mail is here: nobody else will be known by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What hints are found in: what one sender's message says of itself."""

    sender: Address
    reply_to: tuple[str, ...]
    holds_other_address: bool  # the sender's name does
    is_to_many: bool

    def to_json(self) -> list[Any]:
        """Return the form that is kept with a page."""
        sender = [self.sender.name, self.sender.address]
        return [sender, self.reply_to, self.holds_other_address, self.is_to_many]

    @classmethod
    def from_json(cls, kept: list[Any]) -> "Stated":
        """Read `to_json` back."""
        (name, address), reply_to, holds_other_address, is_to_many = kept
        return cls(
            sender=Address(name, address),
            reply_to=tuple(reply_to),
            holds_other_address=holds_other_address,
            is_to_many=is_to_many,
        )


STRANGERS = Acquaintance()


def stated_in(verdict: Verdict, envelope: Envelope, *, is_to_many: bool) -> Stated | None:
    """Return what a message says of its sender; None if it names nobody, or several."""
    if len(verdict.shown_from) != 1:
        return None  # whose name would be meant?
    return Stated(
        sender=verdict.shown_from[0],
        reply_to=tuple(each.address for each in envelope.reply_to),
        holds_other_address="name-holds-other-address" in verdict.signature.notes,
        is_to_many=is_to_many,
    )


def find_aids(stated: Stated, around: Acquaintance) -> list[Found]:
    """Return what is to be said of a message's sender, the gravest first."""
    address = canonical_address(stated.sender.address)
    if not address or address in around.own:
        return []
    found: list[Found] = list(_of_domain(split_address(address)[1], around))
    if stated.holds_other_address:
        found.append(("name-holds-address", {"address": address}))
    found += _of_name(stated.sender, address, around)
    if not stated.is_to_many:
        found += _of_replies(stated.reply_to, address, around)
    return found


def _of_domain(domain: str, around: Acquaintance) -> Iterator[Found]:
    """A domain that passes for one the person deals with, or that hides what it is."""
    weights, written = _domains(around)
    owner = organisation(domain)
    if written[owner] < _WRITTEN_ENOUGH:
        alike = [
            each
            for each, weight in weights.items()
            if weight > weights.get(owner, 0) and domain_passes_for(domain, each)
        ]
        if alike:
            best = max(alike, key=lambda each: weights[each])
            yield "domain-passes-for", {"domain": domain, "known": best}
            return
    if is_disguised(domain):
        yield "domain-disguised", {"domain": domain}


def _domains(around: Acquaintance) -> tuple[dict[str, int], dict[str, int]]:
    """Return how well each domain is known, and how often the person wrote to each."""
    weights: dict[str, int] = {}
    written: dict[str, int] = defaultdict(int)
    for address in around.own:
        weights[organisation(split_address(address)[1])] = _OWN
    for each in around.known:
        owner = organisation(split_address(each.address)[1])
        written[owner] += each.sent
        if each.sent or each.received >= _HEARD_ENOUGH:
            weights[owner] = weights.get(owner, 0) + _weight(each)
    return weights, written


def _weight(correspondent: Correspondent) -> int:
    return 4 * correspondent.sent + correspondent.received


def _of_name(sender: Address, address: str, around: Acquaintance) -> Iterator[Found]:
    """The name of somebody the person writes to, with another address."""
    key = name_key(sender.name[:_LONGEST_NAME])
    domain = split_address(address)[1]
    if not key:
        return
    namesakes = [each for each in around.known if each.sent and name_key(each.name) == key]
    if any(
        each.address == address or are_related(split_address(each.address)[1], domain)
        for each in namesakes
    ):
        return
    if namesakes:
        best = max(namesakes, key=_weight)
        name = sender.name.strip()[:_NAME_LIMIT]
        yield "name-passes-for", {"name": name, "known": best.address, "address": address}


def _of_replies(reply_to: Sequence[str], address: str, around: Acquaintance) -> Iterator[Found]:
    """Replies that leave the sender's organisation, and do not come back to the person."""
    domain = split_address(address)[1]
    for each in reply_to:
        to = canonical_address(each)
        if to and to not in around.own and not are_related(split_address(to)[1], domain):
            yield "replies-elsewhere", {"address": to, "domain": domain}
            return
