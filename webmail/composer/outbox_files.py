"""The sealed files of outgoing mail: dropped when nobody can need them any more."""

from functools import partial

from django.db import transaction

from webmail.composer import sealed_files
from webmail.composer.models import OutgoingMail, Variant


def drop_variants(outgoing_id: int) -> None:
    """Drop the bytes of a mail's variants; the rows stay for the record."""
    for key in Variant.objects.filter(outgoing_id=outgoing_id).values_list("key", flat=True):
        transaction.on_commit(partial(sealed_files.drop, key))


def drop_all(outgoing_id: int) -> None:
    """Drop the variants' bytes and the copy for Sent."""
    drop_variants(outgoing_id)
    keys = OutgoingMail.objects.filter(pk=outgoing_id).values_list("sent_copy_key", flat=True)
    for key in keys:
        transaction.on_commit(partial(sealed_files.drop, key))
