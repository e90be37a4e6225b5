"""The protection panel: what is shown, what may be chosen. Never a silent downgrade."""

import pytest

from webmail.composer.presenting import RecipientChip, RecipientState
from webmail.composer.protection import OwnKeys, Wish, names_of, plan_protection

HAS = OwnKeys(can_sign=True, can_decrypt=True, is_locked=False)
NO_KEY = OwnKeys(can_sign=False, can_decrypt=False, is_locked=False)
SIGNS_ONLY = OwnKeys(can_sign=True, can_decrypt=False, is_locked=False)
LOCKED = OwnKeys(can_sign=True, can_decrypt=True, is_locked=True)


def chip(name, state, words=""):
    address = f"{name.lower()}@example.org"
    return RecipientChip(
        field="to", name=name, address=address, state=RecipientState(state), words=words
    )


ANNA, JONAS = chip("Anna", "ok"), chip("Jonas", "ok")
PETRA = chip("Petra", "none", "No certificate found")
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
