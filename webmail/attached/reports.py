"""Reports about mail: delivery status (RFC 3464) and disposition (RFC 8098) as plain facts.

Reads anything within `limits` and never raises. A report is a claim by whoever sent it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from webmail.attached import limits
from webmail.attached.lines import shown

ACTIONS: Final = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})
_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_CODE: Final = re.compile(r"\b([245])\d\d[ -]([245]\.\d{1,3}\.\d{1,3})?")

type _Fields = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """What became of the mail for one address."""

    address: str
    action: str  # one of ACTIONS, or "" when it is none
    status: str  # "5.1.1" (RFC 3463), or ""
    diagnostic: str  # the other server's words, without its type
    remote: str  # the server that said so
    retry_until: str  # as stated


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """A delivery status notification."""

    reporter: str
    envelope_id: str
    recipients: tuple[Recipient, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionReport:
    """A disposition notification: the mail was displayed, deleted, …"""

    address: str
    disposition: str  # displayed, deleted, dispatched, processed; lower case
    original_message_id: str


def read_delivery_status(text: str) -> DeliveryReport | None:
    """Return what the body of a message/delivery-status says; None without a recipient."""
    groups = list(_groups(text[: limits.REPORT]))
    if not groups:
        return None
    whole = groups[0]
    found = [each for each in groups if "final-recipient" in each or "original-recipient" in each]
    if not found:
        return None
    return DeliveryReport(
        reporter=_typed(whole.get("reporting-mta", "")),
        envelope_id=whole.get("original-envelope-id", "")[:255],
        recipients=tuple(_recipient(each) for each in found[: limits.RECIPIENTS]),
        is_cut=len(found) > limits.RECIPIENTS or len(text) > limits.REPORT,
    )


def read_disposition(text: str) -> DispositionReport | None:
    """Return what the body of a message/disposition-notification says; None without one."""
    fields = next(_groups(text[: limits.REPORT]), {})
    stated = fields.get("disposition", "").rpartition(";")[2].partition("/")[0].strip().lower()
    if not stated:
        return None
    return DispositionReport(
        address=_typed(fields.get("original-recipient") or fields.get("final-recipient", "")),
        disposition=stated[:32],
        original_message_id=fields.get("original-message-id", "").strip("<> ")[:255],
    )


def _recipient(fields: _Fields) -> Recipient:
    action = fields.get("action", "").partition("(")[0].strip().lower()
    status = _STATUS.search(fields.get("status", ""))
    diagnostic = _typed(fields.get("diagnostic-code", ""))
    found = status[0] if status else ""
    if found in {"", "5.0.0", "4.0.0"} and (said := _CODE.search(diagnostic)) and said[2]:
        found = said[2]  # many servers put the better code into the words
    return Recipient(
        address=_typed(fields.get("original-recipient") or fields.get("final-recipient", "")),
        action=action if action in ACTIONS else "",
        status=found,
        diagnostic=diagnostic[:1000],
        remote=_typed(fields.get("remote-mta", "")),
        retry_until=fields.get("will-retry-until", "")[:100],
    )


def _typed(value: str) -> str:
    """Return the value without its type: "rfc822; a@b.example" gives the address."""
    kind, separator, rest = value.partition(";")
    bare = (rest if separator and " " not in kind.strip() else value).strip()[:1000]
    return bare[1:-1] if bare.startswith("<") and bare.endswith(">") else bare


def _groups(text: str) -> Iterator[_Fields]:
    """Yield the groups of fields between empty lines; the first of a doubled field counts."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for group in re.split(r"\n[ \t]*\n", plain.strip("\n"), maxsplit=2 * limits.RECIPIENTS + 10):
        fields: _Fields = {}
        last = ""
        for line in group.split("\n"):
            if line[:1] in {" ", "\t"} and last:
                fields[last] = shown(f"{fields[last]} {line.strip()}")
                continue
            name, colon, value = line.partition(":")
            last = name.strip().lower() if colon and len(name) < 64 else ""
            if last in fields:
                last = ""
            elif last:
                fields[last] = shown(value)
        if fields:
            yield fields
