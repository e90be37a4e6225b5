from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.imap import Flagged, Header, Since, Text, Uids, UidSet
from webmail.imap.arguments import (
    Literal,
    check_fragment,
    date_time,
    day,
    flag,
    flag_list,
    literal,
    mailbox,
    mailbox_name,
    section,
)
from webmail.imap.criteria import needs_charset


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "a\rb", "a\0b"])
@pytest.mark.parametrize(
    "make",
    [literal, mailbox, flag, section, lambda t: Text("subject", t).fragments(),
     lambda t: Header("X", t).fragments(), lambda t: Header(t, "x").fragments(),
     lambda t: Flagged(t).fragments(), lambda t: mailbox(t.encode()), lambda t: check_fragment(t.encode())],
)  # fmt: skip
def test_no_argument_ends_the_line(make, bad):
    with pytest.raises(ValueError):
        make(bad)


@given(st.text(max_size=60))
def test_folder_names_survive(name):
    try:
        fragment = mailbox(name)
    except (ValueError, UnicodeEncodeError):
        return
    raw = fragment.octets if isinstance(fragment, Literal) else fragment[1:-1]
    assert raw.isascii()
    assert not set(raw) & set(b"\0\r\n")
    if name.upper() != "INBOX":
        assert mailbox_name(raw) == name


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("INBOX", b'"INBOX"'),
        ("Entwürfe", b'"Entw&APw-rfe"'),
        ("a/b & c", b'"a/b &- c"'),
        ('say "hi"', Literal(b'say "hi"')),
        ("back\\slash", Literal(b"back\\slash")),
        ("50%*", Literal(b"50%*")),
        (b"as&listed", b'"as&listed"'),
        (b"Entw\xc3\xbcrfe", Literal(b"Entw\xc3\xbcrfe")),
    ],
)
def test_folder_names_are_quoted_or_literal(name, fragment):
    assert mailbox(name) == fragment


@pytest.mark.parametrize("name", ["", "x" * 1001, b""])
def test_folder_names_have_a_length(name):
    with pytest.raises(ValueError):
        mailbox(name)


def test_flags_are_atoms():
    assert flag_list(["\\seen", "$Forwarded", "\\Seen"]) == b"($Forwarded \\Seen)"
    for bad in ("", "\\Recent", "a b", "a(b", 'a"b', "ä", "a]b", "x" * 201, "*"):
        with pytest.raises(ValueError):
            flag(bad)


@pytest.mark.parametrize(
    "name", ["", "1", "1.2.3", "1.MIME", "2.HEADER", "2.1.TEXT", "HEADER", "TEXT"]
)
def test_sections(name):
    assert section(name) == name.encode()


@pytest.mark.parametrize("name", ["0x", "1.", ".1", "MIME", "1]<0.1>", "HEADER.FIELDS (A)", "1 2"])
def test_sections_of_another_form_are_refused(name):
    with pytest.raises(ValueError):
        section(name)


def test_dates():
    assert day(date(2026, 2, 1)) == b"1-Feb-2026"
    zone = timezone(timedelta(hours=-3, minutes=-30))
    assert date_time(datetime(2026, 2, 1, 9, 5, 7, tzinfo=zone)) == b'" 1-Feb-2026 09:05:07 -0330"'
    with pytest.raises(ValueError):
        date_time(datetime(2026, 2, 1))  # noqa: DTZ001


def test_criteria_are_built_not_written():
    wanted = Text("from", "Zoë) OR (ALL") & ~Flagged("\\Seen") | Since(date(2026, 1, 2))
    fragments = wanted.fragments()
    assert fragments == [
        b"OR ", b"(", b"FROM ", Literal("Zoë) OR (ALL".encode()), b" ", b"NOT ", b"SEEN", b")",
        b" ", b"SINCE 2-Jan-2026",
    ]  # fmt: skip
    assert needs_charset(fragments)
    assert Uids(UidSet.of([1, 2, 9])).fragments() == [b"UID 1:2,9"]
    with pytest.raises(ValueError):
        Uids(UidSet()).fragments()
    with pytest.raises(ValueError):
        Text("subject) ALL", "x").fragments()
