import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.imap import UidSet
from webmail.imap.uidset import MAX_UID

uids = st.sets(st.integers(1, 3000), max_size=200)


@given(uids)
def test_a_set_survives_the_wire(members):
    made = UidSet.of(members)
    assert list(made) == sorted(members)
    assert len(made) == len(members)
    if members:
        assert UidSet.parse(made.encode()) == made


@given(uids, uids)
def test_union_and_membership(a, b):
    made = UidSet.of(a) | UidSet.of(b)
    assert set(made) == a | b
    assert all((uid in made) == (uid in a | b) for uid in range(1, 200))


@given(uids, st.integers(21, 100))
def test_chunks_are_short_and_complete(members, size):
    chunks = list(UidSet.of(members).chunks(size))
    assert all(0 < len(chunk.encode()) <= size for chunk in chunks)
    assert [uid for chunk in chunks for uid in chunk] == sorted(members)


@given(uids, st.integers(1, 50))
def test_slices_are_small_and_complete(members, count):
    slices = list(UidSet.of(members).slices(count))
    assert all(0 < len(some) <= count for some in slices)
    assert [uid for some in slices for uid in some] == sorted(members)


@given(uids, st.integers(1, 3000), st.integers(1, 3000))
def test_within(members, low, high):
    assert set(UidSet.of(members).within(low, high)) == {u for u in members if low <= u <= high}


def test_a_whole_folder_costs_nothing():
    everything = UidSet.span(1)
    assert everything.encode() == b"1:4294967295"
    assert len(everything) == MAX_UID
    assert UidSet.span(5, 4) == UidSet()


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        (b"5", ((5, 5),)),
        (b"9:7,1", ((1, 1), (7, 9))),
        (b"1:3,2:5", ((1, 5),)),
        (b"0,0:2", ((1, 2),)),
        (b"4294967295:9999999999", ((MAX_UID, MAX_UID),)),
    ],
)
def test_servers_sets_are_read_leniently(text, ranges):
    assert UidSet.parse(text).ranges == ranges


@pytest.mark.parametrize("text", [b"", b"1:*", b"a", b"1,,2", b"1 2", b"1:2:3", b"99999999999"])
def test_what_is_no_set_is_refused(text):
    with pytest.raises(ValueError):
        UidSet.parse(text)


@pytest.mark.parametrize("members", [[0], [-1], [2**32], ["1"], [True], [1.0], [b"1"]])
def test_only_uids_are_members(members):
    with pytest.raises((ValueError, TypeError)):
        UidSet.of(members)


def test_ordered_sets_are_bounded():
    assert UidSet.parse_ordered(b"5,3:4", limit=3) == [5, 3, 4]
    with pytest.raises(ValueError):
        UidSet.parse_ordered(b"1:4294967295", limit=3)
