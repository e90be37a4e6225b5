"""What a server can do, and what it says it can do but cannot.

A feature is usable when it is advertised, not in the quirk table, not switched off by the caller,
and has not been refused in this session.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quirk:
    """A known fault: on servers whose name or host ends so, these features are not used.

    server: what the ID response's name begins with, lower case, "" for any. host: what the host
    name ends with, "" for any. source: where the fault is described.
    """

    server: str
    host: str
    without: frozenset[str]
    source: str


QUIRKS = (
    Quirk(
        server="",
        host=".mail.me.com",
        without=frozenset({"QRESYNC"}),  # malformed VANISHED
        source="https://github.com/Foundry376/Mailspring-Sync (SyncWorker.cpp)",
    ),
    Quirk(
        server="proton",
        host="",
        without=frozenset({"UIDPLUS"}),  # advertised, yet UID EXPUNGE is refused
        source="https://github.com/ProtonMail/proton-bridge/issues/123",
    ),
)


def quirks_of(server_id: Mapping[str, str], host: str) -> frozenset[str]:
    """The features not to use on this server."""
    name = server_id.get("name", "").lower()
    found: set[str] = set()
    for quirk in QUIRKS:
        if name.startswith(quirk.server) and host.lower().endswith(quirk.host):
            found |= quirk.without
    return frozenset(found)


class Profile:
    """The features of one connection; changes at STARTTLS, at login and by refusals."""

    def __init__(self, *, without: Iterable[str] = ()) -> None:
        self._without = {name.upper() for name in without}
        self.offered: frozenset[str] = frozenset()
        self.refused: set[str] = set()

    def advertise(self, names: Iterable[str]) -> None:
        """Replace what the server offers."""
        self.offered = frozenset(name.upper() for name in names)

    def exclude(self, names: Iterable[str]) -> None:
        """Do not use these features."""
        self._without |= {name.upper() for name in names}

    def refuse(self, name: str) -> None:
        """The server offered this and then refused it: do without from now on."""
        self.refused.add(name.upper())

    @property
    def usable(self) -> frozenset[str]:
        """Offered and trusted."""
        return self.offered - self._without - self.refused

    def has(self, name: str) -> bool:
        """Whether the feature may be used. QRESYNC implies CONDSTORE (RFC 7162 §3.2)."""
        usable = self.usable
        name = name.upper()
        if name == "CONDSTORE" and name not in self._without | self.refused:
            return bool(usable & {"CONDSTORE", "QRESYNC"})
        return name in usable
