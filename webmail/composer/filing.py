"""The copy for Sent: filed after the server accepted the mail, tried for seven days.

Filing is a state of its own: whatever happens here never sends anything again. The copy carries
the Message-ID that was sent, so a repeat after a lost reply finds it (webmail.mailbox.filing).
"""

import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from webmail.composer import outbox_files, sealed_files, transitions
from webmail.composer.ending import end
from webmail.composer.leases import Heartbeat, LeaseLostError, Taken, take
from webmail.composer.models import OutgoingMail
from webmail.composer.transitions import MailState, Next
from webmail.mailbox import filing
from webmail.mailbox.changes import announce
from webmail.mailbox.models import Flag, Folder

log = logging.getLogger(__name__)


def file_copy(outgoing_id: int) -> None:
    """Try once to file the copy of an accepted mail in Sent."""
    taken = take(outgoing_id, state=MailState.ACCEPTED, on_server=True)
    if taken is None:
        return
    mail = OutgoingMail.objects.select_related("account__server").get(pk=outgoing_id)
    try:
        with Heartbeat(taken):
            filing.append_now(
                mail.account,
                Folder.Role.SENT,
                sealed_files.read_all(mail.sent_copy_key),
                flags=Flag.SEEN,
                message_id=mail.message_id,
            )
    except LeaseLostError:
        log.warning("outgoing=%d event=taken-over", outgoing_id)
    except Exception:
        # Whatever it was (server, network, quota, a fault of ours): the mail is sent, the copy
        # is kept, and the next try is in the database.
        log.exception("outgoing=%d event=filing-failed", outgoing_id)
        _try_later(taken, mail)
    else:
        now = timezone.now()
        with transaction.atomic():
            taken.write(finished_at=now, last_reply="")
            end(
                taken, mail.pk, before=MailState.ACCEPTED, plan=Next(state=MailState.FILED), now=now
            )
            outbox_files.drop_all(mail.pk)


def _try_later(taken: Taken, mail: OutgoingMail) -> None:
    now = timezone.now()
    attempts = mail.filing_attempts + 1
    due_at = transitions.plan_filing(attempts=attempts, accepted_at=mail.state_since, now=now)
    if due_at is None:
        outcome = {"finished_at": now}
        words = _("Sent, but the copy could not be put into Sent.")
    else:
        outcome = {"due_at": due_at}
        words = _("Sent. The copy for Sent is not filed yet.")
    taken.let_go(filing_attempts=attempts, last_reply=words, **outcome)
    announce(mail.account, folder_ids=(), kind="outbox")
