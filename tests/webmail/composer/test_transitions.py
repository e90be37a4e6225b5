"""The outbox's state machine, by tables."""

from datetime import UTC, datetime, timedelta

import pytest

from webmail.composer import transitions
from webmail.composer.models import Delivery, OutgoingMail, Variant
from webmail.composer.transitions import MailState, Next, Reply

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
W, A, F, U = "waiting", "accepted", "failed", "uncertain"


def test_states_are_those_of_the_tables():
    assert {state.value for state in MailState} == set(OutgoingMail.State.values)
    assert {state.value for state in transitions.DeliveryState} == set(Delivery.State.values)
    made = {transitions.variant_state(states) for states in ([W], [A], [F], [U])}
    assert made | {"sending"} == set(Variant.State.values)


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("preparing", "queued", True),
        ("preparing", "sending", False),
        ("queued", "sending", True),
        ("queued", "cancelled", True),
        ("queued", "accepted", False),
        ("sending", "cancelled", False),
        ("sending", "uncertain", True),
        ("uncertain", "queued", True),
        ("uncertain", "sending", False),
        ("accepted", "filed", True),
        ("accepted", "queued", False),
        ("filed", "queued", False),
        ("failed", "queued", False),
        ("cancelled", "queued", False),
    ],
)
def test_moves(before, after, allowed):
    if allowed:
        transitions.check(before, after)
    else:
        with pytest.raises(ValueError, match="never goes"):
            transitions.check(before, after)


@pytest.mark.parametrize(
    ("overall", "own", "expected"),
    [
        ("accepted", "accepted", A),
        ("accepted", None, A),
        ("accepted", "permanent", F),
        ("accepted", "temporary", W),
        ("temporary", None, W),
        ("temporary", "accepted", W),  # RCPT was fine, the dot was not
        ("temporary", "permanent", F),
        ("permanent", "accepted", F),
        ("permanent", "temporary", W),  # greylisted while all others were refused
        ("uncertain", "accepted", U),
        ("uncertain", "permanent", F),
        ("uncertain", None, U),
    ],
)
def test_delivery_after_attempt(overall, own, expected):
    reply = Reply(state=own, code=450) if own else None
    assert transitions.delivery_after(Reply(state=overall), reply).state == expected


def test_refusal_keeps_the_recipients_own_words():
    own = Reply(state="permanent", code=550, enhanced="5.1.1", text="No such user")
    assert transitions.delivery_after(Reply(state="accepted"), own).reply is own


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([A, A], "accepted"),
        ([A, F], "accepted"),
        ([A, W], "queued"),
        ([U, A], "uncertain"),
        ([U, W], "queued"),
        ([F, F], "failed"),
    ],
)
def test_variant_state(states, expected):
    assert transitions.variant_state(states) == expected


@pytest.mark.parametrize(
    ("deliveries", "attempts", "since", "expected"),
    [
        ([A], 1, 0, Next(state=MailState.ACCEPTED, due_at=NOW)),
        ([A, F], 1, 0, Next(state=MailState.ACCEPTED, due_at=NOW)),
        ([F], 1, 0, Next(state=MailState.FAILED)),
        ([W], 1, 0, Next(state=MailState.QUEUED, due_at=NOW + MINUTE)),
        ([W], 2, 1, Next(state=MailState.QUEUED, due_at=NOW + 5 * MINUTE)),
        ([W], 7, 300, Next(state=MailState.QUEUED, due_at=NOW + 240 * MINUTE)),
        ([W], 40, 1000, Next(state=MailState.QUEUED, due_at=NOW + 240 * MINUTE)),
        ([W, A], 1, 0, Next(state=MailState.QUEUED, due_at=NOW + MINUTE)),
        ([W, U], 1, 0, Next(state=MailState.QUEUED, due_at=NOW + MINUTE)),
        ([W], 12, 24 * 60, Next(state=MailState.FAILED, gives_up=True)),
        ([W, A], 12, 24 * 60, Next(state=MailState.ACCEPTED, due_at=NOW, gives_up=True)),
        ([W, U], 12, 24 * 60, Next(state=MailState.UNCERTAIN, due_at=NOW, gives_up=True)),
        ([U, A], 1, 0, Next(state=MailState.UNCERTAIN, due_at=NOW)),
    ],
)
def test_after_attempt(deliveries, attempts, since, expected):
    plan = transitions.plan_after_attempt(
        deliveries=deliveries, attempts=attempts, first_tried_at=NOW - since * MINUTE, now=NOW
    )
    assert plan == expected


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("", W),
        ("connecting", W),
        ("authenticated", W),
        ("mail", W),
        ("rcpt", W),
        ("data", W),
        ("data_end", U),
    ],
)
def test_lost_worker(phase, expected):
    assert transitions.delivery_after_loss(phase) == expected


@pytest.mark.parametrize(
    ("deliveries", "attempts", "state", "pause"),
    [
        ([W], 1, "queued", 0),
        ([W], 2, "queued", 0),
        ([W], 3, "queued", 15),
        ([W, U], 1, "queued", 0),
        ([U, A], 1, "uncertain", 0),
        ([A], 1, "accepted", 0),
        ([A, F], 1, "accepted", 0),
    ],
)
def test_after_loss(deliveries, attempts, state, pause):
    plan = transitions.plan_after_loss(deliveries=deliveries, attempts=attempts, now=NOW)
    assert (plan.state, plan.due_at) == (state, NOW + pause * MINUTE)


def test_refused_by_all_stays_refused_when_the_worker_died_after_it():
    plan = transitions.plan_after_loss(deliveries=[F, F], attempts=1, now=NOW)
    assert plan == Next(state=MailState.FAILED)


def test_filing_is_tried_for_seven_days():
    at = NOW
    tries = 0
    while (
        after := transitions.plan_filing(attempts=tries + 1, accepted_at=NOW, now=at)
    ) is not None:
        assert after > at
        at, tries = after, tries + 1
    assert timedelta(days=7) <= at - NOW <= timedelta(days=7, hours=4)


def test_evidence_is_looked_for_until_the_person_is_asked():
    looks, at = [], NOW - timedelta(seconds=1)
    while (at := transitions.plan_look(lost_at=NOW, now=at)) is not None:
        looks.append(at - NOW)
    assert looks == list(transitions.EVIDENCE_LOOKS)
    assert looks[-1] == transitions.ASK_AFTER


@pytest.mark.parametrize(
    ("state", "deliveries", "possible"),
    [
        ("preparing", [], True),
        ("queued", [W, W], True),
        ("queued", [W, F], True),
        ("queued", [W, A], False),
        ("queued", [W, U], False),
        ("sending", [W], False),
        ("accepted", [A], False),
        ("uncertain", [U], False),
    ],
)
def test_undo(state, deliveries, possible):
    assert transitions.can_undo(state, deliveries) is possible
