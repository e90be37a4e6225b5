"""What is known of the recipients' and the sender's certificates, as the composer asks it."""

import logging
from collections.abc import Iterable, Sequence

from cryptography import x509
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _

from accounts import tickets
from accounts.models import Identity, User
from accounts.redis import RedisError
from smime import people, vault
from smime.certificate_rows import load
from smime.models import OwnKey
from smime.withdrawn import Withdrawal, Withdrawn
from smime.writable import is_writable
from webmail.composer.presenting import RecipientChip, RecipientState
from webmail.composer.protection import OwnKeys
from webmail.composer.recipients import BadAddressError, Recipient, comparable, sendable

log = logging.getLogger(__name__)


def chips(user: User, fields: Iterable[tuple[str, Recipient]]) -> tuple[RecipientChip, ...]:
    """Return the state of each (field name, recipient), asking for all certificates at once."""
    entries = list(fields)
    addresses = {comparable(each.address) for _field, each in entries if _is_sendable(each)}
    known = people.recipient_states(user, sorted(addresses), timezone.now())
    made = []
    for field, each in entries:
        if not _is_sendable(each):
            state, words = RecipientState.INVALID, _("Not an address")
        else:
            found = known.get(comparable(each.address))
            state = RecipientState(found.code) if found else RecipientState.NONE
            words = _words(state, found)
        made.append(
            RecipientChip(
                field=field,
                name=each.name,
                address=each.address,
                state=state,
                words=words,
                label=_label(state),
            )
        )
    return tuple(made)


def own_keys(user: User, address: str, request: HttpRequest | None) -> OwnKeys:
    """Return what the person has to sign as `address` and to read their own copy."""
    usable = _usable_keys(user, address)
    current = [key for key in usable if is_writable(load(key))]
    gone = _withdrawn(current)
    valid = [key for key in current if key.pk not in gone]
    signing = [key for key in valid if key.can_sign]
    is_managed = any(key.sealing == OwnKey.Sealing.MANAGED for key in signing)
    is_unlocked = request is not None and vault.kek_for(request) is not None
    return OwnKeys(
        can_sign=bool(signing),
        can_decrypt=any(key.can_encrypt for key in valid),
        is_locked=bool(signing) and not is_managed and not is_unlocked,
        withdrawal=next(iter(gone.values()), None),
        unwritten=next((key.algorithm for key in usable if key not in current), ""),
    )


def default_protection(user: User, identity: Identity, request: HttpRequest) -> tuple[bool, bool]:
    """Return (sign, encrypt) for a new mail: signed if there is a certificate, unless set else."""
    own = own_keys(user, identity.address, request)
    sign = own.can_sign if identity.sign_by_default is None else identity.sign_by_default
    encrypt = bool(identity.encrypt_by_default) and own.can_decrypt
    return sign and own.can_sign, encrypt and own.can_sign


def key_ticket(request: HttpRequest) -> str:
    """Return a ticket for the person's keys; "" when Redis is away (managed keys need none)."""
    try:
        return vault.key_ticket(request)
    except RedisError:
        log.warning("event=no-ticket")
        return ""


def opened_keys(user: User, ticket: str) -> vault.OpenedKeys:
    """Open the person's keys with a ticket, or the managed ones alone (crypto lane only)."""
    payload = tickets.redeem(ticket) if ticket else None
    kek = payload.get("kek") if payload and payload.get("user") == user.pk else None
    return vault.open_keys(user, kek=kek if isinstance(kek, bytes) else None)


def own_certificates(user: User, address: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates to which the sender's own copy is encrypted."""
    return tuple(load(key) for key in _valid_keys(user, address) if key.can_encrypt)


def _valid_keys(user: User, address: str) -> list[OwnKey]:
    current = [key for key in _usable_keys(user, address) if is_writable(load(key))]
    gone = _withdrawn(current)
    return [key for key in current if key.pk not in gone]


def _usable_keys(user: User, address: str) -> list[OwnKey]:
    """Return the keys in use for an address; mail is not written with each of them."""
    now = timezone.now()
    return [
        key
        for key in vault.own_keys_for(user)
        if key.is_current and key.not_before <= now <= key.not_after and _covers(key, address)
    ]


def _withdrawn(keys: Sequence[OwnKey]) -> dict[int, Withdrawal]:
    """Return the withdrawals of those of the keys that nobody should rely on any more, by id."""
    if not keys:
        return {}
    withdrawn, now = Withdrawn.load(), timezone.now()
    found = ((key.pk, withdrawn.find(load(key), now)) for key in keys)
    return {pk: withdrawal for pk, withdrawal in found if withdrawal is not None}


def _covers(key: OwnKey, address: str) -> bool:
    return comparable(address) in {comparable(each) for each in key.addresses}


def _is_sendable(recipient: Recipient) -> bool:
    try:
        sendable(recipient.address)
    except BadAddressError:
        return False
    return True


def _label(state: RecipientState) -> str:
    match state:
        case RecipientState.OK:
            return ""
        case RecipientState.EXPIRED:
            return _("Expired")
        case RecipientState.WITHDRAWN:
            return _("Withdrawn")
        case RecipientState.INVALID:
            return _("Not an address")
        case _:
            return _("No certificate")


def _words(state: RecipientState, found: people.RecipientState | None) -> str:
    match state:
        case RecipientState.OK:
            return ""
        case RecipientState.EXPIRED:
            certificate = found.certificate if found is not None else None
            if certificate is None:
                return _("Certificate expired")
            return _("Certificate expired on %s") % format_date(certificate.not_after, "j F Y")
        case RecipientState.WITHDRAWN:
            withdrawal = found.withdrawal if found is not None else None
            if withdrawal is not None and withdrawal.is_blocked:
                return _("Your organisation does not accept the issuer of their certificate")
            if withdrawal is None or withdrawal.at is None:
                return _("Certificate withdrawn")
            return _("Certificate withdrawn on %s") % format_date(withdrawal.at, "j F Y")
        case _:
            return _("No certificate found")
