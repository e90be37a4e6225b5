"""The bytes of a message, exactly as the server has them: from the sealed cache, else fetched.

Workers only: the web never dials a mail server. Nothing decrypted comes through here.
"""

import logging
from collections.abc import Callable

from django.conf import settings

from accounts.models import MailAccount
from webmail.imap import MessageGone, Session
from webmail.mailbox import blobs, sync, visiting
from webmail.mailbox.models import Message, Placement
from webmail.mailbox.sessions import imap_session

logger = logging.getLogger(__name__)


class BodyGone(Exception):  # noqa: N818
    """The message is nowhere on the server any more, or not where the mirror says; a sync is on."""


def is_cached(message: Message) -> bool:
    """Say whether `raw` needs no server."""
    return blobs.has(message)


def raw(message: Message, *, session: Session | None = None) -> bytes:
    """Return the whole message.

    session: a signed-in session of the message's account to use. Raises BodyGone, ImapError,
    sessions.AccountUnusable, LimitExceeded (an ImapError) beyond settings.MESSAGE_LIMIT.
    """
    found = blobs.get(message)
    if found is not None:
        return found
    account = MailAccount.objects.select_related("server").get(pk=message.account_id)
    if session is not None:
        content = _fetch(account, message, session)
    else:
        with imap_session(account) as own:
            content = _fetch(account, message, own)
    _keep(account, message, content)
    return content


def window(message: Message, *, offset: int, length: int) -> bytes:
    """Return `length` octets of the message from `offset` on as the server sends them, fewer at its
    end; nothing is kept, and how large the message is does not matter.

    Raises BodyGone, ImapError, sessions.AccountUnusable.
    """
    account = MailAccount.objects.select_related("server").get(pk=message.account_id)
    with imap_session(account) as session:
        return _read(
            account,
            message,
            session,
            lambda uid: session.window(uid, offset=offset, length=length),
        )


def _fetch(account: MailAccount, message: Message, session: Session) -> bytes:
    limit = settings.MESSAGE_LIMIT
    return _read(account, message, session, lambda uid: session.body(uid, limit=limit))


def _read(
    account: MailAccount, message: Message, session: Session, read: Callable[[int], bytes]
) -> bytes:
    """Return what `read` returns for the message's UID in the first folder that has it."""
    for placement in _places(message):
        folder = placement.folder
        selected = session.select(visiting.path_of(folder))
        if selected.uidvalidity == folder.uidvalidity and placement.uid is not None:
            try:
                return read(placement.uid)
            except MessageGone:
                logger.info("event=body-gone account=%d folder=%d", account.pk, folder.pk)
        sync.wake_and_post(folder)
    raise BodyGone


def _places(message: Message) -> list[Placement]:
    """Where the message can be fetched from; hidden by a pending move counts, gone does not."""
    rows = (
        Placement.objects.filter(message=message, uid__isnull=False, gone_at=None)
        .select_related("folder")
        .order_by("is_leaving", "id")
    )
    return [one for one in rows[:20] if one.generation == one.folder.generation]


def _keep(account: MailAccount, message: Message, content: bytes) -> None:
    try:
        blobs.put(account, content, message=message)
        blobs.evict(account.pk)
    except OSError as error:  # a full disk must not keep anybody from reading
        logger.warning("event=blob-not-kept account=%d error=%s", account.pk, error.strerror)
