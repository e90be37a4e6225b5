"""The clock turns verdicts at the moments told, and at no other."""

from datetime import timedelta

import pytest

from smime.pki.authority import new_intermediate
from smime.reading import read_message
from smime.verdict import judge
from smime.verdict_clock import turns_at
from tests.smime.cms.messages import HEAD, PLAIN, mail
from tests.smime.pki.people import DAY, NOW, context, fresh_crl, person, world

HOUR = timedelta(hours=1)


def judged(facts, now, **changes):
    around = context(now=now, **changes)
    return judge(facts, context=around), turns_at(judge(facts, context=around), around)


@pytest.mark.parametrize(
    ("signer", "changes", "codes"),
    [
        (
            lambda: person("alice@example.org", "Alice", not_after=NOW + 3 * DAY),
            {},
            ["signed", "signed-expired-since"],
        ),
        (
            lambda: person("alice@example.org", "Alice", not_before=NOW + 3 * DAY),
            {},
            ["not-yet-valid", "signed"],
        ),
        (lambda: world().alice, {}, ["signed", "signed-not-rechecked"]),  # the list grows stale
        (lambda: world().alice, {"crls": ()}, ["signed-not-rechecked", "signed-expired-since"]),
    ],
)
def test_turns(signer, changes, codes):
    facts = read_message(mail(signer=signer())).facts
    verdict, turn = judged(facts, NOW, **changes)
    assert turn is not None
    seen = [verdict.signature.code]
    while turn is not None and len(seen) < 9:
        before, _ = judged(facts, turn - timedelta(seconds=1), **changes)
        assert before.signature.code == seen[-1]
        verdict, turn = judged(facts, turn + timedelta(seconds=1), **changes)
        seen.append(verdict.signature.code)
    assert turn is None
    assert [each for each in codes if each in seen] == codes


def test_an_intermediate_ends():
    brief = new_intermediate(world().root, "Brief", NOW - DAY, lifetime=2 * DAY)
    facts = read_message(mail(signer=person("alice@example.org", "Alice", brief))).facts
    crls = (fresh_crl(issuer=brief),)
    _, turn = judged(facts, NOW, crls=crls)
    assert turn == brief.certificate.not_valid_after_utc


def test_without_signers_the_clock_does_not_matter():
    facts = read_message(HEAD + PLAIN).facts
    assert judged(facts, NOW)[1] is None
