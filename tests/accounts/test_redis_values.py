"""Tickets, replies and the sealed cache over a real Valkey."""

import secrets
import threading

import pytest
import redis

from accounts import replies, sealed_cache, tickets
from accounts.redis import client

CANARY = "canary-5f2c"


def everything_in_redis() -> bytes:
    found = []
    for key in client().scan_iter():
        found.append(key)
        if client().type(key) == b"string":
            found.append(client().get(key) or b"")
    return b"\n".join(found)


def test_a_ticket_is_redeemed_once_and_is_sealed(valkey: str) -> None:
    payload = {"password": CANARY, "user": 7, "kek": b"\x00\xff", "none": None}
    ticket = tickets.issue(payload)
    assert CANARY.encode() not in everything_in_redis()
    assert ticket.encode() not in everything_in_redis()
    assert tickets.redeem(ticket) == payload
    assert tickets.redeem(ticket) is None
    assert tickets.redeem("never-issued") is None


def test_a_ticket_expires(valkey: str) -> None:
    tickets.issue({"user": 1}, seconds=9)
    (key,) = client().scan_iter()
    assert 0 < client().ttl(key) <= 9


def test_a_swapped_ticket_does_not_open(valkey: str) -> None:
    one, two = tickets.issue({"user": 1}), tickets.issue({"user": 2})
    keys = sorted(client().scan_iter())
    values = [client().get(key) for key in keys]
    client().set(keys[0], values[1])
    client().set(keys[1], values[0])
    assert tickets.redeem(one) is None
    assert tickets.redeem(two) is None


def test_a_reply_reaches_who_waits(valkey: str) -> None:
    key = replies.reply_key()
    threading.Timer(0.05, replies.answer, (key, "done")).start()
    assert replies.wait(key, 5) == "done"
    assert replies.wait(key, 0.05) is None


def test_a_reply_nobody_reads_expires(valkey: str) -> None:
    key = replies.reply_key()
    replies.answer(key, "done")
    assert 0 < client().ttl(key) <= replies.LIFETIME
    with pytest.raises(ValueError, match="64"):
        replies.answer(key, "x" * 65)


def test_the_cache_is_sealed_and_private_to_its_session(valkey: str) -> None:
    mine, other = secrets.token_bytes(32), secrets.token_bytes(32)
    sealed_cache.put("m:1", CANARY.encode(), session_key=mine, seconds=60)
    assert sealed_cache.get("m:1", session_key=mine) == CANARY.encode()
    assert sealed_cache.get("m:1", session_key=other) is None
    assert sealed_cache.get("m:1", session_key=None) is None
    assert CANARY.encode() not in everything_in_redis()
    assert b"m:1" not in everything_in_redis()
    sealed_cache.drop("m:1", session_key=mine)
    assert sealed_cache.get("m:1", session_key=mine) is None


def test_the_cache_without_a_session_uses_the_keyring(valkey: str) -> None:
    sealed_cache.put("m:1", b"page", session_key=None, seconds=60)
    assert sealed_cache.get("m:1", session_key=None) == b"page"


def test_without_redis_hints_are_lost_quietly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nowhere() -> redis.Redis:
        return redis.Redis.from_url("unix:///nonexistent/valkey.sock")

    monkeypatch.setattr(replies, "client", nowhere)
    monkeypatch.setattr(sealed_cache, "client", nowhere)
    monkeypatch.setattr(tickets, "client", nowhere)
    sealed_cache.put("m:1", CANARY.encode(), session_key=None, seconds=60)
    assert sealed_cache.get("m:1", session_key=None) is None
    replies.answer("reply:x", "done")
    assert replies.wait("reply:x", 0.1) is None
    with pytest.raises(redis.RedisError):
        tickets.issue({"user": 1})
    assert CANARY not in caplog.text
