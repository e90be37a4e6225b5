"""Verdicts judged again from kept facts: what turns, what follows, what is left alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from smime import people, trust
from smime.models import PersonCertificate, SigningRecord
from smime.pki.authority import Revocation, crl, new_root
from tests.smime.conftest import NOW, certify
from tests.webmail.mailbox.conftest import make_owner
from tests.webmail.reader.judged import (
    AGAIN,
    PETRA,
    WHY,
    pem,
    plain,
    signed,
)
from webmail.mailbox.models import Message
from webmail.mime import Address
from webmail.reader import due, rejudging, store, sweeping
from webmail.reader.framing import frame_views
from webmail.reader.models import Reading, Rejudging, Rendition
from webmail.reader.variants import Variant

pytestmark = pytest.mark.django_db


def test_an_anchor_goes_and_the_verdicts_and_seals_follow(mail, petra, anchor, nothing_is_rendered):
    found = [mail.arrives(day, signed(day, petra)) for day in (-9, -8, -7)]
    other = mail.arrives(-6, plain(-6, from_=Address("", "x@y.test")), sender="x@y.test")
    assert [mail.code(each) for each in found] == ["signed-first", AGAIN, AGAIN]
    assert mail.drawn(found[2]) == ("ok", "")
    documents = list(Rendition.objects.order_by("pk").values_list("pk", "sealed_document"))
    nothing_is_rendered()
    trust.remove_anchor(anchor, actor=None, reason=WHY)
    mail.sweep()
    assert {mail.code(each) for each in found} == {"chain-incomplete"}
    assert {mail.drawn(each) for each in found} == {("unknown", "")}
    assert mail.code(other) == "unsigned"
    assert list(Rendition.objects.order_by("pk").values_list("pk", "sealed_document")) == documents
    # It is shown at once: the page has the new verdict.
    stamp = trust.stamp_for(mail.user)
    for each in (*found, other):
        page = store.load_page(each, Variant(), trust_stamp=stamp, session_key=None)
        assert page["verdict"]["code"] == mail.code(each)
    assert not SigningRecord.objects.get().record["sights"]
    # And back.
    trust.add_anchor(bytes(anchor.der), actor=None, reason=WHY)
    mail.sweep()
    assert [mail.code(each) for each in found] == ["signed-first", AGAIN, AGAIN]
    assert mail.drawn(found[0]) == ("ok", "")


def test_nothing_changes_when_nothing_turns(mail, petra, django_assert_num_queries):
    for day in range(-9, -1):
        mail.arrives(day, signed(day, petra) if day % 3 else plain(day))
    mail.sweep()
    before = list(Reading.objects.order_by("pk").values("verdict", "level", "notes", "page"))
    Reading.objects.update(trust_stamp="other")
    Rejudging.objects.update(is_done=False)
    changed = []
    real = rejudging._keep_changed
    rejudging._keep_changed = lambda found, *more: (changed.extend(found), real(found, *more))
    try:
        mail.sweep()
    finally:
        rejudging._keep_changed = real
    assert changed == []
    assert (
        list(Reading.objects.order_by("pk").values("verdict", "level", "notes", "page")) == before
    )
    assert set(Reading.objects.filter(has_signers=True).values_list("trust_stamp", flat=True)) == {
        trust.stamp_for(mail.user)
    }


def test_a_withdrawn_certificate_drops_the_document_until_it_is_asked_for(mail, petra, anchor):
    message = mail.arrives(-9, signed(-9, petra))
    trust.add_crl(
        crl(
            mail.authority,
            [Revocation(petra.certificate.serial_number, NOW - timedelta(days=20))],
            this_update=NOW - timedelta(days=1),
            next_update=NOW + timedelta(days=7),
        ),
        actor=None,
        reason=WHY,
    )
    mail.sweep()
    assert mail.code(message) == "revoked"
    assert mail.drawn(message) == ("bad", "Withdrawn")
    assert not Rendition.objects.exists()
    stamp = trust.stamp_for(mail.user)
    assert store.load_page(message, Variant(), trust_stamp=stamp, session_key=None) is None
    mail.render(message)
    page = store.load_page(message, Variant(), trust_stamp=stamp, session_key=None)
    assert page["is_plain_only"]
    assert page["verdict"]["code"] == "revoked"


def test_the_clock(mail, authority, anchor, monkeypatch):
    pair = certify(authority, PETRA, begins=-60, ends=10)
    message = mail.arrives(-9, signed(-9, pair))
    reading = Reading.objects.get()
    assert reading.turns_at == pair.certificate.not_valid_after_utc
    mail.sweep()
    assert mail.code(message) == "signed-first"
    later = reading.turns_at + timedelta(seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    stamp = trust.stamp_for(mail.user)
    assert store.load_page(message, Variant(), trust_stamp=stamp, session_key=None) is None
    mail.sweep()
    assert mail.code(message) == "signed-expired-since"
    assert Reading.objects.get().turns_at is None or Reading.objects.get().turns_at > later


def test_opening_a_stale_page_judges_and_renders_nothing(mail, petra, anchor, nothing_is_rendered):
    message = mail.arrives(-9, signed(-9, petra))
    trust.remove_anchor(anchor, actor=None, reason=WHY)
    nothing_is_rendered()
    mail.render(message)
    assert mail.code(message) == "chain-incomplete"
    assert Reading.objects.get().trust_stamp == trust.stamp_for(mail.user)


def test_a_person_s_own_decision_turns_their_own_mail_only(mail, authority, db):
    alone = new_root("Alone", NOW - timedelta(days=300))
    pair = certify(alone, PETRA, begins=-60)
    message = mail.arrives(-9, signed(-9, pair))
    mail.sweep()
    assert mail.code(message) == "chain-incomplete"
    ben = make_owner("ben@example.test")
    row = people.import_certificate(mail.user, PETRA, pem(pair.certificate))
    PersonCertificate.objects.filter(pk=row.pk).update(is_pinned=True)
    Rejudging.objects.update(lease_until=None)
    assert sweeping._behind() == {mail.account.pk, ben.account.pk}  # Ben was never looked at
    sweeping.start(ben.account.pk)
    while sweeping.step(ben.account.pk, Rejudging.objects.get(account=ben.account).fence):
        pass
    assert sweeping._behind() == {mail.account.pk}
    mail.sweep()
    assert mail.code(message) == "signed-first"
    assert sweeping._behind() == set()


def test_old_mail_read_late_turns_what_came_after_it(mail, petra):
    newer = mail.arrives(-2, signed(-2, petra))
    unsigned = mail.arrives(-1, plain(-1))
    mail.sweep()
    assert [mail.code(newer), mail.code(unsigned)] == ["signed-first", "unsigned"]
    older = [mail.arrives(day, signed(day, petra)) for day in (-9, -8, -7)]
    mail.sweep()
    assert mail.code(newer) == AGAIN
    assert [mail.code(each) for each in older] == ["signed-first", AGAIN, AGAIN]
    assert mail.code(unsigned) == "signature-missing"
    assert mail.drawn(unsigned) == ("warn", "Not signed")


def test_unsigned_mail_that_nobody_opened_ends_a_run(mail, petra):
    for day in (-9, -8, -7):
        mail.arrives(day, signed(day, petra))
    mail.owner.place(uid=5, minutes=1, from_address=PETRA.upper(), content_key="unread")
    Message.objects.filter(content_key="unread").update(internal_date=NOW - timedelta(days=6))
    assert mail.code(mail.arrives(-5, plain(-5))) == "unsigned"


def test_known_to_sign_makes_older_mail_worse(mail, petra, django_capture_on_commit_callbacks):
    altered = mail.arrives(-9, signed(-9, petra).replace(b"100", b"900"))
    if mail.code(altered) != "altered":  # the text travels encoded
        pytest.fail(mail.code(altered))
    assert Reading.objects.get().level == "warn"
    with django_capture_on_commit_callbacks(execute=True):
        mail.arrives(-8, signed(-8, petra))
    mail.sweep()
    assert Reading.objects.get(message=altered).level == "bad"
    assert mail.drawn(altered) == ("bad", "Altered")


def test_what_is_rendered_meanwhile_is_left_alone(mail, petra, anchor, monkeypatch):
    message = mail.arrives(-9, signed(-9, petra))
    trust.remove_anchor(anchor, actor=None, reason=WHY)
    found = list(rejudging.readings(message__account=mail.account))
    moment = timezone.now()
    Reading.objects.update(judged_at=moment)
    rejudging.judge_again(mail.account, found)
    assert Reading.objects.get().judged_at == moment
    assert mail.code(message) == "signed-first"


def test_facts_of_another_version_are_read_again(mail, petra):
    message = mail.arrives(-9, signed(-9, petra))
    subject = store._facts_subject(message.pk)
    odd = store.sealing.seal(b"\x00", purpose=store._FACTS_PURPOSE, subject=subject)
    Reading.objects.update(sealed_facts=odd, trust_stamp="old")
    mail.sweep()
    stamp = trust.stamp_for(mail.user)
    assert store.load_page(message, Variant(), trust_stamp=stamp, session_key=None) is None
    mail.render(message)
    assert Reading.objects.get().sealed_facts
    assert store.load_page(message, Variant(), trust_stamp=stamp, session_key=None)


def test_framed_parts_are_told_anew(mail, petra, anchor):
    piece = signed(-9, petra).partition(b"MIME-Version: 1.0\r\n")[2]
    raw = (
        b"From: petra@partner.test\r\nSubject: Two\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="mix"\r\n\r\n'
        b"--mix\r\nContent-Type: text/plain\r\n\r\nHello\r\n--mix\r\n" + piece + b"\r\n--mix--\r\n"
    )
    message = mail.arrives(-9, raw)
    reading = Reading.objects.get()
    assert reading.signature_code == "partly-signed"
    ((*_, level),) = reading.verdict["frames"]
    assert level == "ok"
    trust.remove_anchor(anchor, actor=None, reason=WHY)
    mail.sweep()
    stamp = trust.stamp_for(mail.user)
    page = store.load_page(message, Variant(), trust_stamp=stamp, session_key=None)
    _, box = frame_views(page, address=str, title="")
    assert (box.level, box.headline) == ("unknown", "Signature from a certificate we cannot check")


def test_each_account_s_own(mail, petra, anchor):
    """Another person's account is neither judged nor drawn."""
    mail.arrives(-9, signed(-9, petra))
    mallory = User.objects.create_user("mallory@example.test")
    due.ask_for(mallory, {"key-9"})
    assert Reading.objects.get().turns_at is None or Reading.objects.get().turns_at > NOW


def test_a_sweep_of_one_sender_asks_for_nothing_again(mail, petra, anchor, monkeypatch):
    """Each message that no longer counts makes the next one the first: they are all in the sweep."""
    monkeypatch.setattr(sweeping, "CHUNK", 2)
    found = [mail.arrives(day, signed(day, petra)) for day in range(-12, -4)]
    mail.sweep()
    trust.remove_anchor(anchor, actor=None, reason=WHY)
    assert mail.sweep() <= len(found) / 2 + 1
    assert {mail.code(each) for each in found} == {"chain-incomplete"}


def test_unsigned_mail_turns_though_trust_changes_at_the_same_time(mail, petra, anchor):
    unsigned = mail.arrives(-1, plain(-1))
    for day in (-9, -8, -7):
        mail.arrives(day, signed(day, petra))
        Reading.objects.filter(message=unsigned).update(trust_stamp="older", turns_at=None)
    due.ask_for(mail.user, {unsigned.content_key})
    mail.sweep()
    assert mail.code(unsigned) == "signature-missing"


def test_what_is_asked_for_is_due(mail, petra):
    message = mail.arrives(-9, signed(-9, petra))
    mail.arrives(-8, plain(-8))
    mail.sweep()
    due.ask_for_messages(Message.objects.filter(pk=message.pk))
    found = Reading.objects.filter(turns_at__lte=timezone.now())
    assert [each.message_id for each in found] == [message.pk]
    mail.sweep()
    assert not found.all().exists()
