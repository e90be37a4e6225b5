"""Whether this installation works, and figures about it.

A worker shows that it lives by `pages.heartbeat`: whoever asks for `/readyz` when the last sign is
old posts one and waits for its word. The round through broker and worker is the proof.
"""

import hmac
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts import lanes, replies
from accounts.models import MailAccount
from accounts.redis import RedisError, client
from webmail.composer.models import OutgoingMail
from webmail.mailbox.models import PendingChange

HEARTBEAT_KEY = "pages:heartbeat"
HEARTBEAT_KEPT = 600  # seconds
LATELY = timedelta(seconds=30)
PATIENCE = 2.0  # seconds
_ASKED_KEY = "pages:heartbeat-asked"
_ASKED_AT_MOST_EVERY = 5  # seconds, however many ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing the installation needs, and how it is."""

    name: str
    is_good: bool
    words: str


def beat(reply_key: str, *, now: datetime) -> None:
    """Leave a sign that a worker ran a task, and tell who waits for it."""
    client().set(HEARTBEAT_KEY, str(int(now.timestamp())), ex=HEARTBEAT_KEPT)
    replies.answer(reply_key, "alive")


def findings(*, now: datetime) -> tuple[Finding, ...]:
    """Check the database, Redis and the workers."""
    return (_database(), *_redis_and_worker(now))


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Finding(name="database", is_good=False, words="does not answer")
    return Finding(name="database", is_good=True, words="ok")


def _redis_and_worker(now: datetime) -> tuple[Finding, ...]:
    try:
        is_alive = _seen_lately(now) or _answers()
    except RedisError:
        return (Finding(name="redis", is_good=False, words="does not answer"),)
    return (
        Finding(name="redis", is_good=True, words="ok"),
        Finding(name="worker", is_good=is_alive, words="ok" if is_alive else "no answer lately"),
    )


def _seen_lately(now: datetime) -> bool:
    found = client().get(HEARTBEAT_KEY)
    return isinstance(found, bytes) and now - datetime.fromtimestamp(int(found), UTC) <= LATELY


def _answers() -> bool:
    """Post a heartbeat and wait for it."""
    if not client().set(_ASKED_KEY, "1", nx=True, ex=_ASKED_AT_MOST_EVERY):
        return False
    reply_key = replies.reply_key()
    lanes.post("pages.heartbeat", reply_key, lane="interactive")
    return replies.wait(reply_key, PATIENCE) == "alive"


def may_read_metrics(request: HttpRequest) -> bool:
    """Whether the caller has the token, or no token is set and it is this machine."""
    token = settings.METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    if "X-Forwarded-For" in request.headers:  # a proxy on this machine speaks for someone else
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def metrics_text(*, now: datetime) -> str:
    """Return Prometheus text (exposition format 0.0.4): counts of states, no names, no mail."""
    lines: list[str] = []
    _gauge(
        lines,
        "signet_ready",
        "1 if the part answers",
        "part",
        {finding.name: int(finding.is_good) for finding in findings(now=now)},
    )
    _gauge(
        lines,
        "signet_mail_accounts",
        "Mail accounts by state",
        "state",
        _counts(MailAccount.objects.values_list("state")),
    )
    _gauge(
        lines,
        "signet_outgoing_mail",
        "Outgoing mail by state",
        "state",
        _counts(OutgoingMail.objects.values_list("state")),
    )
    waiting = PendingChange.objects.filter(state__in=["pending", "running"])
    _gauge(
        lines,
        "signet_pending_changes",
        "Changes not yet on the mail server",
        "state",
        _counts(waiting.values_list("state")),
    )
    return "\n".join(lines) + "\n"


def _counts(rows: "QuerySet[Any, tuple[Any, ...]]") -> dict[str, int]:
    return {str(state): int(n) for state, n in rows.annotate(n=Count("pk"))}


def _gauge(lines: list[str], name: str, words: str, label: str, values: dict[str, int]) -> None:
    lines.append(f"# HELP {name} {words}")
    lines.append(f"# TYPE {name} gauge")
    lines.extend(f'{name}{{{label}="{key}"}} {value}' for key, value in sorted(values.items()))
