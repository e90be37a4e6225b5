"""Certificates that people hold are watched, too: their own, and those mail is encrypted to.

A person's own certificate is withdrawn although nobody writes to them; one that was imported, or
came along with somebody's signature, never stood in a verdict. The rule is that of all watching
(`smime.revocation`): only on paths that end at a root the installation trusts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from django.conf import settings
from django.db.models import QuerySet

from accounts import lanes
from smime import revocation, trust
from smime.certificate_rows import load
from smime.models import Certificate, OwnKey, PersonCertificate
from smime.own_keys import from_chain
from smime.pki.paths import Path

CHUNK = 200  # certificates of one step; a path costs about 2 ms


def watch_held(user_id: int, key_id: int, certificate_id: int, *, now: datetime) -> None:
    """Watch the next certificates behind these ids, and post the step that goes on.

    Idempotent; a chain that is lost is begun anew with the next hour.
    """
    if not settings.FETCH_REVOCATION:
        return
    keys = list(_next(OwnKey, user_id, key_id, now))
    people = list(_next(PersonCertificate, user_id, certificate_id, now))
    revocation.watch_paths(_paths(chain(keys, people), now), now=now)
    if len(keys) == CHUNK or len(people) == CHUNK:
        last = (_last(keys, key_id), _last(people, certificate_id))
        lanes.post_later("smime.watch_held", user_id, *last, lane="crypto")


def _next[Row: (OwnKey, PersonCertificate)](
    model: type[Row], user_id: int, after: int, now: datetime
) -> QuerySet[Row]:
    """Choose the next certificates in use that were not looked at today."""
    rows = model.objects.filter(pk__gt=after, not_after__gt=now)
    if user_id:
        rows = rows.filter(user_id=user_id)
    return rows.exclude(fingerprint__in=revocation.seen_lately(now)).order_by("pk")[:CHUNK]


def _last(rows: Sequence[Certificate], before: int) -> int:
    return rows[-1].pk if rows else before


def _paths(rows: Iterable[Certificate], now: datetime) -> set[Path]:
    trusted = trust.anchors()
    return {
        trusted.memory.find(
            load(row),
            anchors=trusted.anchors_for(row.addresses),
            others=(
                *trusted.intermediates,
                *(from_chain(row.chain) if isinstance(row, OwnKey) else ()),
            ),
            moments=[now],
        )
        for row in rows
    }
