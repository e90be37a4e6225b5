"""4xx, 5xx and silence at each stage of a real submission: what becomes of the mail."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.credentials import sealed_password_for
from accounts.models import MailServer
from tests.fakes.scripted import ScriptedServer
from tests.fakes.smtp import FakeSmtp
from webmail.composer import drafts, outbox, preparing, sending
from webmail.composer.models import Delivery, Draft, OutgoingMail

pytestmark = pytest.mark.django_db

STAGES = ["banner", "ehlo", "auth", "mail", "rcpt", "data", "dot"]


@pytest.fixture(autouse=True)
def quiet(posted, settings):
    settings.UNDO_SEND_SECONDS = 0


@pytest.fixture
def play(alice, server_context, test_authority):
    """Send a mail through a scripted server; returns (mail, script)."""
    alice.account.sealed_password = sealed_password_for(alice.account, "correct horse")
    alice.account.save()

    def run(replies, *, to="bob@example.org", mail=None):
        script = FakeSmtp(replies=replies)
        with ScriptedServer(script, context=server_context) as server:
            MailServer.objects.update(
                submission_port=server.port, submission_security="tls", ca_pem=test_authority.ca_pem
            )
            if mail is None:
                draft = drafts.draft_for(alice.user, alice.draft(to=to).pk)
                mail = outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
                preparing.prepare(mail.pk, "")
            sending.send(mail.pk)
        mail.refresh_from_db()
        return mail, script

    return run


def states():
    return dict(Delivery.objects.values_list("recipient", "state"))


@pytest.mark.parametrize("code", [b"421", b"451"])
@pytest.mark.parametrize("stage", STAGES)
def test_not_now(play, stage, code):
    mail, script = play({stage: code + b" 4.3.2 not now\r\n"})
    assert (mail.state, mail.attempts) == ("queued", 1)
    assert 50 < (mail.due_at - timezone.now()).total_seconds() <= 60
    assert set(states().values()) == {"waiting"}
    assert script.dots == (1 if stage == "dot" else 0)
    # Half a day later it goes through, once, with the same bytes.
    OutgoingMail.objects.update(
        due_at=timezone.now(), first_tried_at=timezone.now() - timedelta(hours=12)
    )
    mail, script = play({}, mail=mail)
    assert (mail.state, len(script.messages)) == ("accepted", 1)


@pytest.mark.parametrize("stage", STAGES)
def test_not_now_for_a_whole_day(play, stage):
    mail, _ = play({stage: b"451 4.3.2 not now\r\n"})
    OutgoingMail.objects.update(
        due_at=timezone.now(), first_tried_at=timezone.now() - timedelta(days=1)
    )
    mail, _ = play({stage: b"451 4.3.2 not now\r\n"}, mail=mail)
    assert mail.state == "failed"
    assert mail.draft.failure != ""
    assert mail.finished_at is not None


@pytest.mark.parametrize("stage", ["auth", "mail", "rcpt", "data", "dot"])
def test_never(play, stage):
    code = b"535 5.7.8" if stage == "auth" else b"550 5.7.1"
    mail, _ = play({stage: code + b" never\r\n"})
    assert mail.state == "failed"
    assert Draft.objects.get().failure != ""
    if stage != "auth":
        assert "5.7.1 never" in Draft.objects.get().failure


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_hung_up_before_the_dot(play, stage):
    mail, _ = play({stage: b""})
    assert mail.state == "queued"


@pytest.mark.parametrize("reply", [b"", b"2xx nonsense\r\n", b"\xff\xfe\r\n"])
def test_no_readable_answer_to_the_dot(play, reply):
    mail, script = play({"dot": reply})
    assert (mail.state, script.dots) == ("uncertain", 1)
    assert set(states().values()) == {"uncertain"}
    mail, script = play({}, mail=mail)
    assert (mail.state, script.messages) == ("uncertain", [])


def test_one_of_three_refused(play):
    codes = iter([b"250 2.1.5 ok\r\n", b"550 5.1.1 no such person\r\n", b"250 2.1.5 ok\r\n"])
    mail, script = play(
        {"rcpt": lambda peer: peer.send(next(codes))},
        to="a@example.org, b@example.org, c@example.org",
    )
    assert mail.state == "accepted"
    assert states() == {
        "a@example.org": "accepted",
        "b@example.org": "failed",
        "c@example.org": "accepted",
    }
    assert len(script.messages) == 1


def test_one_of_three_later(play):
    codes = iter([b"250 2.1.5 ok\r\n", b"450 4.2.0 greylisted\r\n", b"250 2.1.5 ok\r\n"])
    mail, _ = play(
        {"rcpt": lambda peer: peer.send(next(codes))},
        to="a@example.org, b@example.org, c@example.org",
    )
    assert mail.state == "queued"
    OutgoingMail.objects.update(due_at=timezone.now())
    mail, script = play({}, mail=mail)
    assert mail.state == "accepted"
    assert len(script.messages) == 1
    assert set(states().values()) == {"accepted"}
