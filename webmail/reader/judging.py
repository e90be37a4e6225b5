"""What a verdict on a message depends on beside the message: trust, people, what came before.

For one message as it is read, and for many that are judged again (`rejudging`). Whoever is shown as
author decides whose certificates and whose record count; both are looked up by the protected From
where there is one.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from accounts.models import User
from smime import history, remembering, trust
from smime.facts import Facts
from smime.history import Change, Record
from smime.list_mail import is_vouched_for
from smime.verdict import Context, History, Verdict
from webmail.mailbox.models import Message
from webmail.reader.receiving import receiving_servers
from webmail.reader.senders import written_by

_NOBODY = Record()


def received_at(message: Message) -> datetime:
    """When the message was received: seen by the mirror, or before that, as the server says."""
    return min(message.first_seen_at, message.internal_date)


def author_of(facts: Facts) -> str:
    """Return the first author's address as written, "" without one: whose trust settings count."""
    return facts.sender.from_[0].address if facts.sender.from_ else ""


def context_for(
    user: User, message: Message, facts: Facts, *, now: datetime, is_vault_locked: bool = False
) -> Context:
    """Return what the verdict on this message depends on."""
    address = history.correspondent(facts)
    records = remembering.records_for(user.pk, [address]) if address else {}
    context = trust.context_for(
        user,
        author_of(facts),
        received_at=received_at(message),
        now=now,
        history=history_before(message, facts, records),
        is_vault_locked=is_vault_locked,
        was_conversation_encrypted=was_encrypted_before(message),
    )
    return replace(context, is_list_change_trusted=is_list_change_trusted(message, facts))


def is_list_change_trusted(message: Message, facts: Facts) -> bool:
    """Say whether the message's receiving server found that its list itself sent it."""
    mail = facts.list_mail
    return mail is not None and is_vouched_for(mail, receiving_servers(message.account.server))


def history_before(message: Message, facts: Facts, records: Mapping[str, Record]) -> History | None:
    """Return what was known of the author when the message was received."""
    address = history.correspondent(facts)
    if not address:
        return None
    at, key = received_at(message), message.content_key
    record = records.get(address, _NOBODY)
    is_signed = _is_signed(facts)
    began = None if is_signed else record.run_began(at, key)
    if began is not None and _has_unsigned_between(message, address, began, at):
        # Mail that nobody opened yet, and that was not signed: the run is not one.
        return History(has_signed_before=True, name=record.name)
    return record.before(at, key, is_signed=is_signed)


def change_by(message: Message, facts: Facts, verdict: Verdict) -> Change | None:
    """Say what the message counts for in its author's record; None: nothing is known of it."""
    return history.change_by(facts, verdict, at=received_at(message), key=message.content_key)


def seal_of(verdict: Verdict) -> str:
    """Return the seal that the list draws."""
    return "" if verdict.level == "none" and not verdict.flag else verdict.level


def was_encrypted_before(message: Message) -> bool:
    """Say whether an earlier message of the conversation came encrypted."""
    return Message.objects.filter(
        thread_id=message.thread_id, is_locked=True, internal_date__lt=message.internal_date
    ).exists()


def _is_signed(facts: Facts) -> bool:
    return any(layer.signature is not None for layer in facts.layers)


def _has_unsigned_between(message: Message, address: str, began: datetime, at: datetime) -> bool:
    """Look into the mirror, which knows by its structure alone that a message has no signature."""
    between = Message.objects.filter(
        account__user_id=message.account.user_id,
        is_secured=False,
        list_id="",
        internal_date__gt=began,
        internal_date__lt=at,
    )
    return written_by(address, between.exclude(content_key=message.content_key)).exists()
