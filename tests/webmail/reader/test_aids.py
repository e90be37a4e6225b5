"""Hints at who a sender may not be: one line above the body, the rest in Details, none for nothing."""

import json
import re
from dataclasses import replace

import pytest

from accounts.models import MailServer
from smime.reading import read_message
from smime.verdict import Context, judge
from tests.smime.conftest import NOW
from webmail.composer import completion
from webmail.mailbox import correspondents
from webmail.mailbox.correspondents import Correspondent
from webmail.reader import acquaintance
from webmail.reader.aids import STRANGERS, Acquaintance, Stated, find_aids, stated_in
from webmail.reader.models import Rendition

ANNA = Correspondent("anna@partner.example", "Anna Lindqvist", 5, 9)
BANK = Correspondent("news@sparbank.example", "Sparbank", 0, 3)
ONCE = Correspondent("x@harbourside.example", "X", 0, 2)
AROUND = Acquaintance(frozenset({"mira@nordlys.example"}), (ANNA, BANK, ONCE))


def _found(sender: str, *, around=AROUND, is_to_many=False, **fields) -> list[str]:
    head = {"From": sender, "Subject": "x", **{k.replace("_", "-"): v for k, v in fields.items()}}
    raw = "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\nx\r\n"
    reading = read_message(raw.encode())
    verdict = judge(reading.facts, context=Context(now=NOW))
    stated = stated_in(verdict, reading.envelope, is_to_many=is_to_many)
    if stated is None:
        return []
    kept = json.loads(json.dumps(stated.to_json()))
    assert Stated.from_json(kept) == replace(stated, sender=replace(stated.sender, comment=""))
    return [code for code, _ in find_aids(stated, around)]


@pytest.mark.parametrize(
    ("sender", "codes"),
    [
        ("Anna Lindqvist <anna@partner.example>", []),
        ("Sparbank <other@sparbank.example>", []),
        ("Somebody <a@elsewhere.example>", []),
        # domains that pass for known ones: of people, of what one hears from often, of one's own
        ("A <a@partner.example.net>", []),
        ("A <a@partmer.example>", ["domain-passes-for"]),
        ("A <a@раrtner.example>", ["domain-passes-for"]),  # Cyrillic ра
        ("A <a@sparbamk.example>", ["domain-passes-for"]),
        ("A <a@mail.sparbank.example>", []),
        ("A <ceo@nordiys.example>", ["domain-passes-for"]),
        ("A <ceo@post.nordlys.example>", []),
        ("A <a@harborside.example>", []),  # hardly known
        # letters of several alphabets, whomever they imitate
        ("A <a@gооgle.example>", ["domain-disguised"]),
        ("A <a@москва.example>", []),
        # names
        ("Anna Lindqvist <anna@gmail.example>", ["name-passes-for"]),
        ("Lindqvist, Anna <x@y.example>", ["from"]),
        ('"Lindqvist, Anna" <x@y.example>', ["name-passes-for"]),
        ("Аnnа Lindqvist <x@y.example>", ["name-passes-for"]),
        ("Anna Lindqvist <a.lindqvist@mail.partner.example>", []),
        ("Sparbank <x@y.example>", []),  # one word is nobody's name
        ('"anna@partner.example" <x@y.example>', ["name-holds-address"]),
        ("x@y.example (anna@partner.example)", ["name-holds-address"]),
        ('"x@y.example" <x@y.example>', []),
        # all at once, the gravest first
        (
            '"Anna Lindqvist anna@partner.example" <anna@partmer.example>',
            ["domain-passes-for", "name-holds-address"],
        ),
        # of nobody and of several nothing is said
        ("", []),
        ("a@partmer.example, b@sparbamk.example", []),
        ("Mira <mira@nordlys.example>", []),
        ('"anna@partner.example" <MIRA@nordlys.example>', []),
    ],
)  # fmt: skip
def test_senders(sender, codes):
    """What is found in a sender, for somebody who knows these people."""
    found = _found(sender)
    assert found == ([] if codes == ["from"] else codes)


@pytest.mark.parametrize(
    ("reply_to", "codes"),
    [
        ("anna@partner.example", []),
        ("team@mail.partner.example", []),
        ("a@free.example", ["replies-elsewhere"]),
        ("mira@nordlys.example", []),  # to oneself
        ("nobody", []),
        ("anna@partner.example, a@free.example", ["replies-elsewhere"]),
    ],
)
def test_replies(reply_to, codes):
    """Replies that leave the sender's organisation, except where a list asks for them."""
    assert _found("Anna <anna@partner.example>", Reply_To=reply_to) == codes
    assert _found("Anna <anna@partner.example>", Reply_To=reply_to, is_to_many=True) == []


def test_who_is_well_known_passes_for_nobody():
    """A domain that the person wrote to often is their own choice; the better known one is meant."""
    regular = Correspondent("a@partmer.example", "A", 3, 0)
    around = Acquaintance(frozenset(), (ANNA, regular))
    assert _found("A <a@partmer.example>", around=around) == []
    heard = Correspondent("a@partmer.example", "A", 0, 90)
    assert _found("A <a@partmer.example>", around=Acquaintance(frozenset(), (ANNA, heard))) == []
    once = Correspondent("anna@partner.example", "Anna", 1, 0)
    around = Acquaintance(frozenset(), (heard, once))
    assert _found("A <a@partner.example>", around=around) == ["domain-passes-for"]
    assert _found("A <a@partmer.example>", around=STRANGERS) == []


# --- on the page ----------------------------------------------------------------------------------

_LINE = re.compile(r'<p class="notice aid[^"]*">.*?<span>(.*?)</span></p>', re.DOTALL)


def _raw(sender="Bo <bo@elsewhere.example>", *fields: bytes) -> bytes:
    rest = b"".join(each + b"\r\n" for each in fields)
    return rest + f"From: {sender}\r\nSubject: Hi\r\n\r\nHello\r\n".encode()


@pytest.fixture
def page(letters):
    """Open a letter; returns the line above the body and the hints in Details."""

    def opened(raw: bytes, address="bo@elsewhere.example", **values):
        message = letters.put(raw, from_address=address, **values)
        html = letters.opened(message)
        lines = _LINE.findall(html)
        assert len(lines) <= 1
        rest = html.partition('<ul class="details-checks">')[2].partition("</ul>")[0]
        return (lines[0] if lines else ""), re.sub(r"<[^>]*>", " ", rest)

    return opened


FIRST = "This is the first message from bo@elsewhere.example."


def test_a_first_contact_is_said_quietly(letters, page):
    """Once: not of whoever wrote before, and not after the person wrote to them."""
    assert page(_raw(), age=5) == (FIRST, "")
    assert page(_raw(), age=4)[0] == ""
    assert page(_raw("Cy <cy@elsewhere.example>"), "cy@elsewhere.example")[0] != ""
    sent = letters.mailbox.receive(
        "To Dee", folder="sent", from_address="mira@nordlys.example",
        recipients={"to": [["Dee", "dee@elsewhere.example"]]},
    )  # fmt: skip
    completion.learn(letters.mailbox.account, [sent.pk])
    assert page(_raw("Dee <dee@elsewhere.example>"), "dee@elsewhere.example")[0] == ""


def test_nothing_is_said_of_first_contacts_while_mail_is_coming_in(letters, page):
    """Older mail of theirs may be on the way."""
    inbox = letters.mailbox.folders["archive"]
    inbox.is_backfilled = False
    inbox.save()
    assert page(_raw()) == ("", "")


def test_look_alikes_of_people_who_became_known_later(letters):
    """A page made while older mail was coming in says what is known by now, and is not made anew."""
    archive = letters.mailbox.folders["archive"]
    archive.is_backfilled = False
    archive.save()
    raw = _raw("Anna Lindqvist <anna@partmer.example>")
    message = letters.put(raw, from_address="anna@partmer.example")
    assert not _LINE.search(letters.opened(message))
    sent = letters.mailbox.receive(
        "To Anna", folder="sent", from_address="mira@nordlys.example",
        recipients={"to": [["Anna Lindqvist", "anna@partner.example"]]},
    )  # fmt: skip
    completion.learn(letters.mailbox.account, [sent.pk])
    archive.is_backfilled = True
    archive.save()
    made = Rendition.objects.get().created_at
    (line,) = _LINE.findall(letters.opened(message))
    assert line == "This comes from partmer.example, which looks like partner.example but is not."
    assert Rendition.objects.get().created_at == made


def test_a_page_made_when_all_mail_was_here_is_final(letters, monkeypatch):
    """What it costs to look for hints is paid once."""
    message = letters.put(_raw(), from_address="bo@elsewhere.example")
    letters.opened(message)
    message.reading.refresh_from_db()
    assert "aids_early" not in message.reading.page
    monkeypatch.setattr("webmail.reader.aid_words.find_aids", None)
    letters.opened(message)


def test_newsletters_get_no_line_for_being_new(page):
    """What they ask for is in Details; replies to another place are usual for them."""
    line, more = page(
        _raw("News <bo@elsewhere.example>", b"List-Unsubscribe: <mailto:x@y.example>",
             b"Reply-To: replies@mailer.example")
    )  # fmt: skip
    assert line == ""
    assert FIRST in more
    assert "Replies go to" not in more


def test_one_line_the_worst_and_the_rest_in_details(letters, page):
    """However many hints there are."""
    line, more = page(
        _raw('"mira@nordlys.example" <bo@nordiys.example>', b"Reply-To: x@y.example"),
        "bo@nordiys.example",
    )
    assert line == "This comes from nordiys.example, which looks like nordlys.example but is not."
    assert "name holds another address" in more
    assert "Replies go to x@y.example" in more
    assert "the first message from bo@nordiys.example" in more


def test_a_name_that_holds_an_address_is_said_once(letters):
    """As a line above unsigned mail, instead of the verdict's note."""
    raw = _raw('"mira@nordlys.example" <bo@elsewhere.example>')
    html = letters.opened(letters.put(raw, from_address="bo@elsewhere.example"))
    assert "holds another address. This comes from bo@elsewhere.example." in html.replace(
        "&#x27;", "'"
    )
    assert "holds an address that is not" not in html


_FAILED = b"Authentication-Results: mx.nordlys.example; dmarc=fail header.from=elsewhere.example"
_BORDER = b"Received: from x (x.example [198.51.100.3]) by mx.nordlys.example; x"
_OTHER = b"Received: from y by x.example; x"
SPOOFED = "mx.nordlys.example could not confirm that this comes from elsewhere.example."


def test_a_failed_check_counts_from_trusted_servers_alone(letters, page):
    """And from its place in the trace, and about the domain that is shown."""
    assert SPOOFED not in page(_raw("Bo <bo@elsewhere.example>", _FAILED, _BORDER))[0]
    MailServer.objects.update(authserv_ids="mx.nordlys.example")
    assert SPOOFED in page(_raw("Bo <bo@elsewhere.example>", _FAILED, _BORDER))[0]
    assert SPOOFED not in page(_raw("Bo <bo@elsewhere.example>", _BORDER, _OTHER, _FAILED))[0]
    other = _FAILED.replace(b"elsewhere", b"another")
    assert "could not confirm" not in page(_raw("Bo <bo@elsewhere.example>", other, _BORDER))[0]
    listed = page(_raw("Bo <bo@elsewhere.example>", _FAILED, _BORDER, b"List-Id: <a.example>"))
    assert "Someone else may have sent it" not in "".join(listed)  # lists break it honestly


def test_mail_of_ones_own_gets_no_hints(letters, page):
    """Sent mail has been nowhere; in one's own name from outside it is somebody else's."""
    MailServer.objects.update(authserv_ids="mx.nordlys.example")
    mine = ('"Bo bo@b.example" <mira@nordlys.example>', b"Reply-To: a@b.example")
    assert page(_raw(*mine), "mira@nordlys.example", folder="sent") == ("", "")
    spoof = _FAILED.replace(b"elsewhere", b"nordlys")
    line, _ = page(_raw("Mira <mira@nordlys.example>", spoof, _BORDER), "mira@nordlys.example")
    assert "could not confirm that this comes from nordlys.example" in line


def test_a_good_signature_silences_all_but_look_alikes(letters):
    """Who wrote it is proven; the encrypted letter's hints stay with its session."""
    MailServer.objects.update(authserv_ids="mx.nordlys.example")
    head = _FAILED.replace(b"elsewhere", b"nordlys") + b"\r\n" + _BORDER + b"\r\n"
    message = letters.put(head + letters.encrypted_mail(), is_secured=True)
    html = letters.opened(message)
    assert not _LINE.search(html)
    assert "the first message from anna@nordlys.example" in html
    assert "Someone else may have sent it" in html
    message.reading.refresh_from_db()
    assert message.reading.page == {}


def test_a_sender_cannot_write_markup(page):
    """Names and addresses are text."""
    known = '"<b>Anna</b> x@y.example" <"<i>"@nordiys.example>'
    line, more = page(_raw(known), '"<i>"@nordiys.example')
    assert "<b>" not in line + more
    assert "<i>" not in line + more


def test_lists_ask_nothing(letters, django_assert_max_num_queries):
    """Hints cost queries where a message is opened, and none where mail is listed."""
    for number in range(8):
        letters.put(_raw(), from_address=f"{number}@elsewhere.example", age=number)
    asked: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(correspondents, "known", lambda *_a, **_m: asked.append("known") or ())
        letters.client.get("/folder/inbox")
    assert asked == []


def test_opening_asks_a_fixed_number_of_queries(letters, django_assert_max_num_queries):
    """Whoever is known."""
    first = letters.put(_raw(), from_address="bo@elsewhere.example")
    letters.opened(first)
    with django_assert_max_num_queries(300) as before:
        letters.opened(first)
    sent = [
        letters.mailbox.receive(
            "x", folder="sent", from_address="mira@nordlys.example",
            recipients={"to": [["D", f"{n}@d{n}.example"]]}, age=n,
        ).pk
        for n in range(30)
    ]  # fmt: skip
    completion.learn(letters.mailbox.account, sent)
    assert len(acquaintance.acquaintance_of(letters.mailbox.user, "a@b.example").known) == 30
    with django_assert_max_num_queries(len(before)):
        letters.opened(first)
