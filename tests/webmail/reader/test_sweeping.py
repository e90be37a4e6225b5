"""Chains of judging again: one at a time, lost ones begun anew, late ones without effect."""

from datetime import timedelta

import pytest
from django.utils import timezone

from smime import trust
from tests.webmail.mailbox.conftest import make_owner
from tests.webmail.reader.judged import (
    AGAIN,
    WHY,
    signed,
)
from webmail.reader import sweeping
from webmail.reader.models import Reading, Rejudging

pytestmark = pytest.mark.django_db


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
