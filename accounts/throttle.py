"""Slowing down guesses of passwords: a growing pause for each pair of address and network.

An attempt is counted *before* the password is checked and taken back when it was right or could
not be checked, so that many at once are no way around. Counts are kept for the pair, so that
nobody can lock a person out from elsewhere, and for the network alone, against trying one password
on many addresses. The database holds keyed hashes, never the address.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import SignInThrottle

FORGOTTEN_AFTER = timedelta(hours=24)  # without a further failure


@dataclass(frozen=True, slots=True)
class Rule:
    """`tries` free failures; then `first` of pause, doubled by each further one up to `longest`."""

    tries: int
    first: timedelta
    longest: timedelta


PAIR = Rule(tries=5, first=timedelta(minutes=5), longest=timedelta(hours=4))
NETWORK = Rule(tries=60, first=timedelta(minutes=1), longest=timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt: allowed, or not before `blocked_until`."""

    pair_key: str
    network_key: str
    tries_left: int  # after this one, before the pause
    blocked_until: datetime | None

    @property
    def is_allowed(self) -> bool:
        """Say whether the password may be checked."""
        return self.blocked_until is None


def begin(*, address: str, network: str, now: datetime | None = None) -> Attempt:
    """Count an attempt of `address` from `network` and say whether it may go on."""
    now = now or timezone.now()
    pair_key, network_key = _key(address, network), _key("", network)
    SignInThrottle.objects.filter(updated_at__lt=now - FORGOTTEN_AFTER).delete()
    with transaction.atomic():
        blocked = [
            until
            for key, rule in ((network_key, NETWORK), (pair_key, PAIR))
            if (until := _row(key).blocked_until) and until > now
        ]
        if blocked:
            return Attempt(pair_key, network_key, 0, max(blocked))
        _count(network_key, NETWORK, now)
        failures = _count(pair_key, PAIR, now)
    return Attempt(pair_key, network_key, max(0, PAIR.tries - failures), None)


def is_paused(*, address: str, network: str) -> bool:
    """Say whether an attempt would be refused now, without counting one."""
    keys = (_key(address, network), _key("", network))
    return SignInThrottle.objects.filter(key__in=keys, blocked_until__gt=timezone.now()).exists()


def succeeded(attempt: Attempt) -> None:
    """The password was right: forget the pair, take this attempt back from the network."""
    SignInThrottle.objects.filter(key=attempt.pair_key).delete()
    _take_back(attempt.network_key, NETWORK)


def not_checked(attempt: Attempt) -> None:
    """Nobody could check the password: the attempt does not count."""
    _take_back(attempt.pair_key, PAIR)
    _take_back(attempt.network_key, NETWORK)


def pause_after(failures: int, rule: Rule) -> timedelta:
    """Return how long the next attempt has to wait after so many failures."""
    beyond = failures - rule.tries
    if beyond < 0:
        return timedelta()
    doublings: int = 2 ** min(beyond, 20)
    return min(rule.first * doublings, rule.longest)


def _row(key: str) -> SignInThrottle:
    """Return the row under lock, made if needed: the one statement that finds it locks it."""
    return SignInThrottle.objects.select_for_update(no_key=True).get_or_create(key=key)[0]


def _count(key: str, rule: Rule, now: datetime) -> int:
    row = _row(key)
    row.failures += 1
    pause = pause_after(row.failures, rule)
    row.blocked_until = now + pause if pause else None
    row.save()
    return row.failures


def _take_back(key: str, rule: Rule) -> None:
    with transaction.atomic():
        row = SignInThrottle.objects.select_for_update(no_key=True).filter(key=key).first()
        if row is None:
            return
        row.failures = max(0, row.failures - 1)
        if not pause_after(row.failures, rule):
            row.blocked_until = None
        row.save()


def _key(address: str, network: str) -> str:
    text = f"{address}\x00{network}".encode()
    return hmac.new(
        settings.SECRET_KEY.encode(), b"throttle\x00" + text, hashlib.sha256
    ).hexdigest()
