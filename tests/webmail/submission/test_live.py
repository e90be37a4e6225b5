"""Submission to Postfix, delivered by LMTP into Dovecot."""

import re
import time

import pytest

from tests.servers.postfix import LATER, REFUSED, SIZE_LIMIT
from webmail.imap import Session
from webmail.sasl.mechanisms import PREFERENCE
from webmail.submission import (
    AuthFailed,
    Cause,
    Credentials,
    Phase,
    TlsRefused,
    check_login,
    limits,
    submit,
)

pytestmark = pytest.mark.live


def send(servers, recipients, *, subject, security="tls", content=None, **options):
    phases = []
    content = (
        content
        or (
            f"From: alice@example.test\r\nTo: x@example.test\r\nSubject: {subject}\r\n"
            f"Message-ID: <{subject}@example.test>\r\n\r\n.first\r\n..\r\n.\r\nlast\r\n"
        ).encode()
    )
    outcome = submit(
        endpoint=servers.postfix.endpoint(security),
        credentials=servers.alice.credentials,
        envelope_from=servers.alice.address,
        recipients=recipients,
        content=content,
        on_phase=phases.append,
        envelope_id=subject,
        **options,
    )
    return outcome, phases


def delivered(servers, user, subject, *, seconds=15):
    until = time.monotonic() + seconds
    with Session.open(servers.dovecot.endpoint(), user.credentials) as session:
        while time.monotonic() < until:
            session.select("INBOX")
            if found := session.find_message_id(f"{subject}@example.test"):
                return [session.body(uid, limit=10**7) for uid in found]
            time.sleep(0.1)
    return []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_arrives_unchanged_and_once(mail_servers, security):
    subject = f"live-{security}-{time.monotonic_ns()}"
    outcome, phases = send(
        mail_servers, [mail_servers.bob.address], subject=subject, security=security
    )
    assert outcome.state == "accepted"
    assert phases == list(Phase)
    (raw,) = delivered(mail_servers, mail_servers.bob, subject)
    assert raw.endswith(b"\r\n\r\n.first\r\n..\r\n.\r\nlast\r\n")


def test_the_log_shows_tls_before_auth(mail_servers):
    subject = f"order-{time.monotonic_ns()}"
    send(mail_servers, [mail_servers.bob.address], subject=subject, security="starttls")
    log = mail_servers.submission_log()
    process = re.findall(r"smtpd\[(\d+)\]: [0-9A-F]+: client=.*sasl_username=alice", log)[-1]
    lines = [line for line in log.splitlines() if f"smtpd[{process}]" in line]
    last = max(i for i, line in enumerate(lines) if " connect from" in line)
    assert "TLS connection established" in lines[last + 1]
    assert "sasl_method=" in lines[last + 2]


def test_one_of_three_refused(mail_servers):
    subject = f"three-{time.monotonic_ns()}"
    outcome, _ = send(mail_servers, [mail_servers.bob.address, REFUSED, LATER], subject=subject)
    assert outcome.state == "accepted"
    assert [(r.state, r.code, r.enhanced) for r in outcome.recipients] == [
        ("accepted", 250, "2.1.5"),
        ("permanent", 550, "5.1.1"),
        ("temporary", 451, "4.3.0"),
    ]
    assert len(delivered(mail_servers, mail_servers.bob, subject)) == 1


@pytest.mark.parametrize(("address", "state"), [(REFUSED, "permanent"), (LATER, "temporary")])
def test_nobody_accepted(mail_servers, address, state):
    outcome, phases = send(mail_servers, [address], subject="nobody")
    assert outcome.state == state
    assert Phase.DATA not in phases


def test_the_envelope_id_reaches_the_server(mail_servers):
    subject = f"envid-{time.monotonic_ns()}"
    outcome, _ = send(mail_servers, [mail_servers.bob.address], subject=subject)
    assert outcome.code == 250
    assert limits(mail_servers.postfix.endpoint(), mail_servers.alice.credentials).has_dsn


def test_a_mail_too_large_is_not_transmitted(mail_servers):
    content = b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n"
    content += (b"y" * 998 + b"\r\n") * (SIZE_LIMIT // 1000 + 1)
    outcome, phases = send(mail_servers, [mail_servers.bob.address], subject="big", content=content)
    assert (outcome.state, outcome.cause) == ("permanent", Cause.TOO_LARGE)
    assert Phase.RCPT not in phases


@pytest.mark.parametrize("mechanism", PREFERENCE)
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_every_mechanism(mail_servers, mechanism, security):
    endpoint = mail_servers.postfix.endpoint(security)
    check_login(endpoint, mail_servers.alice.credentials, mechanisms=[mechanism])
    with pytest.raises(AuthFailed):
        check_login(endpoint, Credentials("alice", "wrong"), mechanisms=[mechanism])


def test_an_authority_that_is_not_ours(mail_servers):
    from tests.servers.tls import Authority
    from webmail.sasl import Endpoint

    other = Authority(name="Another").ca_pem
    with pytest.raises(TlsRefused):
        check_login(
            Endpoint("localhost", mail_servers.submissions_port, "tls", other),
            mail_servers.alice.credentials,
        )
    assert mail_servers.alice.password not in mail_servers.submission_log()
