"""How long a session lives: idle and absolute limits, and an epoch that ends all at once.

begin ──▶ alive ──idle limit │ absolute limit │ epoch raised │ person disabled──▶ flushed
"""

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import session_keys
from accounts.models import MailAccount, User
from accounts.signals import sessions_ended

SEEN_EVERY = 60  # seconds between writes of "last seen"

_STARTED = "started-at"
_SEEN = "seen-at"
_EPOCH = "epoch"


def begin(request: HttpRequest, user: User) -> None:
    """Start the limits of a session that has just signed in; its key is new."""
    now = int(time.time())
    request.session[_STARTED] = now
    request.session[_SEEN] = now
    request.session[_EPOCH] = user.session_epoch
    session_keys.renew(request)


def started_at(session: SessionBase) -> int:
    """Return when the session's sign-in was, in seconds of the epoch; 0 if unknown."""
    return int(session.get(_STARTED) or 0)


def is_alive(session: SessionBase, user: User) -> bool:
    """Say whether the session may still be used (also asked by event streams)."""
    now = int(time.time())
    started, seen = session.get(_STARTED), session.get(_SEEN)
    if started is None or seen is None or session.get(_EPOCH) != user.session_epoch:
        return False
    if now - started > settings.SESSION_COOKIE_AGE:
        return False
    return user.is_active and now - seen <= settings.SESSION_IDLE_LIMIT * 60


def living(session_id: str) -> tuple[User, SessionBase] | None:
    """Return the session of a cookie's value and whose it is; None if it is not alive."""
    engine = import_module(settings.SESSION_ENGINE)
    session: SessionBase = engine.SessionStore(session_key=session_id)
    user_id = session.get(auth.SESSION_KEY)
    user = User.objects.filter(pk=user_id).first() if user_id else None
    return (user, session) if user is not None and is_alive(session, user) else None


def raise_epoch(user: User) -> None:
    """End every session of the person."""
    _raise(user)
    transaction.on_commit(partial(sessions_ended.send, User, user_id=user.pk))


def end_others(request: HttpRequest, user: User) -> None:
    """End every session of the person but this request's."""
    _raise(user)
    begin(request, user)
    request.session.save()  # its other pages look at once whether they are still signed in
    sessions_ended.send(User, user_id=user.pk)


def end(request: HttpRequest) -> None:
    """End this request's session."""
    user_id = request.user.pk
    auth.logout(request)
    if user_id is not None:
        sessions_ended.send(User, user_id=user_id)


def _raise(user: User) -> None:
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])


class SessionLimitsMiddleware:
    """Sign out sessions past their limits; keep the session key's cookie in step."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if isinstance(user, User) and user.is_authenticated:
            self._check(request, user)
        response = self._get_response(request)
        if request.user.is_authenticated:
            session_keys.write_cookie(request, response)
        elif session_keys.cookie_name() in request.COOKIES:
            session_keys.drop_cookie(response)
        return response

    def _check(self, request: HttpRequest, user: User) -> None:
        if _STARTED not in request.session:  # signed in by Django's own means (tests, backends)
            begin(request, user)
        if not is_alive(request.session, user):
            end(request)
            return
        now = int(time.time())
        if now - request.session[_SEEN] >= SEEN_EVERY:
            request.session[_SEEN] = now
            MailAccount.objects.filter(user=user).update(last_used_at=timezone.now())
