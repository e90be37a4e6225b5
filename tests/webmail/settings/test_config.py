"""A wrong setting stops the start with a sentence that names the variable."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def load_settings(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "SIGNET_DATA_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "webmail.settings",
        **variables,
    }
    code = "import django.conf as c; s = c.settings; print(s.DATA_DIR, s.DATABASES['default']['ENGINE'], s.REDIS_URL)"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SIGNET_DATABASE_URL", "mysql://x", "sqlite:/// or postgresql://"),
        ("SIGNET_DATABASE_URL", "nonsense", "sqlite:/// or postgresql://"),
        ("SIGNET_REDIS_URL", "http://x", "redis://, rediss:// or unix://"),
        ("SIGNET_PUBLIC_URL", "mail.example.org", "http:// or https://"),
        ("SIGNET_MESSAGE_LIMIT_MB", "many", "whole number from 1 to 200"),
        ("SIGNET_UNDO_SEND_SECONDS", "31", "whole number from 0 to 30"),
        ("SIGNET_ALLOW_PRIVATE_MAIL_SERVERS", "perhaps", "yes or no"),
        ("SIGNET_POST_QUANTUM", "maybe", "off, composite, pure"),
        ("SIGNET_LOG_LEVEL", "LOUD", "must be one of"),
        ("SIGNET_SECRET_KEY_FILE", "/nowhere/key", "cannot be read"),
        ("SIGNET_CONFIG", "/nowhere/signet.toml", "there is no file"),
    ],
)
def test_wrong_values_name_the_variable(tmp_path: Path, name: str, value: str, words: str) -> None:
    done = load_settings(tmp_path, **{name: value})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert name in last
    assert words in last


def test_nothing_set_is_enough_and_secrets_are_made_closed(tmp_path: Path) -> None:
    done = load_settings(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "django.db.backends.sqlite3" in done.stdout
    secret = tmp_path / "data" / "secret-key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    again = load_settings(tmp_path)
    assert again.returncode == 0
    assert len(secret.read_text()) >= 48


def test_values_come_from_a_toml_file_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / "signet.toml"
    file.write_text('SIGNET_REDIS_URL = "redis://one:1/0"\n')
    assert "redis://one:1/0" in load_settings(tmp_path, SIGNET_CONFIG=str(file)).stdout
    both = load_settings(tmp_path, SIGNET_CONFIG=str(file), SIGNET_REDIS_URL="redis://two:2/0")
    assert "redis://two:2/0" in both.stdout
