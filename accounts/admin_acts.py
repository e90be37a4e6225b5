"""What administrators do to mail accounts of others: ask for a synchronisation, pause, resume.

    new │ active │ unreachable │ auth-failed ──pause──▶ paused ──resume──▶ new │ active

A paused mail account is neither synchronised nor changed on its server; its mirror can be read.
What is written in it waits in the outbox, and is sent when it is resumed.
"""

from collections.abc import Iterable

from django.db import transaction
from django.http import HttpRequest

from accounts import audit, lanes
from accounts.models import MailAccount, User

_State = MailAccount.State


class ReasonMissing(Exception):  # noqa: N818 - the name says what happened
    """A change was asked for without saying why."""


def ask_for_sync(
    accounts: Iterable[MailAccount], *, actor: User, request: HttpRequest | None = None
) -> int:
    """Have workers synchronise the mail accounts now; returns how many that can be."""
    asked = 0
    for account in accounts:
        if account.state in {_State.PAUSED, _State.AUTH_FAILED}:
            continue
        with transaction.atomic():
            audit.record(
                "mail-account-sync-asked", actor=actor, target=account.address, request=request
            )
            lanes.post("mailbox.sync_account", account.pk, lane="sync")
        asked += 1
    return asked


def pause(
    accounts: Iterable[MailAccount], *, actor: User, reason: str, request: HttpRequest | None = None
) -> int:
    """Stop synchronising the mail accounts; returns how many were running. Raises ReasonMissing."""
    _need(reason)
    paused = 0
    for account in accounts:
        with transaction.atomic():
            rows = MailAccount.objects.filter(pk=account.pk).exclude(state=_State.PAUSED)
            if not rows.update(state=_State.PAUSED):
                continue
            audit.record(
                "mail-account-paused",
                actor=actor,
                target=account.address,
                request=request,
                reason=reason,
                details={"account": account.pk, "was": account.state},
            )
        paused += 1
    return paused


def resume(
    accounts: Iterable[MailAccount], *, actor: User, reason: str, request: HttpRequest | None = None
) -> int:
    """Synchronise paused accounts again; returns how many were paused. Raises ReasonMissing."""
    _need(reason)
    resumed = 0
    for account in accounts:
        state = _State.ACTIVE if account.last_sync_at is not None else _State.NEW
        with transaction.atomic():
            rows = MailAccount.objects.filter(pk=account.pk, state=_State.PAUSED)
            if not rows.update(state=state, auth_failures=0):
                continue
            audit.record(
                "mail-account-resumed",
                actor=actor,
                target=account.address,
                request=request,
                reason=reason,
                details={"account": account.pk},
            )
            lanes.post("mailbox.sync_account", account.pk, lane="sync")
        resumed += 1
    return resumed


def _need(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing
