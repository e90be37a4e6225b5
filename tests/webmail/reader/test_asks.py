"""Leaving lists by one click, from the click to the list's server, and what is not offered."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from django.http.multipartparser import MultiPartParser
from django.utils import timezone

from accounts import replies
from accounts.late_replies import HEARD
from tests.webmail.remote.hosts import HOST, Reply, Site, serving_securely
from tests.webmail.remote.name_server import Zone, name_server
from tests.webmail.remote.signing import LIST_MAIL, new_key, record, signed
from webmail.mailbox.models import Flag
from webmail.reader import unsubscribing
from webmail.reader.models import Unsubscription

pytestmark = pytest.mark.enable_socket
KEY = new_key()
MAIL = LIST_MAIL.replace(b"out.fjell.example", HOST.encode())
SCRIPT = {"HX-Request": "true"}
State = Unsubscription.State


@pytest.fixture
def zone() -> Iterator[Zone]:
    with name_server() as made:
        made.txt("s1._domainkey.fjell.example", record(KEY))
        yield made


@pytest.fixture
def site(monkeypatch, tmp_path, zone) -> Iterator[Site]:
    with serving_securely(monkeypatch, tmp_path / "tls") as made:
        made.routes["/u/7f3a"] = Reply()
        reach = unsubscribing.Reach(made.rules(), zone.servers)
        monkeypatch.setattr(unsubscribing, "REACH", reach)
        # Whether the name could be asked at all is decided before: it is a public one here.
        yield made


def put(letters, raw: bytes, **values):
    more = {"list_id": "week.fjell.example", "from_address": "news@fjell.example", "from_name": "F"}
    return letters.put(raw, **(more | values))


def click(letters, message, way="one-click"):
    return letters.client.post(f"/message/{message.pk}/unsubscribe", {"way": way}, headers=SCRIPT)


def left(letters, message) -> str:
    """Open it, click, and return the lines that come of that."""
    letters.opened(message)
    answer = click(letters, message)
    assert answer.status_code == 204
    page = letters.client.get(answer["Signet-Again"], headers=SCRIPT)
    assert page.status_code == 200
    return page.content.decode()


def test_one_click_is_one_post_and_is_remembered_for_the_list(letters, site, zone):
    message = put(letters, signed(MAIL, KEY))
    page = letters.opened(message)
    assert f'<bdi dir="ltr">{HOST}</bdi>' in page
    assert "The week at Fjell" in page
    assert '<details class="ask-more">' in page  # closed, and no other way beside one click
    assert "Open the page" not in page
    assert zone.asked == []  # reading tells nobody anything
    assert site.asked == []
    lines = left(letters, message)
    (asked,) = site.asked
    assert (asked.method, asked.path) == ("POST", "/u/7f3a?list=week")
    assert asked.fields["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--' in asked.body
    assert not {"cookie", "referer", "authorization", "accept-language"} & asked.fields.keys()
    assert {name for name, _by in zone.asked} == {"s1._domainkey.fjell.example"}
    assert "You unsubscribed from The week at Fjell on" in lines
    assert Unsubscription.objects.get().state == State.DONE
    another = put(letters, signed(MAIL.replace(b"<week@", b"<week2@"), KEY))
    assert "You unsubscribed from The week at Fjell on" in letters.opened(another)


def test_the_form_is_what_django_reads_as_the_field(letters, site):
    left(letters, put(letters, signed(MAIL, KEY)))
    (asked,) = site.asked
    meta = {
        "CONTENT_TYPE": asked.fields["content-type"],
        "CONTENT_LENGTH": asked.fields["content-length"],
    }
    fields, _files = MultiPartParser(meta, BytesIO(asked.body), []).parse()
    assert fields.dict() == {"List-Unsubscribe": "One-Click"}


@pytest.mark.parametrize(
    ("raw", "state"),
    [
        (MAIL, State.UNVERIFIED),
        (signed(MAIL, new_key()), State.UNVERIFIED),
        (signed(MAIL, KEY, fields=("from", "list-unsubscribe")), State.UNVERIFIED),
        (signed(MAIL, KEY).replace(b"/u/7f3a", b"/u/other"), State.UNVERIFIED),
        (signed(MAIL, KEY, domain="sender.example"), State.UNVERIFIED),
    ],
    ids=["unsigned", "another-key", "one-field", "changed", "another-domain"],
)
def test_without_the_lists_own_signature_nothing_is_posted(letters, site, raw, state):
    message = put(letters, raw)
    lines = left(letters, message)
    assert site.asked == []
    assert Unsubscription.objects.get().state == state
    assert "Nothing was sent" in lines
    assert f'href="https://{HOST}/u/' in lines  # the page, as a link
    assert 'rel="noopener noreferrer nofollow"' in lines
    assert 'value="mail"' in lines


def test_a_domain_of_the_list_may_sign_when_it_signs_the_lists_name(letters, site, zone):
    raw = MAIL.replace(b"news@fjell.example", b"anna@nordlys.example")
    assert "You unsubscribed" in left(letters, put(letters, signed(raw, KEY)))
    fields = ("from", "list-unsubscribe", "list-unsubscribe-post")
    other = raw.replace(b"week.fjell", b"month.fjell")
    assert "Nothing was sent" in left(letters, put(letters, signed(other, KEY, fields=fields)))


@pytest.mark.parametrize("way", ["one-click", "mail"])
def test_whoever_borrows_a_lists_name_marks_their_own_mail_alone(letters, site, zone, way):
    """Signed rightly for their From, with another's List-Id: the other's list was not left."""
    zone.txt("s1._domainkey.evil.example", record(KEY))
    raw = MAIL.replace(b"news@fjell.example", b"news@evil.example")
    theirs = put(letters, signed(raw, KEY, domain="evil.example"), from_address="news@evil.example")
    letters.opened(theirs)
    click(letters, theirs, way)
    unsubscribed = "to unsubscribe from" if way == "mail" else "You unsubscribed from"
    page = letters.client.get(f"/message/{theirs.pk}/asks", headers=SCRIPT).content.decode()
    assert unsubscribed in page
    ours = letters.opened(put(letters, signed(MAIL, KEY)))
    assert unsubscribed not in ours
    assert 'value="one-click"' in ours


def test_who_vouches_as_the_sender_is_whom_the_mailbox_shows(letters, site, zone):
    """What is remembered under a sender's name is proven for that sender."""
    zone.txt("s1._domainkey.evil.example", record(KEY))
    raw = MAIL.replace(b"news@fjell.example", b"news@evil.example")
    message = put(letters, signed(raw, KEY, domain="evil.example"))  # shown as news@fjell.example
    assert "Nothing was sent" in left(letters, message)
    assert site.asked == []


def test_a_list_is_remembered_for_all_hosts_of_its_sender(letters, site):
    left(letters, put(letters, signed(MAIL, KEY)))
    other = put(letters, signed(MAIL, KEY), from_address="more@mail.FJELL.example")
    assert "You unsubscribed from The week at Fjell on" in letters.opened(other)


@pytest.mark.parametrize(
    ("reply", "state", "words"),
    [
        (Reply(status=302, fields={"Location": "/elsewhere"}), State.REFUSED, "did not accept"),
        (Reply(status=500), State.REFUSED, "did not accept"),
        (Reply(trickle=(b"", 30)), State.DONE, "You unsubscribed"),
    ],
)
def test_what_the_lists_server_says_is_said(letters, site, reply, state, words):
    site.routes["/u/7f3a"] = reply
    assert words in left(letters, put(letters, signed(MAIL, KEY)))
    assert Unsubscription.objects.get().state == state
    assert len(site.asked) == 1


def test_a_private_address_and_a_silent_server(letters, site, monkeypatch):
    site.addresses = ["127.0.0.1", "10.0.0.1"]
    message = put(letters, signed(MAIL, KEY))
    assert "Nothing was sent" in left(letters, message)
    site.addresses = ["127.0.0.1"]
    monkeypatch.setattr(unsubscribing, "POST_SECONDS", 0.5)

    def silent(_asked) -> Reply:
        site.stopped.wait(5)
        return Reply()

    site.routes["/u/7f3a"] = silent
    assert "It may have worked" in left(letters, message)
    site.routes["/u/7f3a"] = Reply()
    assert "You unsubscribed" in left(letters, message)  # asked again by a new click


def test_a_second_task_for_the_same_click_posts_nothing(letters, site):
    message = put(letters, signed(MAIL, KEY))
    left(letters, message)
    row = Unsubscription.objects.get()
    unsubscribing.carry_out(row.pk)
    assert len(site.asked) == 1
    Unsubscription.objects.update(state=State.RUNNING, asked_at=timezone.now())
    assert click(letters, message).status_code == 204  # under way: stays as it is
    assert Unsubscription.objects.get().state == State.RUNNING


def test_a_task_that_comes_too_late_posts_nothing(letters, site, zone):
    message = put(letters, signed(MAIL, KEY))
    letters.opened(message)
    click(letters, message)
    Unsubscription.objects.update(asked_at=timezone.now() - unsubscribing.LOST_AFTER)
    assert "Nothing was sent" in letters.opened(message)  # the person was told so
    unsubscribing.carry_out(Unsubscription.objects.get().pk)
    assert (site.asked, zone.asked) == ([], [])
    assert "Nothing was sent" in letters.opened(message)


def test_who_began_and_never_came_back_is_said(letters, site):
    message = put(letters, signed(MAIL, KEY))
    left(letters, message)
    long_ago = timezone.now() - unsubscribing.LOST_AFTER
    Unsubscription.objects.update(state=State.RUNNING, asked_at=long_ago)
    assert "It may have worked" in letters.opened(message)


def test_no_thread_of_the_web_waits(letters, site, workers, monkeypatch):
    message = put(letters, signed(MAIL, KEY))
    letters.opened(message)
    url = click(letters, message)["Signet-Again"]

    def wait(_key: str, _patience: float) -> None:
        raise AssertionError("a thread waits")

    monkeypatch.setattr(replies, "wait", wait)
    assert letters.client.get(url, headers={HEARD: "", **SCRIPT}).status_code == 202
    answer = letters.client.get(url, headers={HEARD: "=done", **SCRIPT})
    assert "You unsubscribed" in answer.content.decode()
    assert len(site.asked) == 1


def test_without_script_the_page_says_what_came_of_it(letters, site):
    message = put(letters, signed(MAIL, KEY))
    letters.opened(message)
    answer = letters.client.post(
        f"/message/{message.pk}/unsubscribe", {"way": "one-click"}, follow=True
    )
    assert "You unsubscribed" in answer.content.decode()


@pytest.mark.parametrize(
    ("value", "has_button"),
    [
        (b"<http://list.example/u>", False),
        (b"<https://127.0.0.1/u>", False),
        (b"<https://list.example/u>", True),
    ],
)
def test_what_could_not_be_asked_is_not_offered_as_one_click(letters, value, has_button):
    raw = re.sub(rb"List-Unsubscribe: .*\r\n .*", b"List-Unsubscribe: " + value, MAIL)
    page = letters.opened(put(letters, raw))
    assert ('value="one-click"' in page) is has_button
    if not has_button:
        message_id = re.search(r"/message/(\d+)/unsubscribe", page)
        assert message_id is None or click_is_refused(letters, message_id[1])


def click_is_refused(letters, message_id) -> bool:
    answer = letters.client.post(f"/message/{message_id}/unsubscribe", {"way": "one-click"})
    return answer.status_code == 404


def test_a_mail_to_leave_is_shown_in_the_composer_before_it_goes(letters, site):
    raw = re.sub(rb"List-Unsubscribe-Post: .*\r\n", b"", MAIL)
    message = put(letters, raw)
    page = letters.opened(message)
    assert 'value="one-click"' not in page
    answer = letters.client.post(f"/message/{message.pk}/unsubscribe", {"way": "mail"}, follow=True)
    page = answer.content.decode()
    assert 'value="leave@fjell.example"' in page
    assert 'value="leave"' in page
    assert site.asked == []
    assert "You opened a mail to unsubscribe from The week at Fjell" in letters.opened(message)


def test_junk_and_strangers_are_offered_nothing(letters, site, stranger):
    message = put(letters, signed(MAIL, KEY), folder="junk")
    assert "/unsubscribe" not in letters.opened(message)
    assert click(letters, message).status_code == 404
    other = stranger.receive("Theirs")
    assert click(letters, other).status_code == 404
    assert letters.client.get(f"/message/{other.pk}/asks").status_code == 404


def test_personal_mail_has_no_line(letters):
    page = letters.opened(letters.letter())
    assert "/unsubscribe" not in page
    assert 'class="ask' not in page


HTML = (
    b"From: Anna <anna@nordlys.example>\r\nTo: mira@nordlys.example\r\nSubject: Offer\r\n"
    b"Message-ID: <offer@nordlys.example>\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b'<p>Look <a href="https://offer.example/x">here</a> <img src="https://offer.example/i.png">'
)


def frame(letters, page: str) -> str:
    url = re.search(r'src="(/m/[^"]*)"', page)[1].replace("&amp;", "&")
    return letters.client.get(url).content.decode()


@pytest.mark.parametrize("values", [{"folder": "junk"}, {"flags": int(Flag.JUNK)}])
def test_spam_is_words_alone_until_it_is_no_spam(letters, values):
    message = letters.put(HTML, **values)
    page = letters.opened(message)
    assert "This message is in Spam." in page
    assert 'value="not-junk"' in page
    assert "images are blocked" not in page
    document = frame(letters, page)
    assert "<a " not in document
    assert "<img" not in document
    letters.client.post("/actions", {"action": "not-junk", "kind": "message", "ids": [message.pk]})
    page = letters.opened(message)
    assert "This message is in Spam." not in page
    assert 'href="https://offer.example/x"' in frame(letters, page)
    letters.client.post("/actions", {"action": "junk", "kind": "message", "ids": [message.pk]})
    assert "<a " not in frame(letters, letters.opened(message))
