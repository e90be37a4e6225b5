"""The records of correspondents in the database: read for many at once, changed one at a time."""

from collections.abc import Collection, Mapping, Sequence

from django.db import transaction

from smime.history import Change, Record, from_json, to_json, turned
from smime.models import SigningRecord


def records_for(user_id: int, addresses: Collection[str]) -> Mapping[str, Record]:
    """Return the records of these canonical addresses; those without one are left out."""
    rows = SigningRecord.objects.filter(user_id=user_id, address__in=addresses)
    return {address: from_json(kept) for address, kept in rows.values_list("address", "record")}


def note(
    user_id: int,
    address: str,
    changes: Sequence[Change],
    *,
    found: tuple[Record, Record] | None = None,
) -> frozenset[str]:
    """Note what messages from `address` counted for; returns the keys of those that turn by it.

    Idempotent. A record begins with the first verified message: mail that nobody signed, from
    anyone, leaves no trace. `found`: the record that was read, and what the changes make of it.
    """
    if not address or not changes:
        return frozenset()
    rows = SigningRecord.objects.select_for_update(no_key=True)
    mine = rows.filter(user_id=user_id, address=address)
    with transaction.atomic():
        row = mine.first()
        if row is None:
            if not any(change.heard and change.heard.fingerprint for change in changes):
                return frozenset()
            SigningRecord.objects.get_or_create(user_id=user_id, address=address)
            row = mine.get()
        old = new = from_json(row.record)
        if found is not None and found[0] == old:
            new = found[1]
        else:
            for change in changes:
                new = new.after(change)
        if new != old:
            row.record = to_json(new)
            row.save(update_fields=["record"])
    judged = {change.key for change in changes}
    return turned(old, new) - judged
