"""kill -9 of the send worker at each phase: delivered once, or uncertain, and never twice."""

import sqlite3
import threading
from contextlib import contextmanager

import pytest

from tests.fakes.scripted import ScriptedServer
from tests.fakes.smtp import DEFAULT, FakeSmtp
from tests.live.send_workers import SendSite, kill

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

BEFORE_THE_DOT = ["banner", "ehlo", "auth", "mail", "rcpt", "data"]


class Holding(FakeSmtp):
    """A submission server that holds its reply to one stage, the first time, until told."""

    def __init__(self, stage: str = "") -> None:
        super().__init__()
        self.reached = threading.Event()
        self.may_go_on = threading.Event()
        self._held = False
        if stage:
            self.replies[stage] = lambda peer: self._hold(peer, stage)

    def _hold(self, peer, stage):
        if not self._held:
            self._held = True
            self.reached.set()
            self.may_go_on.wait(200)
        words = [b"AUTH PLAIN LOGIN", b"8BITMIME", b"SIZE 1000000", b"DSN"]
        ehlo = (
            b"250-fake\r\n" + b"".join(b"250-%b\r\n" % word for word in words[:-1]) + b"250 DSN\r\n"
        )
        peer.send(ehlo if stage == "ehlo" else DEFAULT[stage])

    def _reads_message(self):
        return True


@pytest.fixture
def send_site(tmp_path, valkey_server):
    """A site without workers yet, its Valkey empty."""
    valkey_server.stop()
    valkey_server.start()
    return SendSite(tmp_path, valkey_server)


@contextmanager
def serving(script, send_site, server_context, test_authority):
    with ScriptedServer(script, context=server_context) as server:
        send_site.set_up(port=server.port, ca_pem=test_authority.ca_pem)
        try:
            yield server
        finally:
            getattr(script, "may_go_on", threading.Event()).set()


@pytest.mark.parametrize("stage", BEFORE_THE_DOT)
def test_before_the_dot_it_is_sent_once_by_the_next_worker(
    send_site, server_context, test_authority, stage
):
    script = Holding(stage)
    with serving(script, send_site, server_context, test_authority):
        (outgoing,) = send_site.queue("bob@example.test")
        with send_site.worker() as worker:
            assert script.reached.wait(100), send_site.log()
            kill(worker)
        assert send_site.state(outgoing).state == "sending"
        script.may_go_on.set()
        with send_site.worker():
            after = send_site.wait(outgoing, "accepted", "filed")
    assert len(script.messages) == 1
    assert after.attempts == 2
    assert after.deliveries == {"bob@example.test": "accepted"}


def test_after_the_dot_it_is_uncertain_and_stays_so(send_site, server_context, test_authority):
    script = Holding("dot")
    with serving(script, send_site, server_context, test_authority):
        (outgoing,) = send_site.queue("bob@example.test")
        with send_site.worker() as worker:
            assert script.reached.wait(100), send_site.log()
            kill(worker)
        assert send_site.state(outgoing).phase == "data_end"
        with send_site.worker():
            send_site.wait(outgoing, "uncertain")
            (later,) = send_site.queue("bob@example.test", "Another")  # the lane works on
            send_site.wait(later, "accepted", "filed")
            after = send_site.state(outgoing)
    assert (after.state, after.is_leased) == ("uncertain", False)
    assert len(script.messages) == 2
    assert sum(b"Subject: Offer" in message for message in script.messages) == 1


def test_taken_by_the_server_but_not_booked_is_uncertain(send_site, server_context, test_authority):
    script = Holding("dot")
    with serving(script, send_site, server_context, test_authority):
        (outgoing,) = send_site.queue("bob@example.test")
        with send_site.worker() as worker:
            assert script.reached.wait(100), send_site.log()
            # The worker gets its 250 but cannot write it down; then it dies.
            database = sqlite3.connect(send_site.directory / "signet.sqlite3", isolation_level=None)
            database.execute("BEGIN IMMEDIATE")
            script.may_go_on.set()
            worker_read_it = threading.Event()
            worker_read_it.wait(1.0)
            kill(worker)
            database.execute("ROLLBACK")
            database.close()
        with send_site.worker():
            after = send_site.wait(outgoing, "uncertain")
    assert len(script.messages) == 1
    assert after.deliveries == {"bob@example.test": "uncertain"}


def test_two_workers_and_one_mail(send_site, server_context, test_authority):
    script = Holding()
    with serving(script, send_site, server_context, test_authority):
        mails = send_site.queue("bob@example.test", "One", "Two", "Three")
        with send_site.worker(), send_site.worker():
            for mail in mails:
                send_site.wait(mail, "accepted", "filed")
    assert len(script.messages) == 3
    assert len({m.split(b"Subject: ")[1].split(b"\r\n")[0] for m in script.messages}) == 3
