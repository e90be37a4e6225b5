"""An unlocked vault: its key lies in the server-side session, sealed under the session's key.

That key needs the browser's half (accounts.session_keys), so the database alone opens nothing, nor
does the browser. The server's half is forgotten after `IDLE_MINUTES` without use.

    locked ──unlock (passphrase)──▶ unlocked ──lock │ sign-out │ idle──▶ locked
"""

import base64
import logging
import time

from django.http import HttpRequest

from accounts import audit, throttle, tickets
from accounts.client_address import client_address, network_of
from accounts.models import User
from accounts.redis import RedisError
from accounts.sealing import SealBroken, open_with, seal_with, subject_of
from accounts.session_keys import renew, session_key
from smime.models import Vault
from smime.passphrases import key_of
from smime.signals import vault_turned

IDLE_MINUTES = 30
_SEEN_EVERY = 60  # seconds between writes of "last used"
_SEALED = "vault-key"
_SEEN = "vault-seen-at"
_PURPOSE = "unlocked-vault"

logger = logging.getLogger(__name__)


def is_paused(request: HttpRequest) -> bool:
    """Say whether there were too many wrong passphrases from here for another try now."""
    return throttle.is_paused(address=_throttled(request), network=_network(request))


def unlock(request: HttpRequest, passphrase: str) -> bool:
    """Open the person's vault for this session; False when the passphrase is wrong or paused."""
    user = _person(request)
    attempt = throttle.begin(address=_throttled(request), network=_network(request))
    vault = Vault.objects.filter(user=user).first() if attempt.is_allowed else None
    kek = key_of(vault, passphrase) if vault is not None else None
    if kek is None:
        audit.record("keys-unlock-refused", actor=user, request=request)
        return False
    throttle.succeeded(attempt)
    renew(request)  # pages that say "unlock your keys" are not shown again from their cache
    keep(request, kek)
    audit.record("keys-unlocked", actor=user, request=request)
    vault_turned.send(sender=None, user_id=user.pk)
    return True


def keep(request: HttpRequest, kek: bytes) -> None:
    """Hold an opened vault's key for this session."""
    sealed = seal_with(session_key(request), kek, purpose=_PURPOSE, subject=_subject(request))
    request.session[_SEALED] = base64.b64encode(sealed).decode()
    request.session[_SEEN] = int(time.time())


def lock(request: HttpRequest) -> None:
    """Forget the key, and with the session's own key all that was opened in this session."""
    for name in (_SEALED, _SEEN):
        request.session.pop(name, None)
    renew(request)
    vault_turned.send(sender=None, user_id=_person(request).pk)


def kek_for(request: HttpRequest, *, is_use: bool = True) -> bytes | None:
    """Return the vault's key if this session holds it; using it puts the idle limit off.

    is_use False: for what pages do by themselves (a list that is drawn again).
    """
    sealed, seen = request.session.get(_SEALED), request.session.get(_SEEN)
    if not sealed or seen is None:
        return None
    now = int(time.time())
    if now - seen > IDLE_MINUTES * 60:
        lock(request)
        return None
    try:
        kek = open_with(
            session_key(request),
            base64.b64decode(sealed),
            purpose=_PURPOSE,
            subject=_subject(request),
        )
    except SealBroken:  # the browser's half did not come along
        return None
    if is_use and now - seen >= _SEEN_EVERY:
        request.session[_SEEN] = now
    return kek


def key_ticket(request: HttpRequest) -> str:
    """Return a ticket for one task that needs this person's keys; "" when Redis is away.

    Payload: "user" (id), "kek" (bytes or None), "session_key" (bytes).
    """
    try:
        return tickets.issue(
            {
                "user": _person(request).pk,
                "kek": kek_for(request),
                "session_key": session_key(request),
            }
        )
    except RedisError:
        logger.warning("event=ticket-not-issued")
        return ""


def _throttled(request: HttpRequest) -> str:
    return f"vault:{_person(request).address}"


def _network(request: HttpRequest) -> str:
    return network_of(client_address(request))


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # views are for signed-in people
    return request.user


def _subject(request: HttpRequest) -> str:
    return subject_of("accounts.User", _person(request).pk)
