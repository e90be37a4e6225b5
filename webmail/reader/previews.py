"""What the attachments of a message look like and say: made once by the crypto lane, then kept.

    {"entries": {path: {"kind", "filename", "code", "thumbnail", "pages", "calendar", "cards"}},
     "report": {...} | None}

`preview_store` keeps it.
"""

import base64
import time
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from webmail.attached import limits
from webmail.attached.calendar import Calendar, read_calendar
from webmail.attached.contacts import Cards, read_cards
from webmail.attached.drawing import Drawer
from webmail.attached.kinds import Kind, kind_of
from webmail.attached.reports import DeliveryReport, read_delivery_status, read_disposition
from webmail.mime import DecodedText, Part, decode_body, decode_text, parse_message
from webmail.mime import Message as Tree
from webmail.reader import opening, preview_store
from webmail.reader.opening import Located, Opened
from webmail.reader.preview_store import Facts

THUMBNAIL = (480, 300)  # pixels: twice the card
MOST_THUMBNAILS = 24  # of one message
MOST_ENTRIES = 200
SECONDS = 20.0  # for all thumbnails of a message; the rest is drawn when it is looked at


def make(message_id: int, ticket_id: str) -> str:
    """Look at all attachments and keep what was found; returns the word for whoever waits.

    Raises rendering.NotHere.
    """
    opened = opening.open_for(message_id, ticket_id)
    if opened is None:
        return "expired"
    if opened.is_junk:  # that nothing may be drawn must not be kept for when it is no spam
        return "gone"
    preview_store.save(
        message_id,
        facts_of(opened),
        is_secret=opened.is_secret,
        session_key=opened.asked_with,
    )
    return "done"


def facts_of(opened: Opened) -> Facts:
    """Return what the attachments of an opened message look like and say."""
    entries: dict[str, Facts] = {}
    until = time.monotonic() + SECONDS
    drawn = 0
    with Drawer() as drawer:
        for path, located in opening.attachments(opened):
            if len(entries) >= MOST_ENTRIES:
                break
            content = located.content
            kind = kind_of(
                content[:1024], content_type=located.part.content_type, filename=located.filename
            )
            entry: Facts = {"kind": kind, "filename": located.filename}
            if kind in {"picture", "pdf"} and drawn < MOST_THUMBNAILS and time.monotonic() < until:
                drawn += 1
                entry |= _thumbnail(drawer, kind, content)
            entry |= read_entry(kind, located)
            entries[path] = entry
    report = _report(opened.reading.content) if opened.reading.is_shown else None
    return {"entries": entries, "report": report}


def _thumbnail(drawer: Drawer, kind: Kind, content: bytes) -> Facts:
    width, height = THUMBNAIL
    made = drawer.draw("pdf" if kind == "pdf" else "picture", content, width=width, height=height)
    if made.code:
        return {"code": made.code}
    picture = base64.b64encode(made.content).decode("ascii")
    return {"thumbnail": picture, "pages": made.pages, "moves": made.moves}


def read_entry(kind: Kind, located: Located) -> Facts:
    """Return what a calendar or contacts file says, as JSON; {} for other kinds."""
    if kind == "calendar":
        decoded = decode_text(located.tree, located.part, limit=limits.CALENDAR)
        calendar = read_calendar(decoded.text)
        return {"calendar": _said(calendar, decoded)} if calendar else {"code": "damaged"}
    if kind == "contacts":
        decoded = decode_text(located.tree, located.part, limit=limits.CONTACTS)
        cards = read_cards(decoded.text)
        return {"cards": _said(cards, decoded)} if cards else {"code": "damaged"}
    return {}


def _said(found: Calendar | Cards | DeliveryReport, decoded: DecodedText) -> Facts:
    """Return what was read as JSON; a text that was longer than is read was cut, too."""
    said: Facts = _plain(asdict(found))
    said["is_cut"] = found.is_cut or decoded.truncated
    return said


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; dates and times as ISO 8601 text."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def _report(tree: Tree) -> Facts | None:
    """Return what a report about an earlier mail says (RFC 6522), else None."""
    root = tree.root
    if root.content_type != "multipart/report":
        return None
    original = _original_message_id(tree, root)
    for part in root.children:
        if not part.content_type.startswith("message/") or part.children:
            continue
        decoded = decode_text(tree, part, limit=limits.REPORT)
        if part.content_type in {"message/delivery-status", "message/global-delivery-status"}:
            delivery = read_delivery_status(decoded.text)
            if delivery is not None:
                said = _said(delivery, decoded)
                return {"kind": "delivery", "message_id": original, **said}
        if part.content_type == "message/disposition-notification":
            disposition = read_disposition(decoded.text)
            if disposition is not None:
                return {
                    "kind": "disposition",
                    "message_id": disposition.original_message_id or original,
                    "envelope_id": "",
                    "address": disposition.address,
                    "disposition": disposition.disposition,
                }
    return None


def _original_message_id(tree: Tree, root: Part) -> str:
    """Return the Message-ID of the returned message or of its returned header."""
    for part in root.children[1:]:
        if part.content_type in {"message/rfc822", "message/global"} and part.children:
            header = tree.raw[part.body_start : part.end][: 256 * limits.KIB]
        elif part.content_type in {"text/rfc822-headers", "message/global-headers"}:
            header = decode_body(tree, part, limit=256 * limits.KIB)
        else:
            continue
        return parse_message(header.rstrip() + b"\r\n\r\n").envelope.message_id[:255]
    return ""
