"""DKIM with real signatures and a name server of our own: what vouches for a list's fields."""

import time
from collections.abc import Iterator

import pytest

from tests.webmail.remote.name_server import Zone, name_server
from tests.webmail.remote.signing import LIST_MAIL, new_key, record, signed
from webmail.remote.dkim_signatures import LARGEST_MESSAGE, NotVerified, Verified, verify

pytestmark = pytest.mark.enable_socket
COVERING = ("list-unsubscribe", "list-unsubscribe-post")
KEY_NAME = "s1._domainkey.fjell.example"
KEY = new_key()


@pytest.fixture
def zone() -> Iterator[Zone]:
    with name_server() as made:
        made.txt(KEY_NAME, record(KEY))
        yield made


def check(raw: bytes, zone: Zone, **more: object) -> Verified:
    options = {"covering": COVERING, "accepts": lambda _domain, _signed: True, "seconds": 2.0}
    return verify(raw, servers=zone.servers, **(options | more))


@pytest.mark.parametrize("ways", ["relaxed/relaxed", "relaxed/simple", "simple/simple"])
def test_a_signature_vouches_for_the_fields_as_they_came(zone: Zone, ways: str) -> None:
    found = check(signed(LIST_MAIL, KEY, ways=ways), zone)
    assert found.domain == "fjell.example"
    assert dict(found.fields) == {
        "list-unsubscribe": b"<mailto:leave@fjell.example?subject=leave>, "
        b"<https://out.fjell.example/u/7f3a?list=week>",
        "list-unsubscribe-post": b"List-Unsubscribe=One-Click",
    }
    assert zone.asked == [(KEY_NAME, "udp")]


def test_bare_line_feeds_are_what_servers_made_of_the_mail(zone: Zone) -> None:
    assert check(signed(LIST_MAIL, KEY).replace(b"\r\n", b"\n"), zone).domain == "fjell.example"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: raw.replace(b"/u/7f3a", b"/u/7f3b"), "not valid"),
        (lambda raw: raw.replace(b"News.  \r\nMore", b"News.  \r\nLess"), "ValidationError"),
        (lambda raw: raw.replace(b"From: Fjell", b"From: x@y.example\r\nFrom: Fjell"), "not valid"),
        (lambda raw: b"List-Unsubscribe: <https://evil.example/>\r\n" + raw, "twice"),
        (lambda raw: b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" + raw, "twice"),
        (lambda raw: raw.replace(b"s=s1;", b"s=s2;"), "no key: NXDOMAIN"),
        (lambda raw: raw.replace(b"DKIM-Signature", b"X-Signature"), "no signature"),
        (lambda raw: raw.replace(b"a=rsa-sha256", b"a=rsa-sha512"), "no signature"),
        (lambda raw: raw.replace(b"c=relaxed", b"c=relaxing"), "MessageFormatError"),
        (lambda raw: raw.replace(b"v=1;", b"v=1; x=1000000000;"), "ValidationError"),
        (lambda raw: raw.replace(b"bh=", b"l=9; bh="), "ValidationError"),
        (lambda raw: raw.replace(b"bh=", b"bh=%"), "ValidationError"),
        (lambda raw: raw.replace(b"v=1;", b"v=1; v=1;"), "no signature"),
        (lambda raw: b" folded into nothing\r\n" + raw, "not a message"),
        (lambda _raw: b"", "missing"),
    ],
)
def test_what_was_changed_on_the_way_vouches_for_nothing(zone: Zone, change, reason: str) -> None:
    raw = signed(LIST_MAIL, KEY)
    changed = change(raw)
    assert changed != raw
    with pytest.raises(NotVerified, match=reason):
        check(changed, zone)


@pytest.mark.parametrize("left_out", COVERING)
def test_both_fields_must_be_signed(zone: Zone, left_out: str) -> None:
    fields = tuple(name for name in ("from", *COVERING) if name != left_out)
    with pytest.raises(NotVerified, match="no signature over these fields"):
        check(signed(LIST_MAIL, KEY, fields=fields), zone)
    assert zone.asked == []


def test_sha1_and_short_keys_count_as_unsigned(zone: Zone) -> None:
    with pytest.raises(NotVerified, match="no signature"):
        check(signed(LIST_MAIL, KEY, algorithm="rsa-sha1"), zone)
    short = dkim_key_of_512_bits()
    zone.txt(KEY_NAME, record(short))
    with pytest.raises(NotVerified, match=r"too weak|cannot be read"):
        check(signed(LIST_MAIL, KEY), zone)


def dkim_key_of_512_bits():
    """cryptography makes none below 1024 bits: its numbers, from two primes of 256."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    class Numbers:
        def public_key(self):
            return rsa.RSAPublicNumbers(65537, (2**255 + 95) * (2**255 + 3795) | 1).public_key()

    return Numbers()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((), "no key"),
        (("",), "cannot be read"),
        (("v=DKIM1; p=",), "cannot be read"),
        (("v=DKIM1; p=%%%",), "cannot be read"),
        (("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",), "cannot be read"),
        ((record(new_key()),), "not valid"),
        ((record(KEY, more="t=y:s; "),), "testing"),
        ((record(KEY), record(new_key())), "several"),
        ((record(KEY) + "; n=" + "x" * 4096,), "longer"),
        ((record(KEY, more="v=DKIM2; ").removeprefix("v=DKIM1; "),), "not valid"),
    ],
)
def test_keys_that_are_none(zone: Zone, values: tuple[str, ...], reason: str) -> None:
    zone.records.pop(KEY_NAME)
    if values:
        zone.txt(KEY_NAME, *values)
    with pytest.raises(NotVerified, match=reason):
        check(signed(LIST_MAIL, KEY), zone)


def test_a_key_that_does_not_fit_comes_by_tcp_and_by_an_alias(zone: Zone) -> None:
    zone.txt("k.keys.example", record(KEY) + "; n=" + "x" * 1500)
    zone.aliases[KEY_NAME] = "k.keys.example"
    zone.records[KEY_NAME] = zone.records["k.keys.example"]
    assert check(signed(LIST_MAIL, KEY), zone).domain == "fjell.example"
    assert [by for _name, by in zone.asked] == ["udp", "tcp"]


def test_a_name_server_that_fails_or_says_nothing_ends_at_the_deadline(zone: Zone) -> None:
    zone.broken.add(KEY_NAME)
    with pytest.raises(NotVerified, match="NoNameservers"):
        check(signed(LIST_MAIL, KEY), zone)
    zone.broken.clear()
    zone.silent.add(KEY_NAME)
    started = time.monotonic()
    with pytest.raises(NotVerified, match="LifetimeTimeout"):
        check(signed(LIST_MAIL, KEY), zone, seconds=0.5)
    assert time.monotonic() - started < 2


def test_nobody_is_asked_about_domains_that_could_not_speak_for_the_list(zone: Zone) -> None:
    with pytest.raises(NotVerified, match="others"):
        check(signed(LIST_MAIL, KEY), zone, accepts=lambda domain, _signed: domain == "x.example")
    assert zone.asked == []


def test_one_of_several_signatures_is_enough_and_three_are_tried(zone: Zone) -> None:
    raw = signed(signed(LIST_MAIL, KEY), new_key(), domain="sender.example")
    assert check(raw, zone).domain == "fjell.example"
    for number in range(5):
        raw = signed(raw, KEY, selector=f"gone{number}")
    zone.asked.clear()
    with pytest.raises(NotVerified, match="no key"):
        check(raw, zone)
    assert len({name for name, _by in zone.asked}) == 3


def test_hostile_fields_cost_no_time(zone: Zone) -> None:
    started = time.monotonic()
    for value in (
        b"v=1; b=" + b" \r\n" * 20_000 + b"!",
        b"v=1; a=rsa-sha256; d=fjell.example; s=s1; b" + b"\r\n " * 2_500 + b"=AAAA; h=from",
        b"v=1; a=rsa-sha256; d=fjell.example; s=s1; b=AAAA; bh=AAAA; "
        b"h=from:list-unsubscribe:list-unsubscribe-post" + b":" * 7_000,
    ):
        with pytest.raises(NotVerified):
            check(b"DKIM-Signature: " + value + b"\r\n" + LIST_MAIL, zone)
    with pytest.raises(NotVerified, match="larger"):
        check(LIST_MAIL + b"x" * LARGEST_MESSAGE, zone)
    with pytest.raises(NotVerified, match="blanks"):
        check(LIST_MAIL + b" " * 1_000_000, zone)
    blanks = LIST_MAIL + (b" " * 127 + b".") * (LARGEST_MESSAGE // 130)
    assert check(signed(blanks, KEY), zone).domain == "fjell.example"
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("selector", ["a..b", "a/b", "x" * 64, "s1\x00", "über"])
def test_names_that_are_none_are_not_asked_for(zone: Zone, selector: str) -> None:
    raw = signed(LIST_MAIL, KEY).replace(b"s=s1;", b"s=" + selector.encode() + b";")
    with pytest.raises(NotVerified):
        check(raw, zone)
    assert zone.asked == []
