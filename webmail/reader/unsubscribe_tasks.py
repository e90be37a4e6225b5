"""The task that leaves lists (lane `fetch`)."""

from celery import shared_task

from accounts import replies
from webmail.reader import unsubscribing


@shared_task(name="reader.unsubscribe", ignore_result=True)
def unsubscribe(unsubscription_id: int, reply_key: str) -> None:
    """Carry out what the person agreed to, and tell whoever waits that it is over."""
    try:
        unsubscribing.carry_out(unsubscription_id)
    finally:
        replies.answer(reply_key, "done")
