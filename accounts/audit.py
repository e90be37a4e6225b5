"""The audit log: one row for each sign-in, key use and administrative act. Rows are only added."""

from collections.abc import Mapping

from django.http import HttpRequest

from accounts.client_address import client_address
from accounts.models import AuditEvent, User


def record(
    action: str,
    *,
    actor: User | None,
    target: str = "",
    request: HttpRequest | None = None,
    reason: str = "",
    details: Mapping[str, object] | None = None,
    actor_address: str = "",
) -> AuditEvent:
    """Write one event, in the caller's transaction.

    `action` is a verb phrase in kebab case ("trust-anchor-added"); `details` holds codes and ids,
    never a key, password or mail text. `actor_address` serves where there is no user (failed
    sign-ins, commands).
    """
    address = client_address(request) if request is not None else None
    return AuditEvent.objects.create(
        actor=actor,
        actor_address=(actor.address if actor is not None else actor_address)[:320],
        action=action[:64],
        target=target[:400],
        ip=str(address) if address is not None else None,
        reason=reason[:400],
        details=dict(details or {}),
    )
