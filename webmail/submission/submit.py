"""Submitting a message to a mail submission agent (RFC 6409), and asking one about itself."""

import time
from collections.abc import Callable, Collection, Sequence

from webmail.sasl import AuthFailed, Credentials, Endpoint, MailServerError, connect_tcp
from webmail.sasl.wire import Clock, Connector
from webmail.submission.dialogue import open_dialogue
from webmail.submission.outcome import Deadlines, Outcome, Phase, ServerLimits, State
from webmail.submission.transaction import Submission, Transaction, cause_of, unsent

DEFAULT_DEADLINES = Deadlines()
QUICK = Deadlines(connect=15, greeting=15, command=15, before_data=30, data=15, block=30, final=600)
"""For asking while a person waits."""


def submit(
    *,
    endpoint: Endpoint,
    credentials: Credentials,
    envelope_from: str,
    recipients: Sequence[str],
    content: bytes,
    on_phase: Callable[[Phase], None],
    envelope_id: str,
    deadlines: Deadlines = DEFAULT_DEADLINES,
    mechanisms: Collection[str] | None = None,
    clock: Clock = time.monotonic,
    connect: Connector = connect_tcp,
) -> Outcome:
    """Hand one message to the server; the outcome says what became of it.

    content: the final bytes, CRLF. on_phase is called at each phase before its first byte goes
    out; DATA_END before the final dot. What it raises ends the submission unsent and passes
    through. envelope_id: printable, ≤ 100 octets once encoded; comes back in bounces.
    Raises ValueError for a message that is not fit to be sent at all.
    """
    submission = Submission(envelope_from, tuple(recipients), content, envelope_id)
    stage = Phase.CONNECTING

    def announce(phase: Phase) -> None:
        nonlocal stage
        stage = phase
        on_phase(phase)

    try:
        dialogue = open_dialogue(
            endpoint,
            credentials,
            deadlines=deadlines,
            mechanisms=mechanisms,
            on_phase=announce,
            clock=clock,
            connect=connect,
        )
    except MailServerError as error:
        # A wrong password stays wrong; everything else before MAIL may heal.
        state: State = "permanent" if isinstance(error, AuthFailed) else "temporary"
        return Outcome(
            state=state,
            stage=stage,
            recipients=unsent(submission.recipients, state, error.reason),
            cause=cause_of(error),
            reason=error.reason,
        )
    try:
        outcome = Transaction(dialogue, submission, announce).run()
        if outcome.state != "uncertain":
            dialogue.farewell()
        return outcome
    finally:
        dialogue.close()


def check_login(
    endpoint: Endpoint,
    credentials: Credentials,
    *,
    deadlines: Deadlines = QUICK,
    mechanisms: Collection[str] | None = None,
    connect: Connector = connect_tcp,
) -> None:
    """Sign in and leave. Raises ConnectFailed, TlsRefused, AuthFailed, ServerUnavailable, …"""
    limits(endpoint, credentials, deadlines=deadlines, mechanisms=mechanisms, connect=connect)


def limits(
    endpoint: Endpoint,
    credentials: Credentials,
    *,
    deadlines: Deadlines = QUICK,
    mechanisms: Collection[str] | None = None,
    connect: Connector = connect_tcp,
) -> ServerLimits:
    """What the server says of itself to a signed-in client. Raises as `check_login`."""
    dialogue = open_dialogue(
        endpoint,
        credentials,
        deadlines=deadlines,
        mechanisms=mechanisms,
        on_phase=_unheard,
        clock=time.monotonic,
        connect=connect,
    )
    found = dialogue.limits()
    dialogue.farewell()
    return found


def _unheard(_phase: Phase) -> None:
    """Nobody records the phases of a question."""
