"""The sign-in flow by HTTP: a mail server that answers from a table, a real Valkey."""

import base64
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import lanes, session_limits, signals, signin, throttle
from accounts.credentials import for_account
from accounts.models import AuditEvent, Identity, MailAccount, MailServer, SignInThrottle, User
from tests.accounts.conftest import AnsweringServer

pytestmark = pytest.mark.django_db
CANARY = "canary-horse-staple"


def enter(
    browser: Client,
    address: str = "anna@example.test",
    password: str = "correct horse",
    **more: str,
) -> tuple[int, str]:
    answer = browser.post("/sign-in", {"address": address, "password": password, **more})
    return answer.status_code, answer.headers.get("Location", "") or str(answer.content)


def is_signed_in(browser: Client) -> bool:
    return browser.get("/sign-in").status_code == HTTPStatus.FOUND


def test_the_first_sign_in_makes_everything(answering: AnsweringServer, browser: Client) -> None:
    heard: list[str] = []

    def on_signed_in(sender: object, user: User, accounts: list[MailAccount], **_: object) -> None:
        heard.append(f"in {user} {len(accounts)}")

    def on_added(sender: object, account: MailAccount, **_: object) -> None:
        heard.append(f"added {account}")

    signals.signed_in.connect(on_signed_in)
    signals.account_added.connect(on_added)
    try:
        assert enter(browser, " Anna@EXAMPLE.test ") == (HTTPStatus.FOUND, "/")
    finally:
        signals.signed_in.disconnect(on_signed_in)
        signals.account_added.disconnect(on_added)
    user = User.objects.get()
    account = MailAccount.objects.get()
    assert user.address == "anna@example.test"
    assert not user.has_usable_password()
    assert for_account(account).password == "correct horse"
    assert for_account(account).username == "anna"
    assert b"correct horse" not in bytes(account.sealed_password)
    assert Identity.objects.get().is_default
    assert heard == ["in anna@example.test 1", "added anna@example.test"]
    assert is_signed_in(browser)
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"user-made", "signed-in"}


def test_a_second_sign_in_makes_nothing_new(answering: AnsweringServer, browser: Client) -> None:
    enter(browser)
    enter(Client())
    assert User.objects.count() == MailAccount.objects.count() == Identity.objects.count() == 1


@pytest.mark.parametrize(
    ("address", "down", "code", "status"),
    [
        ("anna@example.test", None, "wrong-credentials", 422),
        ("nobody@example.test", None, "wrong-credentials", 422),
        ("anna@elsewhere.test", None, "unknown-domain", 422),
        ("no address", None, "", 422),
        ("anna@example.test", "server-unreachable", "server-unreachable", 503),
        ("anna@example.test", "tls-refused", "tls-refused", 422),
    ],
)
def test_refusals_say_what_to_do(
    answering: AnsweringServer,
    browser: Client,
    address: str,
    down: str | None,
    code: str,
    status: int,
) -> None:
    answering.down = down  # type: ignore[assignment]
    answer = browser.post("/sign-in", {"address": address, "password": CANARY})
    assert answer.status_code == status
    assert answer.context["problem"].endswith(".")
    assert CANARY not in answer.content.decode()
    assert not is_signed_in(browser)
    if code:
        event = AuditEvent.objects.get()
        assert (event.action, event.details) == ("sign-in-refused", {"code": code})


def test_known_and_unknown_people_get_the_same_answer(
    answering: AnsweringServer, browser: Client
) -> None:
    enter(browser)
    known = Client().post("/sign-in", {"address": "anna@example.test", "password": "x"})
    unknown = Client().post("/sign-in", {"address": "nemo@example.test", "password": "x"})
    assert known.context["problem"] == unknown.context["problem"]
    assert answering.asked[-2:] == ["anna", "nemo"]


def test_a_local_administrator_and_nobody_get_the_same_answer(
    answering: AnsweringServer, administrator: User, browser: Client
) -> None:
    known = browser.post("/sign-in", {"address": administrator.address, "password": "x"})
    unknown = Client().post("/sign-in", {"address": "nobody@localhost", "password": "x"})
    assert known.context["problem"] == unknown.context["problem"]
    assert answering.asked == []
    assert enter(browser, administrator.address, "a long local password")[0] == HTTPStatus.FOUND
    assert is_signed_in(browser)


def test_a_silent_worker_is_told_and_its_ticket_is_void(
    server: MailServer, valkey: str, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.redis import client

    monkeypatch.setattr(signin, "PATIENCE", 0.05)
    monkeypatch.setattr(lanes, "post", lambda *_, **__: None)
    assert enter(browser)[0] == HTTPStatus.SERVICE_UNAVAILABLE
    assert not list(client().scan_iter("ticket:*"))
    assert AuditEvent.objects.get().details == {"code": "worker-silent"}
    assert not SignInThrottle.objects.filter(failures__gt=0).exists()


def test_a_changed_password_replaces_the_old_one_and_ends_old_sessions(
    answering: AnsweringServer, browser: Client
) -> None:
    enter(browser)
    MailAccount.objects.update(
        state=MailAccount.State.AUTH_FAILED, auth_failures=3, last_error="No longer accepted."
    )
    answering.passwords["anna"] = "battery staple"
    other = Client()
    assert enter(other, password="battery staple")[0] == HTTPStatus.FOUND
    account = MailAccount.objects.get()
    assert for_account(account).password == "battery staple"
    assert (account.state, account.auth_failures, account.last_error) == ("new", 0, "")
    assert is_signed_in(other)
    assert not is_signed_in(browser)


def test_a_disabled_person_stays_out(answering: AnsweringServer, browser: Client) -> None:
    enter(browser)
    User.objects.update(is_active=False)
    assert not is_signed_in(browser)
    assert enter(Client())[0] == HTTPStatus.UNPROCESSABLE_ENTITY
    assert AuditEvent.objects.first().details == {"code": "disabled"}  # type: ignore[union-attr]


def test_the_session_is_a_new_one_after_sign_in_and_dead_after_sign_out(
    answering: AnsweringServer, browser: Client, settings: Settings
) -> None:
    name = settings.SESSION_COOKIE_NAME
    session = browser.session  # an attacker's fixed session
    session.save()
    fixed = session.session_key
    browser.cookies[name] = fixed
    enter(browser)
    fresh = browser.cookies[name].value
    assert fresh != fixed
    assert session_limits.living(fixed) is None
    assert (session_limits.living(fresh) or [None])[0] == User.objects.get()
    thief = Client()
    thief.cookies[name] = fresh
    assert browser.post("/sign-out").status_code == HTTPStatus.FOUND
    assert not is_signed_in(thief)
    assert session_limits.living(fresh) is None
    assert browser.get("/sign-out").status_code == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("wanted", ["https://evil.test/", "//evil.test", "javascript:alert(1)"])
def test_next_stays_on_this_site(answering: AnsweringServer, browser: Client, wanted: str) -> None:
    assert enter(browser, next=wanted) == (HTTPStatus.FOUND, "/")
    assert enter(Client(), next="/message/7") == (HTTPStatus.FOUND, "/message/7")


def test_sign_in_needs_the_forms_token(answering: AnsweringServer) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert enter(strict)[0] == HTTPStatus.FORBIDDEN


class TestLimits:
    def rewind(self, browser: Client, **values: int) -> None:
        session = browser.session
        for name, value in values.items():
            session[name.replace("_", "-")] = session[name.replace("_", "-")] - value
        session.save()

    def test_idle(self, answering: AnsweringServer, browser: Client, settings: Settings) -> None:
        enter(browser)
        self.rewind(browser, seen_at=settings.SESSION_IDLE_LIMIT * 60 - 30)
        assert is_signed_in(browser)  # and is seen again now
        self.rewind(browser, seen_at=settings.SESSION_IDLE_LIMIT * 60 + 30)
        assert not is_signed_in(browser)

    def test_absolute(
        self, answering: AnsweringServer, browser: Client, settings: Settings
    ) -> None:
        enter(browser)
        self.rewind(browser, started_at=settings.SESSION_COOKIE_AGE + 1)
        assert not is_signed_in(browser)

    def test_epoch(self, answering: AnsweringServer, browser: Client) -> None:
        enter(browser)
        session_limits.raise_epoch(User.objects.get())
        assert not is_signed_in(browser)


class TestSessionKey:
    def key(self, browser: Client, **headers: str) -> bytes:
        from accounts.session_keys import cookie_name, session_key

        request = HttpRequest()
        request.session = browser.session  # type: ignore[assignment]
        request.COOKIES = {name: morsel.value for name, morsel in browser.cookies.items()}
        request.META.update(headers)
        assert cookie_name() == "signet-half"
        return session_key(request)

    def test_needs_both_halves(self, answering: AnsweringServer, browser: Client) -> None:
        enter(browser)
        key = self.key(browser)
        assert len(key) == 32
        assert self.key(browser) == key
        morsel = browser.cookies["signet-half"]
        assert (morsel["httponly"], morsel["samesite"]) == (True, "Strict")
        browser.cookies["signet-half"] = base64.urlsafe_b64encode(bytes(32)).decode()
        assert self.key(browser) != key

    def test_a_request_from_elsewhere_leaves_the_key_alone(
        self, answering: AnsweringServer, browser: Client
    ) -> None:
        enter(browser)
        key = self.key(browser)
        half = browser.cookies.pop("signet-half")
        assert self.key(browser, HTTP_SEC_FETCH_SITE="cross-site") != key
        browser.cookies["signet-half"] = half.value
        assert self.key(browser) == key

    def test_a_new_sign_in_has_a_new_key(self, answering: AnsweringServer, browser: Client) -> None:
        enter(browser)
        key = self.key(browser)
        browser.post("/sign-out")
        enter(browser)
        assert self.key(browser) != key


class TestThrottle:
    def test_guesses_are_paused_and_the_right_password_too(
        self, answering: AnsweringServer, browser: Client
    ) -> None:
        for left in (4, 3, 2, 1):
            answer = browser.post("/sign-in", {"address": "anna@example.test", "password": "x"})
            assert f" {left} tr" in answer.context["problem"]
        assert enter(browser, password="x")[0] == HTTPStatus.UNPROCESSABLE_ENTITY
        asked = len(answering.asked)
        assert enter(browser)[0] == HTTPStatus.TOO_MANY_REQUESTS
        assert len(answering.asked) == asked
        assert "anna" not in "".join(SignInThrottle.objects.values_list("key", flat=True))

    def test_the_owner_elsewhere_is_not_locked_out(
        self, answering: AnsweringServer, browser: Client
    ) -> None:
        for _ in range(9):
            enter(browser, password="x")
        assert enter(Client(REMOTE_ADDR="198.51.100.7"))[0] == HTTPStatus.FOUND

    def test_many_addresses_from_one_network(
        self, answering: AnsweringServer, browser: Client
    ) -> None:
        for number in range(throttle.NETWORK.tries):
            enter(browser, address=f"p{number}@example.test", password="x")
        assert enter(browser, address="fresh@example.test")[0] == HTTPStatus.TOO_MANY_REQUESTS

    def test_success_forgets(self, answering: AnsweringServer, browser: Client) -> None:
        for _ in range(4):
            enter(browser, password="x")
        enter(browser)
        answer = Client().post("/sign-in", {"address": "anna@example.test", "password": "x"})
        assert " 4 tr" in answer.context["problem"]

    def test_a_server_that_is_down_costs_no_tries(
        self, answering: AnsweringServer, browser: Client
    ) -> None:
        answering.down = "server-unreachable"
        for _ in range(9):
            enter(browser)
        answering.down = None
        assert enter(browser)[0] == HTTPStatus.FOUND

    @pytest.mark.parametrize(
        ("failures", "minutes"), [(0, 0), (4, 0), (5, 5), (6, 10), (8, 40), (50, 240)]
    )
    def test_the_pause_grows(self, failures: int, minutes: int) -> None:
        assert throttle.pause_after(failures, throttle.PAIR) == timedelta(minutes=minutes)

    def test_it_is_forgotten_after_a_day(self) -> None:
        for _ in range(6):
            throttle.begin(address="a@b.test", network="n")
        assert not throttle.begin(address="a@b.test", network="n").is_allowed
        later = timezone.now() + timedelta(hours=25)
        assert throttle.begin(address="a@b.test", network="n", now=later).is_allowed
