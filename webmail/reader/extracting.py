"""Takes parts out of messages for download (crypto lane)."""

import logging

from webmail.attached import limits
from webmail.mailbox.models import Message
from webmail.reader import opening, parts, rendering

logger = logging.getLogger(__name__)


def extract(message_id: int, ticket_id: str, path: str) -> str:
    """Take one part out ("source": the message itself); returns the word for whoever waits.

    Raises rendering.NotHere, opening.NoSessionError.
    """
    if path == "source":
        return _extract_source(message_id, ticket_id)
    opened = opening.open_for(message_id, ticket_id)
    if opened is None:
        return "expired"
    try:
        located = opening.locate(opened, path)
    except KeyError:
        return "gone"
    content = located.content
    if len(content) > limits.ONE:
        return "too-large"
    parts.keep(
        message_id,
        path,
        content,
        filename=located.filename,
        content_type=located.part.content_type,
        session_key=opened.sealing_for(is_secret=located.is_secret),
    )
    return "done"


def _extract_source(message_id: int, ticket_id: str) -> str:
    message = Message.objects.select_related("account__user").filter(pk=message_id).first()
    if message is None or rendering.ticket_for(message, ticket_id) is None:
        return "expired"
    parts.keep(
        message_id,
        "source",
        rendering.raw_of(message),
        filename=f"message-{message_id}.eml",
        content_type="message/rfc822",
        session_key=None,
    )
    return "done"


def extract_all(message_id: int, ticket_id: str) -> str:
    """Take all attachments out; "too-large" above `limits.ARCHIVE` octets together.

    Raises rendering.NotHere, opening.NoSessionError.
    """
    opened = opening.open_for(message_id, ticket_id)
    if opened is None:
        return "expired"
    session_key = opened.sealing_for(is_secret=opened.is_secret)
    paths, total = [], 0
    for path, located in opening.attachments(opened):
        content = located.content
        total += len(content)
        if total > limits.ARCHIVE or len(content) > limits.ONE:
            logger.info("event=archive-too-large message=%d", message_id)
            return "too-large"
        parts.keep(
            message_id,
            path,
            content,
            filename=located.filename,
            content_type=located.part.content_type,
            session_key=session_key,
        )
        paths.append(path)
    parts.keep_list(message_id, paths, session_key=session_key)
    return "done"
