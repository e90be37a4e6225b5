"""Asking mail servers about a name and password: worker side, and the administrator's test."""

import logging
from dataclasses import dataclass
from typing import Literal

from accounts import credentials as account_credentials
from accounts import replies, tickets
from accounts.models import MailServer
from webmail import imap, submission
from webmail.sasl import AuthFailed, Credentials, MailServerError, NoMechanism, TlsRefused

type CheckCode = Literal["ok", "wrong-credentials", "server-unreachable", "tls-refused"]

# Shorter than the page's patience (signin.PATIENCE), so that the page hears the reason.
DEADLINES = imap.Deadlines(greeting=8.0, login=12.0, command=5.0, total=18.0)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """What a server said; `reason` is a sentence without secrets, empty when all is well."""

    code: CheckCode
    reason: str = ""


def check_imap(server: MailServer, credentials: Credentials) -> Check:
    """Sign in to the server's IMAP and leave."""
    try:
        with imap.Session.open(
            account_credentials.imap_endpoint(server), credentials, deadlines=DEADLINES
        ):
            return Check("ok")
    except MailServerError as error:
        return _check_of(error)


def check_submission(server: MailServer, credentials: Credentials) -> Check:
    """Sign in to the submission server, note its size limit, and leave."""
    try:
        found = submission.limits(account_credentials.submission_endpoint(server), credentials)
    except MailServerError as error:
        return _check_of(error)
    MailServer.objects.filter(pk=server.pk).update(submission_size_limit=found.size)
    return Check("ok")


def answer_ticket(ticket_id: str, reply_key: str) -> None:
    """Check the password of a sign-in's ticket and leave the code for the waiting page."""
    payload = tickets.redeem(ticket_id)
    if payload is None:  # used or expired: the page no longer waits
        return
    server = MailServer.objects.filter(pk=int(str(payload["server"]))).first()
    if server is None:
        replies.answer(reply_key, "server-unreachable")
        return
    found = check_imap(server, Credentials(str(payload["login"]), str(payload["password"])))
    if found.code not in {"ok", "wrong-credentials"}:
        logger.warning("event=sign-in-check server=%s reason=%s", server.pk, found.reason)
    replies.answer(reply_key, found.code)


def _check_of(error: MailServerError) -> Check:
    if isinstance(error, NoMechanism):
        return Check("tls-refused", error.reason)
    if isinstance(error, AuthFailed):
        return Check("wrong-credentials", error.reason)
    if isinstance(error, TlsRefused):
        return Check("tls-refused", error.reason)
    return Check("server-unreachable", error.reason)
