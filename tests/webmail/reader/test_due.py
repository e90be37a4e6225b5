"""What makes verdicts due, and what becomes known while one is made."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from smime import deciding, people, trust
from smime.models import PersonCertificate
from smime.pki.authority import new_intermediate
from smime.pki.certificates import fingerprint
from tests.smime.conftest import NOW, certify
from tests.webmail.mailbox.conftest import make_owner
from tests.webmail.reader.judged import (
    PETRA,
    WHY,
    pem,
    signed,
)
from webmail.mailbox.models import Message
from webmail.mime import Address
from webmail.reader import due, rejudging
from webmail.reader.models import Reading, Rejudging, Rendition

pytestmark = pytest.mark.django_db


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


def test_mail_that_lacked_an_authority(mail, authority, anchor, django_capture_on_commit_callbacks):
    between = new_intermediate(authority, "Between", NOW - timedelta(days=90))
    alone = replace(certify(between, PETRA, begins=-60), chain=())
    message = mail.arrives(-9, signed(-9, alone))
    assert mail.code(message) == "chain-incomplete"
    whole = certify(between, "jonas@partner.test", begins=-60)
    with django_capture_on_commit_callbacks(execute=True):
        mail.arrives(
            -8,
            signed(-8, whole, from_=Address("Jonas", "jonas@partner.test")),
            sender="jonas@partner.test",
        )
    mail.sweep()
    assert mail.code(message) == "signed-first"
