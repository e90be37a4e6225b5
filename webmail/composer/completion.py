"""Whom a person writes to and hears from: completion of addresses in the composer.

Counted from the mirror alone, so that mail sent by other programs counts too and nothing counts
twice: messages of one's own name their recipients, others their sender. Mailing lists do not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from accounts.models import Identity, MailAccount, User
from webmail.composer.models import CorrespondentUse
from webmail.composer.recipients import BadAddressError, Recipient, comparable, sendable
from webmail.mailbox.models import Folder, Message

_LONGEST_PREFIX = 100  # characters
_SENT_WEIGHS = 4  # having written to someone says more than having heard from them
_IGNORED_FOLDERS = (Folder.Role.JUNK, Folder.Role.TRASH, Folder.Role.DRAFTS)


@dataclass(slots=True)
class _Use:
    last_at: datetime
    name: str = ""
    sent: int = 0
    received: int = 0


def suggest(user: User, prefix: str, limit: int = 8) -> tuple[Recipient, ...]:
    """Return the people whose address or a word of whose name begins with `prefix`, best first."""
    wanted = prefix.strip()[:_LONGEST_PREFIX]
    if not wanted:
        return ()
    found = (
        CorrespondentUse.objects.filter(user=user)
        .filter(
            Q(address__istartswith=wanted)
            | Q(name__istartswith=wanted)
            | Q(name__icontains=f" {wanted}")
            | Q(address__icontains=f"@{wanted}")
        )
        .order_by(-(F("sent_count") * _SENT_WEIGHS + F("received_count")), "-last_at", "id")
    )
    return tuple(Recipient(name=use.name, address=use.address) for use in found[:limit])


def learn(account: MailAccount, message_ids: Iterable[int]) -> None:
    """Count the people of newly mirrored messages (rows' ids of one account)."""
    own = {
        comparable(address)
        for address in Identity.objects.filter(user=account.user).values_list("address", flat=True)
    }
    own.add(comparable(account.address))
    messages = Message.objects.filter(pk__in=list(message_ids), account=account, list_id="")
    messages = messages.exclude(placements__folder__role__in=_IGNORED_FOLDERS)
    uses: dict[str, _Use] = {}
    for message in messages.only(
        "from_name", "from_address", "recipients", "internal_date", "account"
    ):
        is_own = comparable(message.from_address) in own
        if is_own:
            people = [
                Recipient(name=name, address=address)
                for field in ("to", "cc")
                for name, address in message.recipients.get(field, [])
            ]
        else:
            people = [Recipient(name=message.from_name, address=message.from_address)]
        for person in people:
            _count(uses, person, own, at=message.internal_date, is_sent=is_own)
    if uses:
        _store(account.user, uses)


def _count(
    uses: dict[str, _Use], person: Recipient, own: set[str], *, at: datetime, is_sent: bool
) -> None:
    try:
        address = sendable(person.address).lower()
    except BadAddressError:
        return
    if address in own or len(address) > 320:
        return
    use = uses.setdefault(address, _Use(last_at=at))
    use.sent += is_sent
    use.received += not is_sent
    if at >= use.last_at:
        use.last_at = at
        use.name = person.name[:300] or use.name


def _store(user: User, uses: dict[str, _Use]) -> None:
    with transaction.atomic():
        CorrespondentUse.objects.bulk_create(
            [
                CorrespondentUse(user=user, address=address, name=use.name, last_at=use.last_at)
                for address, use in sorted(uses.items())
            ],
            ignore_conflicts=True,
        )
        # In one order, so that two windows of one account cannot wait for each other.
        for address, use in sorted(uses.items()):
            row = CorrespondentUse.objects.filter(user=user, address=address)
            row.update(
                sent_count=F("sent_count") + use.sent,
                received_count=F("received_count") + use.received,
                last_at=Greatest(F("last_at"), use.last_at),
            )
            if use.name:
                row.filter(Q(name="") | Q(last_at=use.last_at)).update(name=use.name)
