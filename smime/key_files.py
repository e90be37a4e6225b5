"""Key files on their way in and out: opened in the crypto lane only, never in the web process.

    upload ─hold─▶ sealed under the session's key (15 min) ─preview task─▶ what is in it
                                                           └import task──▶ the vault
    export task ─▶ .p12 sealed under the session's key (1 min) ─▶ one download

A task gets a ticket (the session's key, passphrases); its word back is a code for `problem_words`.
"""

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import lanes, replies, sealed_cache, tickets
from accounts.models import User
from accounts.redis import RedisError
from accounts.session_keys import session_key
from smime import vault
from smime.passphrases import VaultError
from smime.pki import Pkcs12Error
from smime.pki.pkcs12 import FILE_LIMIT
from smime.problems import key_file_problem
from smime.unlocking import kek_for

HELD = 15 * 60  # seconds between upload and confirmation
PATIENCE = 15.0  # seconds the page waits for the crypto lane
_DOWNLOAD = 60  # seconds

logger = logging.getLogger(__name__)


class KeyFileError(Exception):
    """A key file could not be read, kept or made; `reason` is a sentence for the page."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = problem_words(code)


@dataclass(frozen=True, slots=True)
class HeldFile:
    """An uploaded file that waits for the person's decision."""

    token: str
    keys: tuple[vault.PreviewedKey, ...]


def hold(request: HttpRequest, content: bytes, passphrase: str) -> HeldFile:
    """Keep an upload for a quarter of an hour and say what is in it; raises KeyFileError."""
    if len(content) > FILE_LIMIT:
        raise KeyFileError("not-pkcs12")
    token = secrets.token_urlsafe(18)
    key = session_key(request)
    sealed_cache.put(f"key-file:{token}", content, session_key=key, seconds=HELD)
    phrase = passphrase.encode()
    sealed_cache.put(f"key-file-phrase:{token}", phrase, session_key=key, seconds=HELD)
    _ask(request, "smime.preview_key_file", {"token": token})
    return held(request, token)


def held(request: HttpRequest, token: str) -> HeldFile:
    """Return what `hold` found in an upload; raises KeyFileError when it is no longer here."""
    found = sealed_cache.get(f"key-preview:{token}", session_key=session_key(request))
    if found is None:
        raise KeyFileError("gone")
    return HeldFile(token, tuple(_previewed(row) for row in json.loads(found)))


def keep(
    request: HttpRequest, token: str, *, sealing: str, vault_passphrase: str
) -> tuple[vault.PreviewedKey, ...]:
    """Import the held file and return what was in it; raises KeyFileError."""
    waiting = held(request, token)
    payload = {"token": token, "sealing": sealing, "vault_passphrase": vault_passphrase}
    _ask(request, "smime.import_key_file", payload)
    return waiting.keys


def take_export(request: HttpRequest, key_id: int, passphrase: str) -> bytes:
    """Return the key as .p12 under `passphrase`; raises KeyFileError."""
    token = secrets.token_urlsafe(18)
    payload: dict[str, tickets.Value] = {
        "token": token,
        "key": key_id,
        "passphrase": passphrase,
        "kek": kek_for(request),
    }
    _ask(request, "smime.export_key", payload)
    key = session_key(request)
    content = sealed_cache.get(f"key-export:{token}", session_key=key)
    sealed_cache.drop(f"key-export:{token}", session_key=key)
    if content is None:
        raise KeyFileError("worker-silent")
    return content


def work(action: str, ticket_id: str, reply_key: str) -> None:
    """Do a task's work in the crypto lane and leave its word."""
    payload = tickets.redeem(ticket_id)
    user = User.objects.filter(pk=payload["user"]).first() if payload is not None else None
    if payload is None or user is None:  # expired: the page no longer waits
        return
    try:
        _ACTIONS[action](user, payload)
        word = "done"
    except Pkcs12Error as error:
        word = f"file-{error.reason}"
    except VaultError as error:
        word = f"vault-{error.code}"
    except KeyFileError as error:
        word = error.code
    replies.answer(reply_key, word)


def problem_words(code: str) -> str:
    """Return the sentence for a task's word."""
    kind, _dash, rest = code.partition("-")
    if kind == "file":
        return key_file_problem(rest)
    sentences = {
        "not-pkcs12": key_file_problem("not-pkcs12"),
        "gone": _("The upload is no longer here. Choose the file again."),
        "worker-silent": _("Signet could not read the file in time. Try again in a minute."),
        "vault-passphrase": _("The passphrase of your keys is not right."),
        "vault-weak-passphrase": _("Choose a passphrase of at least 10 characters for your keys."),
        "vault-locked": _("This key is locked. Unlock your keys first."),
        "vault-damaged": _("The certificate in this file is damaged and cannot be read."),
        "vault-absent": _("There is no such key."),
    }
    return sentences.get(code, _("This key file cannot be used."))


def _ask(request: HttpRequest, task: str, payload: Mapping[str, tickets.Value]) -> None:
    assert isinstance(request.user, User)
    reply_key = replies.reply_key()
    whole = {**payload, "user": request.user.pk, "session_key": session_key(request)}
    try:
        ticket_id = tickets.issue(whole)
    except RedisError:
        logger.warning("event=key-file-ticket-not-issued")
        raise KeyFileError("worker-silent") from None
    lanes.post(task, ticket_id, reply_key, lane="crypto")
    word = replies.wait(reply_key, PATIENCE)
    if word != "done":
        raise KeyFileError(word or "worker-silent")


def _held(payload: dict[str, Any]) -> tuple[bytes, str | None]:
    key, token = payload["session_key"], payload["token"]
    content = sealed_cache.get(f"key-file:{token}", session_key=key)
    phrase = sealed_cache.get(f"key-file-phrase:{token}", session_key=key)
    if content is None or phrase is None:
        raise KeyFileError("gone")
    return content, phrase.decode() or None


def _preview(user: User, payload: dict[str, Any]) -> None:
    rows = [asdict(each) for each in vault.preview(user, *_held(payload))]
    sealed_cache.put(
        f"key-preview:{payload['token']}",
        json.dumps(rows, default=datetime.isoformat).encode(),
        session_key=payload["session_key"],
        seconds=HELD,
    )


def _import(user: User, payload: dict[str, Any]) -> None:
    content, phrase = _held(payload)
    vault.import_keys(
        user,
        content,
        phrase,
        sealing=payload["sealing"],
        vault_passphrase=payload["vault_passphrase"] or None,
    )
    for name in ("key-file", "key-file-phrase", "key-preview"):
        sealed_cache.drop(f"{name}:{payload['token']}", session_key=payload["session_key"])


def _export(user: User, payload: dict[str, Any]) -> None:
    content = vault.export(user, payload["key"], payload["passphrase"], kek=payload["kek"])
    sealed_cache.put(
        f"key-export:{payload['token']}",
        content,
        session_key=payload["session_key"],
        seconds=_DOWNLOAD,
    )


def _previewed(row: dict[str, Any]) -> vault.PreviewedKey:
    row["addresses"] = tuple(row["addresses"])
    for name in ("not_before", "not_after"):
        row[name] = datetime.fromisoformat(row[name])
    return vault.PreviewedKey(**row)


_ACTIONS = {"preview": _preview, "import": _import, "export": _export}
