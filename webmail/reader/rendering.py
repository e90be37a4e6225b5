"""Renders messages: the crypto lane's work, from ids to kept pages.

Private keys are opened here for one reading and forgotten with it.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from accounts import lanes, tickets
from accounts.models import User
from smime import history, people, remembering, revocation, trust, vault
from smime.reading import Reading, read_message
from smime.verdict import Context, Verdict
from smime.verdict_clock import turns_first
from webmail.mailbox import blobs, changes, seals
from webmail.mailbox.models import Message
from webmail.reader import (
    acquaintance,
    body_words,
    due,
    framed_signers,
    judging,
    links,
    pipeline,
    protecting,
    rejudging,
    store,
)
from webmail.reader.variants import Variant

logger = logging.getLogger(__name__)


class NotHere(Exception):  # noqa: N818 - the name says what happened
    """The message's bytes left the cache before the crypto lane came to them; ask again."""


def raw_of(message: Message) -> bytes:
    """Return the bytes from the sealed cache: this lane never talks to a mail server."""
    content = blobs.get(message)
    if content is None:
        raise NotHere
    return content


class _SignedAddresses:
    """URLs for one person's rendering of one message."""

    def __init__(self, user: User, message: Message, variant: Variant) -> None:
        self._user, self._message, self._variant = user, message, variant

    def _address(self, kind: str, position: str) -> str:
        target = links.Target(self._user.pk, self._message.pk, self._variant.key, position)
        return links.address(kind, target)

    def image(self, position: int) -> str:
        return self._address("img", str(position))

    def part(self, path: str) -> str:
        return self._address("part", path)

    def go(self, position: int) -> str:
        return self._address("go", str(position))


def _own_hosts() -> frozenset[str]:
    host = urlsplit(settings.PUBLIC_URL).hostname if settings.PUBLIC_URL else None
    return frozenset({host} if host else ())


def open_reading(
    message: Message, ticket: dict[str, Any] | None
) -> tuple[Reading, vault.OpenedKeys]:
    """Read a message with the keys that the ticket opens (None: ahead of anyone asking)."""
    user = message.account.user
    kek = ticket.get("kek") if ticket else None
    if ticket is None:  # ahead of anyone asking: keys are used only for whoever is signed in
        opened = vault.OpenedKeys(pairs=(), locked=False, has_any=False)
    else:
        opened = vault.open_keys(user, kek=kek if isinstance(kek, bytes) else None)
    raw = raw_of(message)
    known = [each.certificate for each in opened.pairs]
    certificates = (*known, *people.certificates_at_hand(user, message.from_address))
    return read_message(raw, keys=opened.pairs, certificates=certificates), opened


def ticket_for(message: Message, ticket_id: str) -> dict[str, Any] | None:
    """Return the ticket's payload if it is this message's owner's; "" is nobody's (ahead)."""
    payload = tickets.redeem(ticket_id) if ticket_id else None
    if payload is not None and payload.get("user") != message.account.user_id:
        logger.warning("event=ticket-of-another message=%s", message.pk)
        return None
    return dict(payload) if payload is not None else None


def render(message_id: int, ticket_id: str, variant_key: str) -> str:
    """Render a message and keep it; returns the word for whoever waits."""
    message = Message.objects.select_related("account__user").filter(pk=message_id).first()
    if message is None:
        return "gone"
    variant = Variant.parse(variant_key)
    ticket = ticket_for(message, ticket_id)
    if rejudging.refresh(message, variant):
        return "done"
    if store.begin(message_id=message.pk) > store.FAILURE_LIMIT:
        return "failed"
    user = message.account.user
    reading, opened = open_reading(message, ticket)
    # Both before what the verdict depends on is read: what changes meanwhile is not missed.
    before, stamp = store.times_of(message.pk), trust.stamp_for(user)
    context = judging.context_for(
        user, message, reading.facts, now=timezone.now(), is_vault_locked=opened.locked
    )
    made = pipeline.make(
        reading=reading,
        context=context,
        variant=variant,
        addresses=_SignedAddresses(user, message, variant),
        own_hosts=_own_hosts(),
        around=acquaintance.acquaintance_of(user, judging.author_of(reading.facts)),
    )
    session_key = ticket.get("session_key") if ticket else None
    store.save(
        message_id=message.pk,
        variant=variant,
        findings=_findings(made, context, stamp, before),
        page=made.page,
        documents=made.documents,
        session_key=session_key if isinstance(session_key, bytes) else None,
        is_open=reading.is_shown,
    )
    if reading.is_shown:
        is_secret = pipeline.holds_secrets(made.reading)
        framed_signers.keep(message.pk, made.framed, is_secret=is_secret)
        protecting.keep_inside(message, reading, made.verdict, ticket=ticket)
    _tell(message, made.verdict, reading, is_own_session=session_key is not None)
    _learn(user, message, made)
    if not before.was_read and body_words.may_be_found(reading):
        lanes.post_later("reader.index_body", message.pk, lane="crypto")  # nobody waits for it
    revocation.watch([made.verdict, *made.framed], now=context.now)
    # What changed it all may have passed by before the verdict was here to be judged again.
    if trust.stamp_for(user) != stamp or trust.is_outdated(context):
        due.ask_for_messages(Message.objects.filter(pk=message.pk))
    return "done"


def _learn(user: User, message: Message, made: pipeline.Rendered) -> None:
    """Keep what a message teaches; other messages of its sender may turn by it."""
    change = judging.change_by(message, made.kept.facts, made.verdict)
    if change is not None:
        address = history.correspondent(made.kept.facts)
        due.ask_for(user, remembering.note(user.pk, address, [change]))
    people.harvest(user, made.kept.facts, made.verdict, message_date=message.internal_date)


def _findings(
    made: pipeline.Rendered, context: Context, stamp: str, before: store.Times
) -> store.Findings:
    verdict = made.verdict
    return store.Findings(
        signature_code=verdict.signature.code,
        encryption_code=verdict.encryption.code if verdict.encryption else "",
        level=verdict.level,
        notes=verdict.signature.notes,
        trust_stamp=stamp,
        is_encrypted=pipeline.holds_secrets(made.reading),
        verdict=made.page["verdict"],
        kept=made.kept,
        turns_at=turns_first([verdict, *made.framed], context),
        before=before,
    )


def _tell(message: Message, verdict: Verdict, reading: Reading, *, is_own_session: bool) -> None:
    """Let the list and open pages know: the seal, and that there is something to show."""
    is_locked = any(layer.is_encryption for layer in reading.layers)
    if reading.is_shown or not is_locked:
        seals.set_seal(
            message.pk,
            seal=judging.seal_of(verdict),
            seal_flag=verdict.flag,
            is_locked=is_locked,
        )
    elif message.is_locked != is_locked:
        seals.set_seal(message.pk, seal="", seal_flag="", is_locked=True)
    if is_own_session:
        changes.announce(message.account, kind="message", message_ids=[message.pk])
