"""Sessions in the database, looked for by a prepared query: every request asks for one."""

from typing import Any, override

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.prepared import Prepared

_ALIVE = Prepared(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now).values_list(
        "session_data"
    )
)


MOST_EXPIRED = 5_000  # deleted at once


def expire() -> int:
    """Delete sessions past their end, at most `MOST_EXPIRED`; returns how many."""
    ended = Session.objects.filter(expire_date__lte=timezone.now())
    keys = list(ended.values_list("session_key", flat=True)[:MOST_EXPIRED])
    return Session.objects.filter(session_key__in=keys).delete()[0]


class SessionStore(DatabaseStore):
    """Django's store of sessions in the database."""

    @override
    def load(self) -> dict[str, Any]:
        found = _ALIVE.first(self.session_key or "", timezone.now())
        if found is None:
            self._session_key: str | None = None
            return {}
        decoded: dict[str, Any] = self.decode(found[0])
        return decoded
