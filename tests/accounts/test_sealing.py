import base64
import secrets
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from accounts import sealing
from accounts.sealing import SealBroken, open_sealed, open_with, seal, seal_with

BOUND = {"purpose": "mail-password", "subject": "accounts.mailaccount:12"}


def keyring_text(*keys: bytes) -> str:
    return ",".join(base64.urlsafe_b64encode(key).decode() for key in keys)


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Path:
    settings.KEYRING = ""
    settings.KEYRING_FILE = tmp_path / "keyring"
    return tmp_path / "keyring"


def test_the_first_use_makes_a_private_keyring(file: Path) -> None:
    sealed = seal(b"secret", **BOUND)
    assert open_sealed(sealed, **BOUND) == b"secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"secret" not in sealed
    assert seal(b"secret", **BOUND) != sealed


@pytest.mark.parametrize(
    ("purpose", "subject"),
    [
        ("mail-password", "accounts.mailaccount:13"),
        ("own-key", "accounts.mailaccount:12"),
        ("mail-password\x00accounts", "mailaccount:12"),
    ],
)
def test_a_value_moved_elsewhere_does_not_open(file: Path, purpose: str, subject: str) -> None:
    with pytest.raises(SealBroken):
        open_sealed(seal(b"secret", **BOUND), purpose=purpose, subject=subject)


def test_every_flipped_byte_is_noticed(file: Path) -> None:
    sealed = seal(b"secret", **BOUND)
    for position in range(len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises(SealBroken):
            open_sealed(bytes(broken), **BOUND)
    for length in (0, 1, 9, 21, len(sealed) - 1):
        with pytest.raises(SealBroken):
            open_sealed(sealed[:length], **BOUND)


def test_a_new_key_seals_and_the_old_one_still_opens(file: Path) -> None:
    old = seal(b"secret", **BOUND)
    sealing.add_key_to_file()
    assert open_sealed(old, **BOUND) == b"secret"
    assert not sealing.is_newest(old)
    assert sealing.is_newest(seal(b"secret", **BOUND))
    assert sealing.drop_old_keys_from_file() == 1
    with pytest.raises(SealBroken):
        open_sealed(old, **BOUND)


def test_the_environment_keyring_wins_and_cannot_be_added_to(
    settings: Settings, tmp_path: Path
) -> None:
    first, second = secrets.token_bytes(32), secrets.token_bytes(32)
    settings.KEYRING = keyring_text(first)
    old = seal(b"secret", **BOUND)
    settings.KEYRING = keyring_text(second, first)
    assert open_sealed(old, **BOUND) == b"secret"
    with pytest.raises(ImproperlyConfigured, match="SIGNET_KEYRING"):
        sealing.add_key_to_file()


@pytest.mark.parametrize("text", ["!", "short", keyring_text(b"x" * 31), " , "])
def test_a_wrong_keyring_is_refused_with_its_name(settings: Settings, text: str) -> None:
    settings.KEYRING = text
    with pytest.raises(ImproperlyConfigured, match="SIGNET_KEYRING") as caught:
        seal(b"secret", **BOUND)
    assert "short" not in str(caught.value)


def test_a_given_key_opens_only_its_own(file: Path) -> None:
    key = secrets.token_bytes(32)
    sealed = seal_with(key, b"secret", **BOUND)
    assert open_with(key, sealed, **BOUND) == b"secret"
    with pytest.raises(SealBroken):
        open_with(secrets.token_bytes(32), sealed, **BOUND)
    with pytest.raises(SealBroken):
        open_sealed(sealed, **BOUND)
    with pytest.raises(ValueError, match="32 bytes"):
        seal_with(b"short", b"secret", **BOUND)
