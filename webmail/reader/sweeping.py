"""Chains of steps that judge a whole account again, in the background and resumable.

A step judges at most `rejudging.CHUNK` readings: first those of an older trust, sender by sender in
the order of receipt, then those that the clock or other mail may have turned. What is done has the
new stamp and is not found again, so a chain that is lost is simply begun anew. Steps go behind all
that people wait for in the crypto lane.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import lanes
from accounts.models import MailAccount
from smime import trust
from webmail.reader.models import Reading, Rejudging
from webmail.reader.rejudging import CHUNK, judge_again, no_collection, readings

LEASE = timedelta(minutes=3)  # a chain without a step for so long is lost
_STARTED_AT_ONCE = 200  # chains


def start_due() -> int:
    """Begin a chain for each account that needs one and has none; returns how many."""
    now = timezone.now()
    due = set(
        Reading.objects.filter(turns_at__lt=now)
        .order_by()
        .values_list("message__account_id", flat=True)
        .distinct()
    )
    started = 0
    for account_id in _behind() | due:
        if started >= _STARTED_AT_ONCE:
            break
        started += start(account_id)
    return started


def _behind() -> set[int]:
    """Return the accounts whose verdicts stand under an older trust, for all that is known."""
    owners = dict(MailAccount.objects.values_list("pk", "user_id"))
    stamps = trust.stamps_for(set(owners.values()))
    done = dict(Rejudging.objects.filter(is_done=True).values_list("account_id", "stamp"))
    return {pk for pk, user_id in owners.items() if done.get(pk) != stamps[user_id]}


def start(account_id: int) -> bool:
    """Begin a chain for an account unless one is at work; returns whether it did."""
    now = timezone.now()
    with transaction.atomic():
        Rejudging.objects.get_or_create(account_id=account_id)
        free = Rejudging.objects.select_for_update(no_key=True).get(account_id=account_id)
        if free.lease_until is not None and free.lease_until > now:
            return False
        free.fence += 1
        free.lease_until = now + LEASE
        free.save(update_fields=["fence", "lease_until"])
    lanes.post_later("reader.judge_account", account_id, free.fence, lane="crypto")
    return True


def step(account_id: int, fence: int) -> bool:
    """Judge the next readings of an account; returns whether there may be more.

    False, too, when another chain took over.
    """
    account = MailAccount.objects.select_related("user").filter(pk=account_id).first()
    state = Rejudging.objects.filter(account_id=account_id, fence=fence).first()
    if account is None or state is None:
        return False
    _follow(state, trust.stamp_for(account.user))
    with no_collection():
        more = (not state.is_done and _judge_stale(account, state)) or _judge_due(account)
    if not more:
        state.is_done = True
    mine = Rejudging.objects.filter(account_id=account_id, fence=fence)
    kept = mine.update(
        stamp=state.stamp,
        cursor=state.cursor,
        is_done=state.is_done,
        lease_until=timezone.now() + LEASE if more else None,
    )
    return more and bool(kept)


def _follow(state: Rejudging, stamp: str) -> None:
    """Begin again when the trust is another than the one the sweep was begun under."""
    if state.stamp == stamp:
        return
    state.stamp, state.cursor, state.is_done = stamp, "", False
    # Trust says nothing about mail that nobody signed.
    Reading.objects.filter(message__account_id=state.account_id, has_signers=False).exclude(
        trust_stamp=stamp
    ).exclude(sealed_facts=b"").update(trust_stamp=stamp)


def _judge_due(account: MailAccount) -> bool:
    # The sum keeps the database from going through the account's messages: what is due is rare.
    due = (
        readings(turns_at__lt=timezone.now())
        .annotate(owner=F("message__account_id") + 0)
        .filter(owner=account.pk)
        .order_by("turns_at")
    )
    return judge_again(account, due[:CHUNK]) > 0


def _judge_stale(account: MailAccount, state: Rejudging) -> bool:
    stale = (
        readings(
            message__account=account,
            has_signers=True,
            message__from_address__gte=state.cursor,
        )
        .exclude(trust_stamp=state.stamp)
        .annotate(sender=F("message__from_address"))
        .order_by("message__from_address", "message__internal_date")
    )
    found = list(stale[:CHUNK])
    if not found:
        return False
    judge_again(account, found)
    state.cursor = found[-1].sender
    return True
