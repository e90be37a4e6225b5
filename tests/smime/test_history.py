"""The record of one correspondent: what came before a message, however mail is read."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from smime import history
from smime.history import Heard, Record, from_json, to_json, turned
from tests.smime.pki.people import NOW

ONE, TWO = "a" * 64, "b" * 64


def heard(day: int, fingerprint: str = ONE, key: str = "") -> Heard:
    return Heard(NOW + timedelta(days=day), key or f"m{day}", fingerprint)


def record(*messages: Heard) -> Record:
    found = Record()
    for each in messages:
        found = found.noting(each, name=f"Name {each.fingerprint[:1]}")
    return found


def before(found: Record, day: int):
    return found.before(NOW + timedelta(days=day), f"m{day}")


def test_the_first_message_is_the_one_received_first():
    found = record(heard(5), heard(1))
    assert not before(found, 1).has_signed_before
    assert before(found, 5).has_signed_before
    assert before(found, 5).fingerprints == {ONE}


def test_reading_again_changes_nothing():
    found = record(heard(1), heard(2))
    assert found.noting(heard(2), name="Name a") == found
    assert not before(found, 1).has_signed_before


def test_an_old_mail_read_late_takes_its_place():
    found = record(heard(1), heard(9, TWO))
    late = found.noting(heard(4, TWO))
    assert TWO not in before(late, 4).fingerprints  # there the certificate was new
    assert TWO in before(late, 9).fingerprints
    assert turned(found, late) == {"m9"}


def test_verified_messages_in_a_row():
    found = record(heard(1), heard(2), heard(3))
    assert before(found, 4).signed_in_a_row == 3
    assert before(found, 3).signed_in_a_row == 2
    broken = found.noting(heard(4, ""))
    assert before(broken, 4).signed_in_a_row == 3
    assert before(broken, 5).signed_in_a_row == 0
    assert before(broken.noting(heard(6)), 7).signed_in_a_row == 1


def test_an_unsigned_mail_turns_when_older_ones_are_verified_late():
    found = record(heard(9, ""))
    for day, names in ((3, set()), (2, set()), (1, {"m9", "m2"} - {"m2"})):
        later = found.noting(heard(day))
        assert turned(found, later) - {"m2", "m3"} == names
        found = later


def test_what_no_longer_counts_is_forgotten():
    found = record(heard(1), heard(2))
    without = found.without("m1")
    assert not before(without, 2).has_signed_before
    assert turned(found, without) == {"m2"}
    assert before(without.without("m2"), 3).fingerprints == frozenset()


def test_a_record_is_bounded():
    found = record(*(heard(day, f"{day % 30:064x}") for day in range(200)))
    assert len(found.recent) == history.RECENT
    assert len(found.sights) == history.CERTIFICATES
    assert before(found, 200).has_signed_before
    assert not found.covers(NOW + timedelta(days=10))
    assert found.covers(NOW + timedelta(days=199))
    # What is older than all that is remembered is not counted, but a first sight is kept.
    assert found.noting(heard(0, f"{29:064x}")).recent == found.recent


def test_the_run_is_told_with_its_beginning():
    found = record(heard(1), heard(2), heard(3), heard(4))
    at = NOW + timedelta(days=5)
    assert found.run_began(at, "m5") == NOW + timedelta(days=2)
    assert found.run_began(NOW + timedelta(days=3), "m3") is None


messages = some.lists(
    some.builds(
        heard,
        some.integers(0, 60),
        some.sampled_from([ONE, TWO, ""]),
    ),
    max_size=30,
    unique_by=lambda each: each.key,
)


@given(messages, some.randoms())
def test_the_order_of_reading_does_not_matter(found, random):
    """What is told of each message is the same, whichever was read first and how often."""
    shuffled = [*found, *found[:5]]
    random.shuffle(shuffled)
    one, other = record(*found), record(*shuffled)
    assert one.recent == other.recent
    assert {each.fingerprint: each for each in one.sights} == {
        each.fingerprint: each for each in other.sights
    }
    assert from_json(to_json(other)) == other


@given(messages, some.integers(0, 29))
def test_turned_names_all_that_reads_otherwise(found, index):
    if not found:
        return
    late = found[index % len(found)]
    old = record(*(each for each in found if each is not late))
    new = old.noting(late)
    for each in old.recent:
        was, now = old.before(each.at, each.key), new.before(each.at, each.key)
        is_other = (
            (was.has_signed_before, each.fingerprint in was.fingerprints)
            != (now.has_signed_before, each.fingerprint in now.fingerprints)
            if each.fingerprint
            else max(was.signed_in_a_row, 2) != max(now.signed_in_a_row, 2)
        )
        assert (each.key in turned(old, new)) is is_other
