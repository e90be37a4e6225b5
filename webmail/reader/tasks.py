"""The reader's tasks: ids in, one call, a word to whoever waits."""

import logging
import resource

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_process_init

from accounts import lanes, replies, sealed_cache, tickets
from smime.reading import read_message
from webmail.html.addresses import RefusedUrl
from webmail.mailbox.models import Message
from webmail.reader import (
    attachment_tasks,  # noqa: F401 - Celery finds tasks through this module
    body_words,
    expiry,
    fetching,
    images,
    judging_tasks,  # noqa: F401 - the same
    proxy,
    rendering,
    unsubscribe_tasks,  # noqa: F401 - the same
)
from webmail.reader.variants import Variant

logger = logging.getLogger(__name__)
# Address space of a crypto process, bytes: a hostile mail ends the process, not the machine.
CRYPTO_MEMORY = 3 * 1024**3


@worker_process_init.connect
def _limit_memory(**_: object) -> None:
    """Prefork children are the crypto lane: give each a ceiling."""
    resource.setrlimit(resource.RLIMIT_AS, (CRYPTO_MEMORY, CRYPTO_MEMORY))


@shared_task(name="reader.render", ignore_result=True, soft_time_limit=20, time_limit=30)
def render(message_id: int, ticket_id: str, reply_key: str, variant_key: str) -> None:
    """Render a message for an open page."""
    word = "failed"
    try:
        word = rendering.render(message_id, ticket_id, variant_key)
    except (rendering.NotHere, SoftTimeLimitExceeded, MemoryError) as problem:
        logger.warning("event=not-rendered message=%s why=%s", message_id, type(problem).__name__)
    finally:
        if reply_key:
            replies.answer(reply_key, word)


@shared_task(name="reader.fetch_then", ignore_result=True)
def fetch_then(message_id: int, ticket_id: str, reply_key: str, task: str, *arguments: str) -> None:
    """Fetch the message from its server, then hand over to the crypto lane."""
    message = Message.objects.select_related("account__server").filter(pk=message_id).first()
    word = "gone" if message is None else fetching.fetch(message)
    if word == "done":
        lanes.post(task, message_id, ticket_id, reply_key, *arguments, lane="crypto")
    elif reply_key:
        replies.answer(reply_key, word)


@shared_task(name="reader.render_ahead", ignore_result=True)
def render_ahead(message_id: int) -> None:
    """Fetch and render a new message before anyone asks (sync lane, then crypto).

    Behind all that somebody waits for in either lane.
    """
    message = Message.objects.select_related("account__server").filter(pk=message_id).first()
    if message is not None and fetching.fetch(message) == "done":
        lanes.post_later("reader.render", message_id, "", "", Variant().key, lane="crypto")


@shared_task(name="reader.index_body", ignore_result=True)
def index_body(message_id: int) -> None:
    """Index what a message says that was read for the first time; a removed one is left alone."""
    message = Message.objects.select_related("account__user").filter(pk=message_id).first()
    if message is None:
        return
    try:
        body_words.index(message, read_message(rendering.raw_of(message), keys=()))
    except (rendering.NotHere, SoftTimeLimitExceeded, MemoryError) as problem:
        logger.warning("event=not-indexed message=%s why=%s", message_id, type(problem).__name__)


@shared_task(name="reader.fetch_image", ignore_result=True)
def fetch_image(ticket_id: str, reply_key: str) -> None:
    """Fetch a remote image; its bytes wait sealed for the crypto lane."""
    ticket = tickets.redeem(ticket_id)
    url = str(ticket["url"]) if ticket else ""
    try:
        content = images.fetch(url)
    except (images.NoImage, RefusedUrl) as problem:
        logger.info("event=no-image why=%s", problem)
        proxy.note_failure(url)
        replies.answer(reply_key, "failed")
        return
    sealed_cache.put(f"{images.cache_key(url)}:raw", content, session_key=None, seconds=60)
    handed = tickets.issue({"url": url})
    lanes.post("reader.re_encode_image", handed, reply_key, lane="crypto")


@shared_task(name="reader.re_encode_image", ignore_result=True, soft_time_limit=10, time_limit=15)
def re_encode_image(ticket_id: str, reply_key: str) -> None:
    """Decode and re-encode a fetched image."""
    ticket = tickets.redeem(ticket_id)
    url = str(ticket["url"]) if ticket else ""
    raw_key = f"{images.cache_key(url)}:raw"
    content = sealed_cache.get(raw_key, session_key=None)
    word = "failed"
    try:
        images.keep(url, images.re_encode(content or b""))
        word = "done"
    except (images.NoImage, SoftTimeLimitExceeded) as problem:
        logger.info("event=no-image why=%s", str(problem) or type(problem).__name__)
        proxy.note_failure(url)  # not decoded again at each look
    finally:
        sealed_cache.drop(raw_key, session_key=None)
        replies.answer(reply_key, word)


@shared_task(name="reader.expire_caches", ignore_result=True)
def expire_caches() -> None:
    """Drop renderings of old pipelines and of mail nobody reads."""
    expiry.expire()
