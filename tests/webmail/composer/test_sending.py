"""The send lane: what each outcome makes of a mail; leases, fences, the reaper, evidence."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import MailAccount
from accounts.sealing import SealBroken
from webmail.composer import due, evidence, filing, outbox, preparing, sealed_files, sending
from webmail.composer.leases import LeaseLostError, take
from webmail.composer.models import Delivery, Draft, OutgoingMail, Variant
from webmail.mailbox.models import Flag, Folder, Message, Placement, Thread
from webmail.submission import Outcome, Phase, RecipientOutcome, ServerLimits

pytestmark = pytest.mark.django_db

PHASES = list(Phase)


class Server:
    """A submission server as `submit` sees it: plays phases, then answers or raises."""

    def __init__(self, *outcomes, upto=Phase.DATA_END, between=None):
        self.outcomes = list(outcomes)
        self.upto = upto
        self.between = between or (lambda phase: None)
        self.calls: list[tuple] = []

    def __call__(self, *, recipients, content, on_phase, envelope_id, **_more):
        self.calls.append((tuple(recipients), content, envelope_id))
        for phase in PHASES[: PHASES.index(self.upto) + 1]:
            self.between(phase)
            on_phase(phase)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


ACCEPTED = Outcome(state="accepted", stage=Phase.DATA_END, code=250, enhanced="2.0.0", text="taken")
BUSY = Outcome(state="temporary", stage=Phase.CONNECTING, code=421, text="try later", reason="busy")
REFUSED = Outcome(state="permanent", stage=Phase.MAIL, code=550, enhanced="5.7.1", text="not you")
LOST = Outcome(state="uncertain", stage=Phase.DATA_END, reason="The server did not confirm.")

SERVER_LIMITS = ServerLimits(
    size=25_000_000, has_8bitmime=True, has_smtputf8=False, has_dsn=False, mechanisms=frozenset()
)


@pytest.fixture(autouse=True)
def world(monkeypatch, settings, django_capture_on_commit_callbacks):
    settings.UNDO_SEND_SECONDS = 0
    monkeypatch.setattr("accounts.credentials.for_account", lambda account: None)
    monkeypatch.setattr(sending, "limits", lambda endpoint, credentials: SERVER_LIMITS)
    with django_capture_on_commit_callbacks(execute=True):
        yield


@pytest.fixture
def mail(alice):
    draft = alice.draft(to="bob@example.org", cc="cy@example.org")
    made = outbox.queue(alice.user, draft, idempotency_key=uuid.uuid4(), request=None)
    preparing.prepare(made.pk, "")
    made.refresh_from_db()
    assert made.state == "queued"
    return made


def run(monkeypatch, mail, *outcomes, **options):
    server = Server(*outcomes, **options)
    monkeypatch.setattr(sending, "submit", server)
    sending.send(mail.pk)
    mail.refresh_from_db()
    return server


def states(mail):
    return dict(Delivery.objects.filter(variant__outgoing=mail).values_list("recipient", "state"))


def test_accepted(monkeypatch, mail, django_capture_on_commit_callbacks):
    key = Variant.objects.get().key
    with django_capture_on_commit_callbacks(execute=True):
        server = run(monkeypatch, mail, ACCEPTED)
    assert server.calls[0][0] == ("bob@example.org", "cy@example.org")
    assert server.calls[0][2] == str(mail.envelope_id)
    assert (mail.state, mail.phase, mail.lease_until, mail.attempts) == ("accepted", "", None, 1)
    assert set(states(mail).values()) == {"accepted"}
    assert not Draft.objects.exists()
    with pytest.raises(FileNotFoundError):
        sealed_files.read_all(key)


def test_a_second_task_does_nothing(monkeypatch, mail):
    run(monkeypatch, mail, ACCEPTED)
    assert run(monkeypatch, mail).calls == []


@pytest.mark.parametrize("column", ["due_at"])
def test_not_before_it_is_due(monkeypatch, mail, column):
    OutgoingMail.objects.update(due_at=timezone.now() + timedelta(seconds=5))
    assert run(monkeypatch, mail, ACCEPTED).calls == []
    assert mail.state == "queued"


def pause(mail, *, state=MailAccount.State.PAUSED):
    MailAccount.objects.filter(pk=mail.account_id).update(state=state)


def test_mail_of_a_paused_account_waits_and_goes_when_it_is_resumed(monkeypatch, mail):
    handed = []
    monkeypatch.setattr(due, "post_again", lambda *task, lane, seconds: handed.append(task))
    pause(mail)
    server = run(monkeypatch, mail, ACCEPTED)
    assert due.hand_over() == 0
    assert (server.calls, mail.state, mail.attempts, handed) == ([], "queued", 0, [])
    pause(mail, state=MailAccount.State.ACTIVE)
    assert due.hand_over() == 1
    assert handed == [("composer.send", mail.pk)]
    assert len(run(monkeypatch, mail, ACCEPTED).calls) == 1
    assert mail.state == "accepted"


def test_a_paused_account_is_not_filed_into_nor_searched(monkeypatch, mail, alice):
    run(monkeypatch, mail, ACCEPTED)
    pause(mail)
    asked = []
    monkeypatch.setattr(filing.filing, "append_now", lambda *_, **__: asked.append("append"))
    filing.file_copy(mail.pk)
    OutgoingMail.objects.update(state="uncertain")
    monkeypatch.setattr(evidence, "_is_seen", lambda mail: asked.append("search"))
    evidence.look(mail.pk)
    mail.refresh_from_db()
    assert (asked, mail.state) == ([], "uncertain")
    assert outbox.settle(alice.user, mail.pk)  # the person's own word needs no server


def test_what_is_written_in_a_paused_account_is_made_ready(alice):
    pause(alice.draft(), state=MailAccount.State.PAUSED)
    made = outbox.queue(alice.user, alice.draft(), idempotency_key=uuid.uuid4(), request=None)
    OutgoingMail.objects.update(handed_until=None)
    assert due.hand_over() == 1
    preparing.prepare(made.pk, "")
    made.refresh_from_db()
    assert made.state == "queued"


def test_temporary_backs_off_with_the_same_bytes(monkeypatch, mail):
    first = run(monkeypatch, mail, BUSY)
    assert (mail.state, mail.attempts, mail.last_reply) == ("queued", 1, "421 try later")
    assert 55 < (mail.due_at - timezone.now()).total_seconds() <= 60
    OutgoingMail.objects.update(due_at=timezone.now())
    second = run(monkeypatch, mail, ACCEPTED)
    assert mail.state == "accepted"
    assert first.calls[0][1] == second.calls[0][1]


def test_after_a_day_it_fails_and_the_draft_reopens(monkeypatch, mail):
    OutgoingMail.objects.update(first_tried_at=timezone.now() - timedelta(days=1), attempts=11)
    run(monkeypatch, mail, BUSY)
    assert mail.state == "failed"
    assert mail.draft.failure == "bob@example.org: 421 try later"


def test_permanent_reopens_the_draft_with_the_servers_words(monkeypatch, mail):
    run(monkeypatch, mail, REFUSED)
    assert (mail.state, mail.lease_until) == ("failed", None)
    assert mail.finished_at is not None
    assert mail.draft.failure == "bob@example.org: 550 5.7.1 not you"


def partly(bob, cy):
    return Outcome(
        state="accepted", stage=Phase.DATA_END, code=250, text="taken",
        recipients=(
            RecipientOutcome("bob@example.org", bob, 250 if bob == "accepted" else 550, "5.1.1", "words"),
            RecipientOutcome("cy@example.org", cy, 250 if cy == "accepted" else 450, "4.2.0", "words"),
        ),
    )  # fmt: skip


def test_one_of_two_refused(monkeypatch, mail):
    run(monkeypatch, mail, partly("permanent", "accepted"))
    assert mail.state == "accepted"
    assert states(mail) == {"bob@example.org": "failed", "cy@example.org": "accepted"}


def test_one_of_two_later_and_only_they_are_tried_again(monkeypatch, mail):
    run(monkeypatch, mail, partly("accepted", "temporary"))
    assert mail.state == "queued"
    assert Draft.objects.exists()
    OutgoingMail.objects.update(due_at=timezone.now())
    server = run(monkeypatch, mail, ACCEPTED)
    assert [call[0] for call in server.calls] == [("cy@example.org",)]
    assert mail.state == "accepted"


def test_lost_after_the_dot_is_never_repeated(monkeypatch, mail):
    run(monkeypatch, mail, LOST)
    assert mail.state == "uncertain"
    assert set(states(mail).values()) == {"uncertain"}
    OutgoingMail.objects.update(due_at=timezone.now())
    due.scan()
    assert run(monkeypatch, mail, ACCEPTED).calls == []


@pytest.mark.parametrize("phase", PHASES)
def test_a_fault_of_ours_is_told_by_the_phase(monkeypatch, mail, phase):
    run(monkeypatch, mail, RuntimeError("canary"), upto=phase)
    assert mail.state == ("uncertain" if phase == Phase.DATA_END else "queued")


@pytest.mark.parametrize("phase", PHASES)
def test_the_phase_is_in_the_database_before_it_begins(monkeypatch, mail, phase):
    seen = []

    def between(now):
        seen.append((now, OutgoingMail.objects.get(pk=mail.pk).phase))

    run(monkeypatch, mail, ACCEPTED, between=between)
    at = dict(seen)
    previous = PHASES[max(0, PHASES.index(phase) - 1)]
    assert at[phase] == previous


@pytest.mark.parametrize("phase", PHASES[1:])
def test_who_lost_the_lease_stops_before_the_dot(monkeypatch, mail, phase):
    reached = []

    def between(now):
        reached.append(now)
        if now == phase:
            OutgoingMail.objects.update(fence=99)

    run(monkeypatch, mail, ACCEPTED, between=between)
    assert reached[-1] == phase
    assert mail.state == "sending"  # whoever has fence 99 decides


@pytest.mark.parametrize(
    ("phase", "state"),
    [("connecting", "queued"), ("rcpt", "queued"), ("data", "queued"), ("data_end", "uncertain")],
)
def test_the_reaper_decides_by_the_phase(mail, phase, state):
    taken = take(mail.pk, state="queued", into="sending", phase=phase, attempts=1)
    Variant.objects.update(state="sending")
    assert due.take_back() == 0  # it lives
    OutgoingMail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert due.take_back() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.lease_until) == (state, None)
    assert set(states(mail).values()) == {"uncertain" if state == "uncertain" else "waiting"}
    with pytest.raises(LeaseLostError):
        taken.write(phase="data_end")
    assert due.take_back() == 0


def test_a_mail_refused_by_all_is_not_sent_although_its_worker_died_right_after(mail):
    taken = take(mail.pk, state="queued", into="sending", phase="", attempts=1)
    Delivery.objects.update(state="failed", code=550, text="not you")
    taken.write(lease_until=timezone.now() - timedelta(seconds=1))
    assert due.take_back() == 1
    mail.refresh_from_db()
    assert mail.state == "failed"
    assert "not you" in Draft.objects.get().failure


def test_a_password_that_does_not_open_is_called_so(monkeypatch, mail):
    def broken(_account):
        raise SealBroken("The key that sealed this value is not in the keyring.")

    monkeypatch.setattr("accounts.credentials.for_account", broken)
    server = run(monkeypatch, mail, ACCEPTED)
    assert (server.calls, mail.state) == ([], "failed")
    assert "password" in Draft.objects.get().failure


def test_of_a_mail_that_failed_no_file_is_left(
    monkeypatch, mail, django_capture_on_commit_callbacks
):
    keys = [mail.sent_copy_key, Variant.objects.get().key]
    with django_capture_on_commit_callbacks(execute=True):
        run(monkeypatch, mail, REFUSED)
    assert mail.state == "failed"
    for key in keys:
        with pytest.raises(FileNotFoundError):
            sealed_files.read_all(key)


def test_two_cannot_take_one_mail(mail):
    assert take(mail.pk, state="queued", into="sending") is not None
    assert take(mail.pk, state="queued", into="sending") is None


def test_send_again_sends_the_same_bytes_to_those_unconfirmed(monkeypatch, mail, alice):
    first = run(monkeypatch, mail, LOST)
    assert outbox.send_again(alice.user, mail.pk)
    second = run(monkeypatch, mail, ACCEPTED)
    assert mail.state == "accepted"
    assert first.calls == second.calls
    assert not outbox.send_again(alice.user, mail.pk)


def test_the_persons_word_settles_it(monkeypatch, mail, alice):
    run(monkeypatch, mail, LOST)
    assert outbox.settle(alice.user, mail.pk)
    mail.refresh_from_db()
    assert mail.state == "accepted"
    assert set(states(mail).values()) == {"accepted"}


def mirror(account, message_id):
    now = timezone.now()
    thread = Thread.objects.create(account=account, last_date=now)
    message = Message.objects.create(
        account=account, thread=thread, message_id=message_id, content_key="k", internal_date=now
    )
    folder = Folder.objects.create(account=account, path="INBOX", role="inbox")
    Placement.objects.create(folder=folder, message=message, uid=1, internal_date=now)
    return message


def test_evidence_in_the_mirror_settles_it(monkeypatch, mail, alice):
    run(monkeypatch, mail, LOST)
    evidence.look(mail.pk)
    mail.refresh_from_db()
    assert mail.state == "uncertain"
    message = mirror(alice.account, mail.message_id)
    evidence.weigh(alice.account, [message.pk])
    evidence.look(mail.pk)
    mail.refresh_from_db()
    assert mail.state == "accepted"


def test_evidence_of_one_variant_says_nothing_of_another(monkeypatch, mail, alice):
    run(monkeypatch, mail, LOST)
    Variant.objects.create(outgoing=mail, key="other", size=1)
    mirror(alice.account, mail.message_id)
    evidence.look(mail.pk)
    mail.refresh_from_db()
    assert mail.state == "uncertain"


def test_without_evidence_the_person_is_asked(monkeypatch, mail):
    run(monkeypatch, mail, LOST)
    OutgoingMail.objects.update(
        state_since=timezone.now() - timedelta(minutes=11), due_at=timezone.now()
    )
    evidence.look(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.finished_at is not None) == ("uncertain", True)


def test_variants_are_transactions_of_their_own(monkeypatch, mail):
    other = Variant.objects.create(outgoing=mail, key=sealed_files.write([b"x\r\n"])[0], size=3)
    Delivery.objects.create(variant=other, recipient="dee@example.org")
    server = run(monkeypatch, mail, ACCEPTED, LOST)
    assert [call[0] for call in server.calls] == [
        ("bob@example.org", "cy@example.org"),
        ("dee@example.org",),
    ]
    assert mail.state == "uncertain"
    assert states(mail)["dee@example.org"] == "uncertain"
    assert states(mail)["bob@example.org"] == "accepted"


def test_a_server_that_is_away_is_not_asked_for_each_variant(monkeypatch, mail):
    other = Variant.objects.create(outgoing=mail, key="none", size=3)
    Delivery.objects.create(variant=other, recipient="dee@example.org")
    assert len(run(monkeypatch, mail, BUSY, BUSY, upto=Phase.CONNECTING).calls) == 1
    assert mail.state == "queued"


def test_filing(monkeypatch, mail):
    run(monkeypatch, mail, ACCEPTED)
    filed = []

    def append_now(account, role, content, flags, message_id):
        filed.append((account.pk, role, content, flags, message_id))

    monkeypatch.setattr(filing.filing, "append_now", append_now)
    filing.file_copy(mail.pk)
    filing.file_copy(mail.pk)
    mail.refresh_from_db()
    assert mail.state == "filed"
    assert len(filed) == 1
    assert filed[0][1] == Folder.Role.SENT
    assert filed[0][3] == Flag.SEEN
    assert filed[0][4] == mail.message_id


def test_filing_fails_and_is_tried_again_but_nothing_is_sent(monkeypatch, mail):
    run(monkeypatch, mail, ACCEPTED)

    def refuses(*_args, **_options):
        raise OSError("quota")

    monkeypatch.setattr(filing.filing, "append_now", refuses)
    filing.file_copy(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.filing_attempts) == ("accepted", 1)
    assert mail.due_at > timezone.now()
    OutgoingMail.objects.update(
        due_at=timezone.now(), state_since=timezone.now() - timedelta(days=8)
    )
    filing.file_copy(mail.pk)
    mail.refresh_from_db()
    assert (mail.state, mail.finished_at is not None) == ("accepted", True)
    assert run(monkeypatch, mail).calls == []


def test_due_rows_are_handed_over_once(monkeypatch, mail):
    handed = []
    monkeypatch.setattr(
        due, "post_again", lambda *task, lane, seconds: handed.append((*task, lane))
    )
    assert due.hand_over() == 1
    assert due.hand_over() == 0
    assert handed == [("composer.send", mail.pk, "send")]
    OutgoingMail.objects.update(handed_until=timezone.now() - timedelta(seconds=1))
    assert due.hand_over() == 1  # the task was lost with the broker


class Session:
    """An IMAP session that knows one Message-ID in Sent."""

    def __init__(self, known):
        self.known = known

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def select(self, path):
        assert path == "Sent"

    def find_message_id(self, message_id):
        return [7] if message_id == self.known else []


@pytest.mark.parametrize(("is_there", "state"), [(True, "accepted"), (False, "uncertain")])
def test_a_server_that_files_by_itself_is_asked(monkeypatch, mail, alice, is_there, state):
    run(monkeypatch, mail, LOST)
    Folder.objects.create(account=alice.account, path="Sent", role="sent")
    session = Session(mail.message_id if is_there else "other@x")
    monkeypatch.setattr(evidence, "imap_session", lambda account: session)
    evidence.look(mail.pk)
    mail.refresh_from_db()
    assert mail.state == state


def test_a_server_that_does_not_answer_is_no_evidence(monkeypatch, mail, alice):
    def away(account):
        raise evidence.AccountUnusable

    run(monkeypatch, mail, LOST)
    Folder.objects.create(account=alice.account, path="Sent", role="sent")
    monkeypatch.setattr(evidence, "imap_session", away)
    evidence.look(mail.pk)
    mail.refresh_from_db()
    assert mail.state == "uncertain"


@pytest.mark.parametrize(
    ("relation", "flag"),
    [("reply", Flag.ANSWERED), ("reply-all", Flag.ANSWERED), ("forward", Flag.FORWARDED)],
)
def test_the_original_is_marked_once_the_answer_is_sent(
    monkeypatch, mail, alice, django_capture_on_commit_callbacks, relation, flag
):
    original = mirror(alice.account, "original@x")
    Draft.objects.update(related_message=original, relation=relation)
    with django_capture_on_commit_callbacks(execute=True):
        run(monkeypatch, mail, ACCEPTED)
    assert original.placements.get().shown_flags & flag


def test_the_servers_size_limit_is_learned_once(monkeypatch, mail, alice):
    run(monkeypatch, mail, ACCEPTED)
    alice.account.server.refresh_from_db()
    assert alice.account.server.submission_size_limit == 25_000_000


def test_lost_bytes_fail_and_the_draft_reopens(monkeypatch, mail):
    sealed_files.drop(Variant.objects.get().key)
    run(monkeypatch, mail, ACCEPTED)
    assert mail.state == "failed"
    assert mail.draft.failure == "The prepared message was lost here."
