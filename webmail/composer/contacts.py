"""The address book: people whom somebody saved, beside those their mail merely names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from webmail.attached.contacts import Card, write_cards
from webmail.composer.models import Contact, ContactAddress, CorrespondentUse
from webmail.composer.recipients import BadAddressError, sendable

LONGEST_NAME: Final = 300  # characters
LONGEST_NOTE: Final = 5_000  # characters
MOST_ADDRESSES: Final = 20  # of one contact
SHOWN: Final = 200  # of each list; a search finds the others
_LONGEST_ADDRESS: Final = 320  # characters


class NotSaved(Exception):  # noqa: N818 - the name says what happened
    """A contact cannot be saved; the text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Listed:
    """People of one list, and how many more there are than are shown."""

    people: Sequence[Any]
    more: int


def contact_for(user: Any, contact_id: int) -> Contact:
    """Return one's own contact; Http404 alike for another's and for none."""
    found = Contact.objects.filter(user=user, pk=contact_id).first()
    if found is None:
        raise Http404
    return found


def saved(user: User, query: str = "") -> Listed:
    """Return the saved contacts that have `query` in a name, address or note, by name."""
    rows = Contact.objects.filter(user=user).prefetch_related("addresses")
    wanted = _wanted(query)
    if wanted:
        by_address = ContactAddress.objects.filter(user=user, address__icontains=wanted)
        rows = rows.filter(
            Q(name__icontains=wanted)
            | Q(note__icontains=wanted)
            | Q(pk__in=by_address.values("contact_id"))
        )
    return _listed(rows.order_by("sort_name", "pk"))


def seen(user: User, query: str = "") -> Listed:
    """Return correspondents who are not saved, the most used first."""
    rows = CorrespondentUse.objects.filter(user=user).exclude(
        address__in=ContactAddress.objects.filter(user=user).values("address")
    )
    if wanted := _wanted(query):
        rows = rows.filter(Q(name__icontains=wanted) | Q(address__icontains=wanted))
    return _listed(rows.order_by(-(F("sent_count") * 4 + F("received_count")), "-last_at", "pk"))


def _wanted(query: str) -> str:
    return query.replace("\0", "").strip()[:100]  # PostgreSQL refuses NUL, and no name holds one


def _listed(rows: QuerySet[Any]) -> Listed:
    return Listed(people=list(rows[:SHOWN]), more=max(0, rows.count() - SHOWN))


def save(
    user: User,
    *,
    name: str,
    addresses: Iterable[str],
    note: str = "",
    contact: Contact | None = None,
) -> Contact:
    """Save a new contact, or change `contact` (one of `contact_for`). Raises NotSaved."""
    name = " ".join(name.replace("\0", "").split())[:LONGEST_NAME]
    note = note.replace("\0", "").strip()[:LONGEST_NOTE]
    try:
        checked = list(dict.fromkeys(_checked(each) for each in addresses if each.strip()))
    except BadAddressError as problem:
        raise NotSaved(str(problem)) from problem
    if not checked:
        raise NotSaved(_("A contact needs an address."))
    if len(checked) > MOST_ADDRESSES:
        raise NotSaved(_("A contact has at most {n} addresses.").format(n=MOST_ADDRESSES))
    taken = ContactAddress.objects.filter(user=user, address__in=checked).exclude(contact=contact)
    if (other := taken.select_related("contact").first()) is not None:
        raise NotSaved(
            _("{address} is saved already, for {name}.").format(
                address=other.address, name=other.contact.shown
            )
        )
    try:
        with transaction.atomic():
            kept = contact or Contact(user=user)
            kept.name, kept.note = name, note
            kept.sort_name = (name or checked[0]).casefold()[:LONGEST_NAME]
            kept.save()
            kept.addresses.all().delete()
            ContactAddress.objects.bulk_create(
                ContactAddress(contact=kept, user=user, address=address, position=position)
                for position, address in enumerate(checked)
            )
    except IntegrityError as problem:  # two saves at once
        raise NotSaved(_("One of these addresses was saved just now for another.")) from problem
    return kept


def save_card(user: User, card: dict[str, Any]) -> Contact:
    """Save a card that came by mail (`webmail.attached.contacts.Card` as JSON), what it adds to a
    contact with one of its addresses included. Raises NotSaved.
    """
    addresses = []
    for each in card["emails"]:
        try:
            addresses.append(_checked(each))
        except BadAddressError:
            continue  # others of the card may do
    if not addresses:
        raise NotSaved(_("This contact has no address that mail can be sent to."))
    known = ContactAddress.objects.filter(user=user, address__in=addresses)
    row = known.select_related("contact").order_by("contact_id").first()
    if row is None:
        return save(user, name=card["name"], addresses=addresses, note=card["note"])
    contact = row.contact
    others = set(known.exclude(contact=contact).values_list("address", flat=True))
    own = [each.address for each in contact.addresses.all()]
    added = [each for each in addresses if each not in others]
    return save(
        user,
        name=contact.name or card["name"],
        addresses=[*own, *added][:MOST_ADDRESSES],
        note=contact.note or card["note"],
        contact=contact,
    )


def _checked(address: str) -> str:
    checked = sendable(address).lower()
    if len(checked) > _LONGEST_ADDRESS:
        raise BadAddressError(_("An address has at most {n} characters.").format(n=320))
    return checked


def delete(contact: Contact) -> None:
    """Remove a contact; mail of its addresses goes on being counted."""
    contact.delete()


def written(contacts: Iterable[Contact]) -> str:
    """Return contacts as a vCard file."""
    return write_cards(
        Card(
            name=contact.shown,
            emails=tuple(each.address for each in contact.addresses.all()),
            note=contact.note,
        )
        for contact in contacts
    )


def all_of(user: User) -> QuerySet[Contact]:
    """Return every saved contact by name, for the export."""
    rows = Contact.objects.filter(user=user).prefetch_related("addresses")
    return rows.order_by("sort_name", "pk")
