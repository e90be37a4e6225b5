"""A cache in Redis whose values are sealed and whose keys are hashed; losing it costs only time.

With `session_key` only the session that put a value can read it (decrypted mail); without, the
keyring seals it.
"""

import hashlib
import hmac
import logging

from django.conf import settings

from accounts.redis import RedisError, client
from accounts.sealing import SealBroken, open_sealed, open_with, seal, seal_with

_PURPOSE = "cache"

logger = logging.getLogger(__name__)


def put(key: str, plain: bytes, *, session_key: bytes | None, seconds: int) -> None:
    """Keep `plain` for `seconds`; dropped silently but for a log line when Redis is away."""
    name = _name(key, session_key)
    if session_key is None:
        sealed = seal(plain, purpose=_PURPOSE, subject=name)
    else:
        sealed = seal_with(session_key, plain, purpose=_PURPOSE, subject=name)
    try:
        client().set(name, sealed, ex=seconds)
    except RedisError:
        logger.warning("event=cache-not-written")


def get(key: str, *, session_key: bytes | None) -> bytes | None:
    """Return what `put` kept under the same key and session key, or None."""
    name = _name(key, session_key)
    try:
        sealed = client().get(name)
    except RedisError:
        logger.warning("event=cache-not-read")
        return None
    if not isinstance(sealed, bytes):
        return None
    try:
        if session_key is None:
            return open_sealed(sealed, purpose=_PURPOSE, subject=name)
        return open_with(session_key, sealed, purpose=_PURPOSE, subject=name)
    except SealBroken:  # its key has been rotated away
        return None


def drop(key: str, *, session_key: bytes | None) -> None:
    """Forget a value."""
    try:
        client().delete(_name(key, session_key))
    except RedisError:
        logger.warning("event=cache-not-dropped")


def _name(key: str, session_key: bytes | None) -> str:
    secret = session_key or settings.SECRET_KEY.encode()
    return "sealed:" + hmac.new(secret, b"cache key\x00" + key.encode(), hashlib.sha256).hexdigest()
