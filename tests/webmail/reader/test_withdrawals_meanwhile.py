"""A withdrawal that becomes known while a message is read, and one of who signed only a part."""

from datetime import timedelta

import pytest
from django.utils import timezone

from smime import revocation, trust
from smime.pki.authority import issue
from smime.pki.certificates import fingerprint
from smime.pki.locations import Locations
from smime.pki.paths import find_path
from smime.pki.revocation import RevocationAnswer
from smime.revocation_models import KeptAnswer, WatchedCertificate
from smime.verdict import judge
from tests.smime.conftest import NOW
from tests.webmail.reader.judged import PETRA, WHY, pem, signed
from webmail.reader import framed_signers, judging, pipeline, store
from webmail.reader.models import FramedSigner, Reading

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LIST = Locations(lists=("http://pki.test/ca.crl",))


@pytest.fixture
def petra(authority, anchor):
    """Petra, whose certificate names a list."""
    dates = {"not_before": NOW - 60 * DAY, "not_after": NOW + 90 * DAY}
    return issue(authority, PETRA, "Petra", key="p256", published=LIST, **dates)


@pytest.fixture(autouse=True)
def posted(monkeypatch):
    """No worker runs; the words of tasks are kept."""
    found = []
    monkeypatch.setattr("accounts.lanes.post", lambda name, *args, lane: found.append(name))
    monkeypatch.setattr("accounts.lanes.post_later", lambda name, *args, lane: found.append(name))
    return found


def answered(pair, state, *, at=None):
    """The list arrives: a worker keeps what it says and tells what turned."""
    now = timezone.now()
    row = KeptAnswer.objects.get(certificate__fingerprint=fingerprint(pair.certificate))
    said = RevocationAnswer(state, issued=now - DAY, until=now + 7 * DAY, at=at)
    revocation.keep(row, said)
    watched = WatchedCertificate.objects.filter(pk=row.certificate_id)
    revocation.settle(watched.prefetch_related("answers"), now=now)


def watched(pair, authority):
    path = find_path(
        pair.certificate, anchors=[authority.certificate], others=[], moments=[timezone.now()]
    )
    revocation.watch_paths([path], now=timezone.now())


def due_ids():
    found = Reading.objects.filter(turns_at__lte=timezone.now())
    return set(found.values_list("message_id", flat=True))


@pytest.mark.parametrize("step", ["judged", "before-it-is-kept"])
def test_a_withdrawal_in_the_moment_of_a_first_rendering_is_not_missed(
    mail, authority, petra, monkeypatch, django_capture_on_commit_callbacks, step
):
    watched(petra, authority)
    real_make, real_save = pipeline.make, store.save

    def learn(now):
        if now == step:
            with django_capture_on_commit_callbacks(execute=True):
                answered(petra, "revoked", at=NOW - 30 * DAY)
            assert due_ids() == set()  # there is nothing yet that could be made due

    def make(**given):
        made = real_make(**given)
        learn("judged")
        return made

    def save(**given):
        learn("before-it-is-kept")
        real_save(**given)

    monkeypatch.setattr(pipeline, "make", make)
    monkeypatch.setattr(store, "save", save)
    message = mail.arrives(-9, signed(-9, petra))
    assert mail.code(message) == "signed-first"  # what was known when it was judged
    assert due_ids() == {message.pk}
    mail.sweep()
    assert mail.code(message) == "revoked"


def test_nothing_is_due_when_nothing_became_known(mail, authority, petra):
    watched(petra, authority)
    answered(petra, "good")
    message = mail.arrives(-9, signed(-9, petra))
    assert (mail.code(message), due_ids()) == ("signed-first", set())


def in_part(petra, *recipients):
    """Mail of somebody else's in which Petra signed a part."""
    piece = signed(-9, petra, *recipients).partition(b"MIME-Version: 1.0\r\n")[2]
    return (
        b"From: x@y.test\r\nSubject: Two\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="mix"\r\n\r\n'
        b"--mix\r\nContent-Type: text/plain\r\n\r\nHello\r\n--mix\r\n" + piece + b"\r\n--mix--\r\n"
    )


def test_who_signed_a_part_is_watched_and_the_part_is_judged_again(
    mail, petra, django_capture_on_commit_callbacks
):
    message = mail.arrives(-9, in_part(petra), sender="x@y.test")
    other = mail.arrives(-8, b"From: x@y.test\r\nSubject: One\r\n\r\nHi\r\n", sender="x@y.test")
    assert mail.code(message) == "partly-signed"
    assert Reading.objects.get(message=message).verdict["frames"][0][-1] == "warn"  # not the sender
    row = WatchedCertificate.objects.get()
    assert row.fingerprint == fingerprint(petra.certificate)
    with django_capture_on_commit_callbacks(execute=True):
        answered(petra, "revoked", at=NOW - 30 * DAY)
    assert due_ids() == {message.pk}
    mail.sweep()
    assert Reading.objects.get(message=message).verdict["frames"][0][-1] == "bad"
    assert mail.code(other) == "unsigned"


def test_a_stranger_who_signed_a_part_makes_nobody_call(mail, authority, petra, anchor):
    trust.remove_anchor(anchor, actor=None, reason=WHY)
    mail.arrives(-9, in_part(petra), sender="x@y.test")
    assert not WatchedCertificate.objects.exists()
    trust.add_anchor(pem(authority.certificate), actor=None, reason=WHY)
    mail.sweep()  # and once it is no stranger any more
    assert WatchedCertificate.objects.exists()


def test_of_opened_mail_the_database_does_not_say_who_signed_a_part(mail, petra):
    message = mail.arrives(-9, signed(-9, petra))
    reading = Reading.objects.get(message=message)
    facts = store.open_facts(bytes(reading.sealed_facts), message_id=message.pk).facts
    message.account = mail.account
    context = judging.context_for(mail.user, message, facts, now=timezone.now())
    verdicts = [judge(facts, context=context)]
    framed_signers.keep(message.pk, verdicts, is_secret=True)
    assert FramedSigner.objects.get().fingerprint == ""
    framed_signers.keep(message.pk, verdicts, is_secret=False)
    assert FramedSigner.objects.get().fingerprint == fingerprint(petra.certificate)
    framed_signers.keep(message.pk, [], is_secret=False)
    assert not FramedSigner.objects.exists()
