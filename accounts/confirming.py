"""Asking for the password again before an act that cannot be taken back (ASVS 7.5.1)."""

import hmac
import time

from django.http import HttpRequest

from accounts import audit, throttle
from accounts.client_address import client_address, network_of
from accounts.credentials import for_account
from accounts.models import MailAccount, User
from accounts.sealing import SealBroken
from accounts.session_limits import started_at

WINDOW = 5 * 60  # seconds a confirmation, or a fresh sign-in, is good for
_CONFIRMED = "confirmed-at"


def is_fresh(request: HttpRequest) -> bool:
    """Say whether the person proved themselves within the last five minutes."""
    latest = max(int(request.session.get(_CONFIRMED) or 0), started_at(request.session))
    return 0 <= time.time() - latest <= WINDOW


def confirm(request: HttpRequest, password: str) -> bool:
    """Check the password the person signs in with; wrong ones are slowed down as at sign-in."""
    assert isinstance(request.user, User)
    user = request.user
    network = network_of(client_address(request))
    attempt = throttle.begin(address=f"confirm:{user.address}", network=network)
    if not attempt.is_allowed or not _is_right(user, password):
        audit.record("confirmation-refused", actor=user, request=request)
        return False
    throttle.succeeded(attempt)
    request.session[_CONFIRMED] = int(time.time())
    return True


def _is_right(user: User, password: str) -> bool:
    if user.has_usable_password() and user.check_password(password):
        return True
    for account in MailAccount.objects.filter(user=user, address=user.address):
        try:
            kept = for_account(account).password
        except SealBroken:
            continue
        if hmac.compare_digest(kept.encode(), password.encode()):
            return True
    return False
