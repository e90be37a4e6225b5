"""A word back from a worker to the request that waits for it. Words are codes, never secrets."""

import logging
import secrets

from accounts.redis import LONGEST_WAIT, RedisError, client

LIFETIME = 60  # seconds a word waits for its reader
WORD_LIMIT = 64  # characters

logger = logging.getLogger(__name__)


def reply_key() -> str:
    """Return a fresh key to put into a task's arguments."""
    return f"reply:{secrets.token_urlsafe(18)}"


def wait(key: str, timeout: float) -> str | None:
    """Return the word, or None after `timeout` seconds (at most 25) or with Redis away."""
    try:
        answered = client().blpop([key], timeout=max(0.01, min(timeout, LONGEST_WAIT)))
    except RedisError:
        logger.warning("event=reply-not-read")
        return None
    if answered is None:
        return None
    word = answered[1]
    return word.decode() if isinstance(word, bytes) else word


def answer(key: str, word: str) -> None:
    """Leave the word for whoever waits; never raises (the waiter gives up by itself)."""
    if len(word) > WORD_LIMIT:
        raise ValueError("A reply is a word of at most 64 characters.")
    try:
        with client().pipeline(transaction=True) as pipe:
            pipe.rpush(key, word.encode())
            pipe.expire(key, LIFETIME)
            pipe.execute()
    except RedisError:
        logger.warning("event=reply-not-left")
