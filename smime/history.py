"""What was verified from one correspondent before, in the order in which the mail was received.

A record holds the newest messages that count and the certificates seen in them. Which mail was
read first does not matter: a message is judged by what was *received* before it, so that opening
old mail late neither makes newer mail look new nor the other way round. Pure, bounded.

Counted are messages whose signature was verified (class ok) and messages without any signature.
Others prove nothing about the habit: failing signatures, mail through lists, mail not opened.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from smime.facts import Facts
from smime.pki.addresses import canonical_address
from smime.verdict import Verdict
from smime.verdict_context import History

RECENT = 50  # messages remembered one by one
CERTIFICATES = 20  # remembered; those unseen for longest go first
_EXPECTED_RUN = 3  # verified messages in a row from which an unsigned one is remarkable
_UNSIGNED = frozenset(
    {"unsigned", "signature-missing", "partly-signed", "no-signature", "signed-outside"}
)


@dataclass(frozen=True, slots=True, order=True)
class Heard:
    """One message that counts."""

    at: datetime  # receipt
    key: str  # the same for the same message, however often it is read
    fingerprint: str = ""  # of the signer's certificate; "": not signed


@dataclass(frozen=True, slots=True)
class Sight:
    """A certificate, and when it was seen first and last."""

    fingerprint: str
    first_at: datetime
    first_key: str
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of one correspondent. `recent` is in the order of receipt."""

    recent: tuple[Heard, ...] = ()
    sights: tuple[Sight, ...] = ()
    name: str = ""  # from the latest verified certificate
    name_at: datetime | None = None

    def before(self, at: datetime, key: str, *, is_signed: bool = False) -> History:
        """Tell what was known when the message `key` was received.

        `is_signed`: the message is, so that the run of those before it is of no interest.
        """
        here = (_whole(at), key)
        seen = frozenset(
            sight.fingerprint for sight in self.sights if (sight.first_at, sight.first_key) < here
        )
        return History(
            has_signed_before=bool(seen),
            fingerprints=seen,
            new_since=at,
            signed_in_a_row=0 if is_signed else sum(1 for _ in self._run(here)),
            name=self.name,
        )

    def run_began(self, at: datetime, key: str, *, count: int = _EXPECTED_RUN) -> datetime | None:
        """Return the receipt of the `count`th verified message in a row before this one.

        None when there were fewer.
        """
        run = list(self._run((_whole(at), key)))
        return run[count - 1].at if len(run) >= count else None

    def covers(self, at: datetime) -> bool:
        """Say whether everything that counts before `at` may still be remembered one by one."""
        return len(self.recent) < RECENT or _whole(at) > self.recent[0].at

    def noting(self, heard: Heard, *, name: str = "") -> "Record":
        """Return the record with this message in it, in place of what it said of it before."""
        at = _whole(heard.at)
        if at != heard.at:
            heard = replace(heard, at=at)
        place = bisect_left(self.recent, heard)
        if self.recent[place : place + 1] == (heard,):
            return self
        rest = self.without(heard.key)
        recent = rest.recent
        if len(recent) < RECENT or heard > recent[0]:
            # The oldest goes; what is older than all comes too late to be counted.
            place = bisect_left(recent, heard)
            rest = replace(rest, recent=(*recent[:place], heard, *recent[place:])[-RECENT:])
        if not heard.fingerprint:
            return rest
        if name and (rest.name_at is None or rest.name_at <= heard.at):
            rest = replace(rest, name=name, name_at=heard.at)
        sights = _seen(rest.sights, heard)
        return rest if sights is rest.sights else replace(rest, sights=sights)

    def after(self, change: "Change") -> "Record":
        """Return the record once a message was judged."""
        if change.heard is None:
            return self.without(change.key)
        return self.noting(change.heard, name=change.name)

    def without(self, key: str) -> "Record":
        """Return the record without that message: it does not count (any more)."""
        rest = [each for each in self.recent if each.key != key]
        firsts = {sight.fingerprint for sight in self.sights if sight.first_key == key}
        if not firsts and len(rest) == len(self.recent):
            return self
        recent = tuple(rest)
        if not firsts:
            return replace(self, recent=recent)
        sights = tuple(sight for sight in self.sights if sight.fingerprint not in firsts)
        for fingerprint in firsts:
            # What else was signed with it, as far as it is remembered.
            others = [each for each in recent if each.fingerprint == fingerprint]
            for each in (others[0], others[-1]) if others else ():
                sights = _seen(sights, each)
        return replace(self, recent=recent, sights=sights)

    def _run(self, here: tuple[datetime, str]) -> Iterator[Heard]:
        """Walk back from there while messages were verified."""
        for each in reversed(self.recent):
            if (each.at, each.key) >= here:
                continue
            if not each.fingerprint:
                return
            yield each


@dataclass(frozen=True, slots=True)
class Change:
    """What the verdict on one message does to its sender's record."""

    key: str
    heard: Heard | None = None  # None: it does not count
    name: str = ""  # of the verified signer


def correspondent(facts: Facts) -> str:
    """Return the address whose record a message belongs to; "" unless it has one author."""
    found = {canonical_address(each.address) for each in facts.sender.from_}
    return found.pop() if len(found) == 1 and not facts.sender.is_malformed else ""


def change_by(facts: Facts, verdict: Verdict, *, at: datetime, key: str) -> Change | None:
    """Say what a message received `at` counts for in its sender's record.

    None: nothing can be said, as it was not opened; the record stays as it is.
    """
    if not facts.is_opened:
        return None
    signature = verdict.signature
    lead = signature.lead
    if signature.level == "ok" and lead is not None and lead.bound == "from":
        return Change(key, Heard(at, key, lead.fingerprint), lead.name)
    if signature.code in _UNSIGNED and not facts.is_list_mail:
        return Change(key, Heard(at, key))
    return Change(key)


def turned(old: Record, new: Record) -> frozenset[str]:
    """Name the messages whose verdict may read otherwise under `new`, for what came before them."""
    if old == new:
        return frozenset()
    return frozenset(each.key for each in new.recent if _told(old, each) != _told(new, each))


def _told(record: Record, heard: Heard) -> tuple[object, ...]:
    history = record.before(heard.at, heard.key)
    if heard.fingerprint:
        return history.has_signed_before, heard.fingerprint in history.fingerprints
    run = history.signed_in_a_row
    return (run if run >= _EXPECTED_RUN else 0,)


def _seen(sights: tuple[Sight, ...], heard: Heard) -> tuple[Sight, ...]:
    known = next((each for each in sights if each.fingerprint == heard.fingerprint), None)
    if known is None:
        fresh = Sight(heard.fingerprint, heard.at, heard.key, heard.at)
    else:
        if (known.first_at, known.first_key) <= (heard.at, heard.key) and heard.at <= known.last_at:
            return sights
        first = min((known.first_at, known.first_key), (heard.at, heard.key))
        fresh = Sight(heard.fingerprint, *first, max(known.last_at, heard.at))
    others = [each for each in sights if each is not known]
    kept = sorted((*others, fresh), key=lambda each: each.last_at)[-CERTIFICATES:]
    return tuple(kept)


def _whole(moment: datetime) -> datetime:
    """Receipt in whole seconds: what the record keeps."""
    return moment.astimezone(UTC).replace(microsecond=0)


# --- as JSON --------------------------------------------------------------------------------------


def to_json(record: Record) -> dict[str, object]:
    """Return the form that is kept."""
    return {
        "recent": [[_seconds(each.at), each.key, each.fingerprint] for each in record.recent],
        "sights": [
            [each.fingerprint, _seconds(each.first_at), each.first_key, _seconds(each.last_at)]
            for each in record.sights
        ],
        "name": record.name,
        "name_at": _seconds(record.name_at) if record.name_at is not None else None,
    }


def from_json(kept: dict[str, object]) -> Record:
    """Read `to_json` back; {} is an empty record."""
    recent = kept.get("recent") or []
    sights = kept.get("sights") or []
    assert isinstance(recent, list)
    assert isinstance(sights, list)
    name_at = kept.get("name_at")
    return Record(
        recent=tuple(Heard(_moment(at), key, signer) for at, key, signer in recent),
        sights=tuple(
            Sight(signer, _moment(first), key, _moment(last)) for signer, first, key, last in sights
        ),
        name=str(kept.get("name", "")),
        name_at=_moment(name_at) if isinstance(name_at, int) else None,
    )


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
