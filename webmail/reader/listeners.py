"""Reads ahead: the newest mail is rendered before it is opened."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from accounts import lanes
from accounts.models import MailAccount, MailServer
from accounts.signals import trusted_results_changed
from smime.models import OwnKey
from smime.signals import issuer_known, person_known, vault_turned, withdrawal_known
from webmail.mailbox import changes, protected_fields
from webmail.mailbox.models import Message
from webmail.mailbox.signals import messages_mirrored
from webmail.reader import due

AHEAD = 20  # messages of one window, whatever they are
# Signed mail gets its seal in the list before it is opened, if it is this young.
SEALED_AHEAD = timedelta(days=90)
AHEAD_SIZE = 256 * 1024  # octets; larger ones wait until they are asked for


@receiver(messages_mirrored, dispatch_uid="reader.render-ahead")
def _render_ahead(
    sender: object,  # noqa: ARG001
    *,
    account: MailAccount,
    message_ids: list[int],
    is_new: bool,
    **_: Any,
) -> None:
    """Ask for renderings, newest first: of arrivals, and of what a first page shows."""
    here = Message.objects.filter(pk__in=message_ids)
    newest = message_ids[:AHEAD]
    if not is_new:  # a window of old mail: most of it is far from any page
        on_top = Message.objects.filter(account=account).order_by("-internal_date", "-id")
        top = set(on_top.values_list("pk", flat=True)[:AHEAD])
        newest = [pk for pk in newest if pk in top]
    young = Q(is_secured=True, internal_date__gt=timezone.now() - SEALED_AHEAD)
    small = here.filter(young | Q(pk__in=newest), size__lte=AHEAD_SIZE)
    wanted = set(small.values_list("pk", flat=True))
    for message_id in message_ids:
        if message_id in wanted:
            lanes.post_later("reader.render_ahead", message_id, lane="sync")


@receiver(person_known, dispatch_uid="reader.judge-sender")
def _judge_sender(sender: object, *, user_id: int, address: str, **_: Any) -> None:  # noqa: ARG001
    """Have mail judged again that reads otherwise now that its sender is known to sign, or not."""
    due.ask_for_sender(user_id, address)


@receiver(trusted_results_changed, dispatch_uid="reader.judge-lists")
def _judge_lists(sender: object, *, server: MailServer, **_: Any) -> None:  # noqa: ARG001
    """Have mail of lists judged again now that another server's word on them counts."""
    due.ask_for_lists(server)


@receiver(withdrawal_known, dispatch_uid="reader.judge-signers")
def _judge_signers(
    sender: object,  # noqa: ARG001
    *,
    addresses: list[str],
    fingerprints: Collection[str] = (),
    **_: Any,
) -> None:
    """Have signed mail judged again whose signer's certificate was asked about."""
    due.ask_for_signers(addresses, fingerprints)


@receiver(issuer_known, dispatch_uid="reader.judge-incomplete")
def _judge_incomplete(sender: object, **_: Any) -> None:  # noqa: ARG001
    """Have mail judged again that an authority was missing for."""
    due.ask_for_incomplete()


@receiver(post_delete, sender=OwnKey, dispatch_uid="reader.forget-opened")
def _forget_opened(sender: object, *, instance: OwnKey, **_: Any) -> None:  # noqa: ARG001
    """Forget the protected fields that a deleted key had opened."""
    protected_fields.forget_opened_with(instance.user_id, instance.fingerprint)
    _draw_again(None, user_id=instance.user_id)


@receiver(post_save, sender=OwnKey, dispatch_uid="reader.forget-managed")
def _forget_managed(sender: object, *, instance: OwnKey, **_: Any) -> None:  # noqa: ARG001
    """Forget what a key opened while it was managed, now that only its owner can use it."""
    if instance.sealing == OwnKey.Sealing.PERSONAL:
        protected_fields.forget_opened_with(
            instance.user_id, instance.fingerprint, only_managed=True
        )


@receiver(vault_turned, dispatch_uid="reader.draw-again")
def _draw_again(sender: object, *, user_id: int, **_: Any) -> None:  # noqa: ARG001
    """Have open pages draw their lists again: what stands inside encrypted mail came or went."""
    for account in MailAccount.objects.filter(user_id=user_id):
        changes.announce(account)
