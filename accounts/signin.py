"""Signing in: a mailbox's own address and password, or a local administrator's.

    address ─▶ throttle ─▶ local password (always hashed) ──right──▶ session
                   │            └─wrong──▶ domain known? ─no─▶ unknown-domain
                paused                        └─▶ worker asks the mail server ─▶ session or reason

The web process never talks to a mail server: it leaves the password in a ticket and waits for one
word. A wrong password costs the same steps whether or not the person is known here.
"""

import contextlib
from dataclasses import dataclass
from typing import Literal

from django.contrib import auth
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import admission, audit, lanes, replies, session_limits, throttle, tickets
from accounts.client_address import client_address, network_of
from accounts.credentials import login_name
from accounts.models import MailAccount, MailServer, User
from accounts.people import canonical_address
from accounts.redis import RedisError
from accounts.signals import signed_in

PATIENCE = 22.0  # seconds the page waits for the worker's word

type ProblemCode = Literal[
    "",
    "bad-address",
    "unknown-domain",
    "server-unreachable",
    "tls-refused",
    "wrong-credentials",
    "throttled",
    "disabled",
    "worker-silent",
]


@dataclass(frozen=True, slots=True)
class SignInResult:
    """`ok` with a user, or a problem: its code and a whole sentence with what to do."""

    ok: bool
    user: User | None = None
    problem: ProblemCode = ""
    message: str = ""


def sign_in(request: HttpRequest, address: str, password: str) -> SignInResult:
    """Check the password, start a session of its own, and make what a first sign-in needs."""
    try:
        canonical = canonical_address(address)
    except ValueError as error:
        return SignInResult(ok=False, problem="bad-address", message=str(error))
    attempt = throttle.begin(address=canonical, network=network_of(client_address(request)))
    if not attempt.is_allowed:
        return _refused(request, canonical, "throttled", _paused_words(attempt))
    local = _local_user(canonical, password)
    server = _server_of(canonical)
    code: ProblemCode = "" if local is not None else _ask_server(server, canonical, password)
    if code == "wrong-credentials":
        return _refused(request, canonical, code, _wrong_words(attempt))
    if code == "unknown-domain":  # it may have been a wrong local password: it counts
        return _refused(request, canonical, code, _words(code, canonical))
    if code:
        throttle.not_checked(attempt)
        return _refused(request, canonical, code, _words(code, canonical))
    throttle.succeeded(attempt)
    return _admitted(request, canonical, password, local, server)


def sign_out(request: HttpRequest) -> None:
    """End the session; what its key sealed can no longer be opened."""
    if isinstance(request.user, User):
        audit.record("signed-out", actor=request.user, request=request)
    session_limits.end(request)


def _admitted(
    request: HttpRequest,
    address: str,
    password: str,
    local: User | None,
    server: MailServer | None,
) -> SignInResult:
    if local is not None or server is None:
        user, new_account = local, None
    else:
        user, new_account = admission.admit(server=server, address=address, password=password)
    if user is None or not user.is_active:
        return _refused(request, address, "disabled", _words("disabled", address))
    auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    session_limits.begin(request, user)
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    audit.record("signed-in", actor=user, request=request)
    accounts = list(MailAccount.objects.filter(user=user).select_related("server"))
    signed_in.send(User, user=user, accounts=accounts, request=request)
    if new_account is not None:
        admission.announce(new_account)
    return SignInResult(ok=True, user=user)


def _local_user(address: str, password: str) -> User | None:
    """Return the person whose local password this is; a hash is made in every case."""
    user = User.objects.filter(address=address).first()
    if user is None or not user.has_usable_password():
        make_password(password)  # the same time as a check
        return None
    return user if user.check_password(password) else None


def _server_of(address: str) -> MailServer | None:
    domain = address.rpartition("@")[2]
    return MailServer.objects.filter(domain=domain, is_enabled=True).first()


def _ask_server(server: MailServer | None, address: str, password: str) -> ProblemCode:
    if server is None:
        return "unknown-domain"
    if not password or "\x00" in password:
        return "wrong-credentials"
    reply_key = replies.reply_key()
    try:
        ticket_id = tickets.issue(
            {
                "server": server.pk,
                "login": login_name(server, address),
                "password": password,
            }
        )
    except RedisError:
        return "worker-silent"
    lanes.post("accounts.check_credentials", ticket_id, reply_key, lane="interactive")
    word = replies.wait(reply_key, PATIENCE)
    match word:
        case "ok":
            return ""
        case "wrong-credentials" | "server-unreachable" | "tls-refused":
            return word
        case _:
            with contextlib.suppress(RedisError):
                tickets.redeem(ticket_id)  # nobody may use it any more
            return "worker-silent"


def _refused(request: HttpRequest, address: str, code: ProblemCode, message: str) -> SignInResult:
    audit.record(
        "sign-in-refused",
        actor=None,
        actor_address=address,
        request=request,
        details={"code": code},
    )
    return SignInResult(ok=False, problem=code, message=message)


def _paused_words(attempt: throttle.Attempt) -> str:
    assert attempt.blocked_until is not None
    seconds = (attempt.blocked_until - timezone.now()).total_seconds()
    minutes = max(1, round(seconds / 60 + 0.49))
    return ngettext(
        "Too many wrong passwords from here. Try again in {minutes} minute.",
        "Too many wrong passwords from here. Try again in {minutes} minutes.",
        minutes,
    ).format(minutes=minutes)


def _wrong_words(attempt: throttle.Attempt) -> str:
    if attempt.tries_left == 0:
        return _("Address or password is not right. Wait 5 minutes or longer before the next try.")
    return ngettext(
        "Address or password is not right. {tries} try left before a pause of 5 minutes.",
        "Address or password is not right. {tries} tries left before a pause of 5 minutes.",
        attempt.tries_left,
    ).format(tries=attempt.tries_left)


def _words(code: ProblemCode, address: str) -> str:
    sentences = {
        "unknown-domain": _(
            "Address or password is not right, or no mail server is known for {domain}. Check the "
            "part after @, or ask your administrator to add the server."
        ),
        "server-unreachable": _(
            "The mail server of {domain} does not answer. Try again in a few minutes; if it stays "
            "like this, tell your administrator."
        ),
        "tls-refused": _(
            "A secure connection to the mail server of {domain} could not be made, so your "
            "password was not sent. Tell your administrator."
        ),
        "disabled": _(
            "This account is switched off. Ask your administrator to switch it on again."
        ),
        "worker-silent": _(
            "Signet could not ask the mail server of {domain} in time. Try again in a minute; if "
            "it stays like this, tell your administrator that no worker answers."
        ),
    }
    return sentences[code].format(domain=address.rpartition("@")[2])
