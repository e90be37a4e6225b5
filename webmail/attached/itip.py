"""The answer to an invitation: an iTIP REPLY (RFC 5546 §3.2.3), to be sent by mail (RFC 6047)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from webmail.attached.lines import escaped, folded, shown

Answer = Literal["ACCEPTED", "TENTATIVE", "DECLINED"]
ANSWERS: Final[tuple[Answer, ...]] = ("ACCEPTED", "TENTATIVE", "DECLINED")
PRODID: Final = "-//Signet//Webmail//EN"


def reply(
    *,
    answer: Answer,
    uid: str,
    sequence: int,
    summary: str,
    organizer: str,
    attendee: str,
    attendee_name: str,
    echo: Sequence[str],
    now: datetime,
) -> str:
    """Return the calendar of a reply, with CRLF line ends.

    `organizer` and `attendee` are addresses; `echo` the event's date lines as `calendar` wrote
    them. Raises ValueError without a UID or organizer (there is nothing to answer).
    """
    if not uid or not organizer:
        raise ValueError("An invitation without a UID or organizer cannot be answered.")
    name = f';CN="{shown(attendee_name).replace(chr(34), "")}"' if attendee_name else ""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODID}",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        f"UID:{escaped(uid)}",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"SEQUENCE:{sequence}",
        f"ORGANIZER:mailto:{_one_line(organizer)}",
        f"ATTENDEE;PARTSTAT={answer}{name}:mailto:{_one_line(attendee)}",
        *(_one_line(each) for each in echo if each),
        f"SUMMARY:{escaped(summary)}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(folded(line) for line in lines)


def _one_line(value: str) -> str:
    return shown(value).replace("\n", "").replace("\t", "")
