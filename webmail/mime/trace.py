"""The way of a message as servers noted it: Received fields and what stands between them.

Every server puts its fields on top (RFC 5321 §4.4), so that fields are read downwards into the
past: those of our own servers first, then those that somebody handed in and may have made up.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final, Literal

from webmail.mime.authentication_results import (
    AuthenticationResult,
    AuthenticationResults,
    parse_authentication_results,
)
from webmail.mime.charset import decode_fallback
from webmail.mime.dates import parse_date
from webmail.mime.headers import Headers
from webmail.mime.lexemes import Lexeme, lexemes
from webmail.mime.shown import shown_safe

HOP_LIMIT: Final = 50  # Received fields that are read, newest first; servers stop at about 100
RESULTS_LIMIT: Final = 20  # Authentication-Results fields that are read, topmost first
NAME_LIMIT: Final = 255  # characters of one clause (RFC 1035 §2.3.4)
VALUE_LIMIT: Final = 4_096  # octets that are read of one Received field
ABSURD: Final = timedelta(days=60)  # a delay that no queue makes: a clock was wrong

_CLAUSES: Final = frozenset({"from", "by", "via", "with", "id", "for"})
_BRACKETED: Final = re.compile(r"\[(?:IPv6:)?([^\[\]\s]{1,50})\]")
_HELO: Final = re.compile(r"\bhelo\b", re.IGNORECASE)
_VERIFIED_NAME: Final = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*)\.)+[A-Za-z][A-Za-z0-9-]+\.?")
# Where no stranger connects from. `ipaddress.is_private` holds for more than that.
_INSIDE: Final = (
    IPv4Network("127.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("::1/128"),
    IPv6Network("fc00::/7"),
    IPv6Network("fe80::/10"),
)

type Oddity = Literal["", "no-time", "backwards", "absurd"]


@dataclass(frozen=True, slots=True)
class Hop:
    """One Received field. Clauses are as written, safe to show, "" where there is none."""

    from_: str = ""  # the name the sending side gave itself
    seen_as: str = ""  # what the receiving side saw of it: name and address in parentheses
    by: str = ""
    with_: str = ""
    at: datetime | None = None


type Entry = Hop | AuthenticationResults


@dataclass(frozen=True, slots=True)
class Trace:
    """Received and Authentication-Results fields, the newest first, as they stand."""

    entries: tuple[Entry, ...] = ()
    is_cut: bool = False  # there were more than are read

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The Received fields, newest first."""
        return tuple(each for each in self.entries if isinstance(each, Hop))


@dataclass(frozen=True, slots=True)
class Step:
    """A hop with the time since the one before it."""

    hop: Hop
    delay: timedelta | None  # None: of the first, and where a clock cannot be believed
    oddity: Oddity = ""


def read_trace(headers: Headers) -> Trace:
    """Read the trace fields of a message's own header; never raises."""
    entries: list[Entry] = []
    hops = results = 0
    is_cut = False
    for name, value in headers:
        lowered = name.lower()
        if lowered == "received":
            hops += 1
            is_cut = is_cut or hops > HOP_LIMIT
            if hops <= HOP_LIMIT:
                entries.append(parse_received(value))
        elif lowered == "authentication-results" and results < RESULTS_LIMIT and hops <= HOP_LIMIT:
            found = parse_authentication_results(value)
            if found is not None:
                results += 1
                entries.append(found)
    return Trace(tuple(entries), is_cut)


def parse_received(value: bytes) -> Hop:
    """Read a Received value (RFC 5321 §4.4); never raises."""
    pieces = list(lexemes(shown_safe(decode_fallback(value[:VALUE_LIMIT]))))
    last = max((at for at, each in enumerate(pieces) if each.kind == "semicolon"), default=None)
    stamp, when = (pieces, []) if last is None else (pieces[:last], pieces[last + 1 :])
    clauses: dict[str, str] = {}
    clause = ""
    for piece in stamp:
        word = piece.text.lower()
        if piece.kind == "comment" and clause == "from":
            seen = f"{clauses.get('seen', '')} {piece.text}".strip()
            clauses["seen"] = seen[:NAME_LIMIT]
        elif piece.kind == "word" and word in _CLAUSES and word not in clauses:
            clause = word
            clauses[word] = ""
        elif piece.kind == "word" and clause and not clauses[clause]:
            clauses[clause] = piece.text[:NAME_LIMIT]
    return Hop(
        from_=clauses.get("from", ""),
        seen_as=clauses.get("seen", ""),
        by=clauses.get("by", ""),
        with_=clauses.get("with", ""),
        at=parse_date(" ".join(_words(when))),
    )


def steps(trace: Trace) -> tuple[Step, ...]:
    """Return the way in the order it was gone, oldest first, with delays.

    Clocks are measured by those of the servers after them: the newest is the reader's own.
    """
    absurd: set[int] = set()
    after: datetime | None = None
    for place, hop in enumerate(trace.hops):
        if hop.at is None:
            continue
        if after is not None and abs(after - hop.at) > ABSURD:
            absurd.add(place)
        else:
            after = hop.at
    found: list[Step] = []
    before: datetime | None = None
    for place, hop in reversed(list(enumerate(trace.hops))):
        if hop.at is None or place in absurd:
            found.append(Step(hop, None, "no-time" if hop.at is None else "absurd"))
            continue
        delay = hop.at - before if before is not None else None
        is_backwards = delay is not None and delay < timedelta()
        found.append(Step(hop, delay, "backwards" if is_backwards else ""))
        before = hop.at
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ReceivingServers:
    """Whose word on received mail counts, and which hosts are theirs."""

    authserv_ids: frozenset[str] = frozenset()  # canonical; empty: nobody's
    is_ours: Callable[[str], bool] = lambda _host: False


def trusted_results(
    trace: Trace, servers: ReceivingServers
) -> tuple[tuple[str, AuthenticationResult], ...]:
    """Return what trusted servers found, each with the authserv-id of who did.

    A server's fields stand on top of what it was handed (RFC 8601 §5), and the Received field of
    the server that took the message in from a stranger is the last of ours, whatever names stand
    below it: fields count down to the first Received field that is not ours. Between the last of
    ours and that one stands what servers add below their own Received field, but what the stranger
    wrote, too. It counts only where no field of a trusted server stands above it, and is true as
    far as the server removes fields of its name from what it takes in. Of each method the topmost
    field with it counts alone.
    """
    found: dict[str, list[tuple[str, AuthenticationResult]]] = {}
    for results in _trusted(trace.entries, servers):
        for method in dict.fromkeys(each.method for each in results.results):
            if method not in found:
                found[method] = [
                    (results.authserv_id, each) for each in results.results if each.method == method
                ]
    return tuple(each for every in found.values() for each in every)


def _trusted(entries: Sequence[Entry], servers: ReceivingServers) -> list[AuthenticationResults]:
    """Return the fields of trusted servers that they can have written."""
    above: list[AuthenticationResults] = []  # a Received field of ours
    below: list[AuthenticationResults] = []  # the last of them
    for entry in _ours(entries, servers.is_ours):
        if isinstance(entry, Hop):
            above, below = above + below, []
        elif entry.authserv_id in servers.authserv_ids:
            below.append(entry)
    return above or below


def _ours(entries: Sequence[Entry], is_ours: Callable[[str], bool]) -> Iterator[Entry]:
    """Yield the entries above the first Received field that is not ours."""
    came_from_inside = True
    for entry in entries:
        if isinstance(entry, Hop):
            # From program to program: says no more than the next field.
            is_handover = not entry.from_
            if not came_from_inside or not (is_ours(entry.by) or is_handover):
                return
            came_from_inside = is_handover or _is_from_inside(entry, is_ours)
        yield entry


def _is_from_inside(hop: Hop, is_ours: Callable[[str], bool]) -> bool:
    """Say whether one of our own servers handed the message on, as the receiving one saw it."""
    if hop.with_.upper().startswith("LMTP"):
        return True
    # What stands after "helo" is the other side's own word (Exim, qmail).
    seen = _HELO.split(hop.seen_as, maxsplit=1)[0]
    addresses = _BRACKETED.findall(seen) or [seen.strip()]
    if all(_is_inside(each) for each in addresses):
        return True
    if "may be forged" in seen or not all(_is_address(each) for each in addresses):
        return False
    verified = _VERIFIED_NAME.match(seen)
    return verified is not None and is_ours(verified[0].rstrip("."))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_inside(text: str) -> bool:
    if not _is_address(text):
        return False
    address = ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in each for each in _INSIDE)


def _words(pieces: Sequence[Lexeme]) -> Iterator[str]:
    return (each.text for each in pieces if each.kind != "comment")


# --- kept -----------------------------------------------------------------------------------------


def to_json(trace: Trace) -> list[Any]:
    """Return plain values that `from_json` reads back."""
    return [[_kept(each) for each in trace.entries], trace.is_cut]


def from_json(kept: list[Any]) -> Trace:
    """Read `to_json` back."""
    entries, is_cut = kept
    return Trace(tuple(_read(each) for each in entries), is_cut)


def _kept(entry: Entry) -> list[Any]:
    if isinstance(entry, Hop):
        at = entry.at.isoformat() if entry.at is not None else None
        return ["hop", entry.from_, entry.seen_as, entry.by, entry.with_, at]
    results = [[each.method, each.result, each.reason, each.properties] for each in entry.results]
    return ["results", entry.authserv_id, results, entry.is_damaged]


def _read(kept: list[Any]) -> Entry:
    kind, *rest = kept
    if kind == "hop":
        from_, seen_as, by, with_, at = rest
        return Hop(from_, seen_as, by, with_, None if at is None else datetime.fromisoformat(at))
    server, results, is_damaged = rest
    return AuthenticationResults(
        server,
        tuple(
            AuthenticationResult(
                method, result, reason, tuple((name, value) for name, value in properties)
            )
            for method, result, reason, properties in results
        ),
        is_damaged,
    )
