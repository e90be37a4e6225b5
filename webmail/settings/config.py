"""Configuration from the environment, a `.env` or a TOML file; every name begins `SIGNET_`.

Order: the process's environment, then the file named by `SIGNET_CONFIG` (TOML with the same
names, or lines `NAME=value`), then `.env` in the project's root. A wrong value raises
`ImproperlyConfigured` with a sentence that names the variable.
"""

import os
import secrets
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def _parse_env_file(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.removeprefix("export ").partition("=")
        if not separator:
            raise ImproperlyConfigured(f"{path}, line {number}: expected NAME=value.")
        found[name.strip()] = value.strip().strip("'\"")
    return found


@cache
def _file_values() -> dict[str, str]:
    named = os.environ.get("SIGNET_CONFIG")
    path = Path(named) if named else PROJECT_ROOT / ".env"
    if not path.is_file():
        if named:
            raise ImproperlyConfigured(f"SIGNET_CONFIG: there is no file {named}.")
        return {}
    if path.suffix != ".toml":
        return _parse_env_file(path)
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ImproperlyConfigured(f"SIGNET_CONFIG: {path} is not valid TOML: {error}.") from error
    return {name: str(value) for name, value in table.items()}


def text(name: str, default: str = "") -> str:
    """Return the setting `name`; an empty value counts as not set."""
    return os.environ.get(name) or _file_values().get(name) or default


def text_or_file(name: str) -> str:
    """Return the setting `name`, or the content of the file that `name`_FILE names."""
    value, path = text(name), text(f"{name}_FILE")
    if value or not path:
        return value
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE: {path} cannot be read: {error.strerror}."
        ) from error


def flag(name: str, *, default: bool) -> bool:
    """Return a yes/no setting."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not “{value}”.")


def number(name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number between `low` and `high`."""
    value = text(name)
    if not value:
        return default
    try:
        parsed = int(value)
    except ValueError:
        parsed = low - 1
    if not low <= parsed <= high:
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {low} to {high}, not “{value}”."
        )
    return parsed


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return one of the allowed words."""
    value = text(name, default).lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be {', '.join(allowed)}, not “{value}”.")
    return value


def words(name: str) -> list[str]:
    """Return a comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def directory(name: str, default: Path) -> Path:
    """Return a directory that exists (made with mode 0700) and can be written."""
    path = Path(text(name, str(default))).expanduser().resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}: the directory {path} cannot be made: {error.strerror}."
        ) from error
    return path


def secret_file(path: Path) -> str:
    """Return the secret kept in `path`, making a random one (mode 0600) the first time."""
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(
            f"The secret file {path} cannot be read: {error.strerror}."
        ) from error
    value = secrets.token_urlsafe(48)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was first
        return path.read_text("ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"SIGNET_DATA_DIR: {path} cannot be written: {error.strerror}."
        ) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    return value


def redis_url(run_directory: Path) -> str:
    """Return the Redis URL: set, else left by the supervisor, else its usual socket."""
    value = text("SIGNET_REDIS_URL")
    if not value:
        left = run_directory / "redis-url"
        value = left.read_text("ascii").strip() if left.is_file() else ""
    value = value or f"unix://{run_directory / 'valkey.sock'}"
    if urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(
            "SIGNET_REDIS_URL must begin redis://, rediss:// or unix://, "
            f"not “{value.split(':')[0]}:”."
        )
    return value


def public_url() -> str:
    """Return the address people type, without a slash at its end; empty if not set."""
    value = text("SIGNET_PUBLIC_URL").rstrip("/")
    if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
        raise ImproperlyConfigured(
            f"SIGNET_PUBLIC_URL must be an http:// or https:// address, not “{value}”."
        )
    return value
