"""Answers that no honest server gives: heads, lengths, chunks and ends that lie (rendering.md §6)."""

import time
from collections.abc import Iterator

import pytest

from tests.webmail.remote.wire import Said, Wire, saying
from webmail.html.addresses import RefusedUrl
from webmail.remote import Answer, Limits, NotFetched, fetch

pytestmark = pytest.mark.enable_socket
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MUCH = b"x" * 65536


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    with saying(monkeypatch) as made:
        yield made


def get(wire: Wire, *, seconds: float = 30, octets: int = 1000) -> Answer:
    limits = Limits(seconds=seconds, octets=octets)
    return fetch(wire.url("/a"), limits=limits, rules=wire.rules(), user_agent="Signet test")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\n\r\n",
        b"<html>no head at all</html>",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 OK 200\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 -200 OK\r\n\r\n",
        b"HTTP/3.0 200 OK\r\n\r\nx",
        b"\x16\x03\x01\x02\x00\x01",
        OK + b"X: " + b"y" * 70_000 + b"\r\n\r\nx",
        OK + b"X: y\r\n" * 200 + b"\r\nx",
        OK + b"Content-Length: 5\r\n\r\nx",
        b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-0/9\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 204 None\r\n\r\n",
        b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 There\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
        CHUNKED + b"zz\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nx",
        CHUNKED + b"-1\r\nxyz",
        CHUNKED + b"1;" + b"y" * 70_000 + b"\r\nx\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_whole_answer_is_none(wire: Wire, octets: bytes) -> None:
    wire.say(octets)
    with pytest.raises(NotFetched):
        get(wire)
    assert len(wire.heads) == 1  # and nobody asks twice, least of all with a password


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (OK + b"Content-Length: 2\r\n\r\nabcdef", b"ab"),  # not what hangs behind
        (OK + b"Content-Length: -1\r\n\r\nabc", b"abc"),
        (OK + b"Content-Length: many\r\n\r\nabc", b"abc"),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc", b"abc"),
        (CHUNKED + b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\nX: y\r\n\r\n", b"abc"),
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n1\r\na\r\n0\r\n\r\n", b"a"),
        (b"HTTP/1.1 100 Go on\r\n\r\n" * 3 + OK + b"Content-Length: 1\r\n\r\na", b"a"),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
    ],
)
def test_lengths_that_lie_lead_nowhere(wire: Wire, said: bytes, body: bytes) -> None:
    wire.say(said)
    assert get(wire).content == body


@pytest.mark.parametrize(
    "said",
    [
        Said(OK + b"\r\n", MUCH),
        Said(OK + b"Content-Length: 99999999999\r\n\r\n", MUCH),
        Said(CHUNKED + b"FFFFFFFFFFFF\r\n", MUCH),
        Said(CHUNKED + b"-1\r\n", MUCH),  # http.client reads that to the end, however far it is
        Said(CHUNKED, b"1\r\nx\r\n" * 1000),
    ],
)
def test_an_endless_body_ends_at_the_size(wire: Wire, said: Said) -> None:
    wire.say(said)
    with pytest.raises(NotFetched, match="larger"):
        get(wire)


@pytest.mark.parametrize(
    "said",
    [
        Said(b"", MUCH),
        Said(OK, b"X: " + MUCH[:1000] + b"\r\n"),
        Said(b"HTTP/1.1 302 There\r\nLocation: ", MUCH),
    ],
)
def test_an_endless_head_ends_by_itself(wire: Wire, said: Said) -> None:
    wire.say(said)
    with pytest.raises(NotFetched, match=r"LineTooLong|BadStatusLine|HTTPException"):
        get(wire)


@pytest.mark.parametrize(
    "said",
    [
        Said(b"", b"HTTP/1.1 100 Go on\r\n\r\n" * 100),
        Said(CHUNKED + b"0\r\n", b"X: y\r\n" * 100),
    ],
)
def test_what_says_nothing_for_ever_ends_at_the_deadline(wire: Wire, said: Said) -> None:
    wire.say(said)
    started = time.monotonic()
    with pytest.raises(NotFetched):
        get(wire, seconds=0.5)
    assert time.monotonic() - started < 10


def test_what_is_packed_is_not_unpacked(wire: Wire) -> None:
    """A bomb by Content-Encoding stays as small as it came; nobody asked for one."""
    wire.say(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")
    assert get(wire).content == b"\x1f\x8b\x08\x00"
    assert b"accept-encoding: identity" in wire.heads[0].lower()


def test_a_cookie_set_on_the_way_goes_nowhere(wire: Wire) -> None:
    wire.say(
        b"HTTP/1.1 302 There\r\nLocation: /b\r\nSet-Cookie: id=7\r\nContent-Length: 0\r\n\r\n",
        OK + b"Set-Cookie: id=8\r\nContent-Length: 1\r\n\r\na",
    )
    assert get(wire).content == b"a"
    assert get(wire).content == b"a"
    for head in wire.heads:
        names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:] if line}
        assert names == {b"host", b"user-agent", b"accept", b"accept-encoding"}


@pytest.mark.parametrize(
    ("location", "refused"),
    [
        (b"//10.0.0.1/x", "address"),
        (b"http://127.0.0.1./", "address"),
        (b"http://[::ffff:127.0.0.1]/", "address"),
        (b"http://[64:ff9b::7f00:1]/", "address"),
        (b"http://2130706433/", "host"),
        (b"http://0x7f.1/", "host"),
        (b"http://localhost/", "host"),
        (b"http://user:word@pictures.example/", "credentials"),
        (b"http://pictures.example:6379/", "port"),
        (b"http://pictures.example:143/", "port"),
        (b"file:///etc/passwd", "scheme"),
        (b"ftp://pictures.example/x", "scheme"),
        (b"gopher://pictures.example:70/x", "scheme"),
        (b"data:image/png;base64,AAAA", "scheme"),
        (b"javascript:alert(1)", "scheme"),
        (b"http://pictures.example/\xa0x", "characters"),
        (b"http://pictures.example\\@10.0.0.1/", "characters"),
        (b"http://pictures.example/" + b"x" * 5000, "too-long"),
        (b"http://inside.example/x", "address"),
        (b"http://both.example/x", "address"),
    ],
)
def test_a_redirect_is_checked_from_zero(wire: Wire, location: bytes, refused: str) -> None:
    wire.elsewhere = {
        "inside.example": ["10.0.0.1"],
        "both.example": ["93.184.215.14", "169.254.169.254"],
        "pictures.example": ["93.184.215.14"],
    }
    wire.say(b"HTTP/1.1 302 There\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
    with pytest.raises(RefusedUrl) as problem:
        get(wire)
    assert problem.value.reason == refused
    assert len(wire.heads) == 1


def test_of_two_locations_the_first_counts(wire: Wire) -> None:
    wire.say(
        b"HTTP/1.1 302 There\r\nContent-Length: 0\r\nLocation: http://10.0.0.1/\r\nLocation: /b\r\n\r\n"
    )
    with pytest.raises(RefusedUrl):
        get(wire)


def test_a_name_that_moves_inside_between_two_steps_is_refused_there(wire: Wire) -> None:
    """Each step of a redirect resolves and checks anew."""
    check = wire.rules().check_address

    def move(address: str) -> object:
        wire.addresses = ["10.0.0.1"]
        return check(address)

    wire.say(b"HTTP/1.1 302 There\r\nContent-Length: 0\r\nLocation: /b\r\n\r\n")
    rules = type(wire.rules())(check_url=wire.rules().check_url, check_address=move)
    with pytest.raises(RefusedUrl):
        fetch(wire.url("/a"), limits=Limits(5, 9), rules=rules, user_agent="Signet test")
    assert len(wire.heads) == 1
