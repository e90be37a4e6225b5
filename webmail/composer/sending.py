"""The send lane: one attempt to hand a mail to the submission server.

Before anything leaves, the mail is taken (a lease with a fence); each phase is committed before its
first byte goes out, `data_end` before the final dot, on the disk. A worker that lost its lease
learns it there at the latest and stops without the dot. Each variant is a transaction of its own.
"""

import logging
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts import credentials as account_credentials
from accounts.lanes import post
from accounts.models import MailAccount, MailServer
from accounts.sealing import SealBroken
from webmail.composer import sealed_files, transitions
from webmail.composer.ending import end
from webmail.composer.leases import Heartbeat, LeaseLostError, Taken, committed_to_disk, take
from webmail.composer.models import Delivery, OutgoingMail, Variant
from webmail.composer.transitions import DeliveryState, MailState, Reply, Standing
from webmail.mailbox.changes import announce
from webmail.submission import MailServerError, Outcome, Phase, limits, submit

log = logging.getLogger(__name__)

# A server that fails here fails alike for the other variants of the mail.
_BEFORE_MAIL = frozenset({Phase.CONNECTING, Phase.GREETED, Phase.AUTHENTICATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    taken: Taken
    mail: OutgoingMail
    variant: Variant
    recipients: tuple[str, ...]


def send(outgoing_id: int) -> None:
    """Try once to send a due mail; do nothing if it is not due or someone else has it."""
    taken = take(
        outgoing_id, state=MailState.QUEUED, into=MailState.SENDING, on_server=True, phase=""
    )
    if taken is None:
        return
    mail = OutgoingMail.objects.select_related("account__server", "user").get(pk=outgoing_id)
    announce(mail.account, folder_ids=(), kind="outbox")
    try:
        _count_attempt(taken, mail)
        with Heartbeat(taken):
            for variant in mail.variants.order_by("id"):
                if _run(taken, mail, variant) == "stop":
                    break
        state = conclude(taken, mail)
    except LeaseLostError:
        log.warning("outgoing=%d event=taken-over", outgoing_id)
    else:
        if state == MailState.ACCEPTED and mail.account.server.submission_size_limit is None:
            _learn_size_limit(mail.account)


def _count_attempt(taken: Taken, mail: OutgoingMail) -> None:
    mail.attempts += 1
    mail.first_tried_at = mail.first_tried_at or timezone.now()
    taken.write(attempts=mail.attempts, first_tried_at=mail.first_tried_at)


def _run(taken: Taken, mail: OutgoingMail, variant: Variant) -> str:
    """Submit one variant to those who still wait; "stop" if the others need not be tried now."""
    waiting = variant.deliveries.filter(state=DeliveryState.WAITING).order_by("id")
    recipients = tuple(waiting.values_list("recipient", flat=True))
    if not recipients:
        return "go-on"
    attempt = _Attempt(taken=taken, mail=mail, variant=variant, recipients=recipients)
    with transaction.atomic():
        taken.write(phase=Phase.CONNECTING)
        Variant.objects.filter(pk=variant.pk).update(state=Variant.State.SENDING)
    outcome = _submit(attempt)
    _record(attempt, outcome)
    return "stop" if outcome.state == "temporary" and outcome.stage in _BEFORE_MAIL else "go-on"


def _submit(attempt: _Attempt) -> Outcome:
    account: MailAccount = attempt.mail.account
    reached = Phase.CONNECTING

    def on_phase(phase: Phase) -> None:
        nonlocal reached
        if phase == Phase.DATA_END:
            with committed_to_disk():
                attempt.taken.write(phase=phase)
        elif phase != reached:
            attempt.taken.write(phase=phase)
        reached = phase

    try:
        credentials = account_credentials.for_account(account)
    except SealBroken:
        log.exception("outgoing=%d event=password-lost", attempt.mail.pk)
        reason = "The stored password cannot be opened. Sign in again, then send once more."
        return Outcome(state="permanent", stage=reached, reason=reason)
    try:
        return submit(
            endpoint=account_credentials.submission_endpoint(account.server),
            credentials=credentials,
            envelope_from=attempt.mail.envelope_from,
            recipients=attempt.recipients,
            content=sealed_files.read_all(attempt.variant.key),
            on_phase=on_phase,
            envelope_id=str(attempt.mail.envelope_id),
        )
    except LeaseLostError:
        raise
    except (FileNotFoundError, SealBroken):
        log.exception("outgoing=%d event=bytes-lost", attempt.mail.pk)
        return Outcome(
            state="permanent", stage=reached, reason="The prepared message was lost here."
        )
    except ValueError:
        log.exception("outgoing=%d event=unfit-message", attempt.mail.pk)
        return Outcome(
            state="permanent",
            stage=reached,
            reason="The message was not made in a form that can be sent.",
        )
    except Exception:
        # A fault of ours (a lost file, the database away): told apart by the phase alone.
        log.exception("outgoing=%d event=attempt-broke phase=%s", attempt.mail.pk, reached)
        is_over = reached == Phase.DATA_END
        return Outcome(
            state="uncertain" if is_over else "temporary",
            stage=reached,
            reason="Something went wrong here while the message was sent.",
        )


def _record(attempt: _Attempt, outcome: Outcome) -> None:
    """Write what became of the variant's recipients, in one transaction with the phase."""
    overall = Reply(
        state=outcome.state,
        code=outcome.code or None,
        enhanced=outcome.enhanced,
        text=outcome.text or outcome.reason,
    )
    # A 2xx here only says that RCPT was fine (RFC 5321 §4.1.1.3); the message's end decides.
    own = {
        each.address: Reply(
            state=each.state, code=each.code or None, enhanced=each.enhanced, text=each.text
        )
        for each in outcome.recipients
        if not 200 <= each.code < 300
    }
    standings = {
        address: transitions.delivery_after(overall, own.get(address))
        for address in attempt.recipients
    }
    log.info(
        "outgoing=%d variant=%d event=attempt state=%s stage=%s code=%d",
        attempt.mail.pk, attempt.variant.pk, outcome.state, outcome.stage, outcome.code,
    )  # fmt: skip
    with transaction.atomic():
        attempt.taken.write(phase="", last_reply=_words(outcome)[:500])
        write_standings(attempt.variant, standings)


def write_standings(variant: Variant, standings: dict[str, Standing]) -> None:
    """Write where recipients of a variant stand, and the variant's state from all of them."""
    for address, standing in standings.items():
        Delivery.objects.filter(variant=variant, recipient=address).update(
            state=standing.state,
            code=standing.reply.code,
            enhanced=standing.reply.enhanced[:16],
            text=standing.reply.text[:500],
        )
    states = Delivery.objects.filter(variant=variant).values_list("state", flat=True)
    Variant.objects.filter(pk=variant.pk).update(state=transitions.variant_state(states))


def conclude(taken: Taken, mail: OutgoingMail) -> MailState:
    """Derive the mail's state from its recipients', let it go and return the state."""
    now = timezone.now()
    with transaction.atomic():
        deliveries = Delivery.objects.filter(variant__outgoing=mail)
        plan = transitions.plan_after_attempt(
            deliveries=deliveries.values_list("state", flat=True),
            attempts=mail.attempts,
            first_tried_at=mail.first_tried_at or now,
            now=now,
        )
        if plan.gives_up:
            deliveries.filter(state=DeliveryState.WAITING).update(state=DeliveryState.FAILED)
            for variant in mail.variants.all():
                write_standings(variant, {})
        end(taken, mail.pk, before=MailState.SENDING, plan=plan, now=now)
    if plan.state == MailState.ACCEPTED:
        post("composer.file_copy", mail.pk, lane="send")
    return plan.state


def _learn_size_limit(account: MailAccount) -> None:
    """Ask a server once how large a message it takes (RFC 1870), for the composer's page."""
    try:
        found = limits(
            account_credentials.submission_endpoint(account.server),
            account_credentials.for_account(account),
        )
    except MailServerError:
        log.info("server=%d event=size-not-learned", account.server_id)
        return
    # 0: the server says that it has no fixed limit.
    MailServer.objects.filter(pk=account.server_id).update(submission_size_limit=found.size or 0)


def _words(outcome: Outcome) -> str:
    if outcome.text:
        return f"{outcome.code} {outcome.enhanced} {outcome.text}".replace("  ", " ")
    return outcome.reason
