import asyncio
import gc
import json
import re
import time

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone

from accounts import session_keys
from accounts.models import User
from accounts.redis import client
from smime import unlocking
from smime.models import OwnKey
from smime.signals import vault_turned
from webmail.live import events

PATIENCE = 20  # seconds; on a busy machine Argon2 alone takes a few
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("valkey"),
    # Django never closes connections of a database in memory; the threads of a stream drop theirs.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def connections_of_threads_go():
    """Let them go within the test that opened them, not in whichever comes next."""
    yield
    gc.collect()


class Browser:
    """One ASGI client that reads a stream until it leaves."""

    def __init__(self, session_id, method="GET"):
        cookie = f"theme=x; signet={session_id}".encode()
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/events",
            "headers": [(b"cookie", cookie)],
        }
        self.sent = []
        self.leaving = asyncio.Event()

    async def receive(self):
        await self.leaving.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def text(self):
        return b"".join(each.get("body", b"") for each in self.sent[1:]).decode()

    def open(self):
        return asyncio.create_task(events.events_application(self.scope, self.receive, self.send))

    async def hears(self, words, seconds=PATIENCE):
        async with asyncio.timeout(seconds):
            while words not in self.text:  # noqa: ASYNC110 (the stream has no event to wait for)
                await asyncio.sleep(0.02)


@pytest.fixture
def person():
    return User.objects.create_user("mira@nordlys.example", "a long passphrase")


@pytest.fixture
def session_id(person):
    browser = Client()
    browser.force_login(person)
    browser.get("/healthz")  # the limits of the session begin with its first request
    return browser.session.session_key


def publish(person, data):
    client().publish(events.channel(person.pk), data)


async def subscribed(person):
    """Wait until the stream listens: what is published before is heard by nobody."""
    async with asyncio.timeout(PATIENCE):
        while not client().pubsub_numsub(events.channel(person.pk))[0][1]:  # noqa: ASYNC110 (Redis is asked)
            await asyncio.sleep(0.02)


def run(scenario):
    asyncio.run(asyncio.wait_for(scenario, 4 * PATIENCE))


def test_hints_reach_the_page(person, session_id):
    async def scenario():
        browser = Browser(session_id)
        stream = browser.open()
        await subscribed(person)
        publish(person, json.dumps({"kind": "folder", "folders": [1]}))
        await browser.hears('event: change\ndata: {"kind": "folder", "folders": [1]}\n\n')
        browser.leaving.set()
        await stream
        assert browser.status == 200
        assert (b"content-type", b"text/event-stream; charset=utf-8") in browser.sent[0]["headers"]

    run(scenario())


def test_another_persons_hints_do_not(person, session_id):
    other = User.objects.create_user("anna@nordlys.example", "a long passphrase")

    async def scenario():
        browser = Browser(session_id)
        stream = browser.open()
        await subscribed(person)
        publish(other, '{"kind": "folder"}')
        publish(person, '{"kind": "outbox"}')
        await browser.hears("outbox")
        assert "folder" not in browser.text
        browser.leaving.set()
        await stream

    run(scenario())


def test_without_a_session_the_browser_is_told_not_to_come_back():
    async def scenario():
        for cookie in ("", "no-such-session"):
            browser = Browser(cookie)
            await browser.open()
            assert browser.status == 204

    run(scenario())


def test_a_stream_ends_when_its_session_does(person, session_id, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 0.2)

    async def scenario():
        browser = Browser(session_id)
        stream = browser.open()
        await browser.hears(": alive")
        await sync_to_async(end_sessions)(person)
        await browser.hears("event: signed-out")
        await asyncio.wait_for(stream, PATIENCE)

    run(scenario())


def end_sessions(person):
    from accounts import session_limits

    session_limits.raise_epoch(person)


def stamps(browser):
    """The words that a page was told, in order."""
    told = re.findall(r"event: vault\ndata: (.+)\n\n", browser.text)
    return [(each["session"], each["keys"]) for each in map(json.loads, told)]


async def tells(browser, count):
    async with asyncio.timeout(PATIENCE):
        while len(stamps(browser)) < count:  # noqa: ASYNC110 (the stream has no event to wait for)
            await asyncio.sleep(0.02)


def open_vault(session_id):
    """What unlocking leaves in a session."""
    session = SessionStore(session_key=session_id)
    session.update({"vault-key": "sealed", "vault-seen-at": int(time.time())})
    session.save()
    return session


@pytest.fixture
def signed_in(person):
    """Make a browser that is signed in."""

    def make():
        browser = Client()
        browser.force_login(person)
        browser.get("/healthz")
        return browser

    return make


def test_locked_keys_are_told_to_the_tabs_of_that_session_at_once(signed_in, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 3600)
    here, elsewhere = signed_in(), signed_in()

    async def scenario():
        tabs = [Browser(each.session.session_key) for each in (here, here, elsewhere)]
        streams = [each.open() for each in tabs]
        for tab in tabs:
            await tells(tab, 1)
        assert stamps(tabs[0]) == stamps(tabs[1]) != stamps(tabs[2])
        await sync_to_async(here.post)("/keys/lock")
        for tab in tabs[:2]:
            await tells(tab, 2)
        (before, keys), (now, same) = stamps(tabs[0])
        assert (before != now, keys) == (True, same)
        assert len(stamps(tabs[2])) == 1
        assert await sync_to_async(page_stamp)(here) == now
        for tab in tabs:
            tab.leaving.set()
        await asyncio.gather(*streams)

    run(scenario())


def page_stamp(client_):
    return re.search(r'data-session="(\w+)"', client_.get("/keys").content.decode())[1]


def test_a_deleted_key_is_told_to_every_session(person, signed_in, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 3600)
    now = timezone.now()
    key = OwnKey.objects.create(user=person, fingerprint="ab", not_before=now, not_after=now)

    async def scenario():
        tabs = [Browser(signed_in_.session.session_key) for signed_in_ in there]
        streams = [each.open() for each in tabs]
        for tab in tabs:
            await tells(tab, 1)
        await sync_to_async(key.delete)()
        for tab in tabs:
            await tells(tab, 2)
            (session, before), (same, now) = stamps(tab)
            assert (session, before != now) == (same, True)
            tab.leaving.set()
        await asyncio.gather(*streams)

    there = signed_in(), signed_in()
    run(scenario())


def test_nobody_is_told_before_the_answer_that_brings_the_cookie(signed_in, monkeypatch):
    """A tab that asks with the old cookie is shown the locked page, and told of nothing again."""
    waiting, told = [], []
    monkeypatch.setattr(unlocking, "after_answer", waiting.append)
    vault_turned.connect(tell := lambda **_: told.append(True))
    try:
        answer = signed_in().post("/keys/lock")
        assert session_keys.cookie_name() in answer.cookies
        assert told == []
        for act in waiting:
            act()
        assert told == [True]
    finally:
        vault_turned.disconnect(tell)


def test_an_idle_vault_is_locked_though_nobody_asks_for_a_page(session_id, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 0.2)
    session = open_vault(session_id)

    async def scenario():
        browser = Browser(session_id)
        stream = browser.open()
        await browser.hears(": alive")
        assert len(stamps(browser)) == 1
        session["vault-seen-at"] -= unlocking.IDLE_MINUTES * 60 + 1
        await sync_to_async(session.save)()
        await tells(browser, 2)
        browser.leaving.set()
        await stream

    run(scenario())
    assert "vault-key" not in SessionStore(session_key=session_id)


@pytest.mark.parametrize("way", ["sign-out", "disabled", "password"])
def test_a_session_that_ends_is_told_at_once(person, signed_in, monkeypatch, way):
    monkeypatch.setattr(events, "HEARTBEAT", 3600)
    mine = signed_in()
    boss = Client()
    boss.force_login(User.objects.create_superuser("root@nordlys.example", "a very long one"))
    form = {
        "address": person.address,
        "reason": "gone",
        "is_active": "" if way == "disabled" else "on",
    }
    form |= {"password": "quite another passphrase"} if way == "password" else {}

    def end():
        if way == "sign-out":
            mine.post("/sign-out")
        else:
            boss.post(f"/admin/accounts/user/{person.pk}/change/", form)

    async def scenario():
        browser = Browser(mine.session.session_key)
        stream = browser.open()
        await tells(browser, 1)
        await sync_to_async(end)()
        await browser.hears("event: signed-out")
        await asyncio.wait_for(stream, PATIENCE)

    run(scenario())
    assert mine.get("/keys").status_code == 302


def test_ending_all_other_sessions_keeps_ones_own_tabs(signed_in, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 3600)
    mine, other = signed_in(), signed_in()

    async def scenario():
        tab, theirs = Browser(mine.session.session_key), Browser(other.session.session_key)
        streams = tab.open(), theirs.open()
        await tells(tab, 1)
        await tells(theirs, 1)
        await sync_to_async(mine.post)("/settings/", {"section": "sessions"})
        await theirs.hears("event: signed-out")
        await tells(tab, 2)
        assert "signed-out" not in tab.text
        tab.leaving.set()
        await asyncio.gather(*streams)

    run(scenario())


@pytest.mark.parametrize("data", ["a\nevent: forged", "a\r\rdata: forged", "x" * 20_000])
def test_what_could_forge_a_field_is_dropped(person, session_id, data):
    async def scenario():
        browser = Browser(session_id)
        stream = browser.open()
        await subscribed(person)
        publish(person, data)
        publish(person, '{"kind": "folder"}')
        await browser.hears('"folder"')
        assert browser.text.count("event: change") == 1
        assert "forged" not in browser.text
        browser.leaving.set()
        await stream

    run(scenario())


def test_only_get_is_answered(session_id):
    async def scenario():
        browser = Browser(session_id, method="POST")
        await browser.open()
        assert browser.status == 405

    run(scenario())
