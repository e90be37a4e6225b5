"""The words of a draft: one frozen value, stored sealed."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from accounts import sealing
from accounts.rotation import SealedColumn
from webmail.composer.recipients import Recipient

_DRAFT = "draft"
_OUTGOING = "outgoing"
_ADDRESS_FIELDS = ("to", "cc", "bcc")
_PAIRS = ("hidden_people", "hidden_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContent:
    """What is being written. `html` empty: plain text only; else `text` is its plain twin."""

    to: tuple[Recipient, ...] = ()
    cc: tuple[Recipient, ...] = ()
    bcc: tuple[Recipient, ...] = ()
    subject: str = ""
    html: str = ""
    text: str = ""
    # Of what it answers or forwards, from protected fields only; without angle brackets.
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    # Lines of an encrypted original that the draft quotes: what must not leave in the clear.
    secret_lines: tuple[str, ...] = ()
    secret_subject: str = ""
    # What the original's fields kept from the outside (webmail.composer.outward.Hidden).
    hidden_people: tuple[tuple[str, str | None], ...] = ()
    hidden_ids: tuple[tuple[str, str], ...] = ()
    # An iTIP object (RFC 5546) that goes along as text/calendar: the answer to an invitation.
    calendar: str = ""
    # The fields of a message/disposition-notification (RFC 8098): a receipt goes out.
    disposition: str = ""
    # Ask the recipients to be told that they read it (RFC 8098 §2).
    asks_receipt: bool = False
    # Sentences for the head of the page, made with the reply.
    notices: tuple[str, ...] = ()

    def everyone(self) -> tuple[Recipient, ...]:
        """Return To, Cc and Bcc in this order."""
        return self.to + self.cc + self.bcc


def seal_content(content: DraftContent, *, draft_id: int) -> bytes:
    """Return the content sealed for the row `draft_id`."""
    plain = json.dumps(asdict(content), ensure_ascii=False, separators=(",", ":")).encode()
    return sealing.seal(plain, purpose=_DRAFT, subject=_draft_subject(draft_id))


def open_content(sealed: bytes | memoryview, *, draft_id: int) -> DraftContent:
    """Return what `seal_content` sealed. Raises accounts.sealing.SealBroken."""
    plain = sealing.open_sealed(bytes(sealed), purpose=_DRAFT, subject=_draft_subject(draft_id))
    stored: dict[str, Any] = json.loads(plain)
    known = {field.name for field in fields(DraftContent)}
    values: dict[str, Any] = {}
    for name, value in stored.items():
        if name in _ADDRESS_FIELDS:
            values[name] = tuple(Recipient(**entry) for entry in value)
        elif name in _PAIRS:
            values[name] = tuple((first, second) for first, second in value)
        elif name in known:
            values[name] = tuple(value) if isinstance(value, list) else value
    return DraftContent(**values)


def seal_summary(*, people: str, subject: str, envelope_id: str) -> bytes:
    """Return what the outbox shows of a mail, sealed (the row's id is not known yet)."""
    plain = json.dumps([people, subject], ensure_ascii=False).encode()
    return sealing.seal(plain, purpose=_OUTGOING, subject=_outgoing_subject(envelope_id))


def open_summary(sealed: bytes | memoryview, *, envelope_id: str) -> tuple[str, str]:
    """Return (people, subject). Raises accounts.sealing.SealBroken."""
    plain = sealing.open_sealed(
        bytes(sealed), purpose=_OUTGOING, subject=_outgoing_subject(envelope_id)
    )
    people, subject = json.loads(plain)
    return people, subject


def _draft_subject(draft_id: int) -> str:
    return f"composer.draft:{draft_id}"


def _outgoing_subject(envelope_id: str) -> str:
    return f"composer.outgoingmail:{envelope_id}"


# What `rotate_keys` seals anew.
SEALED_COLUMNS = (
    SealedColumn(
        model="composer.Draft",
        column="sealed_content",
        purpose=_DRAFT,
        subject=lambda row: _draft_subject(row.pk),
    ),
    SealedColumn(
        model="composer.OutgoingMail",
        column="sealed_summary",
        purpose=_OUTGOING,
        subject=lambda row: _outgoing_subject(str(row.envelope_id)),
    ),
)
