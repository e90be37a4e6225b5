"""Marking as read what was opened as a whole page (script does it by itself after 1.5 s)."""

from accounts.models import User
from webmail.mailbox import intents
from webmail.mailbox.models import Flag, Message, Placement


def page_opened(user: User, message: Message) -> None:
    """Mark every unread placement of `message` as read; nothing to do is no write."""
    placements = Placement.objects.filter(message=message, gone_at__isnull=True)
    unread = [placement.pk for placement in placements if not placement.shown_flags & Flag.SEEN]
    if unread:
        intents.change_flags(user, unread, add=int(Flag.SEEN))
