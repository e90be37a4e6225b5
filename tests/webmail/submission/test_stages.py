"""Every stage of a submission against a scripted server: reliability checks 2, 4-6, 45, 46."""

import time

import pytest

from tests.fakes.scripted import ScriptedServer
from tests.fakes.smtp import FakeSmtp
from tests.servers.tls import self_signed
from webmail.submission import (
    AuthFailed,
    Cause,
    ConnectFailed,
    Credentials,
    Deadlines,
    Endpoint,
    MailServerError,
    Phase,
    ServerUnavailable,
    TlsRefused,
    check_login,
    limits,
    submit,
)

ALICE = Credentials("alice", "s3cret-word")
QUICK = Deadlines(connect=1, greeting=1, command=1, before_data=5, data=1, block=2, final=1)
CONTENT = b"From: a@b.test\r\nSubject: hello\r\n\r\n.dot\r\n..\r\nend\r\n"


class Run:
    """One submission: what it came to, and what the server saw."""

    def __init__(
        self, script, test_authority, *, security="tls", context=None, on_phase=None, **options
    ):
        self.phases = []
        self.script = script

        def record(phase):
            self.phases.append(phase)
            if on_phase:
                on_phase(phase)

        with ScriptedServer(script, context=context) as server:
            endpoint = Endpoint(
                "localhost", server.port, security, test_authority.ca_pem, "127.0.0.1"
            )
            values = {
                "envelope_from": "a@b.test",
                "recipients": ["c@d.test"],
                "content": CONTENT,
                "envelope_id": "id-1",
                "deadlines": QUICK,
            } | options
            try:
                self.outcome = submit(
                    endpoint=endpoint, credentials=ALICE, on_phase=record, **values
                )
            finally:
                self.log = server.log


@pytest.fixture
def run(test_authority, server_context):
    def start(script=None, **options):
        return Run(script or FakeSmtp(), test_authority, context=server_context, **options)

    return start


def test_a_mail_is_accepted_phase_by_phase(run):
    done = run()
    assert done.outcome.state == "accepted"
    assert done.outcome.code == 250
    assert done.outcome.enhanced == "2.0.0"
    assert done.outcome.recipients[0].state == "accepted"
    assert done.phases == list(Phase)
    assert done.script.messages == [CONTENT.replace(b"\r\n.", b"\r\n..")]
    assert b"MAIL FROM:<a@b.test> SIZE=%d RET=HDRS ENVID=id-1" % len(CONTENT) in done.log
    assert b"RCPT TO:<c@d.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;c@d.test" in done.log


def test_starttls_comes_before_auth_and_ehlo_is_repeated(test_authority, server_context):
    done = Run(FakeSmtp(context=server_context), test_authority, security="starttls")
    assert done.outcome.state == "accepted"
    verbs = [line.split(b" ")[0] for line in done.log]
    assert verbs[:4] == [b"ehlo", b"STARTTLS", b"ehlo", b"AUTH"]


STAGES = ["banner", "ehlo", "auth", "mail", "rcpt", "data", "dot"]
REACHED = {
    "banner": Phase.CONNECTING, "ehlo": Phase.CONNECTING, "auth": Phase.GREETED, "mail": Phase.MAIL,
    "rcpt": Phase.RCPT, "data": Phase.DATA, "dot": Phase.DATA_END,
}  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("reply", [b"421 4.3.2 closing\r\n", b"451 4.3.0 later\r\n"])
def test_4xx_is_temporary_at_each_stage(run, stage, reply):
    done = run(FakeSmtp(replies={stage: reply}))
    assert done.outcome.state == "temporary"
    assert done.outcome.stage is REACHED[stage]
    assert [r.state for r in done.outcome.recipients] in (["temporary"], [])
    assert len(done.script.messages) == (1 if stage == "dot" else 0)


@pytest.mark.parametrize("stage", ["auth", "mail", "rcpt", "data", "dot"])
def test_5xx_is_permanent_at_each_stage(run, stage):
    done = run(FakeSmtp(replies={stage: b"554-5.7.1 No\r\n554 5.7.1 never\r\n"}))
    assert done.outcome.state == "permanent"
    assert done.outcome.stage is REACHED[stage]
    if stage != "auth":
        assert (done.outcome.code, done.outcome.enhanced) == (554, "5.7.1")
        assert "never" in done.outcome.text
        assert done.outcome.cause is Cause.REPLY
    else:
        assert done.outcome.cause is Cause.AUTHENTICATION


@pytest.mark.parametrize("stage", ["banner", "ehlo", "auth", "mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [b"", lambda p: p.hang(), b"garbage\r\n", b"999 x\r\n", b"2\r\n", lambda p: p.trickle(b"250 " + b"x" * 99, every=0.05), lambda p: p.flood(b"250-x\r\n", megabytes=10), lambda p: p.flood(b"x", megabytes=10)],
    ids=["hangup", "silence", "garbage", "999", "short", "trickle", "endless-reply", "endless-line"])  # fmt: skip
def test_faults_before_the_dot_are_temporary(run, stage, fault):
    started = time.monotonic()
    done = run(FakeSmtp(replies={stage: fault}))
    assert done.outcome.state == "temporary"
    assert done.outcome.cause in (Cause.CONNECTION, Cause.DEADLINE, Cause.PROTOCOL)
    assert done.outcome.reason.endswith(".")
    assert not done.script.messages
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("fault", [b"", lambda p: p.hang(), b"garbage\r\n", b"354 what\r\n", lambda p: p.trickle(b"250 " + b"x" * 99, every=0.05), lambda p: p.flood(b"250-x\r\n", megabytes=10)],
    ids=["hangup", "silence", "garbage", "354", "trickle", "endless"])  # fmt: skip
def test_no_readable_reply_after_the_dot_is_uncertain(run, fault):
    done = run(FakeSmtp(replies={"dot": fault}))
    assert done.outcome.state == "uncertain"
    assert done.outcome.stage is Phase.DATA_END
    assert [r.state for r in done.outcome.recipients] == ["uncertain"]
    assert len(done.script.messages) == 1


def test_a_late_confirmation_is_waited_for(run):
    done = run(FakeSmtp(replies={"dot": lambda p: p.wait(0.6) or p.send(b"250 ok\r\n")}))
    assert done.outcome.state == "accepted"


def test_data_end_is_announced_before_the_dot(run, test_authority, server_context):
    class Stop(Exception):  # noqa: N818
        pass

    def refuse(phase):
        if phase is Phase.DATA_END:
            time.sleep(0.3)
            assert script.dots == 0
            raise Stop

    script = FakeSmtp()
    with pytest.raises(Stop):
        Run(script, test_authority, context=server_context, on_phase=refuse)
    assert script.messages == []
    assert len(script.unfinished) == 1


def test_some_recipients_refused(run):
    answers = iter([b"250 ok\r\n", b"550 5.1.1 no such\r\n", b"451 4.2.0 later\r\n"])
    done = run(
        FakeSmtp(replies={"rcpt": lambda p: p.send(next(answers))}),
        recipients=["a@x.test", "b@x.test", "c@x.test", "broken", "ü@x.test"],
    )
    assert done.outcome.state == "accepted"
    assert [r.state for r in done.outcome.recipients] == [
        "accepted",
        "permanent",
        "temporary",
        "permanent",
        "permanent",
    ]
    assert sum(line.startswith(b"RCPT") for line in done.log) == 3


def test_all_recipients_refused_sends_nothing(run):
    done = run(FakeSmtp(replies={"rcpt": b"550 5.1.1 no\r\n"}), recipients=["a@x.test", "b@x.test"])
    assert done.outcome.state == "permanent"
    assert not any(line == b"DATA" for line in done.log)


@pytest.mark.parametrize(
    ("options", "extensions", "cause"),
    [
        ({}, (b"SIZE 10",), Cause.TOO_LARGE),
        ({"content": b"A: b\r\n\r\n\xc3\xa4\r\n"}, (), Cause.NO_8BITMIME),
        ({"content": b"A: \xc3\xa4\r\n\r\nx\r\n"}, (b"8BITMIME",), Cause.NO_SMTPUTF8),
        ({"envelope_from": "ä@b.test"}, (b"8BITMIME",), Cause.NO_SMTPUTF8),
        ({"envelope_from": "no address"}, (), Cause.ADDRESS),
        ({"envelope_from": "a@b.test>\r\nRCPT TO:<x@y.test"}, (), Cause.ADDRESS),
        ({"recipients": ["a@b.test> NOTIFY=NEVER\r\nDATA"]}, (), Cause.ADDRESS),
    ],
)
def test_what_the_server_cannot_take_is_not_sent(run, options, extensions, cause):
    done = run(FakeSmtp(extensions=(b"AUTH PLAIN", *extensions)), **options)
    assert done.outcome.state == "permanent"
    assert done.outcome.cause is cause
    assert not any(line == b"DATA" or line.startswith(b"RCPT") for line in done.log)


def test_parameters_are_sent_only_when_offered(run):
    done = run(FakeSmtp(extensions=(b"AUTH PLAIN",)))
    assert b"MAIL FROM:<a@b.test>" in done.log
    assert b"RCPT TO:<c@d.test>" in done.log


def test_8bit_and_utf8_when_offered(run):
    done = run(
        FakeSmtp(extensions=(b"AUTH PLAIN", b"8BITMIME", b"SMTPUTF8", b"DSN")),
        content="Subject: ä\r\n\r\nü\r\n".encode(),
        recipients=["zoë@bücher.example"],
        envelope_id="a b+c",
    )
    assert done.outcome.state == "accepted"
    assert b"MAIL FROM:<a@b.test> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b+2Bc" in done.log
    assert "RCPT TO:<zoë@xn--bcher-kva.example> NOTIFY=FAILURE,DELAY".encode() in done.log


@pytest.mark.parametrize(
    "content", [b"", b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n", b"a\r\n.\n\r\nb\r\n"]
)
def test_a_message_that_could_smuggle_another_is_refused(run, content):
    with pytest.raises(ValueError):
        run(content=content)


def test_dots_over_step_borders(run):
    content = b"A: b\r\n\r\n" + b".x\r\n" * 200_000 + b"no end"
    script = FakeSmtp(extensions=(b"AUTH PLAIN", b"SIZE"))
    done = run(script, content=content, deadlines=Deadlines(final=20))
    assert done.outcome.state == "accepted"
    assert script.messages[0] == b"A: b\r\n\r\n" + b"..x\r\n" * 200_000 + b"no end\r\n"


# --- TLS and signing in ----------------------------------------------------------------------------


@pytest.mark.parametrize("injected", [b"250 fake\r\n", b"x"])
def test_clear_text_behind_220_is_refused(test_authority, server_context, injected):
    done = Run(
        FakeSmtp(context=server_context, replies={"starttls": b"220 go\r\n" + injected}),
        test_authority,
        security="starttls",
    )
    assert (done.outcome.state, done.outcome.cause) == ("temporary", Cause.TLS)
    assert not any(b"AUTH" in line for line in done.log)


@pytest.mark.parametrize(
    "fields",
    [
        {"plain_extensions": (b"AUTH PLAIN",)},
        {"replies": {"starttls": b"454 no\r\n"}},
        {"replies": {"starttls": b"220 go\r\n"}, "context": None},
    ],
    ids=["stripped", "refused", "no-tls-behind"],
)
def test_without_tls_nothing_is_said(test_authority, server_context, fields):
    script = FakeSmtp(**({"context": server_context} | fields))
    if script.context is None:
        script.extensions = (b"STARTTLS", b"AUTH PLAIN")
    done = Run(script, test_authority, security="starttls")
    assert (done.outcome.state, done.outcome.cause) == ("temporary", Cause.TLS)
    assert not any(b"AUTH" in line or b"MAIL" in line for line in done.log)


def test_a_self_signed_certificate_is_refused(test_authority, tmp_path):
    context = self_signed().server_context(tmp_path)
    done = Run(FakeSmtp(context=context), test_authority, security="starttls")
    assert done.outcome.cause is Cause.TLS
    assert "self-signed" in done.outcome.reason


def ask(script, context, test_authority, what):
    with ScriptedServer(script, context=context) as server:
        endpoint = Endpoint("localhost", server.port, "tls", test_authority.ca_pem, "127.0.0.1")
        return what(endpoint, ALICE, deadlines=QUICK)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (FakeSmtp(replies={"auth": b"535 5.7.8 no\r\n"}), AuthFailed),
        (FakeSmtp(replies={"auth": b"454 4.7.0 later\r\n"}), ServerUnavailable),
        (FakeSmtp(replies={"banner": b"554 go away\r\n"}), ConnectFailed),
        (FakeSmtp(replies={"banner": b"421 busy\r\n"}), ServerUnavailable),
        (FakeSmtp(replies={"banner": b"* OK IMAP\r\n"}), MailServerError),
        (FakeSmtp(extensions=(b"AUTH CRAM-MD5",)), AuthFailed),
        (FakeSmtp(extensions=()), AuthFailed),
        (
            FakeSmtp(extensions=(b"AUTH SCRAM-SHA-256",), replies={"auth": b"235 in\r\n"}),
            AuthFailed,
        ),
        (FakeSmtp(extensions=(b"AUTH LOGIN",), replies={"auth": b"334 !!!\r\n"}), MailServerError),
    ],
)
def test_check_login_says_why(script, kind, server_context, test_authority):
    with pytest.raises(kind) as caught:
        ask(script, server_context, test_authority, check_login)
    assert "s3cret" not in caught.value.reason


def test_limits(server_context, test_authority):
    found = ask(FakeSmtp(), server_context, test_authority, limits)
    assert found.size == 1_000_000
    assert found.has_dsn
    assert found.tls.version == "TLSv1.3"
    assert not found.has_smtputf8
    assert found.mechanisms == {"PLAIN", "LOGIN"}


@pytest.mark.parametrize("size", [b"0", b"", b"many", b"\xb2", b"1" * 19])
def test_a_size_that_is_none_is_no_limit(server_context, test_authority, size):
    script = FakeSmtp(extensions=(b"AUTH PLAIN", b"SIZE " + size))
    assert ask(script, server_context, test_authority, limits).size is None


def test_tls_refused_is_raised_when_asking(test_authority, tmp_path):
    context = self_signed().server_context(tmp_path)
    with pytest.raises(TlsRefused):
        ask(FakeSmtp(), context, test_authority, check_login)
