"""Many verdicts judged again at once are those of each message judged alone, without a memory."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from smime import trust
from smime.pki.authority import crl, new_intermediate
from smime.verdict import judge
from smime.verdict_clock import turns_first
from tests.smime.conftest import NOW, certify
from tests.webmail.reader.judged import PETRA, WHY, plain, signed
from webmail.mime import Address
from webmail.reader import due, judging, store, words
from webmail.reader.models import Reading

OLAF = "olaf@partner.test"

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(mail, authority, anchor):
    """Two signers under one root, their certificates renewed; what is altered, and not signed."""
    office = new_intermediate(authority, "Office", NOW - timedelta(days=300))
    first = certify(authority, PETRA, begins=-200, ends=-50)
    second = certify(office, PETRA, begins=-60)
    other = certify(authority, OLAF, begins=-200)
    olaf = {"from_": Address("Olaf", OLAF)}
    for day in range(-90, -2, 9):
        pair = first if day < -55 else second
        raw = signed(day, pair)
        mail.arrives(day, raw.replace(b"100", b"900") if day in {-90, -36} else raw)
        mail.arrives(day + 1, signed(day + 1, other, **olaf), sender=OLAF)
        mail.arrives(day + 2, plain(day + 2))
        mail.arrives(day + 3, signed(day + 3, second, **olaf), sender=OLAF)
    return mail


def alone(mail):
    """What each message's kept facts come to by themselves, as far as a reading keeps it."""
    found = {}
    now, user = timezone.now(), mail.user
    for reading in Reading.objects.select_related("message__account"):
        message = reading.message
        kept = store.open_facts(bytes(reading.sealed_facts), message_id=message.pk)
        context = judging.context_for(user, message, kept.facts, now=now)
        context = replace(context, memory=None)
        verdict = judge(kept.facts, context=context)
        panel = words.verdict_json(verdict, (), kept)
        found[message.pk] = (verdict.signature.code, panel, turns_first([verdict], context))
    return found


def kept_of(mail):
    rows = Reading.objects.filter(message__account=mail.account)
    return {pk: rest for pk, *rest in rows.values_list(*_KEPT)}


_KEPT = ("message_id", "signature_code", "verdict", "turns_at")


def settled(mail):
    """Sweep until nothing is due: records follow verdicts, and verdicts follow records."""
    for sender in (PETRA, OLAF):  # known to sign by now; nothing is committed here that says so
        due.ask_for_sender(mail.user.pk, sender)
    while mail.sweep() > 1:
        pass
    return kept_of(mail)


def test_each_alone(mailbox, anchor, authority):
    lists = crl(authority, this_update=NOW, next_update=NOW + timedelta(days=9))
    changes = [
        lambda: None,
        lambda: trust.remove_anchor(anchor, actor=None, reason=WHY),
        lambda: trust.add_anchor(bytes(anchor.der), actor=None, reason=WHY),
        lambda: trust.add_crl(lists, actor=None, reason=WHY),
    ]
    codes = []
    for change in changes:
        change()
        found = settled(mailbox)
        assert {pk: tuple(rest) for pk, rest in found.items()} == alone(mailbox)
        codes.append({code for code, *_ in found.values()})
    assert codes[0] == codes[2]
    assert len(codes[0]) >= 6, codes
    assert "chain-incomplete" in codes[1] - codes[0]
    assert "signed" in codes[3] - codes[2]
