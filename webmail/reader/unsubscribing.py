"""Leaving a list: asked for by a click, carried out by a worker (RFC 8058).

    click ─ask─► asked ─carry_out─► running ─ DKIM ─ POST ─► done, or why not

Nothing happens before the click, no question to a name server either: the owner of the signing
domain would learn from it that the mail was read. After it: one key by DNS, one POST by https to
the address that the DKIM signature covers, to the host that the person was told. The only writer
of `Unsubscription`.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from webmail import remote
from webmail.html.addresses import RefusedUrl, RemoteUrl, check_remote_url
from webmail.html.hosts import organisation
from webmail.mailbox.models import Message
from webmail.mime import Headers, ascii_domain, read_address_list
from webmail.mime.headers import read_headers
from webmail.mime.unsubscribing import (
    FIELD,
    ONE_CLICK,
    POST_FIELD,
    is_aligned,
    read_list_id,
    read_unsubscribe,
)
from webmail.reader import fetching, rendering
from webmail.reader.models import Unsubscription
from webmail.remote import HostRefused, NotFetched, NoWord, Posted, Rules
from webmail.remote.dkim_signatures import NotVerified, verify
from webmail.remote.text_records import NameServers

POST_SECONDS = 10.0  # for all of the POST
KEY_SECONDS = 3.0  # for each key
# After this a worker that began is thought dead; what it did nobody knows.
LOST_AFTER = timedelta(seconds=60)
USER_AGENT = "Signet"
_BOUNDARY = "signet-one-click"
_State = Unsubscription.State
_WAITING = (_State.ASKED, _State.RUNNING)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom the worker may ask; tests have servers of their own."""

    rules: Rules
    servers: NameServers


REACH = Reach(Rules(), NameServers())


def list_key(asks: dict[str, Any], message: Message) -> str:
    """Return what a list is remembered by. asks: `asking.facts_of(…)["list"]`.

    The organisation of the sender and List-Id together: anybody may write another's List-Id, and
    what is vouched for may be the sender alone. Without List-Id the sender's address.
    """
    if not asks["id"]:
        return message.from_address.lower()[:320]
    return f"{_organisation(message)} {asks['id']}".lower()[:320]


def _organisation(message: Message) -> str:
    domain = message.from_address.rpartition("@")[2]
    return organisation(ascii_domain(domain) or domain)


def one_click_host(asks: dict[str, Any]) -> str:
    """Return the host that would be asked; empty when one click is not possible."""
    url = _https(asks["one_click"])
    return url.host if url is not None else ""


def _https(uri: str) -> RemoteUrl | None:
    try:
        url = check_remote_url(uri)
    except RefusedUrl:
        return None
    return url if url.scheme == "https" else None


def found(user: User, key: str) -> Unsubscription | None:
    """Return what was done about a list."""
    return Unsubscription.objects.filter(user=user, list_key=key).first()


def ask(user: User, message: Message, asks: dict[str, Any]) -> Unsubscription | None:
    """Write down the person's consent to a one-click POST; None when it is not possible.

    One that is under way stays as it is.
    """
    host = one_click_host(asks)
    return _write(user, message, asks, state=_State.ASKED, host=host) if host else None


def note_mail(user: User, message: Message, asks: dict[str, Any]) -> Unsubscription:
    """Remember that a mail to leave the list was opened in the composer."""
    return _write(user, message, asks, state=_State.PREPARED, host="")


def _write(
    user: User, message: Message, asks: dict[str, Any], *, state: _State, host: str
) -> Unsubscription:
    key = list_key(asks, message)
    fresh = {"message": message, "state": state, "host": host[:255], "asked_at": timezone.now()}
    with transaction.atomic():
        row, is_new = Unsubscription.objects.select_for_update(no_key=True).get_or_create(
            user=user, list_key=key, defaults=fresh
        )
        if not is_new and not is_waiting(row, now=timezone.now()):
            for name, value in {**fresh, "finished_at": None}.items():
                setattr(row, name, value)
            row.save()
    return row


def is_waiting(row: Unsubscription, *, now: datetime) -> bool:
    """Whether a worker is to be waited for."""
    return row.state in _WAITING and now - row.asked_at < LOST_AFTER


def to_carry_out(user: User, message: Message) -> Unsubscription | None:
    """Return the try that waits for a worker to begin, agreed to with this message."""
    since = timezone.now() - LOST_AFTER
    rows = Unsubscription.objects.filter(user=user, message=message, state=_State.ASKED)
    return rows.filter(asked_at__gte=since).first()


def carry_out(unsubscription_id: int, *, reach: Reach | None = None) -> None:
    """Verify and post, once for each time the person asked, within LOST_AFTER (lane `fetch`)."""
    # Later than that the page has said that nothing was sent.
    since = timezone.now() - LOST_AFTER
    taken = Unsubscription.objects.filter(
        pk=unsubscription_id, state=_State.ASKED, asked_at__gt=since
    )
    if not taken.update(state=_State.RUNNING):
        return
    row = Unsubscription.objects.select_related("message__account__server").get(
        pk=unsubscription_id
    )
    state = _outcome(row, reach or REACH)
    logger.info("event=unsubscribed unsubscription=%d state=%s", row.pk, state)
    Unsubscription.objects.filter(pk=row.pk, state=_State.RUNNING, asked_at=row.asked_at).update(
        state=state, finished_at=timezone.now()
    )


def _outcome(row: Unsubscription, reach: Reach) -> _State:
    message = row.message
    if message is None or fetching.fetch(message) != "done":
        return _State.UNREACHED
    try:
        uri = _vouched_uri(
            rendering.raw_of(message), sender=_organisation(message), servers=reach.servers
        )
        if reach.rules.check_url(uri).host != row.host:  # never seen: both read the same mail
            return _logged(row, _State.UNVERIFIED, "not the host that was agreed to")
        remote.deliver(
            uri, posted=_form(), seconds=POST_SECONDS, user_agent=USER_AGENT, rules=reach.rules
        )
    except (NotVerified, RefusedUrl, rendering.NotHere) as problem:
        return _logged(row, _State.UNVERIFIED, problem)
    except HostRefused as problem:
        return _logged(row, _State.REFUSED, problem)
    except NoWord as problem:
        return _logged(row, _State.UNSURE, problem)
    except NotFetched as problem:
        return _logged(row, _State.UNREACHED, problem)
    return _State.DONE


def _logged(row: Unsubscription, state: _State, problem: Exception | str) -> _State:
    logger.info("event=not-unsubscribed unsubscription=%d why=%s", row.pk, problem)
    return state


def _vouched_uri(raw: bytes, *, sender: str, servers: NameServers) -> str:
    """Return the https URI that a signature of the sender or the list covers (RFC 8058 §4).

    The fields are taken as the verifier read them, not as the page did. sender: the organisation
    that `list_key` names; From vouches for no other. Raises NotVerified.
    """
    headers = read_headers(raw)
    author, identifier = _author_domain(headers), read_list_id(headers)[0]

    def accepts(domain: str, signed: frozenset[str]) -> bool:
        if author and organisation(author) == sender and is_aligned(domain, author):
            return True
        return "list-id" in signed and bool(identifier) and is_aligned(domain, identifier)

    found = verify(
        raw,
        covering=(FIELD, POST_FIELD),
        accepts=accepts,
        seconds=KEY_SECONDS,
        servers=servers,
    )
    uri = read_unsubscribe(Headers(tuple(found.fields.items()))).one_click
    if not uri:
        raise NotVerified("not the fields of one click")
    return uri


def _author_domain(headers: Headers) -> str:
    authors = read_address_list(headers.get("from")).addresses
    domains = {ascii_domain(each.domain) or "" for each in authors}
    return domains.pop().lower() if len(domains) == 1 else ""


def _form() -> Posted:
    """Return the body of RFC 8058 §3.2 as multipart/form-data (RFC 7578)."""
    name, _, value = ONE_CLICK.decode("ascii").partition("=")
    content = (
        f"--{_BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n'
        f"{value}\r\n"
        f"--{_BOUNDARY}--\r\n"
    )
    return Posted(content.encode("ascii"), f"multipart/form-data; boundary={_BOUNDARY}")
