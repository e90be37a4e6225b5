"""The tasks for attachments (crypto lane but for one): ids in, one call, a word to who waits."""

import logging
from collections.abc import Callable

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

from accounts import replies
from webmail.reader import extracting, opening, passing_on, previews, rendering, viewing

logger = logging.getLogger(__name__)


def _answered(what: str, message_id: int, reply_key: str, work: Callable[[], str]) -> None:
    word = "failed"
    try:
        word = work()
    except (
        rendering.NotHere,
        opening.NoSessionError,
        SoftTimeLimitExceeded,
        MemoryError,
    ) as problem:
        logger.warning(
            "event=%s-failed message=%s why=%s", what, message_id, type(problem).__name__
        )
    finally:
        if reply_key:
            replies.answer(reply_key, word)


@shared_task(name="reader.extract_part", ignore_result=True, soft_time_limit=40, time_limit=60)
def extract_part(
    message_id: int, ticket_id: str, reply_key: str, path: str, offset: str = "0"
) -> None:
    """Take a window of a part out for download."""
    _answered(
        "extract",
        message_id,
        reply_key,
        lambda: extracting.extract(message_id, ticket_id, path, int(offset)),
    )


@shared_task(name="reader.extract_all", ignore_result=True, soft_time_limit=40, time_limit=60)
def extract_all(message_id: int, ticket_id: str, reply_key: str, first: str = "0") -> None:
    """Take attachments out for one ZIP."""
    _answered(
        "extract-all",
        message_id,
        reply_key,
        lambda: extracting.extract_all(message_id, ticket_id, int(first)),
    )


@shared_task(name="reader.fetch_window", ignore_result=True)
def fetch_window(message_id: int, reply_key: str, offset: str) -> None:
    """Fetch a window of a message that is too large to be read here (interactive lane)."""
    _answered(
        "fetch-window",
        message_id,
        reply_key,
        lambda: passing_on.fetch_window(message_id, int(offset)),
    )


@shared_task(name="reader.preview", ignore_result=True, soft_time_limit=50, time_limit=70)
def preview(message_id: int, ticket_id: str, reply_key: str) -> None:
    """Look at all attachments of a message."""
    _answered("preview", message_id, reply_key, lambda: previews.make(message_id, ticket_id))


@shared_task(name="reader.show_part", ignore_result=True, soft_time_limit=40, time_limit=60)
def show_part(message_id: int, ticket_id: str, reply_key: str, path: str, variant_key: str) -> None:
    """Make what the viewer shows of a part."""
    _answered(
        "show",
        message_id,
        reply_key,
        lambda: viewing.show(message_id, ticket_id, path, variant_key),
    )


@shared_task(name="reader.draw_pages", ignore_result=True, soft_time_limit=40, time_limit=60)
def draw_pages(message_id: int, ticket_id: str, reply_key: str, path: str, first: str) -> None:
    """Draw further pages of a PDF."""
    _answered(
        "draw",
        message_id,
        reply_key,
        lambda: viewing.draw_pages(message_id, ticket_id, path, first),
    )
