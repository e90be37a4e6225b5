"""Answers and forwards: to whom, under which subject, and what must not get out."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from webmail.composer.content import DraftContent
from webmail.composer.quoting import (
    Original,
    answer,
    answered_subject,
    forward,
    forwarded_subject,
    leaks,
    references_of,
    without_secrets,
)
from webmail.composer.recipients import parse

ME = {"me@example.org"}
MAIL = Original(
    from_=parse("Ada <ada@example.org>"),
    reply_to=(),
    to=parse("me@example.org, Bo <bo@example.org>"),
    cc=parse("cy@example.org"),
    subject="Offer for the mill",
    date=datetime(2026, 11, 3, 9, 40, tzinfo=UTC),
    message_id="a2.78@example.org",
    in_reply_to=(),
    references=("a1@example.org",),
    text="We go up to 40.\n\nNot a word to Bo.\n> older words\n",
    html="",
    is_encrypted=False,
)
SECRET = replace(MAIL, is_encrypted=True)


def addresses(recipients):
    return [each.address for each in recipients]


@pytest.mark.parametrize(
    ("changes", "to_all", "to", "cc"),
    [
        ({}, False, ["ada@example.org"], []),
        ({}, True, ["ada@example.org"], ["bo@example.org", "cy@example.org"]),
        ({"reply_to": parse("list@example.org")}, False, ["list@example.org"], []),
        ({"cc": parse("ADA@example.org, me@EXAMPLE.org")}, True, ["ada@example.org"], ["bo@example.org"]),
        ({"from_": parse("me@example.org")}, False, ["me@example.org", "bo@example.org"], []),
        ({"from_": parse("me@example.org"), "to": parse("bo@example.org")}, True, ["bo@example.org"], ["cy@example.org"]),
        ({"from_": ()}, False, [], []),
    ],
)  # fmt: skip
def test_recipients_of_an_answer(changes, to_all, to, cc):
    content = answer(replace(MAIL, **changes), own=ME, to_all=to_all)
    assert (addresses(content.to), addresses(content.cc)) == (to, cc)


@pytest.mark.parametrize(
    ("subject", "answered", "forwarded"),
    [
        ("Offer", "Re: Offer", "Fwd: Offer"),
        ("Re: Offer", "Re: Offer", "Fwd: Re: Offer"),
        ("RE : Offer", "RE : Offer", "Fwd: RE : Offer"),
        ("AW: Angebot", "AW: Angebot", "Fwd: AW: Angebot"),
        ("Re[2]: Offer", "Re[2]: Offer", "Fwd: Re[2]: Offer"),
        ("Fwd: Offer", "Re: Fwd: Offer", "Fwd: Offer"),
        ("Regarding: x", "Re: Regarding: x", "Fwd: Regarding: x"),
        ("", "Re:", "Fwd:"),
    ],
)
def test_subjects(subject, answered, forwarded):
    assert (answered_subject(subject), forwarded_subject(subject)) == (answered, forwarded)


@pytest.mark.parametrize(
    ("references", "in_reply_to", "message_id", "expected"),
    [
        (("a", "b"), ("b",), "c", ("a", "b", "c")),
        ((), ("b",), "c", ("b", "c")),
        ((), (), "c", ("c",)),
        ((), (), "", ()),
        (("a", "b", "a"), (), "b", ("a", "b")),
        (tuple(str(n) for n in range(99)), (), "x", ("0", *map(str, range(71, 99)), "x")),
    ],
)
def test_references(references, in_reply_to, message_id, expected):
    mail = replace(MAIL, references=references, in_reply_to=in_reply_to, message_id=message_id)
    made = references_of(mail)
    assert made[0:1] == expected[0:1]
    assert made[-1:] == expected[-1:]
    assert len(made) <= 30
    if len(references) < 50:
        assert made == expected


def test_an_answer_quotes():
    content = answer(MAIL, own=ME, to_all=False)
    assert content.text == (
        "\n\nOn 03 Nov 2026, 09:40 Ada wrote:\n> We go up to 40.\n> \n> Not a word to Bo.\n>> older words\n"
    )
    assert '<blockquote type="cite"><p>We go up to 40.</p>' in content.html
    assert content.in_reply_to == "a2.78@example.org"
    assert content.secret_lines == ()


def test_names_and_text_are_escaped_in_html():
    mail = replace(MAIL, from_=parse('"<img src=x>" <ada@example.org>'), text="<script>1</script>")
    for content in (answer(mail, own=ME, to_all=False), forward(mail)):
        assert "<img" not in content.html
        assert "<script" not in content.html


def test_a_forward_names_the_original_and_starts_anew():
    content = forward(MAIL)
    assert content.to == ()
    assert content.in_reply_to == ""
    assert content.references == ("a1@example.org", "a2.78@example.org")
    for line in (
        "From: Ada <ada@example.org>",
        "Subject: Offer for the mill",
        "Cc: cy@example.org",
    ):
        assert line in content.text


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        ({}, ()),
        ({"shown_sender": "ada@example.org"}, ()),
        ({"shown_sender": "eve@evil.example"}, ("Replies go to ada@example.org, the address inside the protected message.",)),
        ({"signer": "eve@example.org"}, ("Replies go to ada@example.org, not to the signer.",)),
    ],
)  # fmt: skip
def test_odd_recipients_are_said(changes, notice):
    assert answer(replace(MAIL, **changes), own=ME, to_all=False).notices == notice


def test_what_came_encrypted_can_be_taken_out_whole():
    content = answer(SECRET, own=ME, to_all=False)
    assert leaks(content)
    edited = replace(
        content,
        text="Fine with me.\n" + content.text.replace("> We go up to 40.", "We  go up to 40."),
    )
    clean = without_secrets(edited)
    assert not leaks(clean)
    assert clean.text.strip() == "Fine with me."
    assert (clean.html, clean.subject) == ("", "")


def test_a_forwarded_secret_is_taken_out_too():
    clean = without_secrets(forward(SECRET))
    assert not leaks(clean)
    assert "40" not in clean.text


@pytest.mark.parametrize(
    ("text", "subject", "leak"),
    [
        ("Dear Cy, she wrote Not a word to Bo. Strange.", "", True),
        ("Not a word\nto Bo.", "", True),
        ("> Not a word to Bo.", "", True),
        ("Harmless.", "", False),
        ("Harmless.", "Re: Offer for the mill", True),
        ("Harmless.", "Lunch", False),
    ],
)
def test_leaks(text, subject, leak):
    secrets = answer(SECRET, own=ME, to_all=False)
    content = DraftContent(
        text=text,
        subject=subject,
        secret_lines=secrets.secret_lines,
        secret_subject=secrets.secret_subject,
    )
    assert leaks(content) is leak


def test_secrets_moved_into_own_sentences_keep_leaking():
    content = answer(SECRET, own=ME, to_all=False)
    moved = replace(content, text="She said Not a word to Bo. to me.\n")
    assert leaks(without_secrets(moved))
