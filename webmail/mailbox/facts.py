"""What the mirror keeps of a message, read from a FETCH row. Pure; never raises on hostile mail."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from webmail.imap import BodyStructure, FetchedRow
from webmail.mailbox.flags import bits_of
from webmail.mime import Address, read_envelope, safe_filename
from webmail.mime.headers import read_headers

MOST_PEOPLE = 100  # kept of each address field
MOST_REFERENCES = 100
MOST_PARTS = 100  # kept of the structure; the reader walks the message itself
_SIGNATURES = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-encrypted",
    }
)
_PKCS7 = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
# Characters, the columns' widths (webmail.mailbox.models.Message).
_LONGEST = {
    "subject": 998,
    "from_name": 300,
    "from_address": 320,
    "message_id": 998,
    "in_reply_to": 998,
    "list_id": 300,
}


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """A message as its folder's FETCH describes it.

    flags: bits. content_key: the same for copies in other folders and after a UIDVALIDITY change.
    """

    uid: int
    flags: int
    keywords: list[str]
    modseq: int
    internal_date: datetime
    size: int
    content_key: str
    email_id: str
    server_thread_id: str
    message_id: str
    subject: str
    from_name: str
    from_address: str
    recipients: dict[str, list[list[str]]]
    date: datetime | None
    in_reply_to: str
    references: list[str]
    list_id: str
    structure: list[list[object]]
    has_attachment: bool
    is_secured: bool

    @property
    def participants(self) -> frozenset[str]:
        """Everybody named, for the subject rule of threads."""
        people = {self.from_address.casefold()}
        for field in ("to", "cc"):
            people |= {address.casefold() for _name, address in self.recipients.get(field, ())}
        return frozenset(people - {""})


def read_row(row: FetchedRow) -> MessageFacts:
    """Return the facts of one row."""
    # A row holds chosen fields alone: no part of the tree is asked for.
    headers = read_headers(row.header)
    envelope = read_envelope(headers)
    sender = envelope.from_[0] if envelope.from_ else Address("", "")
    flags, keywords = bits_of(row.flags)
    parts = list(row.structure.walk())[:MOST_PARTS] if row.structure else []
    return MessageFacts(
        uid=row.uid,
        flags=flags,
        keywords=keywords,
        modseq=row.modseq or 0,
        internal_date=row.internal_date,
        size=row.size,
        content_key=content_key(row),
        email_id=storable(row.email_id or "", 255),
        server_thread_id=row.thread_id or "",
        message_id=_field("message_id", envelope.message_id),
        subject=_field("subject", envelope.subject),
        from_name=_field("from_name", sender.name),
        from_address=_field("from_address", sender.address),
        recipients={
            name: kept
            for name, people in (
                ("to", envelope.to),
                ("cc", envelope.cc),
                ("bcc", envelope.bcc),
                ("reply_to", envelope.reply_to),
            )
            if (kept := _people(people))
        },
        date=envelope.date,
        in_reply_to=_field("in_reply_to", next(iter(envelope.in_reply_to), "")),
        references=[storable(one, 998) for one in envelope.references[-MOST_REFERENCES:]],
        list_id=_field("list_id", headers.text("list-id")),
        structure=[_compact(part) for part in parts],
        has_attachment=any(_is_attachment(part) for part in parts),
        is_secured=any(_is_secured(part) for part in parts),
    )


def content_key(row: FetchedRow) -> str:
    """Return what a copy of this message has in common with it on the same server.

    The header fields are part of it, so that somebody else's mail with a copied Message-ID never
    counts as the same message.
    """
    digest = hashlib.sha256(row.header)
    digest.update(b"\0%d\0%d" % (row.size, int(row.internal_date.timestamp())))
    return digest.hexdigest()


def storable(text: str, longest: int) -> str:
    """Return text that every database takes: no NUL, no lone surrogate, not too long."""
    cut = text[:longest]
    if cut.isprintable():  # holds for nearly all text; surrogates and NUL are not printable
        return cut
    if not cut.isascii():
        cut = cut.encode("utf-8", "replace").decode("utf-8")
    return cut.replace("\0", "")


# Of words that most mail shares.
_shared = lru_cache(maxsize=4_096)(storable)


def _field(name: str, text: str) -> str:
    return storable(text, _LONGEST[name])


def _people(people: tuple[Address, ...]) -> list[list[str]]:
    return [[storable(one.name, 300), storable(one.address, 320)] for one in people[:MOST_PEOPLE]]


def _compact(part: BodyStructure) -> list[object]:
    filename = safe_filename(part.filename) if part.filename else ""
    return [
        part.path,
        _shared(part.content_type, 100),
        _shared(part.encoding, 30),
        part.size,
        storable(filename, 255) if filename else "",
        _shared(part.disposition or "", 30),
        storable(part.content_id or "", 255) if part.content_id else "",
        _shared(part.charset or "", 40),
    ]


def _is_attachment(part: BodyStructure) -> bool:
    kind = part.content_type
    if kind.startswith("multipart/") or kind in _SIGNATURES or kind in _PKCS7:
        return False
    if part.disposition == "attachment" or kind in {"message/rfc822", "message/global"}:
        return True
    if kind.startswith("image/") and part.content_id:
        return False  # drawn inside the text
    # Some servers leave disposition and names out (pymap does): then the type has to tell.
    return bool(part.filename) or not kind.startswith(("text/", "message/"))


def _is_secured(part: BodyStructure) -> bool:
    """S/MIME by its type (RFC 8551 §3.9)."""
    if part.content_type == "multipart/signed":
        return "pkcs7" in part.parameters.get("protocol", "").lower()
    filename = (part.filename or "").lower()
    return part.content_type in _PKCS7 or filename.endswith((".p7m", ".p7s"))
