import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.submission.addresses import AddressRefused, mailbox, xtext


@pytest.mark.parametrize(
    ("address", "path", "needs_utf8"),
    [
        ("a.b+c@example.test", "a.b+c@example.test", False),
        ("a@bücher.example", "a@xn--bcher-kva.example", False),
        ("zoë@example.test", "zoë@example.test", True),
        ('"a b"@example.test', '"a b"@example.test', False),
        ("a@[192.0.2.1]", "a@[192.0.2.1]", False),
    ],
)
def test_addresses(address, path, needs_utf8):
    found = mailbox(address)
    assert (found.path, found.needs_utf8) == (path, needs_utf8)


@pytest.mark.parametrize(
    "address",
    ["", "a", "@b", "a@", "a b@c.test", "a@b c", "a@b>", "<a@b>", "a@b\r\n", "a\0@b", ".a@b", "a..b@c", "a@-b", "a@b..c",
     "x" * 65 + "@b.test", "a@" + "x" * 260, "a@b,c@d", '"a\r\n"@b', "a@\u2028", "a@[x y]"],
)  # fmt: skip
def test_what_is_no_address(address):
    with pytest.raises(AddressRefused) as caught:
        mailbox(address)
    assert caught.value.reason


@given(st.text(max_size=80))
def test_no_address_ends_the_line(address):
    try:
        found = mailbox(address)
    except AddressRefused:
        return
    assert not set(found.path) & set("\r\n\0<> ") - (set("<> ") if '"' in found.path else set())


def test_xtext_follows_rfc_3461():
    assert xtext("a+b=c d\n") == "a+2Bb+3Dc+20d+0A"
