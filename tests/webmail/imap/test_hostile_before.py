"""Hostile and broken servers before anybody is signed in: reliability checks 33, 34, 36, 37, 46."""

import time

import pytest

from tests.fakes.imap import FakeImap
from tests.servers.tls import Authority, self_signed
from tests.webmail.imap.hostile import SECRET, connect, serve
from webmail.imap import (
    AuthFailed,
    ConnectFailed,
    ImapError,
    LimitExceeded,
    ProtocolViolation,
    ServerUnavailable,
    TlsRefused,
)

# --- before TLS ----------------------------------------------------------------------------------


def refusal(script, test_authority, server_context=None, *, security="starttls", context=None):
    """The error of opening a session; checks that no secret went out."""
    with (
        serve(script, context) as server,
        pytest.raises(ImapError) as caught,
    ):
        connect(server, test_authority, security=security)
        assert not any(secret in line for line in server.log for secret in SECRET)
    assert caught.value.reason.endswith(".")
    return caught.value


def test_starttls_works_and_is_followed_by_new_capabilities(server_context, test_authority):
    script = FakeImap(context=server_context)
    with (
        serve(script) as server,
        connect(server, test_authority, security="starttls") as session,
    ):
        assert "STARTTLS" not in session.capabilities
        assert "AUTH=PLAIN" in session.capabilities
        assert session.server_id == {"name": "Fake"}
    names = [line.split()[1] for line in server.log]
    assert names == [
        b"CAPABILITY",
        b"STARTTLS",
        b"CAPABILITY",
        b"AUTHENTICATE",
        b"CAPABILITY",
        b"ID",
        b"LOGOUT",
    ]


def test_stripped_starttls_is_refused(server_context, test_authority):
    script = FakeImap(context=server_context, plain_capabilities=b"AUTH=PLAIN")
    assert isinstance(refusal(script, test_authority), TlsRefused)


@pytest.mark.parametrize(
    "reply", [b"TAG NO not now\r\n", b"TAG BAD what\r\n", b"* BYE\r\nTAG NO x\r\n"]
)
def test_refused_starttls_is_refused(server_context, test_authority, reply):
    script = FakeImap(context=server_context, starttls_reply=reply)
    assert isinstance(refusal(script, test_authority), TlsRefused)


def test_preauth_is_refused(server_context, test_authority):
    for security, context in (("starttls", None), ("tls", server_context)):
        script = FakeImap(
            context=None if context else server_context, greeting=b"* PREAUTH hello alice\r\n"
        )
        assert isinstance(
            refusal(script, test_authority, security=security, context=context), TlsRefused
        )


@pytest.mark.parametrize("injected", [b"* CAPABILITY IMAP4rev1 AUTH=LOGIN\r\n", b"+ x\r\n", b"x"])
def test_clear_text_behind_the_ok_is_refused(server_context, test_authority, injected):
    script = FakeImap(context=server_context, starttls_reply=b"TAG OK go\r\n" + injected)
    error = refusal(script, test_authority)
    assert isinstance(error, TlsRefused)
    assert "clear text" in error.reason


def test_what_was_said_before_tls_is_forgotten(server_context, test_authority):
    script = FakeImap(
        context=server_context,
        starttls_reply=b"* 99 EXISTS\r\n* OK [ALERT] call 555\r\n* CAPABILITY IMAP4rev1 MOVE\r\nTAG OK go\r\n",
    )
    with serve(script) as server, connect(server, test_authority, security="starttls") as session:
        assert session.take_events() == []
        assert not session.has("MOVE")


@pytest.mark.parametrize("make", [self_signed, lambda: Authority(name="Other").issue()])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_certificates_nobody_trusts_are_refused(make, security, test_authority, tmp_path):
    context = make().server_context(tmp_path)
    script = FakeImap(context=context if security == "starttls" else None)
    error = refusal(
        script, test_authority, security=security, context=context if security == "tls" else None
    )
    assert isinstance(error, TlsRefused)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (lambda p: p.trickle(b"* OK " + b"x" * 1000, every=0.05), ConnectFailed),
        (lambda p: p.hang(), ConnectFailed),
        (lambda p: None, ConnectFailed),
        (lambda p: p.send(b"* BYE too many\r\n"), ServerUnavailable),
        (lambda p: p.send(b"220 smtp\r\n") or p.hang(), ProtocolViolation),
        (lambda p: p.send(b"* OK hi\r\nX1 OK what\r\n") or p.hang(), ProtocolViolation),
        (lambda p: p.send(b"* OK {4000000000}\r\n") or p.hang(), ImapError),
        (lambda p: p.flood(b"x", megabytes=5), LimitExceeded),
        (lambda p: p.flood(b"* OK x\r\n", megabytes=5), ImapError),
        (lambda p: p.send(b"\xff\xfe\x00\r\n") or p.hang(), ProtocolViolation),
    ],
    ids=["trickle", "silence", "hangup", "bye", "smtp", "tag", "literal", "line", "lines", "noise"],
)
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_bad_greetings_end_soon(script, kind, security, test_authority, server_context):
    started = time.monotonic()
    error = refusal(
        script,
        test_authority,
        security=security,
        context=server_context if security == "tls" else None,
    )
    assert isinstance(error, kind)
    assert time.monotonic() - started < 4


# --- signing in ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"TAG NO [AUTHENTICATIONFAILED] no\r\n", AuthFailed),
        (b"TAG NO no\r\n", AuthFailed),
        (b"TAG NO [UNAVAILABLE] later\r\n", ServerUnavailable),
        (b"TAG NO [LIMIT] too many\r\n", ServerUnavailable),
        (b"* BYE [UNAVAILABLE] shutting down\r\n", ServerUnavailable),
        (b"X9 OK in\r\n", ProtocolViolation),
        (b"+ cGFzc3dvcmQ=\r\n", ProtocolViolation),
        (b"* OK " + b"x" * 2_000_000 + b"\r\nTAG OK\r\n", LimitExceeded),
    ],
)
def test_refused_sign_ins(reply, kind, server_context, test_authority):
    script = FakeImap(commands={b"AUTHENTICATE": reply})
    with serve(script, server_context) as server, pytest.raises(ImapError) as caught:
        connect(server, test_authority)
    assert isinstance(caught.value, kind)
    assert "s3cret" not in caught.value.reason
    assert sum(b"AUTHENTICATE" in line for line in server.log) == 1


def test_bye_before_hanging_up_is_a_busy_server(server_context, test_authority):
    def bye(peer, tag, rest):
        peer.send(b"* BYE [LIMIT] too many connections\r\n")
        peer.close()

    with (
        serve(FakeImap(commands={b"AUTHENTICATE": bye}), server_context) as server,
        pytest.raises(ServerUnavailable),
    ):
        connect(server, test_authority)


def test_a_user_without_a_scram_verifier_signs_in_by_plain(server_context, test_authority):
    def authenticate(peer, tag, rest):
        peer.send(tag + (b" NO no verifier\r\n" if rest.startswith(b"SCRAM") else b" OK in\r\n"))

    script = FakeImap(
        capabilities=b"AUTH=PLAIN AUTH=SCRAM-SHA-256 SASL-IR",
        commands={b"AUTHENTICATE": authenticate},
    )
    with serve(script, server_context) as server, connect(server, test_authority):
        pass
    assert sum(b"AUTHENTICATE" in line for line in server.log) == 2


def test_login_takes_literals_when_there_is_no_sasl(server_context, test_authority):
    script = FakeImap(capabilities=b"", commands={b"LOGIN": b"TAG OK in\r\n"})
    with serve(script, server_context) as server, connect(server, test_authority):
        pass
    assert script.literals == [b"alice", b"s3cret-word"]


def test_no_way_to_sign_in(server_context, test_authority):
    with (
        serve(FakeImap(capabilities=b"LOGINDISABLED AUTH=GSSAPI"), server_context) as server,
        pytest.raises(AuthFailed),
    ):
        connect(server, test_authority)
