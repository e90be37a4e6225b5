"""People's own keys: kept sealed, opened for one operation in the crypto lane.

Managed keys are sealed by the keyring; personal ones under the key of the person's vault, which
only their passphrase gives. A key's seal is bound to its owner and certificate, so that a row moved
to another person does not open.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.sealing import SealBroken, open_sealed, open_with, seal, seal_with
from smime import revocation_hints
from smime.certificate_rows import CertificateFileError, fields_of, load
from smime.models import OwnKey, Vault
from smime.own_keys import as_chain, displaces, from_chain, settle_current
from smime.passphrases import VaultError, key_of, new_vault
from smime.pki import KeyPair, load_pem, load_pkcs12
from smime.pki.addresses import canonical_address
from smime.pki.certificates import DamagedCertificateError, allows_mail, may_encrypt, may_sign
from smime.pki.pkcs12_writing import to_pkcs12
from smime.pki.private_keys import load_private_key
from smime.unlocking import kek_for, key_ticket, lock, unlock
from smime.withdrawn import Withdrawn
from smime.writable import is_writable

__all__ = [
    "OpenedKeys",
    "PreviewedKey",
    "VaultError",
    "delete",
    "export",
    "import_keys",
    "kek_for",
    "key_ticket",
    "lock",
    "open_keys",
    "own_keys_for",
    "preview",
    "set_current",
    "signing_key",
    "unlock",
]

PURPOSE = "own-key"


@dataclass(frozen=True, slots=True, repr=False)
class OpenedKeys:
    """A person's keys, opened; for crypto workers only, and only for the operation."""

    pairs: tuple[KeyPair, ...]  # keys in use first, the newest of them first
    locked: bool  # there are personal keys that this operation cannot open
    has_any: bool


@dataclass(frozen=True, slots=True)
class PreviewedKey:
    """What a key file holds, before anything is stored."""

    name: str
    addresses: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    algorithm: str
    can_sign: bool
    can_encrypt: bool
    is_for_mail: bool
    fingerprint: str
    has_own_address: bool  # one of `user`'s identities


def own_keys_for(user: User) -> QuerySet[OwnKey]:
    """Return the person's keys, those in use first, then the newest."""
    return OwnKey.objects.filter(user=user).order_by("-is_current", "-not_after", "pk")


def preview(user: User, content: bytes, passphrase: str | None) -> tuple[PreviewedKey, ...]:
    """Say what a .p12 or PEM file holds; raises smime.pki.Pkcs12Error, VaultError."""
    own = {canonical_address(each.address) for each in user.identities.all()}
    own.add(canonical_address(user.address))
    return tuple(_previewed(pair, own) for pair in _read(content, passphrase))


def import_keys(
    user: User,
    content: bytes,
    pkcs12_passphrase: str | None,
    *,
    sealing: str,
    vault_passphrase: str | None = None,
    actor: User | None = None,
    request: HttpRequest | None = None,
) -> tuple[OwnKey, ...]:
    """Keep every key of a .p12 or PEM file; a key that is there already is sealed anew.

    `sealing`: an OwnKey.Sealing; personal keys need `vault_passphrase`, which makes the vault the
    first time. Raises smime.pki.Pkcs12Error, VaultError.
    """
    pairs = _read(content, pkcs12_passphrase)
    with transaction.atomic():
        kek = None
        if sealing == OwnKey.Sealing.PERSONAL:
            kek = _vault_key(user, vault_passphrase or "")
        kept = tuple(_keep(user, pair, sealing=sealing, kek=kek) for pair in pairs)
        settle_current(user, kept)
        revocation_hints.watch_held(user.pk)
        for key in kept:
            _record("key-imported", key, actor=actor or user, request=request)
    return kept


def open_keys(user: User, *, kek: bytes | None) -> OpenedKeys:
    """Open what can be opened: managed keys, and personal ones with the vault's key.

    A key whose seal is broken counts as locked: it is there and cannot be used.
    """
    pairs: list[KeyPair] = []
    is_locked = False
    rows = list(own_keys_for(user))
    for row in rows:
        try:
            pairs.append(_opened(row, kek))
        except SealBroken:
            is_locked = True
    return OpenedKeys(pairs=tuple(pairs), locked=is_locked, has_any=bool(rows))


def signing_key(user: User, address: str, opened: OpenedKeys) -> KeyPair | None:
    """Return the opened key in use that signs for `address` and is valid now: not withdrawn.

    A post-quantum key signs where the site writes with it (`smime.writable`).
    """
    wanted, now = canonical_address(address), timezone.now()
    withdrawn = Withdrawn.load()
    usable = own_keys_for(user).filter(
        is_current=True, can_sign=True, not_before__lte=now, not_after__gte=now
    )
    opened_by_der = {pair.certificate.public_bytes(Encoding.DER): pair for pair in opened.pairs}
    for row in usable:
        pair = opened_by_der.get(bytes(row.der))
        if pair is None or wanted not in row.addresses:
            continue
        if not withdrawn.has(pair.certificate, now) and is_writable(pair.certificate):
            return pair
    return None


def export(
    user: User,
    key_id: int,
    passphrase: str,
    *,
    kek: bytes | None,
    actor: User | None = None,
    request: HttpRequest | None = None,
) -> bytes:
    """Return the key with its certificates as .p12 under `passphrase`; audited.

    The caller has asked the person to prove themselves again. Raises VaultError.
    """
    row = _row(user, key_id)
    if not passphrase:
        raise VaultError("weak-passphrase", "Choose a passphrase for the file.")
    try:
        pair = _opened(row, kek)
    except SealBroken:
        raise VaultError("locked", "This key is locked. Unlock your keys first.") from None
    content = to_pkcs12(pair, passphrase, friendly_name=row.name)
    _record("key-exported", row, actor=actor or user, request=request)
    return content


def set_current(user: User, key_id: int, *, request: HttpRequest | None = None) -> OwnKey:
    """Put the key in use; keys it stands in for only open old mail from now on."""
    with transaction.atomic():
        row = _row(user, key_id)
        for other in own_keys_for(user).filter(is_current=True).exclude(pk=row.pk):
            if displaces(row, other):
                OwnKey.objects.filter(pk=other.pk).update(is_current=False)
        row.is_current = True
        row.save(update_fields=["is_current"])
        _record("key-put-in-use", row, actor=user, request=request)
    return row


def delete(
    user: User, key_id: int, *, actor: User | None = None, request: HttpRequest | None = None
) -> None:
    """Delete a key for good: mail encrypted for it can no longer be read here."""
    with transaction.atomic():
        row = _row(user, key_id)
        _record("key-deleted", row, actor=actor or user, request=request)
        row.delete()


def seal_subject(row: OwnKey) -> str:
    """Return what a key's seal is bound to: its owner and certificate."""
    return f"smime.ownkey:{row.user_id}:{row.fingerprint}"


def _read(content: bytes, passphrase: str | None) -> tuple[KeyPair, ...]:
    is_pem = b"-----BEGIN" in content and b"PRIVATE KEY-----" in content
    return load_pem(content, passphrase) if is_pem else load_pkcs12(content, passphrase)


def _fields(certificate: x509.Certificate) -> dict[str, object]:
    try:
        return fields_of(certificate)
    except CertificateFileError as error:
        raise VaultError("damaged", error.reason) from error


def _uses(certificate: x509.Certificate) -> tuple[bool, bool, bool]:
    try:
        return may_sign(certificate), may_encrypt(certificate), allows_mail(certificate)
    except DamagedCertificateError:
        return False, False, False


def _previewed(pair: KeyPair, own: set[str]) -> PreviewedKey:
    row = OwnKey(**_fields(pair.certificate))
    can_sign, can_encrypt, is_for_mail = _uses(pair.certificate)
    return PreviewedKey(
        name=row.name,
        addresses=tuple(row.addresses),
        issuer=row.issuer,
        not_before=row.not_before,
        not_after=row.not_after,
        algorithm=row.algorithm,
        can_sign=can_sign,
        can_encrypt=can_encrypt,
        is_for_mail=is_for_mail,
        fingerprint=row.fingerprint,
        has_own_address=bool(own & set(row.addresses)),
    )


def _vault_key(user: User, passphrase: str) -> bytes:
    vault = Vault.objects.filter(user=user).first()
    if vault is None:
        return new_vault(user, passphrase)[1]
    kek = key_of(vault, passphrase)
    if kek is None:
        raise VaultError("passphrase", "The passphrase of your keys is not right.")
    return kek


def _keep(user: User, pair: KeyPair, *, sealing: str, kek: bytes | None) -> OwnKey:
    fields = _fields(pair.certificate)
    fingerprint = str(fields.pop("fingerprint"))
    can_sign, can_encrypt, _ = _uses(pair.certificate)
    der = pair.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    subject = seal_subject(OwnKey(user=user, fingerprint=fingerprint))
    sealed = (
        seal(der, purpose=PURPOSE, subject=subject)
        if kek is None
        else seal_with(kek, der, purpose=PURPOSE, subject=subject)
    )
    fields |= {
        "sealing": sealing,
        "sealed_key": sealed,
        "chain": as_chain(pair.chain),
        "can_sign": can_sign,
        "can_encrypt": can_encrypt,
    }
    kept, _ = OwnKey.objects.update_or_create(user=user, fingerprint=fingerprint, defaults=fields)
    return kept


def _opened(row: OwnKey, kek: bytes | None) -> KeyPair:
    """Open one key; raises SealBroken."""
    subject, sealed = seal_subject(row), bytes(row.sealed_key)
    if row.sealing == OwnKey.Sealing.MANAGED:
        der = open_sealed(sealed, purpose=PURPOSE, subject=subject)
    elif kek is None:
        raise SealBroken("The vault is locked.")
    else:
        der = open_with(kek, sealed, purpose=PURPOSE, subject=subject)
    return KeyPair(
        key=load_private_key(der, None),
        certificate=load(row),
        chain=from_chain(row.chain),
        is_former=not row.is_current,
    )


def _row(user: User, key_id: int) -> OwnKey:
    row = own_keys_for(user).filter(pk=key_id).first()
    if row is None:
        raise VaultError("absent", "There is no such key.")
    return row


def _record(action: str, row: OwnKey, *, actor: User | None, request: HttpRequest | None) -> None:
    audit.record(
        action,
        actor=actor,
        target=f"{row.user.address} {row.fingerprint[:16]}",
        request=request,
        details={"key": row.pk, "sealing": row.sealing, "user": row.user_id},
    )
