"""What became of a mail whose last dot was sent and never answered.

Its Message-ID in the account's mail proves that the server took it: servers that file sent mail
themselves, or the sender's own copy when the sender is among the recipients. No evidence proves
nothing: after ten minutes the person is asked, and nothing is ever sent again without their word.
"""

import logging
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.lanes import post
from accounts.models import MailAccount
from webmail.composer import transitions
from webmail.composer.ending import end
from webmail.composer.leases import Taken, take
from webmail.composer.models import Delivery, OutgoingMail
from webmail.composer.sending import write_standings
from webmail.composer.transitions import DeliveryState, MailState, Next
from webmail.imap import ImapError
from webmail.mailbox.models import Folder, Message
from webmail.mailbox.sessions import AccountUnusable, imap_session
from webmail.mailbox.visiting import path_of

log = logging.getLogger(__name__)


def look(outgoing_id: int) -> None:
    """Look once; if there is no evidence, say when to look again or leave it to the person."""
    taken = take(outgoing_id, state=MailState.UNCERTAIN, on_server=True)
    if taken is None:
        return
    mail = OutgoingMail.objects.select_related("account__server").get(pk=outgoing_id)
    if _is_seen(mail):
        accept(taken, mail)
        return
    now = timezone.now()
    next_look = transitions.plan_look(lost_at=mail.state_since, now=now)
    if next_look is None:
        taken.let_go(finished_at=now)
    else:
        taken.let_go(due_at=next_look)
        post("mailbox.sync_account", mail.account_id, lane="sync")


def accept(taken: Taken, mail: OutgoingMail) -> None:
    """Book an uncertain mail as accepted; the copy for Sent is filed next."""
    now = timezone.now()
    with transaction.atomic():
        Delivery.objects.filter(variant__outgoing=mail, state=DeliveryState.UNCERTAIN).update(
            state=DeliveryState.ACCEPTED
        )
        for variant in mail.variants.all():
            write_standings(variant, {})
        taken.write(finished_at=None)
        plan = Next(state=MailState.ACCEPTED, due_at=now)
        end(taken, mail.pk, before=MailState.UNCERTAIN, plan=plan, now=now)
    post("composer.file_copy", mail.pk, lane="send")


def weigh(account: MailAccount, message_ids: Iterable[int]) -> None:
    """Note newly mirrored messages (rows' ids) that prove an uncertain mail was taken."""
    uncertain = dict(
        OutgoingMail.objects.filter(account=account, state=MailState.UNCERTAIN).values_list(
            "message_id", "pk"
        )
    )
    if not uncertain:
        return
    seen = Message.objects.filter(pk__in=list(message_ids), message_id__in=list(uncertain))
    for message_id in seen.values_list("message_id", flat=True):
        outgoing_id = uncertain[message_id]
        OutgoingMail.objects.filter(pk=outgoing_id).update(
            due_at=timezone.now(), finished_at=None, handed_until=None
        )
        post("composer.look_for_evidence", outgoing_id, lane="send")


def _is_seen(mail: OutgoingMail) -> bool:
    """Whether there is proof. All variants carry one Message-ID, so it proves one of one."""
    if mail.variants.count() != 1:
        return False
    mirrored = Message.objects.filter(
        account=mail.account, message_id=mail.message_id, placements__isnull=False
    )
    return mirrored.exists() or _is_in_sent(mail)


def _is_in_sent(mail: OutgoingMail) -> bool:
    """Ask the server: some file what they take by themselves. No answer is no proof."""
    sent = Folder.objects.filter(account=mail.account, role=Folder.Role.SENT, gone_at=None).first()
    if sent is None:
        return False
    try:
        with imap_session(mail.account) as session:
            session.select(path_of(sent))
            return bool(session.find_message_id(mail.message_id))
    except (ImapError, AccountUnusable):
        log.info("outgoing=%d event=sent-not-searched", mail.pk)
        return False
