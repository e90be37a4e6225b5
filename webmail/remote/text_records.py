"""TXT records (RFC 1035 §3.3.14) with a deadline: UDP first, TCP when the answer does not fit."""

import re
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.name
import dns.resolver

LONGEST_RECORD: Final = 4096  # octets; a DKIM key of 4096 bits takes 750
# What the names of keys are made of (RFC 6376 §3.6.2.1); A-labels for everything else.
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.){1,40}[A-Za-z0-9-]{1,63}")


class NoRecord(Exception):  # noqa: N818 - the name says what happened
    """There is no such record that may be used; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class NameServers:
    """Who is asked. Without addresses: those of this machine's resolv.conf."""

    addresses: tuple[str, ...] = ()
    port: int = 53


def text_record(name: str, *, seconds: float, servers: NameServers) -> bytes:
    """Return the one TXT record of `name`, its strings joined. Raises NoRecord.

    `seconds`: for all tries, servers and aliases together. Two records are none: which of them
    counts is undefined (RFC 6376 §3.6.2.2).
    """
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise NoRecord("not a name")
    try:
        resolver = dns.resolver.Resolver(configure=not servers.addresses)
        if servers.addresses:
            resolver.nameservers = list(servers.addresses)
            resolver.port = servers.port
        answer = resolver.resolve(
            dns.name.from_text(name), "TXT", lifetime=seconds, search=False, raise_on_no_answer=True
        )
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise NoRecord(type(error).__name__) from error
    records = [b"".join(record.strings) for record in answer]
    if len(records) != 1:
        raise NoRecord("several records")
    if len(records[0]) > LONGEST_RECORD:
        raise NoRecord("longer than the limit")
    return records[0]
