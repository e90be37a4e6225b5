"""Which conversation a message belongs to.

Every message names identifiers: its own Message-ID, its References and In-Reply-To, or the thread
id of a server that keeps threads (RFC 8474, Gmail). Each identifier belongs to one thread
(`ThreadKey`), so parents and children find each other in whichever order they arrive, and a
message that names identifiers of two threads joins them. Only a reply that names nothing is joined
by its base subject: within 30 days and with a shared participant.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import batched, chain

from webmail.mailbox import bulk
from webmail.mailbox.facts import MessageFacts
from webmail.mailbox.models import Conversation, Message, Thread, ThreadKey
from webmail.mailbox.subjects import BaseSubject, base_subject

SUBJECT_WINDOW = timedelta(days=30)
MOST_KEYS = 30  # of one message: the root, the newest references, itself
_AT_ONCE = 500  # keys in one query; SQLite's limit on variables is far above
_LOOKED_AT = 20  # threads with the same subject that are compared


def key_of(identifier: str) -> int:
    """Return an identifier's key: 63 bits and a sign of BLAKE2b."""
    digest = hashlib.blake2b(identifier.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def keys_of(facts: MessageFacts) -> list[int]:
    """Return the keys a message names: the server's thread, its root, what it answers, itself.

    The server's own word only joins more: some servers number each message as a thread.
    """
    server = [f"server-thread:{facts.server_thread_id}"] if facts.server_thread_id else []
    named = [*facts.references]
    if len(named) > MOST_KEYS - 2:
        named = [named[0], *named[3 - MOST_KEYS :]]
    named += [facts.in_reply_to, facts.message_id]
    return [key_of(one) for one in dict.fromkeys([*server, *named]) if one]


def assign(account_id: int, arrivals: Sequence[MessageFacts]) -> tuple[list[int], set[int]]:
    """Return (the thread id of each arrival, ids of threads that took part in a join).

    Writes threads and keys; the caller holds the account's lock and refreshes the joined threads.
    """
    named = [keys_of(facts) for facts in arrivals]
    board = _Board(account_id, set(chain.from_iterable(named)))
    chosen: dict[int, int] = {}
    # Oldest first, so that a reply without references finds what it answers in the same batch.
    for index in sorted(range(len(arrivals)), key=lambda i: arrivals[i].internal_date):
        chosen[index] = board.place(arrivals[index], named[index])
    board.write()
    return [board.final(chosen[index]) for index in range(len(arrivals))], board.joined


def join_named(message: Message, identifiers: Sequence[str]) -> set[int]:
    """Join the threads that a message names by identifiers found after it was mirrored.

    Writes keys as `assign` does, so that later mail finds the thread, too; the same conditions.
    Returns the ids of threads that took part in a join: refresh them, then `delete_empty`.
    """
    keys = [key_of(one) for one in identifiers[:MOST_KEYS] if one]
    if not keys:
        return set()
    board = _Board(message.account_id, set(keys))
    board.name(message.thread_id, keys)
    board.write()
    return board.joined


class _Board:
    """Threads by key while one batch is placed. New threads have negative ids until `write`."""

    def __init__(self, account_id: int, keys: set[int]) -> None:
        self._account_id = account_id
        self._threads: dict[int, int] = {}
        self._fresh: dict[int, int] = {}
        self._moved: dict[int, int] = {}
        self._made: dict[int, str] = {}  # its base subject
        self._dates: dict[int, datetime] = {}
        self._subjects: dict[str, list[tuple[int, MessageFacts]]] = defaultdict(list)
        self.joined: set[int] = set()
        for some in batched(keys, _AT_ONCE, strict=False):
            found = ThreadKey.objects.filter(account_id=account_id, key__in=some)
            self._threads.update(found.values_list("key", "thread_id"))

    def final(self, thread_id: int) -> int:
        """The thread that a thread became by joins of this batch and by being written."""
        while thread_id in self._moved:
            thread_id = self._moved[thread_id]
        return thread_id

    def place(self, facts: MessageFacts, keys: list[int]) -> int:
        """Choose, join or make the thread of one message."""
        found = list(
            dict.fromkeys(self.final(self._threads[key]) for key in keys if key in self._threads)
        )
        subject = base_subject(facts.subject)
        if not found:
            thread_id = self._by_subject(facts, subject) or self._make(subject)
        else:
            thread_id = found[0]
            for other in found[1:]:
                thread_id = self._join(thread_id, other)
        for key in keys:
            if key not in self._threads:
                self._fresh[key] = thread_id
            self._threads[key] = thread_id
        if subject.base:
            self._subjects[subject.base].append((thread_id, facts))
        last = self._dates.get(thread_id, facts.internal_date)
        self._dates[thread_id] = max(last, facts.internal_date)
        return thread_id

    def name(self, thread_id: int, keys: list[int]) -> None:
        """Give a thread that is written more keys, joining those that have them."""
        for key in keys:
            other = self.final(self._threads.get(key, thread_id))
            if other != (here := self.final(thread_id)):
                self._join(here, other)
            if key not in self._threads:
                self._fresh[key] = thread_id
                self._threads[key] = thread_id

    def write(self) -> None:
        """Write the new threads, the keys, and the dates that moved forward."""
        made = [(key, base) for key, base in self._made.items() if key not in self._moved]
        latest = self._latest()
        ids = bulk.reserve_ids(Thread, len(made))
        bulk.insert(
            Thread,
            ("id", "account_id", "subject_base", "last_date"),
            (
                (pk, self._account_id, base, latest[temporary])
                for pk, (temporary, base) in zip(ids, made, strict=True)
            ),
        )
        self._moved.update(
            (temporary, pk) for pk, (temporary, _base) in zip(ids, made, strict=True)
        )
        # Keys that are new under the account's lock are new.
        bulk.insert(
            ThreadKey,
            ("account_id", "key", "thread_id"),
            (
                (self._account_id, key, self.final(thread_id))
                for key, thread_id in self._fresh.items()
            ),
        )
        latest = self._latest()
        for some in batched(latest.keys() - set(ids), _AT_ONCE, strict=False):
            known = Thread.objects.filter(pk__in=some).only("last_date")
            moved = [thread for thread in known if latest[thread.pk] > thread.last_date]
            for thread in moved:
                thread.last_date = latest[thread.pk]
            Thread.objects.bulk_update(moved, ["last_date"])

    def _latest(self) -> dict[int, datetime]:
        """The newest date that this batch brought to each thread."""
        latest: dict[int, datetime] = {}
        for one, date in self._dates.items():
            final = self.final(one)
            latest[final] = max(latest.get(final, date), date)
        return latest

    def _make(self, subject: BaseSubject) -> int:
        temporary = -len(self._made) - 1
        self._made[temporary] = subject.base
        return temporary

    def _join(self, first: int, second: int) -> int:
        """Relabel the smaller thread; one that is not written yet costs nothing."""
        if first < 0 or second < 0:
            kept, gone = max(first, second), min(first, second)
        else:
            sizes = [Message.objects.filter(thread_id=one).count() for one in (first, second)]
            kept, gone = (first, second) if sizes[0] >= sizes[1] else (second, first)
            Message.objects.filter(thread_id=gone).update(thread_id=kept)
            ThreadKey.objects.filter(thread_id=gone).update(thread_id=kept)
            self.joined |= {kept, gone}
        self._moved[gone] = kept
        return kept

    def _by_subject(self, facts: MessageFacts, subject: BaseSubject) -> int | None:
        names_something = facts.references or facts.in_reply_to or facts.server_thread_id
        if names_something or not subject.is_reply or not subject.base:
            return None
        low, high = facts.internal_date - SUBJECT_WINDOW, facts.internal_date + SUBJECT_WINDOW
        people = facts.participants
        for thread_id, other in reversed(self._subjects.get(subject.base, [])):
            if low <= other.internal_date <= high and people & other.participants:
                return self.final(thread_id)
        candidates = Thread.objects.filter(
            account_id=self._account_id,
            subject_base=subject.base,
            last_date__range=(low, high),
        ).order_by("-last_date")[:_LOOKED_AT]
        for thread in candidates:
            if people & _participants(thread.pk):
                return thread.pk
        return None


def delete_empty(thread_ids: Iterable[int]) -> None:
    """Delete threads that hold no message any more; their rows and keys go with them."""
    for some in batched(set(thread_ids), _AT_ONCE, strict=False):
        empty = set(some) - set(
            Message.objects.filter(thread_id__in=some).values_list("thread_id", flat=True)
        )
        Conversation.objects.filter(thread_id__in=empty).delete()
        Thread.objects.filter(pk__in=empty).delete()


def _participants(thread_id: int) -> frozenset[str]:
    people: set[str] = set()
    rows = Message.objects.filter(thread_id=thread_id).values_list("from_address", "recipients")
    for sender, recipients in rows[:100]:
        people.add(sender.casefold())
        for field in ("to", "cc"):
            people |= {pair[1].casefold() for pair in recipients.get(field, ())}
    return frozenset(people - {""})
