"""Passes on messages that are too large to be read here, as the server has them (interactive lane).

A window of one lies in the sealed cache at a time; no process ever holds the whole.
"""

import logging

from webmail.imap import ImapError
from webmail.mailbox import bodies
from webmail.mailbox.models import Message
from webmail.mailbox.sessions import AccountUnusable
from webmail.reader import parts, pieces

logger = logging.getLogger(__name__)


def fetch_window(message_id: int, offset: int) -> str:
    """Put the message's octets from `offset` on into the cache, a window of them.

    Returns the word for whoever waits: "done", "gone" or "server-down".
    """
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        return "gone"
    try:
        window = bodies.window(message, offset=offset, length=pieces.WINDOW)
    except bodies.BodyGone:
        return "gone"
    except (ImapError, AccountUnusable) as problem:
        logger.info(
            "event=window-not-fetched message=%d why=%s", message_id, type(problem).__name__
        )
        return "server-down"
    pieces.keep_window(
        parts.name_of(message_id, parts.SOURCE),
        window,
        offset=offset,
        size=None,  # RFC822.SIZE is not everywhere what is sent
        is_last=len(window) < pieces.WINDOW,
        filename=f"message-{message_id}.eml",
        content_type="message/rfc822",
        session_key=None,
        seconds=parts.KEPT_FOR,
    )
    return "done"
