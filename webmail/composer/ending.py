"""What follows when a mail changes its state: the row, its draft, the page's news."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from webmail.composer import drafts, outbox_files, placed
from webmail.composer.leases import Taken
from webmail.composer.models import Delivery, Draft, OutgoingMail
from webmail.composer.transitions import MailState, Next, check
from webmail.mailbox import intents
from webmail.mailbox.changes import announce
from webmail.mailbox.models import Flag, Placement


def end(taken: Taken, outgoing_id: int, *, before: MailState, plan: Next, now: datetime) -> None:
    """Write the planned state of a mail we hold, in the running transaction.

    Accepted: the draft goes. Failed: the draft reopens with the reason. What nobody can need any
    more of the mail's files goes with it. Raises LeaseLostError.
    """
    check(before, plan.state)
    columns = {"state": plan.state, "state_since": now, "phase": ""}
    if plan.due_at is not None:
        columns["due_at"] = plan.due_at
    if plan.state == MailState.FAILED:
        columns["finished_at"] = now
    taken.let_go(**columns)
    mail = OutgoingMail.objects.select_related("account", "draft__user").get(pk=outgoing_id)
    if plan.state == MailState.FAILED:
        _reopen(mail.draft, reason=_reason(mail))
        outbox_files.drop_all(mail.pk)
    elif plan.state == MailState.ACCEPTED:
        outbox_files.drop_variants(mail.pk)
        if mail.draft is not None:
            _mark_original(mail.draft)
            drafts.delete(mail.draft)
    words = ""
    if plan.state == MailState.FAILED:
        words = _("Your message was not sent. It is safe in Drafts.")
    announce(mail.account, folder_ids=(), kind="outbox", words=words)


def fail(
    taken: Taken, mail: OutgoingMail, *, before: MailState, reason: str, now: datetime
) -> None:
    """End a mail that cannot be sent, for a reason of ours; the draft reopens with it."""
    with transaction.atomic():
        taken.write(last_reply=reason[:500])
        end(taken, mail.pk, before=before, plan=Next(state=MailState.FAILED), now=now)


def _mark_original(draft: Draft) -> None:
    """Flag the message that was answered or forwarded, take away the draft that was continued; the
    mail is sent whatever comes of it.
    """
    placed.remove(draft)
    if draft.related_message_id is None or draft.relation == placed.CONTINUED:
        return
    flag = Flag.FORWARDED if draft.relation == "forward" else Flag.ANSWERED
    places = Placement.objects.filter(message_id=draft.related_message_id, gone_at=None)
    transaction.on_commit(
        partial(
            intents.change_flags, draft.user, list(places.values_list("pk", flat=True)), add=flag
        ),
        robust=True,
    )


def _reopen(draft: Draft | None, *, reason: str) -> None:
    if draft is not None:
        draft.failure = reason[:500]
        draft.save(update_fields=["failure"])


def _reason(mail: OutgoingMail) -> str:
    """Return the server's words; with several recipients, the first refusal of one."""
    refusal = (
        Delivery.objects.filter(variant__outgoing=mail, state=Delivery.State.FAILED)
        .exclude(text="")
        .order_by("id")
        .first()
    )
    if refusal is None:
        return mail.last_reply
    code = " ".join(str(part) for part in (refusal.code, refusal.enhanced) if part)
    return f"{refusal.recipient}: {code} {refusal.text}" if code else refusal.text
