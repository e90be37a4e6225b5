"""What stands outside of an answer to a message whose author hid fields (RFC 9788 §6.1.2). Pure.

Whatever the first author kept from the outside stays inside, whatever our own policy shows: a name
beside an address, a person who was not named, a Message-ID. The rule is applied to each mailbox and
identifier, not to whole fields, so that it holds for recipients that were added or taken out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from smime.pki.addresses import canonical_address
from smime.reading_headers import ProtectedHeaders
from smime.writing import Policy, hcp_baseline
from webmail.mime import Address, parse_addresses
from webmail.mime.write import Composition, header_fields

_PEOPLE = frozenset({"from", "sender", "reply-to", "to", "cc"})
_IDENTIFIER = re.compile(r"<([^<>\s]+)>")
_IDENTIFIERS = frozenset({"message-id", "in-reply-to", "references"})


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the original had inside only, and what stood outside in its place."""

    # (canonical address, its name outside); None: the person was not named outside at all.
    people: tuple[tuple[str, str | None], ...] = ()
    # (identifier, the one outside); "": none. Both without angle brackets.
    message_ids: tuple[tuple[str, str], ...] = ()


def hidden_in(headers: ProtectedHeaders) -> Hidden:
    """Return what the fields of a message that was opened kept from the outside."""
    fields = headers.fields(is_signature_valid=True)
    secret = [(each.name.lower(), each.value) for each in fields if each.is_secret]
    shown = [(name.lower(), value) for name, value in headers.outer_fields]
    names = {canonical_address(each.address): each.name for each in _people(shown)}
    people: dict[str, str | None] = {}
    for each in _people(secret):
        address = canonical_address(each.address)
        if address and names.get(address) != each.name:
            people[address] = names.get(address)
    outside = set(_identifiers(shown))
    own = next(iter(_identifiers(pair for pair in shown if pair[0] == "message-id")), "")
    ids = {
        each: own if name == "message-id" else ""
        for name, value in secret
        for each in _identifiers([(name, value)])
        if each not in outside
    }
    return Hidden(tuple(people.items()), tuple(ids.items()))


def outside(composition: Composition, hidden: Hidden) -> Composition:
    """Return the mail as its outer header shows it, if it is encrypted."""
    return _with(composition, hidden, keeps_everybody=False)


def in_the_clear(composition: Composition, hidden: Hidden) -> Composition:
    """Return the mail as it may leave unencrypted: whom it goes to stands there, without names."""
    return _with(composition, hidden, keeps_everybody=True)


def policy_for(composition: Composition, hidden: Hidden) -> Policy:
    """Return hcp_baseline, and beyond it what the original hid."""
    inner = dict(header_fields(composition))
    outer = dict(header_fields(outside(composition, hidden)))

    def policy(name: str, value: str) -> str | None:
        shown = hcp_baseline(name, value)
        if shown != value or inner.get(name) != value:
            return shown
        return outer.get(name)

    return policy


def _with(composition: Composition, hidden: Hidden, *, keeps_everybody: bool) -> Composition:
    people, ids = dict(hidden.people), dict(hidden.message_ids)

    def shown(named: tuple[Address, ...]) -> tuple[Address, ...]:
        return tuple(_shown(named, people, keeps_everybody=keeps_everybody))

    answered = composition.in_reply_to
    references = [ids.get(each, each) for each in composition.references]
    return replace(
        composition,
        to=shown(composition.to),
        cc=shown(composition.cc),
        in_reply_to=ids.get(answered, answered) or None if answered else None,
        references=tuple(dict.fromkeys(each for each in references if each)),
    )


def _shown(
    named: tuple[Address, ...], people: Mapping[str, str | None], *, keeps_everybody: bool
) -> Iterator[Address]:
    for each in named:
        address = canonical_address(each.address)
        if address not in people:
            yield each
        elif (name := people[address]) is not None or keeps_everybody:
            yield replace(each, name=name or "")


def _people(fields: Iterable[tuple[str, bytes]]) -> Iterator[Address]:
    for name, value in fields:
        if name in _PEOPLE:
            yield from parse_addresses(value)


def _identifiers(fields: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    for name, value in fields:
        if name in _IDENTIFIERS:
            yield from _IDENTIFIER.findall(value.decode("ascii", "replace"))
