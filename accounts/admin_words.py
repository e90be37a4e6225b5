"""The audit log in sentences: each action's icon and words, with {target} for what it was done to.

Apps above this one add the words of their actions; an action without words is shown as written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_parts import Kind, Words, short_time
from accounts.models import AuditEvent


@dataclass(frozen=True, slots=True)
class Saying:
    """How one action is told, after the name of who did it."""

    icon: str
    words: Words
    kind: Kind = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry of the log as the panel shows it."""

    id: int
    at: datetime
    time: str
    icon: str
    kind: Kind
    who: str
    words: str


_sayings: dict[str, Saying] = {
    "signed-in": Saying("user", gettext_lazy("signed in")),
    "signed-out": Saying("log-out", gettext_lazy("signed out")),
    "sign-in-refused": Saying("circle-alert", gettext_lazy("was refused at sign-in"), "bad"),
    "confirmation-refused": Saying(
        "circle-alert", gettext_lazy("gave a wrong password when asked again"), "bad"
    ),
    "user-made": Saying("user-plus", gettext_lazy("signed in for the first time")),
    "user-added": Saying("user-plus", gettext_lazy("added {target}")),
    "user-changed": Saying("user", gettext_lazy("changed {target}")),
    "password-changed": Saying("lock", gettext_lazy("changed their own password")),
    "sessions.ended": Saying("log-out", gettext_lazy("ended all of their sessions")),
    "mail-server-added": Saying("server", gettext_lazy("added the mail server of {target}")),
    "mail-server-changed": Saying("server", gettext_lazy("changed the mail server of {target}")),
    "mail-account-sync-asked": Saying("refresh-cw", gettext_lazy("asked for mail of {target}")),
    "mail-account-paused": Saying(
        "cloud-off", gettext_lazy("paused the mail account {target}"), "warn"
    ),
    "mail-account-resumed": Saying(
        "cloud-check", gettext_lazy("resumed the mail account {target}")
    ),
    "keys-rotated": Saying("key-round", gettext_lazy("sealed all secrets with a new key")),
    "audit-exported": Saying("download", gettext_lazy("exported the audit log")),
}


def add_sayings(sayings: Mapping[str, Saying]) -> None:
    """Tell the actions of an app above in its own words."""
    _sayings.update(sayings)


def saying_of(event: AuditEvent) -> Saying:
    """Return how an event is told; `words` is a whole sentence part with its target."""
    known = _sayings.get(event.action)
    if known is None:
        words = event.action.replace("-", " ").replace(".", " ")
        return Saying("scroll-text", f"{words} {event.target}".strip())
    return Saying(known.icon, str(known.words).format(target=event.target), known.kind)


def who_of(event: AuditEvent) -> str:
    """Return the name of who did it: a person, an address that was tried, or Signet itself."""
    name = event.actor.display_name if event.actor is not None else ""
    return name or event.actor_address or _("Signet")


def lines(events: Iterable[AuditEvent], *, now: datetime) -> list[Line]:
    """Return events as lines; their actors are loaded with them."""
    told = []
    for event in events:
        saying = saying_of(event)
        told.append(
            Line(
                id=event.pk,
                at=event.at,
                time=short_time(event.at, now=now),
                icon=saying.icon,
                kind=saying.kind,
                who=who_of(event),
                words=str(saying.words),
            )
        )
    return told
