"""Brings a message's bytes here from its server (interactive and sync lanes)."""

import logging

from webmail.imap import ImapError, LimitExceeded
from webmail.mailbox import bodies
from webmail.mailbox.models import Message
from webmail.mailbox.sessions import AccountUnusable

logger = logging.getLogger(__name__)


def fetch(message: Message) -> str:
    """Have the message's bytes in the sealed cache; returns the word for whoever waits.

    "done", "gone" (no longer on the server), "too-large" or "server-down".
    """
    try:
        bodies.raw(message)
    except bodies.BodyGone:
        return "gone"
    except LimitExceeded:
        return "too-large"
    except (ImapError, AccountUnusable) as problem:
        logger.info("event=body-not-fetched message=%d why=%s", message.pk, type(problem).__name__)
        return "server-down"
    return "done"
