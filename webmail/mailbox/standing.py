"""What a person, a filter or another program said about a message: junk, a receipt answered."""

from collections.abc import Collection

from django.db.models import QuerySet

from webmail.mailbox.models import Flag, Folder, Message, Placement

# As they stand among the keywords of rows that were mirrored before the flag had a bit.
_MDN_SENT = "$mdnsent"


def is_junk(message: Message, places: Collection[Placement] | None = None) -> bool:
    """Whether it lies in a spam folder, or is marked as junk and not as the opposite.

    places: where it is (`listing.ThreadMessage.placements`), if that was asked already.
    """
    for place in _places(message) if places is None else places:
        if place.folder.role == Folder.Role.JUNK:
            return True
        if place.shown_flags & Flag.JUNK and not place.shown_flags & Flag.NOT_JUNK:
            return True
    return False


def is_receipt_answered(message: Message) -> bool:
    """Whether any program has answered the message's request for a receipt."""
    return any(
        place.shown_flags & Flag.MDN_SENT
        or any(keyword.lower() == _MDN_SENT for keyword in place.keywords)
        for place in _places(message)
    )


def places_of(message: Message) -> list[int]:
    """Return the ids of the placements that a change of the message's flags is for."""
    return [place.pk for place in _places(message)]


def _places(message: Message) -> QuerySet[Placement]:
    return Placement.objects.filter(message=message, gone_at=None, is_leaving=False).select_related(
        "folder"
    )
