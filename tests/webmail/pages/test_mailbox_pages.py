import gzip
import re

import pytest
from django.test import Client

from accounts.models import MailAccount
from webmail.mailbox.models import Flag, Placement, Thread
from webmail.pages import preferences
from webmail.reader.presenting import FrameView, ImagesView, OpenMessage, PersonView, VerdictView

HTML_BUDGET = 20 * 1024  # bytes after gzip, 50 rows


def opened(message, **values):
    anna = PersonView(name="Anna Lindqvist", address="anna@nordlys.example")
    verdict = VerdictView(
        code="signed", encryption_code="", level="ok", headline="Signed by Anna Lindqvist",
        sentence="Matches the sender and unchanged since signing.", flag="", is_locked=False,
        is_quiet=False, is_expanded=False, notes=(), answers=(), signer=None, action="",
    )  # fmt: skip
    standing = {
        "id": message.pk, "state": "ready", "subject": message.subject, "sender": anna,
        "from_": (anna,), "to": (PersonView(name="Mira", address="mira@nordlys.example"),),
        "cc": (), "bcc": (), "reply_to": (), "sent_on_behalf": None, "date": message.date,
        "received_at": message.internal_date, "verdict": verdict,
        "frames": (FrameView(url="/m/token/frame", title="Message from Anna Lindqvist"),),
        "images": ImagesView(
            blocked=0, trackers=0, tracker_hosts=(), loaded=0, is_always=False, may_load=True,
            may_always=False,
        ),
    }  # fmt: skip
    return OpenMessage(**{**standing, **values})


@pytest.fixture
def reads(monkeypatch):
    """Open messages without workers; the list holds what was asked for."""
    asked = []

    def open_message(request, message, *, images=False, wait=True, places=None):
        asked.append((message.pk, images))
        return opened(message)

    monkeypatch.setattr("webmail.pages.conversation.open_message", open_message)
    return asked


def test_the_front_door_leads_to_sign_in_or_to_the_inbox(mailbox, browser):
    assert Client().get("/").headers["Location"] == "/sign-in"
    mailbox.receive("Substation 14")
    page = browser.get("/")
    assert page.status_code == 200
    assert "Substation 14" in page.content.decode()


def test_a_folder_page_has_the_names_outsiders_rely_on(mailbox, browser):
    mailbox.receive("Substation 14")
    text = browser.get("/mail/inbox").content.decode()
    assert 'aria-label="Search mail"' in text
    assert re.search(r"<span>Compose</span>", text)
    assert "<title>Inbox (1)" in re.sub(r"\s+", " ", text).replace("<title> ", "<title>")


def test_an_account_that_was_never_synchronised_says_its_mail_is_coming(mira, browser):
    text = browser.get("/").content.decode()
    assert "Your mail is on its way" in text


def test_other_peoples_folders_and_messages_do_not_exist(mailbox, stranger, browser, reads):
    theirs = stranger.receive("Not yours")
    assert browser.get(f"/message/{theirs.pk}").status_code == 404
    assert browser.get(f"/mail/{stranger.folders['inbox'].pk}").status_code == 404
    assert browser.get("/mail/no-such").status_code == 404
    assert reads == []


def test_pages_are_for_those_who_signed_in(mailbox):
    message = mailbox.receive("Private")
    for path in ("/mail/inbox", f"/message/{message.pk}", "/settings/", "/search?q=x"):
        answer = Client().get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in")


def test_older_pages_are_reached_by_links(mailbox, browser):
    for number in range(60):
        mailbox.receive(f"Letter {number}", age=number)
    first = browser.get("/mail/inbox").content.decode()
    assert first.count('class="row') >= 50
    older = re.search(r'href="(/mail/inbox\?before=[^"]+)"', first)[1].replace("&amp;", "&")
    second = browser.get(older).content.decode()
    assert "Letter 59" in second
    assert "Letter 10<" not in second


def test_fifty_rows_fit_the_budget(mailbox, browser):
    for number in range(50):
        mailbox.receive(
            f"Handover plan for substations {number} and {number * 7}",
            age=number,
            preview=f"{number} Something came up at the plant; would 14:00 on day {number} work?",
            seal=["ok", "warn", "none", "bad"][number % 4],
            seal_flag=["", "Check sender", "", "Altered"][number % 4],
            from_name=f"Person {number * 37 % 91}",
        )
    page = browser.get("/mail/inbox").content
    assert len(gzip.compress(page)) <= HTML_BUDGET


def test_a_page_looks_for_no_time_zone_on_the_disk(mailbox, browser, monkeypatch):
    """Python's list of zones is read from hundreds of files: once a process, not once a page."""
    preferences.zone_names()

    def looked() -> set[str]:
        raise AssertionError("The zones were listed again.")

    monkeypatch.setattr("zoneinfo.available_timezones", looked)
    browser.cookies["signet-zone"] = "Europe/Oslo"
    assert browser.get("/mail/inbox").status_code == 200


def test_a_list_page_asks_few_questions(mailbox, browser, django_assert_max_num_queries):
    for number in range(50):
        mailbox.receive(f"Letter {number}", age=number)
    browser.get("/mail/inbox")
    with django_assert_max_num_queries(6):
        browser.get("/mail/inbox")


def test_script_gets_one_pane(mailbox, browser, pane, reads):
    message = mailbox.receive("Framework agreement")
    listed = browser.get("/mail/inbox", headers=pane("aside#list")).content.decode()
    assert 'id="list"' in listed
    assert "hx-partial" in listed
    assert "<!doctype" not in listed
    read = browser.get(f"/message/{message.pk}?in=inbox", headers=pane("main#reading"))
    text = read.content.decode()
    assert 'id="reading"' in text
    assert 'id="list"' not in text
    assert "<!doctype" not in text
    empty = browser.get("/mail/inbox", headers=pane("main#reading")).content.decode()
    assert "reading-empty" in empty


def test_a_message_page_holds_its_list_its_thread_and_its_body(mailbox, browser, reads):
    first = mailbox.receive("Framework agreement", age=2)
    second = mailbox.receive("Re: Framework agreement", thread=first.thread, age=1)
    text = browser.get(f"/message/{second.pk}?in=inbox").content.decode()
    assert reads == [(second.pk, False)]
    assert f'id="m{first.pk}"' in text
    assert 'class="folded"' in text
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in text
    assert 'title="Message from Anna Lindqvist"' in text
    assert "Signed by Anna Lindqvist" in text
    assert "is-open" in text
    assert "1 of 2" in text or "1 of 1" in text


def test_a_folded_message_opens_in_place(mailbox, browser, pane, reads):
    first = mailbox.receive("Framework agreement", age=2)
    mailbox.receive("Re: Framework agreement", thread=first.thread, age=1)
    answer = browser.get(f"/message/{first.pk}?in=inbox", headers=pane(f"article#m{first.pk}"))
    text = answer.content.decode()
    assert text.lstrip().startswith("<article")
    assert text.count("<article") == 1


def test_images_are_loaded_only_when_asked(mailbox, browser, reads):
    message = mailbox.receive("Offer")
    browser.get(f"/message/{message.pk}?images=once")
    assert reads == [(message.pk, True)]


def seen(message):
    return [
        bool(placement.shown_flags & Flag.SEEN)
        for placement in Placement.objects.filter(message=message)
    ]


@pytest.mark.usefixtures("reads", "valkey")
def test_opening_a_page_marks_it_read_but_fetching_ahead_does_not(mailbox, browser, pane):
    message = mailbox.receive("Unread")
    browser.get(f"/message/{message.pk}?in=inbox", headers=pane("main#reading"))
    assert seen(message) == [False]
    browser.get(f"/message/{message.pk}?in=inbox")
    assert seen(message) == [True]


def test_the_list_beside_a_message_survives_a_wrong_address(mailbox, browser, reads):
    message = mailbox.receive("Here")
    assert browser.get(f"/message/{message.pk}?in=no-such").status_code == 404
    assert browser.get(f"/message/{message.pk}?before=rubbish").status_code == 200


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (MailAccount.State.UNREACHABLE, "The mail server does not answer"),
        (MailAccount.State.AUTH_FAILED, "no longer accepts your password"),
    ],
)
def test_what_is_wrong_is_said_above_the_list(mailbox, browser, state, words):
    MailAccount.objects.update(state=state)
    mailbox.receive("Still readable")
    text = browser.get("/mail/inbox").content.decode()
    assert words in text
    assert "Still readable" in text


def test_markup_in_mail_is_text(mailbox, browser, reads):
    mailbox.receive(
        "<script>alert(1)</script>", from_name="<b>Anna</b>", preview="<img src=x onerror=1>"
    )
    text = browser.get("/mail/inbox").content.decode()
    assert "<script>alert" not in text
    assert "<b>Anna" not in text
    assert "<img" not in text


def test_an_empty_inbox_says_so(mailbox, browser):
    text = browser.get("/mail/inbox").content.decode()
    assert "Nothing left to read" in text
    assert "This folder is empty" in browser.get("/mail/trash").content.decode()
    assert "No mail matches." in browser.get("/mail/inbox?only=unread").content.decode()


def test_threads_of_one_are_not_counted(mailbox, browser, reads):
    message = mailbox.receive("Alone")
    assert Thread.objects.count() == 1
    assert "messages with" not in browser.get(f"/message/{message.pk}").content.decode()


def test_search_finds_marks_and_offers_ways_on(mailbox, browser):
    mailbox.receive("Offsite in Bergen")
    mailbox.receive("Lunch")
    text = browser.get("/search?q=bergen").content.decode()
    assert "Offsite in <mark>Bergen</mark>" in text
    assert "Lunch" not in text
    assert "1 result" in text
    assert "in all folders" in text
    assert "bergen%20is%3Aunread" in text or "bergen+is%3Aunread" in text


def test_search_without_hits_says_what_to_try(mailbox, browser):
    text = browser.get("/search?q=from:nobody+bergen&in=inbox").content.decode()
    assert "No mail matches." in text
    assert "Search all folders" in text
    assert "Remove last filter" in text


def test_an_empty_search_leads_back_to_the_folder(mailbox, browser):
    assert browser.get("/search?q=+&in=sent").headers["Location"] == "/mail/sent"


def test_what_was_searched_stays_in_the_field_and_beside_the_message(mailbox, browser, reads):
    message = mailbox.receive("Offsite in Bergen")
    text = browser.get("/search?q=bergen").content.decode()
    link = re.search(r'class="row-link" href="([^"]+)"', text)[1].replace("&amp;", "&")
    assert link == f"/message/{message.pk}?q=bergen"
    beside = browser.get(link).content.decode()
    assert "1 result" in beside
    assert 'value="bergen"' in beside
