"""The bench's signed mail is mail that reads as signed, and all of it turns with its root."""

from datetime import UTC, datetime

import pytest

from smime import trust
from smime.models import TrustAnchor
from webmail.demo.bench import judging, judging_apart, signed_mail
from webmail.mailbox.models import Message
from webmail.reader.models import Reading

pytestmark = pytest.mark.django_db

ADDRESS = "reader@bench.example"


def test_every_verdict_turns_twice(monkeypatch):
    seen = []
    real = judging_apart._sweep

    def sweep(account_id, level):
        real(account_id, level)
        seen.append(set(Reading.objects.values_list("level", flat=True)))
        assert set(Message.objects.values_list("seal", flat=True)) == {level}

    monkeypatch.setattr(judging_apart, "_sweep", sweep)
    times = judging_apart.measure(40)
    assert seen == [{"ok"}, {"unknown"}, {"ok"}]
    assert times.gone > 0
    assert times.back > 0
    codes = dict(Reading.objects.values_list("message_id", "signature_code"))
    assert set(codes.values()) == {"signed", "signed-first"}
    assert len(codes) == 40


def test_a_verdict_that_does_not_turn_is_no_figure():
    account, anchor = signed_mail.fill(address=ADDRESS, messages=10, newest_at=datetime.now(UTC))
    judging_apart._sweep(account.pk, "ok")
    trust.remove_anchor(anchor, actor=None, reason="Tests")
    assert not TrustAnchor.objects.exists()
    with pytest.raises(judging_apart.NothingTurnedError):
        judging_apart._sweep(account.pk, "ok")


def test_the_figure_is_for_100_000():
    class Grounds:
        def apart(self, module, *arguments):
            assert module == judging_apart.__name__
            assert arguments == ("--messages", "5000")
            return '{"gone": 1.5, "back": 4.0}\n'

    gone, back = judging.measure(Grounds())
    assert (gone.value, gone.met) == (30.0, True)
    assert (back.value, back.met) == (80.0, False)
