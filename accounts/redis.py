"""One Redis (or Valkey) client a process; Redis holds hints and sealed, minutes-long values."""

import os
from functools import lru_cache

import redis
from django.conf import settings

# A blocking read must end before the socket's own limit does.
SOCKET_TIMEOUT = 30  # seconds
LONGEST_WAIT = 25  # seconds

RedisError = redis.RedisError


def client() -> redis.Redis:
    """Return this process's client (thread-safe; bytes in, bytes out)."""
    return _client(settings.REDIS_URL, os.getpid())


def pubsub() -> redis.client.PubSub:
    """Return a subscription handle of its own connection; the caller closes it."""
    return redis.client.PubSub(client().connection_pool, ignore_subscribe_messages=True)


@lru_cache(maxsize=4)
def _client(url: str, _pid: int) -> redis.Redis:  # a forked child must not share sockets
    return redis.Redis.from_url(
        url,
        decode_responses=False,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=2,
        health_check_interval=25,
    )
