"""From the form to the other's mailbox: real web, workers, Valkey, Postfix and Dovecot."""

import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers.dovecot import PASSWORD
from tests.servers.postfix import LATER, REFUSED
from tests.site import site, wait_for  # noqa: F401 - a fixture

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def alice(site, mail_servers):  # noqa: F811
    """A browser without script in which Alice is signed in."""
    client = site.client()
    client.sign_in(mail_servers.alice.address, PASSWORD)
    return client


def fetched(mail_servers, user, mailbox, subject, what="hdr"):
    """What Dovecot has under this subject, one text a message."""
    found = mail_servers.dovecot.doveadm(
        "fetch", "-u", user, what, "mailbox", mailbox, "subject", subject, check=False
    )
    return [text for text in found.split("\f") if text.strip()]


def in_inbox(mail_servers, user, subject, what="hdr"):
    return fetched(mail_servers, user, "INBOX", subject, what)


def form_of(client):
    """The composer's form on the current page: (address of Send, hidden fields)."""
    action = re.search(r'<form class="composer-form"[^>]*action="([^"]+)"', client.page)
    assert action, client.page[:2000]
    hidden = dict(
        re.findall(r'<input type="hidden" name="(revision|key|from)" value="([^"]*)"', client.page)
    )
    return action[1], hidden


def composed(client, **fields):
    """Open the composer and fill it in."""
    client.get("/compose")
    action, hidden = form_of(client)
    return action, {
        "cc": "",
        "bcc": "",
        "text": "We go up to 40.\r\n",
        "html": "",
    } | hidden | fields


def fresh():
    return f"subject {uuid.uuid4().hex[:12]}"


def test_a_mail_arrives_and_is_filed(alice, mail_servers):
    subject = fresh()
    action, fields = composed(
        alice, to="Bob <bob@example.test>", bcc=mail_servers.alice.address, subject=subject
    )
    alice.post(action, **fields)
    assert "/outbox" in alice.address
    assert subject in alice.page
    (arrived,) = wait_for("the mail", lambda: in_inbox(mail_servers, "bob", subject))
    assert "bcc" not in arrived.lower()
    (copy,) = wait_for("the copy in Sent", lambda: fetched(mail_servers, "alice", "Sent", subject))
    message_id = re.search(r"(?im)^message-id: (\S+)", arrived)[1]
    assert message_id in copy
    assert re.search(r"(?im)^bcc: .*alice@example.test", copy)
    assert len(in_inbox(mail_servers, "alice", subject)) == 1
    wait_for("an empty outbox", lambda: subject not in alice.get("/outbox"))


def test_undo_within_the_window(alice, mail_servers):
    subject = fresh()
    action, fields = composed(alice, to="bob@example.test", subject=subject)
    alice.post(action, **fields)
    undo = re.search(r'formaction="(/outbox/\d+/undo)"', alice.page)
    assert undo, alice.page
    alice.post(undo[1])
    assert "/compose?draft=" in alice.address
    assert subject in alice.page
    marker = fresh()
    action, fields = composed(alice, to="bob@example.test", subject=marker)
    alice.post(action, **fields)
    wait_for("a later mail", lambda: in_inbox(mail_servers, "bob", marker))
    assert in_inbox(mail_servers, "bob", subject) == []


def test_twenty_clicks_are_one_mail(alice, mail_servers):
    subject = fresh()
    action, fields = composed(alice, to="bob@example.test", subject=subject)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', alice.page)[1]
    body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
    url = urllib.parse.urljoin(alice.address, action)

    def click(_number):
        request = urllib.request.Request(url, data=body, headers={"Referer": alice.address})
        try:
            with alice._opener.open(request, timeout=40) as answer:
                return answer.status, urllib.parse.urlsplit(answer.geturl()).path
        except urllib.error.HTTPError as refused:
            return refused.code, ""

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(click, range(20)))
    assert (200, "/outbox") in answers
    assert answers <= {(200, "/outbox"), (409, "")}
    wait_for("the mail", lambda: in_inbox(mail_servers, "bob", subject))
    marker = fresh()
    action, fields = composed(alice, to="bob@example.test", subject=marker)
    alice.post(action, **fields)
    wait_for("a later mail", lambda: in_inbox(mail_servers, "bob", marker))
    assert len(in_inbox(mail_servers, "bob", subject)) == 1


def test_one_of_three_is_refused(alice, mail_servers):
    subject = fresh()
    action, fields = composed(
        alice, to=f"bob@example.test, {REFUSED}, alice@example.test", subject=subject
    )
    alice.post(action, **fields)
    for user in ("bob", "alice"):
        wait_for(f"{user}'s copy", lambda user=user: in_inbox(mail_servers, user, subject))
    page = wait_for(
        "the refusal", lambda: (p := alice.get("/outbox")) and "No such person here" in p and p
    )
    assert REFUSED in page


def test_everybody_refused_reopens_the_draft(alice):
    subject = fresh()
    action, fields = composed(alice, to=REFUSED, subject=subject)
    alice.post(action, **fields)
    page = wait_for(
        "the failure", lambda: (p := alice.get("/outbox")) and "was not sent" in p and p
    )
    assert subject in page
    assert subject in alice.get("/drafts")


def test_not_now_waits(alice):
    subject = fresh()
    action, fields = composed(alice, to=LATER, subject=subject)
    alice.post(action, **fields)
    # While a try runs there is no button: wait for the reply and the waiting mail together.
    undo = wait_for(
        "the server's no, and the mail waiting",
        lambda: (
            "Come back later" in alice.get("/outbox")
            and re.search(r'formaction="(/outbox/\d+/undo)"', alice.page)
        ),
    )
    alice.post(undo[1])
    assert subject in alice.page
