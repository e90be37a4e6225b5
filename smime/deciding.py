"""What a person decides about others' certificates: trust a self-made one, bind one to an address.

Each decision is theirs alone, can be taken back, and is in the audit log.
"""

from functools import partial

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from smime import signals
from smime.certificate_rows import fields_of, load
from smime.models import PersonCertificate
from smime.pki.addresses import canonical_address
from smime.pki.certificates import is_self_signed


class DecisionError(Exception):
    """Nothing was decided; `reason` is a sentence for the person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def pin(
    user: User, row: PersonCertificate, *, pinned: bool, request: HttpRequest | None = None
) -> None:
    """Trust a self-made certificate of the person's own entries, or no longer.

    Raises DecisionError for one that an issuer vouches for: whom to trust as issuer is the
    organisation's decision.
    """
    if row.user_id != user.pk or not is_self_signed(load(row)):
        raise DecisionError(_("Only a self-made certificate of your own list can be trusted so."))
    with transaction.atomic():
        PersonCertificate.objects.filter(pk=row.pk).update(is_pinned=pinned)
        action = "certificate-pinned" if pinned else "certificate-unpinned"
        _record(action, user, row.address, row.fingerprint, request)


def bind(
    user: User, row: PersonCertificate, address: str, *, request: HttpRequest | None = None
) -> PersonCertificate:
    """Say that the certificate's owner also writes from `address`; return the new entry.

    Raises DecisionError for what is no address.
    """
    wanted = canonical_address(address)
    if not wanted:
        raise DecisionError(_("Enter an address like name@example.org."))
    columns = fields_of(load(row))
    mark = columns.pop("fingerprint")
    with transaction.atomic():
        bound, _is_new = PersonCertificate.objects.get_or_create(
            user=user,
            address=wanted,
            fingerprint=mark,
            defaults=columns | {"source": PersonCertificate.Source.IMPORT},
        )
        if wanted not in bound.addresses and not bound.is_bound_by_user:
            bound.is_bound_by_user = True
            bound.save(update_fields=["is_bound_by_user"])
        _record("certificate-bound", user, wanted, mark, request)
        transaction.on_commit(
            partial(signals.person_known.send, sender=None, user_id=user.pk, address=wanted)
        )
    return bound


def _record(
    action: str, user: User, address: str, fingerprint: str, request: HttpRequest | None
) -> None:
    audit.record(action, actor=user, target=f"{address} {fingerprint[:16]}", request=request)
