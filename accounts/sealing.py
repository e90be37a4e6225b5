"""Sealing secrets at rest: AES-256-GCM under a keyring; the newest key seals, all keys open.

A sealed value is bound by its associated data to a *purpose* ("mail-password") and a *subject* (the
row it belongs to, "accounts.mailaccount:12"), so that a value copied to another row or column does
not open. Each purpose has a key of its own (HKDF, RFC 5869), derived from the keyring's.

    keyring form   0x01 | key id (8) | nonce (12) | ciphertext and tag
    given-key form 0x02 | nonce (12) | ciphertext and tag

The keyring is text: base64url keys of 32 bytes, newest first, apart by spaces, commas or new lines.
It comes from SIGNET_KEYRING, else from the file SIGNET_KEYRING_FILE, which is made (mode 0600) the
first time. A file is read again when it changed, so that running processes follow a rotation.
"""

import base64
import binascii
import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_SIZE = 32  # bytes: AES-256
NONCE_SIZE = 12  # bytes, random (NIST SP 800-38D §8.2.2)
KEY_ID_SIZE = 8  # bytes of the key's digest

_BY_KEYRING = b"\x01"
_BY_GIVEN_KEY = b"\x02"


class SealBroken(Exception):  # noqa: N818  (the field's name for it; APPS interface)
    """A sealed value does not open: damaged, moved from elsewhere, or its key is gone."""


@dataclass(frozen=True, slots=True, repr=False)
class SealingKey:
    """One key of the keyring; its id is a digest, so that text and blobs cannot disagree."""

    secret: bytes

    @property
    def key_id(self) -> bytes:
        """Return the first bytes of the key's digest: what a blob names its key by."""
        return hashlib.sha256(b"signet sealing key id\x00" + self.secret).digest()[:KEY_ID_SIZE]


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Keys, newest first; never empty."""

    keys: tuple[SealingKey, ...]

    @property
    def newest(self) -> SealingKey:
        """Return the key that seals."""
        return self.keys[0]

    def find(self, key_id: bytes) -> SealingKey | None:
        """Return the key a blob names."""
        return next((key for key in self.keys if key.key_id == key_id), None)


def seal(plain: bytes, *, purpose: str, subject: str) -> bytes:
    """Seal `plain` under the newest key, bound to `purpose` and `subject`."""
    key = keyring().newest
    head = _BY_KEYRING + key.key_id
    nonce = secrets.token_bytes(NONCE_SIZE)
    cipher = AESGCM(_derived(key.secret, purpose))
    return head + nonce + cipher.encrypt(nonce, plain, _bound_to(head, purpose, subject))


def open_sealed(sealed: bytes, *, purpose: str, subject: str) -> bytes:
    """Open what `seal` made for the same purpose and subject; raises SealBroken."""
    sealed = bytes(sealed)  # SQLite and psycopg may hand over a memoryview
    head_size = 1 + KEY_ID_SIZE
    if len(sealed) < head_size + NONCE_SIZE or sealed[:1] != _BY_KEYRING:
        raise SealBroken("This is not a sealed value.")
    head = sealed[:head_size]
    key = keyring().find(head[1:])
    if key is None:
        raise SealBroken("The key that sealed this value is not in the keyring.")
    return _decrypt(_derived(key.secret, purpose), sealed, head, purpose, subject)


def seal_with(key: bytes, plain: bytes, *, purpose: str, subject: str) -> bytes:
    """Seal under a key of the caller's (session keys, key-encryption keys; 32 bytes)."""
    nonce = secrets.token_bytes(NONCE_SIZE)
    cipher = AESGCM(_derived(_checked(key), purpose))
    return (
        _BY_GIVEN_KEY
        + nonce
        + cipher.encrypt(nonce, plain, _bound_to(_BY_GIVEN_KEY, purpose, subject))
    )


def open_with(key: bytes, sealed: bytes, *, purpose: str, subject: str) -> bytes:
    """Open what `seal_with` made with the same key, purpose and subject; raises SealBroken."""
    sealed = bytes(sealed)
    if len(sealed) < 1 + NONCE_SIZE or sealed[:1] != _BY_GIVEN_KEY:
        raise SealBroken("This is not a value sealed with a given key.")
    return _decrypt(_derived(_checked(key), purpose), sealed, _BY_GIVEN_KEY, purpose, subject)


def is_newest(sealed: bytes) -> bool:
    """Say whether a keyring-sealed value is already under the newest key."""
    return bytes(sealed[: 1 + KEY_ID_SIZE]) == _BY_KEYRING + keyring().newest.key_id


def subject_of(model_label: str, pk: object) -> str:
    """Return a row's identity as sealing binds it: "accounts.mailaccount:12"."""
    return f"{model_label.lower()}:{pk}"


def keyring() -> Keyring:
    """Return the keyring in force; raises ImproperlyConfigured with a sentence."""
    if settings.KEYRING:
        return _parse(settings.KEYRING, "SIGNET_KEYRING")
    name = os.fspath(settings.KEYRING_FILE)
    try:
        state = os.stat(name)  # noqa: PTH116 - asked for each value that is opened
    except FileNotFoundError:
        fresh = Keyring((SealingKey(secrets.token_bytes(KEY_SIZE)),))
        _write_keyring(Path(name), fresh, new=True)
        state = os.stat(name)  # noqa: PTH116 - as above
    return _read_keyring(name, state.st_mtime_ns, state.st_ino)


def add_key_to_file() -> Keyring:
    """Put a fresh key in front of the keyring file; running processes notice by themselves.

    Raises ImproperlyConfigured if the keyring comes from the environment, where only the
    administrator can add a key.
    """
    if settings.KEYRING:
        raise ImproperlyConfigured(
            "The keyring comes from SIGNET_KEYRING: put a new key in front of it there, restart, "
            "and run this command without --new-key."
        )
    fresh = SealingKey(secrets.token_bytes(KEY_SIZE))
    _write_keyring(Path(settings.KEYRING_FILE), Keyring((fresh, *keyring().keys)), new=False)
    return keyring()


def drop_old_keys_from_file() -> int:
    """Leave only the newest key in the keyring file; returns how many keys went."""
    held = keyring()
    if settings.KEYRING or len(held.keys) == 1:
        return 0
    _write_keyring(Path(settings.KEYRING_FILE), Keyring((held.newest,)), new=False)
    return len(held.keys) - 1


def _decrypt(key: bytes, sealed: bytes, head: bytes, purpose: str, subject: str) -> bytes:
    nonce = sealed[len(head) : len(head) + NONCE_SIZE]
    body = sealed[len(head) + NONCE_SIZE :]
    try:
        return AESGCM(key).decrypt(nonce, body, _bound_to(head, purpose, subject))
    except InvalidTag:
        raise SealBroken("The sealed value was damaged or belongs elsewhere.") from None


def _bound_to(head: bytes, purpose: str, subject: str) -> bytes:
    # NUL cannot occur in either, so the parts cannot run into each other.
    return b"\x00".join((head, purpose.encode(), subject.encode()))


@lru_cache(maxsize=256)
def _derived(secret: bytes, purpose: str) -> bytes:
    info = b"signet sealing\x00" + purpose.encode()
    return HKDF(algorithm=hashes.SHA256(), length=KEY_SIZE, salt=None, info=info).derive(secret)


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise ValueError("A sealing key has 32 bytes.")
    return key


@lru_cache(maxsize=8)
def _parse(text: str, source: str) -> Keyring:
    keys: list[SealingKey] = []
    for number, word in enumerate(text.replace(",", " ").split(), 1):
        try:
            secret = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if len(secret) != KEY_SIZE:
            raise ImproperlyConfigured(
                f"{source}: key {number} must be 32 bytes in base64url (43 or 44 characters)."
            )
        keys.append(SealingKey(secret))
    if not keys:
        raise ImproperlyConfigured(f"{source}: there is no key.")
    return Keyring(tuple(keys))


@lru_cache(maxsize=4)
def _read_keyring(name: str, _mtime_ns: int, _inode: int) -> Keyring:
    try:
        return _parse(Path(name).read_text("ascii"), "SIGNET_KEYRING_FILE")
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"SIGNET_KEYRING_FILE: {name} cannot be read.") from error


def _write_keyring(path: Path, held: Keyring, *, new: bool) -> None:
    """Write the file as a whole; with `new`, an existing file of another process wins."""
    text = "".join(base64.urlsafe_b64encode(key.secret).decode() + "\n" for key in held.keys)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".keyring-")  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if new:
                os.link(name, path)
            else:
                Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError:  # another process made it first
        return
    except OSError as error:
        raise ImproperlyConfigured(
            f"SIGNET_KEYRING_FILE: {path} cannot be written: {error.strerror}."
        ) from error
