"""Verdicts judged again from kept facts: what turns, what follows, what is left alone."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from accounts.models import User
from smime import deciding, people, trust, vault
from smime.models import PersonCertificate, SigningRecord
from smime.pki.authority import Revocation, crl, new_root
from smime.pki.certificates import fingerprint
from smime.reading import read_message
from smime.writing import protect
from tests.smime.conftest import NOW, certify
from tests.webmail.mailbox.conftest import make_owner
from webmail.mailbox import blobs
from webmail.mailbox.models import Conversation, Message
from webmail.mime import Address
from webmail.mime.write import Composition, build_entity, header_fields
from webmail.reader import due, pipeline, rejudging, rendering, store, sweeping
from webmail.reader.models import Reading, Rejudging, Rendition
from webmail.reader.variants import Variant

pytestmark = pytest.mark.django_db
PETRA = "petra@partner.test"
WHY = "Tests"
AGAIN = "signed-not-rechecked"  # no list of withdrawals is at hand
SECRET = "The harbour at nine"


def pem(certificate):
    return certificate.public_bytes(Encoding.PEM)


def composed(day, **changes):
    return Composition(
        **(
            {
                "from_": Address("Petra", PETRA),
                "to": (Address("Anna", "anna@example.test"),),
                "subject": SECRET,
                "date": NOW + timedelta(days=day),
                "message_id": f"{day}@partner.test",
                "text": "Please pay 100 EUR.\n",
            }
            | changes
        )
    )


def signed(day, pair, *recipients, **changes):
    made = composed(day, **changes)
    return protect(
        build_entity(made),
        header_fields(made),
        signer=pair,
        recipients=[each.certificate for each in recipients],
        cipher="aes-256-gcm",
        signing_time=made.date,
    )


def plain(day, **changes):
    made = composed(day, **changes)
    head = b"".join(f"{name}: {value}\r\n".encode() for name, value in header_fields(made))
    return head + b"Content-Type: text/plain\r\n\r\nHello\r\n"


class Mail:
    """Anna's mailbox: mail arrives and is rendered as the crypto lane does it."""

    def __init__(self, authority):
        self.authority = authority
        self.owner = make_owner("anna@example.test")
        self.account = self.owner.account
        self.user = self.owner.user

    def arrives(self, day, raw, *, sender=PETRA):
        placement = self.owner.place(
            uid=day + 1000,
            minutes=day,
            from_address=sender,
            content_key=f"key{day}",
            is_secured=b"pkcs7" in raw,
            first_seen_at=NOW + timedelta(days=day),
        )
        message = placement.message
        Message.objects.filter(pk=message.pk).update(internal_date=NOW + timedelta(days=day))
        self.owner.refresh(placement)
        blobs.put(self.account, raw, message=message)
        self.render(message)
        return message

    def render(self, message):
        assert rendering.render(message.pk, "", Variant().key) == "done"

    def sweep(self):
        """Run the chain that the scanner would begin; returns how many steps it took."""
        sweeping.start_due()
        state = Rejudging.objects.get(account=self.account)
        steps = 1
        while sweeping.step(self.account.pk, state.fence):
            steps += 1
            assert steps < 99
        return steps

    def code(self, message):
        reading = Reading.objects.get(message=message)
        if reading.verdict:
            assert reading.verdict["code"] == reading.signature_code
            assert reading.verdict["level"] == reading.level
        return reading.signature_code

    def drawn(self, message):
        """What the list draws, which is the same everywhere."""
        found = Message.objects.get(pk=message.pk)
        row = Conversation.objects.get(newest=message)
        assert (row.seal, row.seal_flag) == (found.seal, found.seal_flag)
        return found.seal, found.seal_flag


@pytest.fixture(scope="module")
def authority():
    return new_root("Test CA", NOW - timedelta(days=400))


@pytest.fixture
def mail(settings, tmp_path, authority, db):
    settings.BLOB_DIR = tmp_path
    return Mail(authority)


@pytest.fixture
def anchor(authority, db):
    (row,) = trust.add_anchor(pem(authority.certificate), actor=None, reason=WHY)
    return row


@pytest.fixture
def petra(authority, anchor):
    return certify(authority, PETRA, begins=-60)


@pytest.fixture
def nothing_is_rendered(monkeypatch):
    def fail(*_args, **_more):
        raise AssertionError("a document was made or a mail was read")

    def forbid():
        monkeypatch.setattr(pipeline, "build", fail)
        monkeypatch.setattr(blobs, "get", fail)

    return forbid


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


class TestChains:
    def test_one_at_a_time(self, mail, petra):
        mail.arrives(-9, signed(-9, petra))
        assert sweeping.start(mail.account.pk)
        assert not sweeping.start(mail.account.pk)
        first = Rejudging.objects.get().fence
        Rejudging.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert sweeping.start(mail.account.pk)  # the first one was lost
        assert not sweeping.step(mail.account.pk, first)
        assert Reading.objects.filter(trust_stamp=trust.stamp_for(mail.user)).exists()
        assert not Rejudging.objects.get().is_done

    def test_a_chain_that_is_lost_is_gone_on_with(self, mail, petra, anchor, monkeypatch):
        monkeypatch.setattr(sweeping, "CHUNK", 2)
        found = [mail.arrives(day, signed(day, petra)) for day in range(-9, -4)]
        mail.sweep()
        trust.remove_anchor(anchor, actor=None, reason=WHY)
        sweeping.start(mail.account.pk)
        fence = Rejudging.objects.get().fence
        assert sweeping.step(mail.account.pk, fence)
        turned = Reading.objects.filter(signature_code="chain-incomplete")
        assert turned.count() == 2
        Rejudging.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        mail.sweep()
        assert turned.count() == len(found)

    def test_trust_that_changes_in_the_middle_begins_again(self, mail, petra, anchor, monkeypatch):
        monkeypatch.setattr(sweeping, "CHUNK", 2)
        found = [mail.arrives(day, signed(day, petra)) for day in range(-9, -4)]
        trust.remove_anchor(anchor, actor=None, reason=WHY)
        sweeping.start(mail.account.pk)
        fence = Rejudging.objects.get().fence
        assert sweeping.step(mail.account.pk, fence)
        trust.add_anchor(bytes(anchor.der), actor=None, reason=WHY)
        while sweeping.step(mail.account.pk, fence):
            pass
        assert [mail.code(each) for each in found] == ["signed-first", *[AGAIN] * 4]
        assert sweeping._behind() == set()

    def test_nothing_to_do_costs_a_fixed_number_of_queries(
        self, mail, petra, django_assert_max_num_queries
    ):
        mail.arrives(-9, signed(-9, petra))
        mail.sweep()
        for number in range(5):
            other = make_owner(f"p{number}@example.test")
            Rejudging.objects.create(
                account=other.account, is_done=True, stamp=trust.stamp_for(other.user)
            )
        with django_assert_max_num_queries(8):
            assert sweeping.start_due() == 0


class TestSecrets:
    @pytest.fixture
    def anna(self, authority):
        return certify(authority, "anna@example.test", begins=-60)

    @pytest.fixture
    def opened(self, mail, petra, anna, monkeypatch):
        """Render as a session does that has Anna's key; the session's caches are not looked at."""

        def open_with(keys):
            def read(message, _ticket):
                known = vault.OpenedKeys(pairs=keys, locked=not keys, has_any=True)
                return read_message(blobs.get(message), keys=keys), known

            name = "open_reading" if hasattr(rendering, "open_reading") else "_open"
            monkeypatch.setattr(rendering, name, read)

        open_with((anna,))
        message = mail.arrives(-9, signed(-9, petra, anna))
        return message, open_with

    def test_encrypted_mail_is_judged_again_without_a_key(self, mail, opened, anchor):
        message, _ = opened
        assert mail.code(message) == "signed-first"
        assert mail.drawn(message) == ("ok", "")
        trust.remove_anchor(anchor, actor=None, reason=WHY)
        mail.sweep()
        assert mail.code(message) == "chain-incomplete"
        assert mail.drawn(message) == ("unknown", "")
        reading = Reading.objects.get()
        assert (reading.verdict, reading.page) == ({}, {})
        assert reading.pipeline == 0  # what the session's cache holds tells the old verdict

    def test_locked_keys_do_not_take_the_facts_away(self, mail, opened, anchor):
        message, open_with = opened
        open_with(())
        mail.render(message)
        assert Reading.objects.get().encryption_code == "key-locked"
        trust.remove_anchor(anchor, actor=None, reason=WHY)
        mail.sweep()
        assert mail.drawn(message) == ("unknown", "")

    def test_nothing_of_it_stands_in_the_clear(self, mail, opened, petra):
        sealed = bytes(Reading.objects.get().sealed_facts)
        name = petra.certificate.subject.public_bytes()
        assert name not in sealed
        kept = store.open_facts(sealed, message_id=opened[0].pk)
        assert kept.facts.sender.subject == ""
        assert SECRET not in repr(kept)


def test_framed_parts_are_told_anew(mail, petra, anchor):
    piece = signed(-9, petra).partition(b"MIME-Version: 1.0\r\n")[2]
    raw = (
        b"From: x@y.test\r\nSubject: Two\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="mix"\r\n\r\n'
        b"--mix\r\nContent-Type: text/plain\r\n\r\nHello\r\n--mix\r\n" + piece + b"\r\n--mix--\r\n"
    )
    message = mail.arrives(-9, raw, sender="x@y.test")
    reading = Reading.objects.get()
    assert reading.signature_code == "partly-signed"
    tones = [tone for _, tone in reading.verdict["frames"]]
    assert len(tones) == 1
    trust.remove_anchor(anchor, actor=None, reason=WHY)
    mail.sweep()
    stamp = trust.stamp_for(mail.user)
    page = store.load_page(message, Variant(), trust_stamp=stamp, session_key=None)
    framed = [each for each in page["frames"] if each["layer"]]
    assert framed
    assert [each["label"] for each in framed] == [
        label for label, _ in Reading.objects.get().verdict["frames"]
    ]


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


class TestMeanwhile:
    """What becomes known while a verdict is made is not lost."""

    @pytest.fixture
    def during(self, monkeypatch):
        """Do something once, right after what the verdicts depend on was read."""

        def arrange(act):
            real, left = trust.contexts_for, [act]

            def contexts_for(*args, **more):
                found = real(*args, **more)
                if left:
                    left.pop()()
                return found

            monkeypatch.setattr(trust, "contexts_for", contexts_for)

        return arrange

    def ask(self, message):
        due.ask_for_messages(Message.objects.filter(pk=message.pk))

    def due(self):
        return Reading.objects.filter(turns_at__lte=timezone.now()).exists()

    def test_trust_that_changes_under_a_sweep(self, mail, petra, anchor, during):
        message = mail.arrives(-9, signed(-9, petra))
        during(lambda: trust.remove_anchor(anchor, actor=None, reason=WHY))
        rejudging.judge_again(mail.account, rejudging.readings(message__account=mail.account))
        assert mail.code(message) == "signed-first"
        assert Reading.objects.get().trust_stamp != trust.stamp_for(mail.user)
        mail.sweep()
        assert mail.code(message) == "chain-incomplete"

    def test_trust_that_changes_under_a_rendering(self, mail, petra, anchor, during):
        during(lambda: trust.remove_anchor(anchor, actor=None, reason=WHY))
        message = mail.arrives(-9, signed(-9, petra))
        assert mail.code(message) == "signed-first"
        assert Reading.objects.get().trust_stamp != trust.stamp_for(mail.user)
        # A sweep that was through before the rendering was kept.
        Rejudging.objects.update_or_create(
            account=mail.account, defaults={"stamp": trust.stamp_for(mail.user), "is_done": True}
        )
        mail.sweep()
        assert mail.code(message) == "chain-incomplete"

    def test_asked_for_under_a_sweep(self, mail, petra, during):
        message = mail.arrives(-9, signed(-9, petra))
        during(lambda: self.ask(message))
        rejudging.judge_again(mail.account, rejudging.readings(message__account=mail.account))
        assert self.due()
        mail.sweep()
        assert not self.due()

    def test_asked_for_under_a_rendering(self, mail, petra, during):
        message = mail.arrives(-9, signed(-9, petra))
        Rendition.objects.all().delete()
        during(lambda: self.ask(message))
        mail.render(message)
        assert self.due()
        Rendition.objects.all().delete()
        mail.render(message)
        assert not self.due()

    def test_judged_otherwise_under_a_rendering(self, mail, petra, anchor, during):
        message = mail.arrives(-9, signed(-9, petra))
        Rendition.objects.all().delete()

        def judge():
            trust.remove_anchor(anchor, actor=None, reason=WHY)
            mail.sweep()

        during(judge)
        mail.render(message)
        mail.sweep()
        assert mail.code(message) == "chain-incomplete"

    def test_two_judges_of_different_trust(self, mail, petra, anchor, during):
        """The one that finds the other's verdict of an older trust leaves it due."""
        mail.arrives(-9, signed(-9, petra))
        trust.remove_anchor(anchor, actor=None, reason=WHY)
        during(lambda: Reading.objects.update(judged_at=timezone.now(), trust_stamp="older"))
        rejudging.judge_again(mail.account, rejudging.readings(message__account=mail.account))
        assert Reading.objects.get().trust_stamp == "older"
        assert self.due()


class TestSignersOf:
    """Which mail is judged again when a certificate is withdrawn."""

    def is_due(self, message):
        return Reading.objects.filter(message=message, turns_at__lte=timezone.now()).exists()

    def test_encrypted_mail_from_a_bound_address(self, mail, petra):
        other = make_owner("ben@example.test")
        message = mail.arrives(
            -9,
            signed(-9, petra, from_=Address("Petra", "p@home.test")),
            sender="P@home.test",
        )
        Reading.objects.update(verdict={}, is_encrypted=True)  # as it stands of encrypted mail
        mark = fingerprint(petra.certificate)
        row = people.import_certificate(mail.user, PETRA, pem(petra.certificate))
        due.ask_for_signers([PETRA], [mark])
        assert not self.is_due(message)
        bound = deciding.bind(other.user, row, "p@home.test")
        due.ask_for_signers([PETRA], [mark])
        assert not self.is_due(message)  # somebody else's word
        PersonCertificate.objects.filter(pk=bound.pk).update(user=mail.user)
        due.ask_for_signers([PETRA], [mark])
        assert self.is_due(message)

    @pytest.mark.parametrize(
        "written",
        ["Petra@b\u00fccher.test", '"petra"@XN--BCHER-KVA.test', "petra@B\u00dcCHER.test"],
    )
    def test_however_the_address_is_spelt(self, mail, petra, written):
        message = mail.arrives(-9, signed(-9, petra), sender=written)
        due.ask_for_signers(["petra@xn--bcher-kva.example"])
        due.ask_for_signers(["petra%@xn--bcher-kva.test"])
        assert not self.is_due(message)
        due.ask_for_signers(["petra@xn--bcher-kva.test"])
        assert self.is_due(message)
