import asyncio
import gc
import json

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from accounts.models import User
from accounts.redis import client
from webmail.live import events

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

    async def hears(self, words, seconds=5):
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
    async with asyncio.timeout(5):
        while not client().pubsub_numsub(events.channel(person.pk))[0][1]:  # noqa: ASYNC110 (Redis is asked)
            await asyncio.sleep(0.02)


def run(scenario):
    asyncio.run(asyncio.wait_for(scenario, 20))


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
        await asyncio.wait_for(stream, 5)

    run(scenario())


def end_sessions(person):
    from accounts import session_limits

    session_limits.raise_epoch(person)


@pytest.mark.parametrize("data", ["a\nevent: forged", "a\r\rdata: forged", "x" * 20_000])
def test_what_could_forge_a_field_is_dropped(person, session_id, data):
    async def scenario():
        browser = Browser(session_id)
        stream = browser.open()
        await subscribed(person)
        publish(person, data)
        publish(person, '{"kind": "folder"}')
        await browser.hears('"folder"')
        assert browser.text.count("event:") == 1
        browser.leaving.set()
        await stream

    run(scenario())


def test_only_get_is_answered(session_id):
    async def scenario():
        browser = Browser(session_id, method="POST")
        await browser.open()
        assert browser.status == 405

    run(scenario())
