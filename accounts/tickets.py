"""Tickets: what a task needs but a task message must not carry, for one use within a minute.

The payload lies sealed in Redis; the task's arguments hold the ticket's random id alone. Neither
Redis nor the queue is enough to read it: the keyring is needed too.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from accounts.redis import client
from accounts.sealing import SealBroken, open_sealed, seal

type Value = str | int | bytes | None

_PURPOSE = "ticket"


def issue(payload: Mapping[str, Value], *, seconds: int = 60) -> str:
    """Keep `payload` for one `redeem` within `seconds`; returns the ticket's id.

    Raises redis.RedisError when Redis is away: without it no worker would answer either.
    """
    ticket_id = secrets.token_urlsafe(24)
    encoded = json.dumps({name: _encoded(value) for name, value in payload.items()}).encode()
    sealed = seal(encoded, purpose=_PURPOSE, subject=ticket_id)
    client().set(_key(ticket_id), sealed, ex=seconds)
    return ticket_id


def redeem(ticket_id: str) -> dict[str, Any] | None:
    """Return the payload, once; None when it was used, has expired, or does not open."""
    sealed = client().getdel(_key(ticket_id))
    if not isinstance(sealed, bytes):
        return None
    try:
        encoded = open_sealed(sealed, purpose=_PURPOSE, subject=ticket_id)
    except SealBroken:
        return None
    return {name: _decoded(value) for name, value in json.loads(encoded).items()}


def _key(ticket_id: str) -> str:
    return f"ticket:{hashlib.sha256(ticket_id.encode()).hexdigest()}"


def _encoded(value: Value) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value


def _decoded(value: object) -> Value:
    if isinstance(value, dict):
        return base64.b64decode(value["base64"])
    if value is None or isinstance(value, (str, int)):
        return value
    raise TypeError("A ticket holds text, whole numbers, bytes and None only.")
