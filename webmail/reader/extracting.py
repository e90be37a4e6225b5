"""Takes parts out of messages for download (crypto lane)."""

import logging

from django.conf import settings

from webmail.mailbox.models import Message
from webmail.reader import opening, parts, rendering
from webmail.reader.pieces import WINDOW

logger = logging.getLogger(__name__)


def extract(message_id: int, ticket_id: str, path: str, offset: int) -> str:
    """Take a window of one part out (`parts.SOURCE`: of the message itself).

    Returns the word for whoever waits. Raises rendering.NotHere, opening.NoSessionError.
    """
    if path == parts.SOURCE:
        return _extract_source(message_id, ticket_id, offset)
    opened = opening.open_for(message_id, ticket_id)
    if opened is None:
        return "expired"
    try:
        located = opening.locate(opened, path)
    except KeyError:
        return "gone"
    content = located.content
    if len(content) > settings.MESSAGE_LIMIT:
        return parts.TOO_LARGE
    parts.keep(
        message_id,
        path,
        content,
        filename=located.filename,
        content_type=located.part.content_type,
        session_key=opened.sealing_for(is_secret=located.is_secret),
        offset=offset,
    )
    return "done"


def _extract_source(message_id: int, ticket_id: str, offset: int) -> str:
    message = Message.objects.select_related("account__user").filter(pk=message_id).first()
    if message is None or rendering.ticket_for(message, ticket_id) is None:
        return "expired"
    parts.keep(
        message_id,
        parts.SOURCE,
        rendering.raw_of(message),
        filename=f"message-{message_id}.eml",
        content_type="message/rfc822",
        session_key=None,
        offset=offset,
    )
    return "done"


def extract_all(message_id: int, ticket_id: str, first: int) -> str:
    """List all attachments, and take those from number `first` on out, as far as a window reaches.

    Returns the word for whoever waits: "too-large" for more than the installation's limit together,
    "junk" for mail in spam, "unreliable" where some file may not be looked into: an archive would
    take the warning off it, or be without it and not say so. Raises rendering.NotHere,
    opening.NoSessionError.
    """
    opened = opening.open_for(message_id, ticket_id)
    if opened is None:
        return "expired"
    if opened.is_junk:  # put there since its page offered the files together
        return parts.JUNK
    if not opening.may_give_together(opened):
        return parts.UNRELIABLE
    session_key = opened.sealing_for(is_secret=opened.is_secret)
    files = list(opening.attachments(opened))
    if sum(located.longest for _path, located in files) > settings.MESSAGE_LIMIT:
        logger.info("event=archive-too-large message=%d", message_id)
        return parts.TOO_LARGE
    room = WINDOW
    for path, located in files[first:]:
        if room <= 0:
            break
        content = located.content
        room -= len(content)
        parts.keep(
            message_id,
            path,
            content,
            filename=located.filename,
            content_type=located.part.content_type,
            session_key=session_key,
        )
    named = [(path, located.filename) for path, located in files]
    parts.keep_list(message_id, named, session_key=session_key)
    return "done"
