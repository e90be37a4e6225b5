"""Whom a person writes to and hears from: completion of addresses in the composer.

Counted from the mirror alone, so that mail sent by other programs counts too and nothing counts
twice: messages of one's own name their recipients, others their sender. Mailing lists do not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import batched

from django.db import connection, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Identity, MailAccount, User
from webmail.composer.models import ContactAddress, CorrespondentUse
from webmail.composer.recipients import BadAddressError, Recipient, comparable, sendable
from webmail.mailbox import bulk, correspondents
from webmail.mailbox.correspondents import Correspondent
from webmail.mailbox.models import Folder, Message

_LONGEST_PREFIX = 100  # characters
_LONGEST_ADDRESS, _LONGEST_NAME = 320, 300  # characters, the columns' widths
_AT_ONCE = 500  # messages read by one query
_SENT_WEIGHS = 4  # having written to someone says more than having heard from them
_WEIGHT = F("sent_count") * _SENT_WEIGHS + F("received_count")
_IGNORED_FOLDERS = (Folder.Role.JUNK, Folder.Role.TRASH, Folder.Role.DRAFTS)


@dataclass(slots=True)
class _Use:
    last_at: datetime
    name: str = ""
    sent: int = 0
    received: int = 0


def suggest(user: User, prefix: str, limit: int = 8) -> tuple[Recipient, ...]:
    """Return the people whose address or a word of whose name begins with `prefix`: saved contacts
    first, then whom mail names, each best first.
    """
    wanted = prefix.strip()[:_LONGEST_PREFIX]
    if not wanted or "\0" in wanted:  # PostgreSQL refuses NUL, and no name holds one
        return ()
    saved = _saved(user, wanted, limit)
    uses = (
        CorrespondentUse.objects.filter(_begins(wanted, name="name"), user=user)
        .exclude(address__in=[each.address for each in saved])
        .order_by(-_WEIGHT, "-last_at", "id")
    )
    seen = [Recipient(name=use.name, address=use.address) for use in uses[: limit - len(saved)]]
    return (*saved, *seen)


def _begins(wanted: str, *, name: str) -> Q:
    return (
        Q(address__istartswith=wanted)
        | Q(**{f"{name}__istartswith": wanted})
        | Q(**{f"{name}__icontains": f" {wanted}"})
        | Q(address__icontains=f"@{wanted}")
    )


def _saved(user: User, wanted: str, limit: int) -> list[Recipient]:
    """Return addresses of saved contacts, those that are used most first."""
    use = CorrespondentUse.objects.filter(user=user, address=OuterRef("address"))
    rows = (
        ContactAddress.objects.filter(_begins(wanted, name="contact__name"), user=user)
        .annotate(weight=Coalesce(Subquery(use.annotate(w=_WEIGHT).values("w")[:1]), 0))
        .order_by("-weight", "contact__sort_name", "position", "id")
        .values_list("contact__name", "address")
    )
    return [Recipient(name=name, address=address) for name, address in rows[:limit]]


def known(user: User, *, address: str = "") -> tuple[Correspondent, ...]:
    """Return whom a person writes to and hears from, best first; with `address` that one alone."""
    uses = CorrespondentUse.objects.filter(user=user)
    if address:
        uses = uses.filter(address=_counted(address))
    best = uses.order_by(-_WEIGHT, "-last_at", "id")
    rows = best.values_list("address", "name", "sent_count", "received_count")
    found = [Correspondent(*row) for row in rows[: correspondents.MOST]]
    counted = {each.address for each in found}
    saved = ContactAddress.objects.filter(user=user)
    if address:
        saved = saved.filter(address=_counted(address))
    names = saved.values_list("address", "contact__name")[: correspondents.MOST]
    # Saved is known, too, with or without mail.
    found += [Correspondent(one, name, 0, 0) for one, name in names if one not in counted]
    return tuple(found[: correspondents.MOST])


def learn(account: MailAccount, message_ids: Iterable[int]) -> None:
    """Count the people of newly mirrored messages (rows' ids of one account)."""
    own = {
        comparable(address)
        for address in Identity.objects.filter(user=account.user).values_list("address", flat=True)
    }
    own.add(comparable(account.address))
    uses: dict[str, _Use] = {}
    for some in batched(message_ids, _AT_ONCE, strict=False):
        messages = Message.objects.filter(pk__in=some, account=account, list_id="")
        messages = messages.exclude(placements__folder__role__in=_IGNORED_FOLDERS)
        for sender, address, recipients, at in messages.values_list(
            "from_name", "from_address", "recipients", "internal_date"
        ):
            if is_own := _counted(address) in own:
                people = [*recipients.get("to", ()), *recipients.get("cc", ())]
            else:
                people = [(sender, address)]
            for name, used in people:
                _count(uses, name, used, own, at=at, is_sent=is_own)
    if uses:
        _store(account.user, uses)


@lru_cache(maxsize=4096)
def _counted(address: str) -> str:
    """Return the key that an address is counted under; "" if no mail can be sent to it."""
    try:
        counted = sendable(address).lower()
    except BadAddressError:
        return ""
    return counted if len(counted) <= _LONGEST_ADDRESS else ""


def _count(
    uses: dict[str, _Use], name: str, address: str, own: set[str], *, at: datetime, is_sent: bool
) -> None:
    counted = _counted(address)
    if not counted or counted in own:
        return
    use = uses.setdefault(counted, _Use(last_at=at))
    use.sent += is_sent
    use.received += not is_sent
    if at >= use.last_at:
        use.last_at = at
        use.name = name[:_LONGEST_NAME] or use.name


_TABLE = CorrespondentUse._meta.db_table  # noqa: SLF001
# The newest name that is one stays. Both databases know this form of upsert.
_UPSERT = f"""
INSERT INTO {_TABLE} AS known (user_id, address, name, sent_count, received_count, last_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (user_id, address) DO UPDATE SET
    sent_count = known.sent_count + excluded.sent_count,
    received_count = known.received_count + excluded.received_count,
    name = CASE
        WHEN excluded.name <> '' AND (known.name = '' OR excluded.last_at >= known.last_at)
        THEN excluded.name ELSE known.name
    END,
    last_at = CASE
        WHEN excluded.last_at > known.last_at THEN excluded.last_at ELSE known.last_at
    END
"""  # noqa: S608  (the name of our own table)


def _store(user: User, uses: dict[str, _Use]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # In one order, so that two windows of one account cannot wait for each other.
        cursor.executemany(
            _UPSERT,
            [
                (user.pk, address, use.name, use.sent, use.received, bulk.moment(use.last_at))
                for address, use in sorted(uses.items())
            ],
        )
