"""The protection panel: what is shown, what may be chosen. Never a silent downgrade."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from smime.withdrawn import Withdrawal
from webmail.composer.presenting import RecipientChip, RecipientState
from webmail.composer.protection import OwnKeys, Wish, names_of, plan_protection

HAS = OwnKeys(can_sign=True, can_decrypt=True, is_locked=False)
NO_KEY = OwnKeys(can_sign=False, can_decrypt=False, is_locked=False)
SIGNS_ONLY = OwnKeys(can_sign=True, can_decrypt=False, is_locked=False)
LOCKED = OwnKeys(can_sign=True, can_decrypt=True, is_locked=True)
GONE = OwnKeys(
    can_sign=False,
    can_decrypt=False,
    is_locked=False,
    withdrawal=Withdrawal(datetime(2026, 11, 3, tzinfo=UTC)),
)


def chip(name, state, words=""):
    address = f"{name.lower()}@example.org"
    return RecipientChip(
        field="to", name=name, address=address, state=RecipientState(state), words=words
    )


ANNA, JONAS = chip("Anna", "ok"), chip("Jonas", "ok")
PETRA = chip("Petra", "none", "No certificate found")
WITHDRAWN = chip("Uma", "withdrawn", "Certificate withdrawn on 3 November 2026")
KARIM = chip("Karim", "expired", "Certificate expired on 3 November 2026")


@pytest.mark.parametrize(
    ("sign", "encrypt", "quote", "own", "people", "kind", "choices"),
    [
        (False, False, False, NO_KEY, [PETRA], None, []),
        (True, False, False, HAS, [PETRA], None, []),
        (True, True, False, HAS, [ANNA], None, []),
        (True, False, False, NO_KEY, [ANNA], "own-key-missing", ["plain"]),
        (True, True, False, NO_KEY, [ANNA], "own-key-missing", ["plain"]),
        (True, True, False, SIGNS_ONLY, [ANNA], "own-key-missing", ["plain"]),
        (True, True, True, NO_KEY, [ANNA], "own-key-missing", []),
        (False, False, False, GONE, [ANNA], None, []),
        (True, False, False, GONE, [ANNA], "own-key-withdrawn", ["plain"]),
        (True, True, False, GONE, [ANNA], "own-key-withdrawn", ["plain"]),
        (True, True, True, GONE, [ANNA], "own-key-withdrawn", []),
        (True, True, False, HAS, [ANNA, WITHDRAWN], "people-missing", ["signed", "able-only"]),
        (True, True, True, HAS, [WITHDRAWN], "people-missing", []),
        (True, False, False, LOCKED, [ANNA], "own-key-locked", []),
        (True, True, False, LOCKED, [PETRA], "own-key-locked", []),
        (True, True, False, HAS, [ANNA, PETRA], "people-missing", ["signed", "able-only"]),
        (True, True, False, HAS, [PETRA, KARIM], "people-missing", ["signed"]),
        (True, True, True, HAS, [ANNA, PETRA], "people-missing", ["able-only"]),
        (True, True, True, HAS, [PETRA], "people-missing", []),
        (False, False, True, HAS, [ANNA], "encrypted-quote", ["encrypt", "remove-quote"]),
        (True, False, True, HAS, [ANNA], "encrypted-quote", ["encrypt", "remove-quote"]),
    ],
)
def test_panel(sign, encrypt, quote, own, people, kind, choices):
    view = plan_protection(
        wish=Wish(sign=sign, encrypt=encrypt, holds_encrypted_quote=quote),
        own=own,
        recipients=people,
    )
    assert (view.kind if view else None) == kind
    assert ([choice.value for choice in view.choices] if view else []) == choices


def test_words_name_the_people():
    view = plan_protection(
        wish=Wish(sign=True, encrypt=True, holds_encrypted_quote=False),
        own=HAS,
        recipients=[ANNA, JONAS, PETRA, KARIM],
    )
    assert view.headline == "2 of 4 people cannot read encrypted mail yet"
    assert view.sentence == "Anna and Jonas can. Nothing is sent until you choose."
    assert [choice.words for choice in view.choices] == [
        "Send signed, not encrypted",
        "Send to Anna and Jonas only",
    ]
    assert [(p.name, p.words) for p in view.people] == [
        ("Petra", "No certificate found"),
        ("Karim", "Certificate expired on 3 November 2026"),
    ]
    assert view.people[0].ask_url == "/compose?to=petra%40example.org&ask=certificate"


def test_one_person_is_named_and_asked():
    wish = Wish(sign=True, encrypt=True, holds_encrypted_quote=False)
    alone = plan_protection(wish=wish, own=HAS, recipients=[KARIM])
    assert alone.headline == "Karim cannot read encrypted mail yet"
    assert alone.people[0].ask_words == "Ask Karim for a newer one"


def test_a_withdrawn_certificate_is_named_with_its_day():
    wish = Wish(sign=True, encrypt=True, holds_encrypted_quote=False)
    (person,) = plan_protection(wish=wish, own=HAS, recipients=[WITHDRAWN]).people
    assert person.words == "Certificate withdrawn on 3 November 2026"
    assert person.ask_words == "Ask Uma for a newer one"


@pytest.mark.parametrize(
    ("withdrawal", "headline"),
    [
        (GONE.withdrawal, "Your certificate for this address was withdrawn on 3 November 2026"),
        (Withdrawal(None), "Your certificate for this address was withdrawn"),
        (
            Withdrawal(None, is_blocked=True),
            "Your organisation does not accept the issuer of your certificate",
        ),
    ],
)
def test_one_s_own_withdrawn_certificate_says_why_it_does_not_sign(withdrawal, headline):
    wish = Wish(sign=True, encrypt=False, holds_encrypted_quote=False)
    own = replace(GONE, withdrawal=withdrawal)
    view = plan_protection(wish=wish, own=own, recipients=[ANNA])
    assert view.headline == headline
    assert view.sentence.startswith("Nothing is signed with it")


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ([], ""),
        ([ANNA], "Anna"),
        ([ANNA, JONAS], "Anna and Jonas"),
        ([ANNA, JONAS, PETRA], "Anna, Jonas and 1 other"),
        ([ANNA, JONAS, PETRA, KARIM], "Anna, Jonas and 2 others"),
    ],
)
def test_names(people, words):
    assert names_of(people) == words
