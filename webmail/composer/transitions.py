"""The outbox's state machine, pure: what follows from a reply, a crash or a click.

```
draft ─queue─▶ preparing ──bytes──▶ queued ──due, lease──▶ sending ──250──▶ accepted ─APPEND─▶ filed
               │      │             │    ▲                  │ │ │               ▲
               │      └─undo─┐ undo─┘    └─4xx, or lost ────┘ │ └─dot sent,     │ evidence, or the
               │             ▼             before the dot     │   no reply      │ person's word
               │         cancelled         (backoff)          │      ▼          │
               └─impossible─▶ failed ◀───────── 5xx ──────────┘  uncertain ─────┤
                         (draft reopens)                             └─"send again"─▶ queued
```

The unit of truth is the *delivery* (one recipient of one variant); the state of the mail is derived
from all of them. A mail some of whose recipients still wait for a second try stays `queued`; the
repeat names only those. Nothing uncertain is ever repeated without the person's word
(RFC 5321 §4.5.3.2.6; RFC 1047).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class MailState(StrEnum):
    """Where a mail stands; the values are those of `OutgoingMail.State`."""

    PREPARING = "preparing"
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FILED = "filed"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """Where one recipient stands; the values are those of `Delivery.State`."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


# Committed before the dot that ends DATA is sent; what is lost later is uncertain.
POINT_OF_NO_RETURN = "data_end"

ALLOWED: Mapping[MailState, frozenset[MailState]] = {
    MailState.PREPARING: frozenset({MailState.QUEUED, MailState.FAILED, MailState.CANCELLED}),
    MailState.QUEUED: frozenset({MailState.SENDING, MailState.CANCELLED}),
    MailState.SENDING: frozenset(
        {MailState.QUEUED, MailState.ACCEPTED, MailState.FAILED, MailState.UNCERTAIN}
    ),
    MailState.UNCERTAIN: frozenset({MailState.QUEUED, MailState.ACCEPTED}),
    MailState.ACCEPTED: frozenset({MailState.FILED}),
    MailState.FILED: frozenset(),
    MailState.FAILED: frozenset(),
    MailState.CANCELLED: frozenset(),
}

# A mail in one of these holds its draft: it can be neither edited nor sent a second time.
LIVE = frozenset({MailState.PREPARING, MailState.QUEUED, MailState.SENDING, MailState.UNCERTAIN})

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
BACKOFF = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR)
GIVE_UP_AFTER = timedelta(hours=24)  # since the first try
FILING_BACKOFF = (timedelta(seconds=10), *BACKOFF)
FILING_GIVES_UP_AFTER = timedelta(days=7)
# Looks for evidence, counted from the loss; after the last one only the person can tell.
EVIDENCE_LOOKS = (timedelta(0), timedelta(seconds=15), _MINUTE, 5 * _MINUTE, 10 * _MINUTE)
ASK_AFTER = 10 * _MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server said about a recipient (or the whole transaction)."""

    state: str  # "accepted", "temporary", "permanent", "uncertain"
    code: int | None = None
    enhanced: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One recipient after an attempt."""

    state: DeliveryState
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What becomes of the mail."""

    state: MailState
    due_at: datetime | None = None  # of the next try, if there is one
    gives_up: bool = False  # those who still wait have waited too long: they failed


def check(before: str, after: str) -> None:
    """Raise ValueError unless a mail may go from `before` to `after`."""
    if MailState(after) not in ALLOWED[MailState(before)]:
        raise ValueError(f"a mail never goes from {before} to {after}")


def delivery_after(overall: Reply, own: Reply | None) -> Standing:
    """Return where a waiting recipient stands after a transaction that ended as `overall`.

    `own` is the reply to their RCPT command, None if it did not come to that. A refusal there is
    final for them whatever became of the others; an acceptance there means nothing until the whole
    transaction was accepted (RFC 5321 §4.1.1.4).
    """
    if own is not None and own.state == "permanent":
        return Standing(state=DeliveryState.FAILED, reply=own)
    if own is not None and own.state == "temporary":
        return Standing(state=DeliveryState.WAITING, reply=own)
    match overall.state:
        case "accepted":
            state = DeliveryState.ACCEPTED
        case "permanent":
            state = DeliveryState.FAILED
        case "uncertain":
            state = DeliveryState.UNCERTAIN
        case _:
            state = DeliveryState.WAITING
    return Standing(state=state, reply=overall)


def variant_state(deliveries: Iterable[str]) -> str:
    """Return the state of a variant (`Variant.State`) from its recipients'."""
    states = set(deliveries)
    if DeliveryState.WAITING in states:
        return "queued"
    for state in (DeliveryState.UNCERTAIN, DeliveryState.ACCEPTED):
        if state in states:
            return str(state)
    return "failed"


def plan_after_attempt(
    *, deliveries: Iterable[str], attempts: int, first_tried_at: datetime, now: datetime
) -> Next:
    """Return what follows an attempt; `deliveries` are the states of the mail's recipients."""
    states = set(deliveries)
    if DeliveryState.WAITING in states and now - first_tried_at < GIVE_UP_AFTER:
        return Next(state=MailState.QUEUED, due_at=now + backoff(attempts))
    gives_up = DeliveryState.WAITING in states
    if DeliveryState.UNCERTAIN in states:
        return Next(state=MailState.UNCERTAIN, due_at=now, gives_up=gives_up)
    if DeliveryState.ACCEPTED in states:
        return Next(state=MailState.ACCEPTED, due_at=now, gives_up=gives_up)
    return Next(state=MailState.FAILED, gives_up=gives_up)


def delivery_after_loss(phase: str) -> DeliveryState:
    """Return where the recipients stand whose transaction was cut off in `phase`."""
    if phase == POINT_OF_NO_RETURN:
        return DeliveryState.UNCERTAIN
    return DeliveryState.WAITING


def plan_after_loss(*, deliveries: Iterable[str], attempts: int, now: datetime) -> Next:
    """Return what follows when a worker died (its lease ran out).

    The first losses are repeated at once; a mail that kills its worker again and again waits.
    """
    states = set(deliveries)
    if DeliveryState.WAITING in states:
        pause = timedelta(0) if attempts <= 2 else backoff(attempts)
        return Next(state=MailState.QUEUED, due_at=now + pause)
    if DeliveryState.UNCERTAIN in states:
        return Next(state=MailState.UNCERTAIN, due_at=now)
    if DeliveryState.ACCEPTED in states:
        return Next(state=MailState.ACCEPTED, due_at=now)
    return Next(state=MailState.FAILED)  # it died after the last refusal: nobody has the mail


def backoff(attempts: int) -> timedelta:
    """Return the pause after the `attempts`-th try (from 1)."""
    return BACKOFF[min(max(attempts, 1), len(BACKOFF)) - 1]


def plan_filing(*, attempts: int, accepted_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again to file the copy in Sent; None: no more."""
    if now - accepted_at >= FILING_GIVES_UP_AFTER:
        return None
    return now + FILING_BACKOFF[min(max(attempts, 1), len(FILING_BACKOFF)) - 1]


def plan_look(*, lost_at: datetime, now: datetime) -> datetime | None:
    """Return when to look for evidence next; None: the looks are over, ask the person."""
    return next((lost_at + after for after in EVIDENCE_LOOKS if lost_at + after > now), None)


def can_undo(state: str, deliveries: Iterable[str]) -> bool:
    """Whether a mail can still be called back: nobody has it and no attempt is running."""
    return state == MailState.PREPARING or (
        state == MailState.QUEUED
        and not {DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN} & set(deliveries)
    )
