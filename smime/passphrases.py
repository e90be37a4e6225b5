"""The key-encryption key of a person's vault, from their passphrase (Argon2id, RFC 9106).

The key is stored nowhere. The vault's verifier is a value sealed under it, which tells a right
passphrase from a wrong one.
"""

import secrets
import unicodedata

from argon2.low_level import Type, hash_secret_raw

from accounts.models import User
from accounts.sealing import KEY_SIZE, SealBroken, open_with, seal_with, subject_of
from smime.models import Vault

MINIMUM_LENGTH = 10  # characters
MAXIMUM_LENGTH = 1024
# RFC 9106 §4, second recommended option, with the lanes of small machines.
PARAMETERS = {"t": 3, "m": 65536, "p": 2}
_SALT_SIZE = 16  # bytes
_PROOF = b"signet vault"
_PURPOSE = "vault-verifier"


class VaultError(Exception):
    """Keys cannot be kept or opened; `reason` says why and what to do, in a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def new_vault(user: User, passphrase: str) -> tuple[Vault, bytes]:
    """Make (and save) the person's vault; returns it with its key. Raises VaultError."""
    if not MINIMUM_LENGTH <= len(passphrase) <= MAXIMUM_LENGTH:
        raise VaultError(
            "weak-passphrase",
            f"Choose a passphrase of at least {MINIMUM_LENGTH} characters for your keys.",
        )
    vault = Vault(user=user, salt=secrets.token_bytes(_SALT_SIZE), parameters=dict(PARAMETERS))
    kek = _derive(vault, passphrase)
    vault.verifier = seal_with(kek, _PROOF, purpose=_PURPOSE, subject=_subject(vault))
    vault.save()
    return vault, kek


def key_of(vault: Vault, passphrase: str) -> bytes | None:
    """Return the vault's key, or None when the passphrase is wrong."""
    kek = _derive(vault, passphrase[:MAXIMUM_LENGTH])
    return kek if fits(vault, kek) else None


def fits(vault: Vault, kek: bytes) -> bool:
    """Say whether `kek` is this vault's key."""
    try:
        verifier = bytes(vault.verifier)
        return open_with(kek, verifier, purpose=_PURPOSE, subject=_subject(vault)) == _PROOF
    except SealBroken:
        return False


def _derive(vault: Vault, passphrase: str) -> bytes:
    # NFC, so that the same passphrase typed on another system gives the same bytes.
    return hash_secret_raw(
        secret=unicodedata.normalize("NFC", passphrase).encode(),
        salt=bytes(vault.salt),
        time_cost=int(vault.parameters["t"]),
        memory_cost=int(vault.parameters["m"]),
        parallelism=int(vault.parameters["p"]),
        hash_len=KEY_SIZE,
        type=Type.ID,
    )


def _subject(vault: Vault) -> str:
    return subject_of("smime.Vault", vault.user_id)
