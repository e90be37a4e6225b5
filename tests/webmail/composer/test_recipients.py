"""Address fields as people fill them in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.composer.recipients import (
    BadAddressError,
    Recipient,
    comparable,
    parse,
    sendable,
    without_repeats,
    written,
)


def who(name, address):
    return Recipient(name=name, address=address)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" , ;\n", ()),
        ("bo@example.org", (who("", "bo@example.org"),)),
        ("bo@example.org, ada@example.org", (who("", "bo@example.org"), who("", "ada@example.org"))),
        ("a@x.example; b@x.example\r\nc@x.example", (who("", "a@x.example"), who("", "b@x.example"), who("", "c@x.example"))),
        ("Bo Ek <bo@example.org>", (who("Bo Ek", "bo@example.org"),)),
        ('"Ek, Bo" <bo@example.org>, x@y.example', (who("Ek, Bo", "bo@example.org"), who("", "x@y.example"))),
        ('"Bo \\"B\\" Ek" <bo@example.org>', (who('Bo "B" Ek', "bo@example.org"),)),
        ("<bo@example.org>", (who("", "bo@example.org"),)),
        ("bo", (who("", "bo"),)),
        ("Evil\r\nBcc: all@example.org <bo@example.org>", (who("", "Evil"), who("Bcc: all@example.org", "bo@example.org"))),
        ("A\u202eB <bo@example.org>", (who("A B", "bo@example.org"),)),
        ('"unfinished <bo@example.org>', (who('"unfinished', "bo@example.org"),)),
    ],
)  # fmt: skip
def test_parse(text, expected):
    assert parse(text) == expected


@given(
    st.lists(
        st.builds(
            who,
            st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=20).map(
                lambda s: " ".join(s.split())
            ),
            st.from_regex(r"[a-z0-9]{1,8}@[a-z0-9]{1,8}\.example", fullmatch=True),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_back(recipients):
    read = parse(written(recipients))
    assert [each.address for each in read] == [each.address for each in recipients]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("bo@example.org", "bo@example.org"),
        ("Bo.Ek+x@Example.ORG", "Bo.Ek+x@example.org"),
        (" bo@example.org ", "bo@example.org"),
        ("bo@bücher.example", "bo@xn--bcher-kva.example"),
        ("bo@localhost", "bo@localhost"),
    ],
)
def test_sendable(address, expected):
    assert sendable(address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "", "bo", "@example.org", "bo@", "bo ek@example.org", "bo@exa mple.org", "bo@-x.example",
        ".bo@example.org", "bo..ek@example.org", "bö@example.org", "bo@example.org\r\nRCPT TO:<x@y>",
        "a" * 65 + "@example.org", "bo@" + "a" * 64 + ".example", "bo@" + "a." * 130 + "example",
        '"bo"@example.org', "bo@[127.0.0.1]", "<bo@example.org>", "bo@example..org",
    ],
)  # fmt: skip
def test_not_sendable(address):
    with pytest.raises(BadAddressError) as caught:
        sendable(address)
    assert "“" in str(caught.value)


def test_one_person_once_across_fields():
    seen: set[str] = set()
    to = without_repeats(parse("Bo <bo@example.org>, BO@example.org"), seen=seen)
    bcc = without_repeats(parse("bo@EXAMPLE.org, ada@example.org"), seen=seen)
    assert to == (who("Bo", "bo@example.org"),)
    assert bcc == (who("", "ada@example.org"),)
    assert comparable("Bo@EXAMPLE.org") == comparable("bo@example.org")
