"""The line that says how fresh the page is (ui: Connection)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import accounts_for
from accounts.models import MailAccount
from webmail.mailbox.access import Person
from webmail.mailbox.models import PendingChange

type StateKind = Literal["up-to-date", "syncing", "offline", "server-down", "auth-failed"]

# A sync that is this late is said to be behind: twice the longest interval of someone at the page.
BEHIND_AFTER = timedelta(minutes=12)
_State = MailAccount.State


@dataclass(frozen=True, slots=True)
class AccountState:
    """The worst state among a person's accounts, in words. at: the mirror's age; None: never.

    waiting: changes not on the server yet, of `offline` alone.
    """

    kind: StateKind
    words: str
    at: datetime | None
    waiting: int = 0


def account_state(user: Person) -> AccountState:
    """Return what the page says about its freshness. At most two queries."""
    now = timezone.now()
    accounts = list(accounts_for(user).select_related(None).only("state", "last_sync_at"))
    found = describe(accounts, waiting=0, now=now)
    if found.kind != "offline":
        return found
    waiting = PendingChange.objects.filter(
        account__in=accounts, state__in=[PendingChange.State.PENDING, PendingChange.State.RUNNING]
    ).count()
    return describe(accounts, waiting=waiting, now=now)


def describe(accounts: list[MailAccount], *, waiting: int, now: datetime) -> AccountState:
    """Choose kind and words. Pure but for the language and time zone in force."""
    times = [one.last_sync_at for one in accounts if one.last_sync_at is not None]
    at = min(times) if times and len(times) == len(accounts) else None
    states = {one.state for one in accounts}
    if _State.AUTH_FAILED in states:
        words = _("The mail server no longer accepts your password. Sign in again to go on.")
        return AccountState("auth-failed", words, at, waiting)
    if _State.UNREACHABLE in states:
        if at is None:
            words = _("The mail server does not answer.")
        else:
            words = _("The mail server does not answer. Showing mail up to %(time)s.") % {
                "time": _clock(at)
            }
        return AccountState("server-down", words, at, waiting)
    if _State.NEW in states or at is None:
        return AccountState("syncing", _("Getting your mail"), at, waiting)
    if now - at > BEHIND_AFTER:
        if waiting:
            words = ngettext(
                "Offline, %(n)d change waiting", "Offline, %(n)d changes waiting", waiting
            ) % {"n": waiting}
        else:
            words = _("Offline, showing mail up to %(time)s") % {"time": _clock(at)}
        return AccountState("offline", words, at, waiting)
    return AccountState("up-to-date", _("Up to date %(time)s") % {"time": _clock(at)}, at, waiting)


def _clock(at: datetime) -> str:
    return time_format(timezone.localtime(at), "H:i")
