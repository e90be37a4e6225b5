"""Decisions by tables: batches, overlays, refusals, deltas, differences, roles, subjects."""

from datetime import timedelta

import pytest

from webmail.imap import FlagRow, FolderStatus, ListedFolder, ResponseCode, Selected, UidSet
from webmail.mailbox import delta, plans
from webmail.mailbox.delta import Delta, FlagsBy, Known
from webmail.mailbox.plans import FlagStep, Place, Removal, Waiting
from webmail.mailbox.roles import roles_of
from webmail.mailbox.subjects import base_subject

PLACES = [Place(1, 10, 0), Place(2, 10, 5), Place(3, 20, 1)]


@pytest.mark.parametrize(
    ("add", "remove", "steps"),
    [
        (1, 0, [FlagStep(1, 1, 0)]),
        (0, 1, [FlagStep(2, 0, 1), FlagStep(3, 0, 1)]),
        (4, 1, [FlagStep(1, 4, 0), FlagStep(2, 0, 1), FlagStep(3, 4, 1)]),
        (1, 1, [FlagStep(1, 1, 0)]),
        (0, 0, []),
    ],
)
def test_flags_that_change_something(add, remove, steps):
    assert plans.plan_flags(PLACES, add=add, remove=remove) == steps


def test_moves_and_removals():
    assert plans.plan_move(PLACES, target_id=20) == [1, 2]
    assert plans.plan_removal(PLACES, trash_id=20) == Removal(to_trash=(1, 2), for_good=(3,))


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ([(1, 0)], (1, 0)),
        ([(1, 0), (0, 1)], (0, 1)),
        ([(1, 0), (4, 0)], (5, 0)),
        ([(0, 1), (1, 0)], (1, 0)),
        ([], (0, 0)),
    ],
)
def test_the_last_wish_lies_on_top(asked, shown):
    pending = (0, 0)
    for add, remove in asked:
        pending = plans.overlay(pending, add=add, remove=remove)
    assert pending == shown


def _batches(*waiting):
    return [batch.change_ids for batch in plans.plan_batches(waiting)]


A, B, M = ("flags", 1), ("flags", 2), ("move", 9)


@pytest.mark.parametrize(
    ("waiting", "batches"),
    [
        ([], []),
        ([Waiting(1, A, 1), Waiting(2, A, 2), Waiting(3, A, 3)], [[1, 2, 3]]),
        # Neighbours merge past others' changes, never past a change of the same message.
        ([Waiting(1, A, 1), Waiting(2, B, 2), Waiting(3, A, 3)], [[1, 3], [2]]),
        ([Waiting(1, A, 1), Waiting(2, B, 1), Waiting(3, A, 1)], [[1], [2], [3]]),
        ([Waiting(1, A, 1), Waiting(2, A, 1)], [[1], [2]]),
        # A change that is not due holds up its own message alone.
        ([Waiting(1, A, 1, is_due=False), Waiting(2, A, 1), Waiting(3, A, 2)], [[3]]),
        # What is asked of a landing waits for its move.
        ([Waiting(1, M, 1, landing_id=7), Waiting(2, A, 7)], [[1], [2]]),
        ([Waiting(1, M, 1, landing_id=7, is_due=False), Waiting(2, A, 7)], []),
        (
            [Waiting(1, M, 1, landing_id=7, is_due=False), Waiting(2, M, 7, landing_id=8),
             Waiting(3, A, 8), Waiting(4, A, 5)],
            [[4]],
        ),
    ],
)  # fmt: skip
def test_batches(waiting, batches):
    assert _batches(*waiting) == batches


@pytest.mark.parametrize(
    ("code", "attempts", "seconds"),
    [
        (None, 1, 5),
        (None, 2, 15),
        (None, 3, None),
        (ResponseCode.INUSE, 1, 5),
        (ResponseCode.OVERQUOTA, 1, None),
        (ResponseCode.NOPERM, 1, None),
    ],
)
def test_refusals(code, attempts, seconds):
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert plans.plan_refusal(code, attempts=attempts).delay == expected


def test_a_wish_is_kept_for_ever():
    waits = [plans.plan_reconnect(attempts) for attempts in (1, 2, 50)]
    assert waits == [timedelta(seconds=20), timedelta(seconds=40), timedelta(minutes=10)]


KNOWN = Known(uidvalidity=7, uidnext=100, highestmodseq=50, exists=90, low=1, is_backfilled=True)


def _selected(**fields):
    return Selected(
        **({"uidvalidity": 7, "uidnext": 100, "highestmodseq": 50, "exists": 90} | fields)
    )


@pytest.mark.parametrize(
    ("known", "selected", "plan"),
    [
        ({}, {}, Delta()),
        ({}, {"vanished": UidSet()}, Delta()),
        ({}, {"uidvalidity": 6}, Delta(is_renumbered=True)),
        ({"uidvalidity": None, "low": None}, {}, Delta(is_renumbered=True)),
        ({"low": None}, {}, Delta(is_first=True)),
        ({}, {"uidnext": 101, "highestmodseq": 51, "exists": 91},
         Delta(new_from=100, flags=FlagsBy.CHANGES, count_removed=True)),
        ({}, {"highestmodseq": 51, "vanished": UidSet(), "flag_changes": (FlagRow(1, frozenset()),)},
         Delta(flags=FlagsBy.REPORT, count_removed=True)),
        ({"is_backfilled": False}, {"highestmodseq": 51, "vanished": UidSet.span(3, 3)},
         Delta(flags=FlagsBy.REPORT)),
        # Mod-sequences that went backwards, or are new: compare everything.
        ({}, {"highestmodseq": 49}, Delta(flags=FlagsBy.COMPARE, count_removed=True)),
        ({"highestmodseq": None}, {}, Delta(flags=FlagsBy.COMPARE, count_removed=True)),
        ({}, {"highestmodseq": None}, Delta(flags=FlagsBy.SCAN, count_removed=True)),
        ({}, {"uidnext": None}, Delta(new_from=100, count_removed=True)),
        ({}, {"exists": 89}, Delta(count_removed=True)),
    ],
)  # fmt: skip
def test_deltas(known, selected, plan):
    from dataclasses import replace

    assert delta.plan_delta(replace(KNOWN, **known), _selected(**selected)) == plan


@pytest.mark.parametrize(
    ("status", "needed"),
    [
        (FolderStatus(90, 100, 7, 0, 50), False),
        (FolderStatus(90, 100, 7, 0, 51), True),
        (FolderStatus(91, 101, 7, 0, 50), True),
        (FolderStatus(90, 100, 8, 0, 50), True),
        (FolderStatus(90, 100, 7, 0, None), True),
        (None, True),
    ],
)
def test_visits(status, needed):
    assert delta.needs_visit(KNOWN, status) is needed


@pytest.mark.parametrize(
    ("gone", "unknown"),
    [
        ([], []),
        ([1], []),
        ([5000, 5001], []),
        ([10_000], []),
        ([1, 777], [10_003]),
        ([], [10_005]),
    ],
)
def test_differences_are_found_by_few_small_questions(gone, unknown):
    local = list(range(1, 10_001))
    server = sorted((set(local) - set(gone)) | set(unknown))
    asked = []

    def within(low, high):
        return [uid for uid in server if low <= uid and (high is None or uid <= high)]

    def listed(low, high):
        found = within(low, high)
        asked.append(len(found))
        return found

    found = delta.find_difference(local, low=1, count=lambda a, b: len(within(a, b)), listed=listed)
    assert (list(found.gone), list(found.unknown)) == (gone, unknown)
    assert max(asked, default=0) <= delta.LISTED_AT_ONCE
    assert len(asked) <= len(gone) + len(unknown)


def _listed(*names, delimiter="/"):
    return [ListedFolder(name, delimiter, frozenset(attributes)) for name, attributes in names]


@pytest.mark.parametrize(
    ("folders", "roles"),
    [
        ([("INBOX", []), ("Sent", [])], {"INBOX": "inbox", "Sent": "sent"}),
        ([("inbox", []), ("Gesendet", ["\\Sent"]), ("Sent", [])], {"inbox": "inbox", "Gesendet": "sent"}),
        ([("Papierkorb", []), ("Entwürfe", []), ("Spam", [])],
         {"Papierkorb": "trash", "Entwürfe": "drafts", "Spam": "junk"}),
        ([("[Gmail]/Corbeille", []), ("Work/Sent", [])], {"[Gmail]/Corbeille": "trash"}),
        ([("Trash", ["\\Noselect"]), ("Deleted Items", [])], {"Deleted Items": "trash"}),
        ([("送信済み", []), ("Archive", []), ("Archives", [])], {"送信済み": "sent", "Archive": "archive"}),
    ],
)  # fmt: skip
def test_roles(folders, roles):
    assert {path: role.value for path, role in roles_of(_listed(*folders)).items()} == roles


@pytest.mark.parametrize(
    ("subject", "base", "is_reply"),
    [
        ("Budget", "budget", False),
        ("Re: Budget", "budget", True),
        ("RE: AW: Fwd: Budget (fwd)", "budget", True),
        ("[list] Re: [list] Budget", "budget", True),
        ("[list] Budget", "budget", False),
        ("Re[2]: Budget", "budget", True),
        ("Regarding: Budget", "regarding: budget", False),
        ("回复：预算", "预算", True),
        ("[...]", "", False),
        ("Re: [...]", "", True),
        ("", "", False),
        ("Re:", "", True),
        ("[all of it]", "[all of it]", False),
    ],
)
def test_base_subjects(subject, base, is_reply):
    found = base_subject(subject)
    assert (found.base, found.is_reply) == (base, is_reply)
