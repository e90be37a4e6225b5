"""What to ask a server for, decided from what is known of a folder (mail-core S3, S4). Pure.

UIDVALIDITY differs ─▶ renumbered          nothing mirrored yet ─▶ first window
QRESYNC answered ─▶ its report              mod-sequence smaller ─▶ compare everything
CONDSTORE ─▶ changes since                  neither ─▶ scan: newest flags, slices of the rest
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from webmail.imap import FolderStatus, Selected

LISTED_AT_ONCE = 500  # UIDs that are listed instead of halved further


class FlagsBy(StrEnum):
    """How flag changes are learnt."""

    REPORT = "report"  # QRESYNC told them with SELECT
    CHANGES = "changes"  # CONDSTORE: FETCH … CHANGEDSINCE
    SCAN = "scan"  # no mod-sequences: the newest, and slices of the rest
    COMPARE = "compare"  # everything: mod-sequences went backwards or are new here
    NONE = "none"  # nothing changed


@dataclass(frozen=True, slots=True)
class Known:
    """What the mirror knows of a folder. low: the oldest UID mirrored, None for nothing yet."""

    uidvalidity: int | None
    uidnext: int
    highestmodseq: int | None
    exists: int
    low: int | None
    is_backfilled: bool


@dataclass(frozen=True, slots=True)
class Delta:
    """What to do. is_renumbered and is_first exclude the rest.

    new_from: fetch rows from this UID on, None for no new mail. count_removed: compare counts.
    """

    is_renumbered: bool = False
    is_first: bool = False
    new_from: int | None = None
    flags: FlagsBy = FlagsBy.NONE
    count_removed: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """UIDs that only the mirror has, and that only the server has."""

    gone: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()


def needs_visit(known: Known, status: FolderStatus | None) -> bool:
    """Say whether a folder must be opened, from the counters of LIST-STATUS or STATUS.

    Without mod-sequences flag changes leave no trace in the counters, so it is opened anyway.
    """
    if status is None or known.low is None or not known.highestmodseq:
        return True
    return (
        status.uidvalidity != known.uidvalidity
        or status.uidnext != known.uidnext
        or status.messages != known.exists
        or status.highestmodseq != known.highestmodseq
    )


def plan_delta(known: Known, selected: Selected) -> Delta:
    """Decide what to ask for after a SELECT."""
    if known.uidvalidity != selected.uidvalidity:
        # RFC 9051 §2.3.1.1: different, not smaller: a restored server may go either way.
        return Delta(is_renumbered=True)
    if known.low is None:
        return Delta(is_first=True)
    has_new = selected.uidnext is None or selected.uidnext > known.uidnext
    flags = _flags_by(known, selected)
    is_same = flags is FlagsBy.NONE and selected.exists == known.exists and not has_new
    return Delta(
        new_from=known.uidnext if has_new else None,
        flags=flags,
        count_removed=not is_same and (flags is not FlagsBy.REPORT or known.is_backfilled),
    )


def _flags_by(known: Known, selected: Selected) -> FlagsBy:
    if selected.highestmodseq is None:
        return FlagsBy.SCAN
    if known.highestmodseq is None or selected.highestmodseq < known.highestmodseq:
        return FlagsBy.COMPARE
    if selected.vanished is not None:
        is_silent = not selected.flag_changes and not selected.vanished
        is_same = is_silent and selected.highestmodseq == known.highestmodseq
        return FlagsBy.NONE if is_same else FlagsBy.REPORT
    return FlagsBy.NONE if selected.highestmodseq == known.highestmodseq else FlagsBy.CHANGES


def find_difference(
    local: Sequence[int],
    *,
    low: int,
    count: Callable[[int, int | None], int],
    listed: Callable[[int, int | None], Collection[int]],
) -> Difference:
    """Find what one side lacks from `low` upwards by counting halves: O(d·log n) small replies.

    local: the mirror's UIDs, ascending. count, listed: ask the server about [low, high]. Equal
    counts are taken for equal sets; the rotating comparison of flags finds the rare rest.
    """
    gone: list[int] = []
    unknown: list[int] = []
    spans: list[tuple[int, int | None]] = [(low, None)]
    while spans:
        start, end = spans.pop()
        first = bisect_left(local, start)
        last = len(local) if end is None else bisect_right(local, end)
        here = local[first:last]
        on_server = count(start, end)
        if on_server == len(here):
            continue
        if max(on_server, len(here)) <= LISTED_AT_ONCE or len(here) < 2:
            present = set(listed(start, end))
            gone += [uid for uid in here if uid not in present]
            unknown += sorted(present - set(here))
        else:
            middle = here[len(here) // 2]
            spans += [(start, middle - 1), (middle, end)]
    return Difference(tuple(sorted(gone)), tuple(sorted(unknown)))
