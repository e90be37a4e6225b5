"""Each code and each note has an example, judged as the table says; none may be without one."""

import hashlib

import pytest

from smime import words
from smime.reading import LAYER_LIMIT, read_message
from smime.verdict import judge
from tests.smime.cms.messages import HEAD, opaque
from tests.smime.pki.people import context, world
from tests.smime.verdict_examples import ENCRYPTIONS, NOTES, SIGNATURES
from tests.smime.verdict_mails import (
    nested,
)


def judged(raw, changes):
    changes = dict(changes() if callable(changes) else changes)
    if isinstance(raw, tuple):
        raw, more = raw
        changes |= more
    keys = changes.pop("keys", (world().bob,))
    return judge(read_message(raw, keys=keys).facts, context=context(**changes))


@pytest.mark.parametrize("code", SIGNATURES)
def test_signature(code):
    make, changes, level, headline, sentence = SIGNATURES[code]
    verdict = judged(make(), changes)
    assert verdict.signature.code == code
    assert verdict.signature.level == level
    said = words.SIGNATURE[code]
    assert verdict.headline.text == headline
    assert verdict.sentence.text.startswith(sentence)
    assert "{" not in verdict.summary
    assert verdict.flag == said.flag


@pytest.mark.parametrize("code", ENCRYPTIONS)
def test_encryption(code):
    make, changes, level, headline, sentence = ENCRYPTIONS[code]
    verdict = judged(make(), changes)
    assert verdict.encryption.code == code
    assert verdict.level == level
    assert verdict.headline.text == headline
    assert verdict.sentence.text.startswith(sentence)
    assert "{" not in verdict.summary


def test_signed_too_often():
    """Fine point 19: the signature is named; the code of the encryption says why."""
    verdict = judged(nested(LAYER_LIMIT + 1), {})
    assert (verdict.signature.code, verdict.encryption.code) == ("uncheckable", "too-nested")
    assert verdict.sentence.text == "What was signed could not be unpacked."


@pytest.mark.parametrize("note", NOTES)
def test_note(note):
    present, absent = NOTES[note]
    verdict = judged(present(), {})
    assert note in verdict.signature.notes
    said = dict(zip(verdict.signature.notes, verdict.notes, strict=True))[note].text
    assert "{" not in said
    assert said == words.NOTES[note] or "{" in words.NOTES[note]
    assert note not in judged(absent(), {}).signature.notes


def test_notes_are_filled_in():
    on_behalf, late = (
        judged(NOTES[note][0](), {}) for note in ("sender-on-behalf", "late-signing")
    )
    assert on_behalf.notes[0].text == "Sent by office@example.org on behalf of the author."
    assert "It was signed on 21 November 2026, some days apart from its date." in {
        note.text for note in late.notes
    }


def test_each_code_of_the_catalogue_has_an_example():
    assert list(SIGNATURES) == list(words.SIGNATURE)
    assert list(ENCRYPTIONS) == list(words.ENCRYPTION)
    assert list(NOTES) == list(words.NOTES)


def test_md5_is_what_is_measured():
    """The example would be good with another hash."""
    assert judged(HEAD + opaque(), {}).signature.code == "signed"
    assert hashlib.new("md5", b"").digest_size == 16
