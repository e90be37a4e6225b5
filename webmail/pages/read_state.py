"""Marking as read what was opened as a whole page (script does it by itself after 1.5 s)."""

from accounts.models import User
from accounts.prepared import PreparedObjects
from webmail.mailbox import intents
from webmail.mailbox.models import Flag, Message, Placement

_PLACES = PreparedObjects(
    lambda message: Placement.objects.filter(message_id=message, gone_at=None), Placement
)


def page_opened(user: User, message: Message) -> None:
    """Mark every unread placement of `message` as read; nothing to do is no write."""
    places = _PLACES.all(message.pk)
    unread = [place.pk for place in places if not place.shown_flags & Flag.SEEN]
    if unread:
        intents.change_flags(user, unread, add=int(Flag.SEEN))
