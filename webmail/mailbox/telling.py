"""Sentences for people about changes that could not be carried out, in their language."""

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import MailAccount
from webmail.imap import CommandRefused, ResponseCode
from webmail.mailbox.changes import announce
from webmail.mailbox.models import PendingChange

_Operation = PendingChange.Operation


def tell_conflict(account: MailAccount, *, count: int) -> str:
    """Announce that moved messages were gone; returns the sentence."""
    with translation.override(account.user.language or settings.LANGUAGE_CODE):
        words = ngettext(
            "%(n)d message could not be moved. It is no longer in its folder on the mail server.",
            "%(n)d messages could not be moved. They are no longer in their folder on the mail "
            "server.",
            count,
        ) % {"n": count}
    announce(account, kind="toast", words=words)
    return words


def tell_refusal(
    account: MailAccount, operation: str, refused: CommandRefused, *, count: int
) -> str:
    """Announce that the server refused for good and that all is as before; returns the sentence."""
    with translation.override(account.user.language or settings.LANGUAGE_CODE):
        words = f"{_what(operation, count)} {_why(refused)}"
    announce(account, kind="toast", words=words)
    return words


def _what(operation: str, count: int) -> str:
    match operation:
        case _Operation.MOVE:
            words = ngettext(
                "%(n)d message could not be moved and is back in its place.",
                "%(n)d messages could not be moved and are back in their place.",
                count,
            )
        case _Operation.DELETE:
            words = ngettext(
                "%(n)d message could not be deleted and is back in its place.",
                "%(n)d messages could not be deleted and are back in their place.",
                count,
            )
        case _Operation.FLAGS:
            words = ngettext(
                "%(n)d message could not be marked.", "%(n)d messages could not be marked.", count
            )
        case _:
            words = ngettext(
                "%(n)d message could not be filed.", "%(n)d messages could not be filed.", count
            )
    return words % {"n": count}


def _why(refused: CommandRefused) -> str:
    match refused.code:
        case ResponseCode.OVERQUOTA:
            return _("The mailbox is full.")
        case ResponseCode.NOPERM:
            return _("The mail server does not allow it.")
        case ResponseCode.NONEXISTENT | ResponseCode.TRYCREATE:
            return _("The folder no longer exists.")
        case _:
            return refused.reason
