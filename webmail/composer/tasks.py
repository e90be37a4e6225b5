"""The composer's tasks: ids in, one call, done."""

from webmail.celery import app
from webmail.composer import due, evidence, filing, preparing, replying, sending


@app.task(name="composer.prepare")
def prepare(outgoing_id: int, key_ticket: str = "") -> None:
    """Make the bytes of a mail (lane crypto)."""
    preparing.prepare(outgoing_id, key_ticket)


@app.task(name="composer.prepare_reply")
def prepare_reply(draft_id: int, key_ticket: str = "") -> None:
    """Quote the original into a new reply or forward (lane crypto)."""
    replying.prepare_reply(draft_id, key_ticket)


@app.task(name="composer.send")
def send(outgoing_id: int) -> None:
    """Try once to send a due mail (lane send)."""
    sending.send(outgoing_id)


@app.task(name="composer.file_copy")
def file_copy(outgoing_id: int) -> None:
    """Try once to file the copy of an accepted mail in Sent (lane send)."""
    filing.file_copy(outgoing_id)


@app.task(name="composer.look_for_evidence")
def look_for_evidence(outgoing_id: int) -> None:
    """Look whether an unconfirmed mail was taken after all (lane send)."""
    evidence.look(outgoing_id)


@app.task(name="composer.hand_over_due_mail")
def hand_over_due_mail() -> None:
    """Take back from dead workers and hand over what is due (lane scan)."""
    due.scan()
