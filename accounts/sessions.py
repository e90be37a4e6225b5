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
