"""Judging again what was judged before, from kept facts: no mail is read, no document made anew.

What asks for it: a person's trust changed (`trust.stamp_for`), the clock passed a verdict's next
turn, a certificate became known, or other mail of the sender was verified (smime.history).
Verdicts, list seals and the senders' records follow. A document stays unless the new verdict allows
it less or more than the old one; then it is dropped and made when it is asked for.
"""

import gc
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import MailAccount
from accounts.sealing import SealBroken
from smime import history, people, remembering, revocation, trust
from smime.facts_kept import KeptFacts, OtherVersionError
from smime.history import Change, Record
from smime.verdict import Verdict, judge
from smime.verdict_clock import turns_first
from webmail.mailbox import seals
from webmail.mailbox.models import Message
from webmail.reader import due, judging, pipeline, store, words
from webmail.reader.models import Reading, Rendition
from webmail.reader.variants import PIPELINE, Variant

CHUNK = 500  # readings judged in one go
_CODES = ("signature_code", "encryption_code", "level", "notes")
_COLUMNS = (*_CODES, "verdict")
_WRITTEN = (*_COLUMNS, "trust_stamp", "judged_at", "turns_at")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A reading with its new verdict."""

    reading: Reading
    kept: KeptFacts
    verdict: Verdict
    framed: tuple[Verdict, ...]
    turns_at: datetime | None
    columns: dict[str, Any]  # what the verdict changes of the row
    is_same: bool  # nothing reads otherwise
    needs_page: bool  # the documents were made under a verdict that allowed something else


@dataclass(slots=True)
class _Batch:
    """Readings of one account while they are judged."""

    account: MailAccount
    now: datetime
    stamp: str  # the trust before it was read: never younger than what the verdicts stand on
    judged: list[_Judged] = field(default_factory=list)
    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    read: dict[str, Record] = field(default_factory=dict)  # records as they were
    records: dict[str, Record] = field(default_factory=dict)  # as they are by now
    unreadable: list[int] = field(default_factory=list)


def readings(**conditions: object) -> QuerySet[Reading]:
    """Return kept readings with what judging them needs, nothing of their pages."""
    earlier = Message.objects.filter(
        thread_id=OuterRef("message__thread_id"),
        is_locked=True,
        internal_date__lt=OuterRef("message__internal_date"),
    )
    of_message = ("content_key", "internal_date", "first_seen_at", "thread_id", "account_id")
    return (
        Reading.objects.filter(**conditions)
        .exclude(sealed_facts=b"")
        .select_related("message")
        # The verdict as text: most are told apart without reading them.
        .annotate(was_encrypted=Exists(earlier), told=Cast("verdict", TextField()))
        .only(
            *_CODES,
            "is_encrypted",
            "judged_at",
            "turns_at",
            "sealed_facts",
            "message__seal",
            "message__seal_flag",
            *(f"message__{name}" for name in of_message),
        )
    )


def judge_again(account: MailAccount, found: Iterable[Reading]) -> int:
    """Judge readings of an account again and keep what comes of it; returns how many there were.

    Idempotent; a reading that somebody renders or asks for meanwhile is left as it is. Other mail
    that turns by it is asked for (`due.ask_for`).
    """
    batch = _Batch(account, timezone.now(), trust.stamp_for(account.user))
    _judge(batch, list(found))
    _keep(batch)
    _learn(batch)
    return len(batch.judged) + len(batch.unreadable)


@contextmanager
def no_collection() -> Iterator[None]:
    """Look for no cycles meanwhile: there are none to speak of, and looking costs a fifth.

    Round all that holds a chunk of readings: what is left when it ends is looked at.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def refresh(message: Message, variant: Variant) -> bool:
    """Judge one message again if that is all its finished page lacks; returns whether it was."""
    made = Rendition.objects.filter(message=message, variant=variant.key, pipeline=PIPELINE)
    mine = readings(
        message=message, pipeline=PIPELINE, is_encrypted=False, page__is_junk=variant.junk
    )
    stamp = trust.stamp_for(message.account.user)
    stale = mine.filter(~Q(trust_stamp=stamp) | Q(turns_at__lte=timezone.now()))
    if not made.exists() or not judge_again(message.account, stale):
        return False
    return made.exists()


# --- judging --------------------------------------------------------------------------------------


def _judge(batch: _Batch, found: Sequence[Reading]) -> None:
    opened = _opened(batch, found)
    user = batch.account.user
    contexts = trust.contexts_for(
        user, {judging.author_of(kept.facts) for _, kept in opened}, now=batch.now
    )
    addresses = {history.correspondent(kept.facts) for _, kept in opened} - {""}
    batch.read = {address: history.Record() for address in addresses}
    batch.read.update(remembering.records_for(user.pk, addresses))
    records = batch.records = dict(batch.read)
    for reading, kept in opened:
        message, address = reading.message, history.correspondent(kept.facts)
        context = replace(
            contexts[judging.author_of(kept.facts)],
            received_at=judging.received_at(message),
            history=judging.history_before(message, kept.facts, records),
            was_conversation_encrypted=getattr(reading, "was_encrypted", False),
            is_list_change_trusted=judging.is_list_change_trusted(message, kept.facts),
        )
        verdict = judge(kept.facts, context=context)
        framed = tuple(judge(facts, context=context) for facts in kept.frames)
        turn = turns_first((verdict, *framed), context)
        panel = words.verdict_json(verdict, framed, kept)
        batch.judged.append(_judged(reading, kept, (verdict, *framed), panel, turn))
        change = judging.change_by(message, kept.facts, verdict)
        if change is not None and address:
            record = records[address]
            records[address] = record.after(change)
            if records[address] is not record:
                batch.changes[address].append(change)


def _judged(
    reading: Reading,
    kept: KeptFacts,
    verdicts: tuple[Verdict, ...],  # the message's, then those of its framed parts
    panel: dict[str, Any],
    turn: datetime | None,
) -> _Judged:
    verdict, *framed = verdicts
    encryption = verdict.encryption
    columns: dict[str, Any] = {
        "signature_code": verdict.signature.code,
        "encryption_code": encryption.code if encryption else "",
        "level": verdict.level,
        "notes": list(verdict.signature.notes),
        "verdict": {} if reading.is_encrypted else panel,
    }
    old = _Told(getattr(reading, "told", ""))
    is_same = all(columns[name] == getattr(reading, name) for name in _CODES) and (
        old.says(columns["verdict"])
    )
    return _Judged(
        reading=reading,
        kept=kept,
        verdict=verdict,
        framed=tuple(framed),
        turns_at=turn,
        columns=columns,
        is_same=is_same,
        needs_page=not is_same
        and old.is_kept
        and not pipeline.is_same_page(old.outline(reading, has_frames=bool(kept.frames)), panel),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a verdict was before, as JSON that is only read if it must be."""

    text: str

    @property
    def is_kept(self) -> bool:
        return self.text not in {"", "{}"}

    def says(self, verdict: dict[str, Any]) -> bool:
        # PostgreSQL writes JSON its own way; there the texts differ where the values may not.
        return self.text == json.dumps(verdict) or json.loads(self.text or "{}") == verdict

    def outline(self, reading: Reading, *, has_frames: bool) -> dict[str, Any]:
        """Return what `pipeline.is_same_page` compares; tones of frames stand in the text alone."""
        if has_frames:
            told: dict[str, Any] = json.loads(self.text)
            return told
        return {
            "level": reading.level,
            "encryption_code": reading.encryption_code,
            "code": reading.signature_code,
            "frames": [],
        }


def _opened(batch: _Batch, found: Sequence[Reading]) -> list[tuple[Reading, KeptFacts]]:
    """Open the facts, in the order in which the mail was received."""
    opened: list[tuple[Reading, KeptFacts]] = []
    for reading in found:
        reading.message.account = batch.account
        try:
            kept = store.open_facts(bytes(reading.sealed_facts), message_id=reading.message_id)
        except (SealBroken, OtherVersionError) as problem:
            logger.info(
                "event=facts-not-read message=%d why=%s",
                reading.message_id,
                type(problem).__name__,
            )
            batch.unreadable.append(reading.pk)
            continue
        opened.append((reading, kept))
    opened.sort(key=lambda each: (judging.received_at(each[0].message), each[0].message_id))
    return opened


# --- keeping --------------------------------------------------------------------------------------


def _keep(batch: _Batch) -> None:
    stamp = batch.stamp
    with transaction.atomic():
        current = _current(batch)
        _keep_same([each for each in current if each.is_same], stamp, batch.now)
        changed = [each for each in current if not each.is_same]
        _keep_changed(changed, stamp, batch.now)
        _draw(batch.account, changed)
        # These are read again when they are asked for.
        Reading.objects.filter(pk__in=batch.unreadable).update(
            sealed_facts=b"", has_signers=False, turns_at=None, pipeline=0
        )


def _current(batch: _Batch) -> list[_Judged]:
    """Leave out what somebody else judged, or asked for, since it was read.

    What was asked for stays due. So does what was judged under another trust than this one's.
    """
    rows = Reading.objects.select_for_update(no_key=True).order_by("pk")
    mine = rows.filter(pk__in=[each.reading.pk for each in batch.judged])
    known = {pk: times for pk, *times in mine.values_list("pk", "judged_at", "turns_at")}
    current: list[_Judged] = []
    left: list[int] = []
    for each in batch.judged:
        reading = each.reading
        if known.get(reading.pk) == [reading.judged_at, reading.turns_at]:
            current.append(each)
        else:
            left.append(reading.pk)
    of_other_trust = Reading.objects.filter(pk__in=left).exclude(trust_stamp=batch.stamp)
    of_other_trust.exclude(sealed_facts=b"").update(turns_at=batch.now)
    return current


def _keep_same(same: Sequence[_Judged], stamp: str, now: datetime) -> None:
    groups: dict[datetime | None, list[int]] = defaultdict(list)
    for each in same:
        groups[each.turns_at].append(each.reading.pk)
    for turn, ids in groups.items():
        Reading.objects.filter(pk__in=ids).update(trust_stamp=stamp, judged_at=now, turns_at=turn)


def _keep_changed(changed: Sequence[_Judged], stamp: str, now: datetime) -> None:
    meta = Reading._meta  # noqa: SLF001  (Django documents _meta)
    columns = {each.name: each for each in meta.concrete_fields}
    fields = [columns[name] for name in _WRITTEN]
    assignments = ", ".join(f'"{each.column}" = %s' for each in fields)
    # A statement a row, sent at once: bulk_update's CASE over the rows costs ten times as much.
    sql = f'UPDATE "{meta.db_table}" SET {assignments} WHERE "id" = %s'  # noqa: S608  (names of our columns)
    shared = [_prepared(stamp), _prepared(now)]
    rows = [
        [
            *(_prepared(judged.columns[name]) for name in _COLUMNS),
            *shared,
            _prepared(judged.turns_at),
            judged.reading.pk,
        ]
        for judged in changed
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)
    # Pages in the sealed cache tell the old verdict; they are made again from the message.
    secret = [each.reading.pk for each in changed if each.reading.is_encrypted]
    Reading.objects.filter(pk__in=secret).update(pipeline=0)
    stale = [each.reading.message_id for each in changed if each.needs_page]
    Reading.objects.filter(message_id__in=stale).update(page={})
    Rendition.objects.filter(message_id__in=stale).delete()


def _prepared(value: Any) -> Any:
    """Return a value as the database's driver takes it."""
    match value:
        case dict() | list():
            return connection.ops.adapt_json_value(value, None)
        case datetime():
            return connection.ops.adapt_datetimefield_value(value)
        case _:
            return value


def _draw(account: MailAccount, changed: Sequence[_Judged]) -> None:
    """Let the list's seals follow; of mail that was never opened nothing is drawn."""
    drawn: dict[int, tuple[str, str]] = {}
    for each in changed:
        message = each.reading.message
        seal = judging.seal_of(each.verdict), each.verdict.flag
        if each.kept.facts.is_opened and seal != (message.seal, message.seal_flag):
            drawn[message.pk] = seal
    if drawn:
        seals.set_seals(account, drawn)


def _learn(batch: _Batch) -> None:
    """Let the records of correspondents follow, and keep certificates that count from now on."""
    user = batch.account.user
    turned: set[str] = set()
    for address, changes in batch.changes.items():
        found = batch.read[address], batch.records[address]
        turned |= remembering.note(user.pk, address, changes, found=found)
    due.ask_for(user, turned - {each.reading.message.content_key for each in batch.judged})
    # Those that read the same, too: of a signer who is not the sender trust alone says nothing, a
    # withdrawal does.
    revocation.watch(
        (verdict for each in batch.judged for verdict in (each.verdict, *each.framed)),
        now=batch.now,
    )
    changed = [each for each in batch.judged if not each.is_same]
    for each in _latest(changed):
        people.harvest(
            user, each.kept.facts, each.verdict, message_date=each.reading.message.internal_date
        )


def _latest(judged: Iterable[_Judged]) -> Iterable[_Judged]:
    """Choose the last message of each certificate whose verdict became ok."""
    found: dict[tuple[str, str], _Judged] = {}
    for each in judged:
        lead = each.verdict.signature.lead
        if each.verdict.level == "ok" and lead is not None:
            found[history.correspondent(each.kept.facts), lead.fingerprint] = each
    return found.values()
