"""An unlocked vault: its key lies in the server-side session, sealed under the session's key.

That key needs the browser's half (accounts.session_keys), so the database alone opens nothing, nor
does the browser. The server's half is forgotten after `IDLE_MINUTES` without use.

    locked ──unlock (passphrase)──▶ unlocked ──lock │ sign-out │ idle──▶ locked
"""

import base64
import hashlib
import logging
import time
from functools import partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest

from accounts import audit, session_keys, throttle, tickets
from accounts.afterwards import after_answer
from accounts.client_address import client_address, network_of
from accounts.models import User
from accounts.prepared import Prepared
from accounts.redis import RedisError
from accounts.sealing import SealBroken, open_with, seal_with, subject_of
from accounts.session_keys import HALF_SIZE, renew, session_key
from smime.models import OwnKey, Vault
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
    _announce(request)
    return True


def keep(request: HttpRequest, kek: bytes) -> None:
    """Hold an opened vault's key for this session."""
    sealed = seal_with(session_key(request), kek, purpose=_PURPOSE, subject=_subject(request))
    request.session[_SEALED] = base64.b64encode(sealed).decode()
    request.session[_SEEN] = int(time.time())


def lock(request: HttpRequest) -> None:
    """Forget the key, and with the session's own key all that was opened in this session."""
    _forget(request.session)
    renew(request)
    _announce(request)


def lock_idle(session: SessionBase, user_id: int) -> None:
    """Lock the vault of a session in which nobody used it for `IDLE_MINUTES`, without a request."""
    if not _is_idle(session):
        return
    _forget(session)
    session_keys.forget(session)
    try:
        session.save()
    except UpdateError:  # signed out meanwhile
        return
    vault_turned.send(sender=None, user_id=user_id)


def kek_for(request: HttpRequest, *, is_use: bool = True) -> bytes | None:
    """Return the vault's key if this session holds it; using it puts the idle limit off.

    is_use False: for what pages do by themselves (a list that is drawn again).
    """
    sealed, seen = request.session.get(_SEALED), request.session.get(_SEEN)
    if not sealed or seen is None:
        return None
    if _is_idle(request.session):
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
    now = int(time.time())
    if is_use and now - seen >= _SEEN_EVERY:
        request.session[_SEEN] = now
    return kek


def opened_key(request: HttpRequest) -> bytes:
    """Return the key under which this session keeps what it opened.

    It is another as soon as the person's keys are: what a key opened goes with the key, in every
    session, though each session's cache is out of the reach of all others.
    """
    stamp = keys_stamp(_person(request).pk).encode()
    return HKDF(
        algorithm=hashes.SHA256(), length=HALF_SIZE, salt=stamp, info=b"signet opened mail"
    ).derive(session_key(request))


_SEALINGS = Prepared(
    lambda user: (
        OwnKey.objects.filter(user_id=user)
        .order_by("fingerprint")
        .values_list("fingerprint", "sealing")
    )
)


def keys_stamp(user_id: int) -> str:
    """Return a word that is another once the person's keys are, or how one of them is sealed."""
    stamp = hashlib.sha256()
    for fingerprint, sealing in _SEALINGS.rows(user_id):
        stamp.update(f"{fingerprint}={sealing};".encode())
    return stamp.hexdigest()[:32]


def key_ticket(request: HttpRequest) -> str:
    """Return a ticket for one task that needs this person's keys; "" when Redis is away.

    Payload: "user" (id), "kek" (bytes or None), "session_key" (bytes: `opened_key`).
    """
    try:
        return tickets.issue(
            {
                "user": _person(request).pk,
                "kek": kek_for(request),
                "session_key": opened_key(request),
            }
        )
    except RedisError:
        logger.warning("event=ticket-not-issued")
        return ""


def _is_idle(session: SessionBase) -> bool:
    seen = session.get(_SEEN)
    return seen is not None and int(time.time()) - seen > IDLE_MINUTES * 60


def _forget(session: SessionBase) -> None:
    for name in (_SEALED, _SEEN):
        session.pop(name, None)


def _announce(request: HttpRequest) -> None:
    """Tell open pages, which ask at once: by then what they ask must be in the database, and the
    cookie of the session's new key in the browser.
    """
    try:
        request.session.save()
    except UpdateError as error:
        raise SessionInterrupted("Signed out while keys were locked or unlocked.") from error
    after_answer(partial(vault_turned.send, sender=None, user_id=_person(request).pk))


def _throttled(request: HttpRequest) -> str:
    return f"vault:{_person(request).address}"


def _network(request: HttpRequest) -> str:
    return network_of(client_address(request))


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # views are for signed-in people
    return request.user


def _subject(request: HttpRequest) -> str:
    return subject_of("accounts.User", _person(request).pk)
