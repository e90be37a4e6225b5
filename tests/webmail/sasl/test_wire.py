import socket
import time

import pytest

from tests.fakes.scripted import ScriptedServer
from tests.servers.tls import Authority, self_signed
from webmail.sasl import (
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Endpoint,
    LimitExceeded,
    TlsRefused,
    open_wire,
    tls_context,
)


def wire_to(server, *, ca_pem=None, security="starttls", host="127.0.0.1", seconds=5):
    endpoint = Endpoint(host, server.port, security, ca_pem)
    return open_wire(endpoint, tls_context(endpoint), seconds=seconds, clock=time.monotonic)


def test_a_trickle_cannot_outlast_the_budget():
    with ScriptedServer(lambda peer: peer.trickle(b"x" * 1000, every=0.05)) as server:
        wire = wire_to(server)
        wire.begin(seconds=0.4, byte_limit=1000)
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            wire.readline(1000)
        assert 0.3 < time.monotonic() - started < 1.5
        assert wire.is_closed


def test_bytes_moved_extend_the_budget():
    def script(peer):
        for _ in range(10):
            peer.send(b"x" * 10_000)
            peer.wait(0.05)
        peer.send(b"\n")

    with ScriptedServer(script) as server:
        wire = wire_to(server)
        wire.begin(seconds=0.2, byte_limit=1_000_000, rate=50_000)
        assert len(wire.readline(1_000_000)) == 100_001
        wire.close()


def test_the_total_budget_wins_over_each_exchange():
    with ScriptedServer(lambda peer: peer.hang()) as server:
        wire = wire_to(server)
        wire.allow_until(time.monotonic() + 0.2)
        wire.begin(seconds=60, byte_limit=1000)
        with pytest.raises(DeadlineExceeded):
            wire.readline(10)


def test_an_endless_line_ends_at_its_limit():
    with ScriptedServer(lambda peer: peer.flood(b"x", megabytes=50)) as server:
        wire = wire_to(server)
        wire.begin(seconds=10, byte_limit=10_000_000)
        with pytest.raises(LimitExceeded):
            wire.readline(100_000)
        assert wire.received < 400_000


def test_too_many_bytes_end_at_the_limit():
    with ScriptedServer(lambda peer: peer.flood(b"line\n", megabytes=50)) as server:
        wire = wire_to(server)
        wire.begin(seconds=10, byte_limit=500_000)
        with pytest.raises(LimitExceeded):
            while True:
                wire.readline(100)
        assert wire.received < 1_000_000


def test_reads_and_lines_mix():
    with ScriptedServer(
        lambda peer: peer.send(b"one\r\nabcdef\r\n" + b"z" * 200_000 + b"end\n")
    ) as server:
        wire = wire_to(server)
        wire.begin(seconds=5, byte_limit=1_000_000)
        assert wire.readline(100) == b"one\r\n"
        assert wire.read(3) == b"abc"
        assert wire.readline(100) == b"def\r\n"
        assert wire.read(200_000) == b"z" * 200_000
        assert wire.readline(100) == b"end\n"
        with pytest.raises(ConnectionLost):
            wire.readline(100)


def test_nobody_home():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    endpoint = Endpoint("127.0.0.1", port, "starttls")
    with pytest.raises(ConnectFailed, match="Nothing answers"):
        open_wire(endpoint, tls_context(endpoint), seconds=2, clock=time.monotonic)


def test_an_unknown_name():
    endpoint = Endpoint("no-such-host.invalid", 993, "tls")
    with pytest.raises(ConnectFailed):
        open_wire(endpoint, tls_context(endpoint), seconds=5, clock=time.monotonic)


AUTHORITY = Authority()


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        (AUTHORITY.issue("other.test"), "belongs to another"),
        (AUTHORITY.issue(days=(-10, -1)), "has expired"),
        (AUTHORITY.issue(days=(1, 10)), "not valid yet"),
        (AUTHORITY.issue(usage_server=False), "not meant for servers"),
        (self_signed(), "self-signed"),
        (Authority(name="Someone else").issue(), "unknown authority"),
    ],
    ids=["name", "expired", "future", "usage", "self-signed", "authority"],
)
def test_a_wrong_certificate_is_refused_in_words(identity, says, tmp_path):
    context = identity.server_context(tmp_path)
    with (
        ScriptedServer(lambda peer: peer.hang(), context=context) as server,
        pytest.raises(TlsRefused) as caught,
    ):
        wire_to(server, ca_pem=AUTHORITY.ca_pem, security="tls", host="localhost")
        assert says in caught.value.reason


def test_old_tls_is_refused(tmp_path):
    import ssl

    context = AUTHORITY.issue().server_context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        ScriptedServer(lambda peer: peer.hang(), context=context) as server,
        pytest.raises((TlsRefused, ConnectFailed)),
    ):
        wire_to(server, ca_pem=AUTHORITY.ca_pem, security="tls", host="localhost")


def test_clear_text_where_tls_was_expected():
    with (
        ScriptedServer(lambda peer: peer.send(b"* OK IMAP ready\r\n") or peer.hang()) as server,
        pytest.raises(TlsRefused, match="clear text"),
    ):
        wire_to(server, ca_pem=AUTHORITY.ca_pem, security="tls", host="localhost")


def test_the_address_is_dialled_and_the_name_is_checked(tmp_path):
    context = AUTHORITY.issue("mail.example.test").server_context(tmp_path)
    with ScriptedServer(lambda peer: peer.hang(), context=context) as server:
        endpoint = Endpoint("mail.example.test", server.port, "tls", AUTHORITY.ca_pem, "127.0.0.1")
        wire = open_wire(endpoint, tls_context(endpoint), seconds=5, clock=time.monotonic)
        assert wire.is_private
        wire.close()


@pytest.mark.parametrize(
    "arguments",
    [
        ("", 1, "tls"),
        ("a b", 1, "tls"),
        ("a\r\n", 1, "tls"),
        ("a", 0, "tls"),
        ("a", 70000, "tls"),
        ("a", 1, "plain"),
    ],
)
def test_endpoints_are_checked(arguments):
    with pytest.raises(ValueError):
        Endpoint(*arguments)


def test_an_unreadable_authority_is_refused_in_words():
    with pytest.raises(TlsRefused):
        tls_context(Endpoint("a", 1, "tls", "not a certificate"))
