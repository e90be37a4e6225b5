"""Mail to octets: the MIME entity, the header fields, the message.

    mixed
    ├─ alternative
    │  ├─ text/plain
    │  ├─ related
    │  │  ├─ text/html
    │  │  └─ images with a Content-ID
    │  └─ text/calendar
    └─ files

Containers with one child are left out. Everything is CRLF, 7-bit, in lines of at most 78 octets
(attached messages: 998), so that an entity may be signed as it is (RFC 8551 §3.1.2). The same
composition always gives the same octets: boundaries come from its Message-ID.
"""

import re
import secrets
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from webmail.mime.addresses import Address, ascii_domain
from webmail.mime.fields import (
    NeedsSmtpUtf8Error,
    encode_addr_spec,
    encode_mailbox,
    encode_parameter,
    encode_text,
    fold_field,
    refuse_line_ends,
)
from webmail.mime.filenames import safe_filename
from webmail.mime.headers import read_header_block
from webmail.mime.limits import Limits

__all__ = [
    "Attachment",
    "Composition",
    "NeedsSmtpUtf8Error",
    "add_fields",
    "add_parameter",
    "assemble",
    "build_entity",
    "encode_addr_spec",
    "encode_mailbox",
    "fold_field",
    "header_fields",
    "new_message_id",
]

_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,63}/[a-z0-9][a-z0-9.+_-]{0,63}")
_OPAQUE_TYPE: Final = "application/octet-stream"
_SEVEN_BIT_LINE: Final = re.compile(rb"[\t -~]{0,76}(?<![ \t])")
_LITERAL_QP: Final = frozenset(range(0x20, 0x7F)) - {0x3D}
_QP: Final = tuple(chr(octet) if octet in _LITERAL_QP else f"={octet:02X}" for octet in range(256))
_QP_LINE: Final = 76  # RFC 2045 §6.7 (5)
_MESSAGE_LINE: Final = 998
_MESSAGE_ID: Final = re.compile(r"[!-;=?-~]{1,900}")
_METHOD: Final = re.compile(r"^METHOD:([A-Z-]{1,32})\r?$", re.MULTILINE)
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, or with `content_id` an image that the HTML names as `cid:…`."""

    filename: str
    content_type: str
    content: bytes
    content_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A mail to write. Identifiers with or without angle brackets; `date` must be aware."""

    from_: Address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str
    date: datetime
    message_id: str
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    text: str | None
    html: str | None = None
    calendar: str | None = None  # an iTIP object, the last alternative (RFC 6047 §2.4)
    disposition: str | None = None  # the fields of a receipt, which makes it a report (RFC 8098 §3)
    attachments: tuple[Attachment, ...] = ()
    extra_fields: tuple[tuple[str, str], ...] = ()


def new_message_id(domain: str) -> str:
    """A fresh identifier without angle brackets (RFC 5322 §3.6.4): 128 random bits at a domain."""
    return f"{secrets.token_hex(16)}@{ascii_domain(domain) or 'localhost'}"


def header_fields(composition: Composition, *, with_bcc: bool = False) -> list[tuple[str, str]]:
    """The fields that are no structure, encoded in ASCII and unfolded.

    ValueError for CR, LF, NUL, an address that is none, a naive date or a structural extra field;
    NeedsSmtpUtf8Error for a local part outside ASCII.
    """
    if composition.date.tzinfo is None:
        raise ValueError("The date has no zone.")
    lists = [("From", (composition.from_,)), ("Reply-To", composition.reply_to)]
    lists += [("To", composition.to), ("Cc", composition.cc)]
    lists += [("Bcc", composition.bcc)] if with_bcc else []
    fields = [
        (name, ", ".join(encode_mailbox(one) for one in people)) for name, people in lists if people
    ]
    if composition.bcc and not (composition.to or composition.cc):
        fields.append(("To", "undisclosed-recipients:;"))  # some servers refuse mail without To
    fields.append(("Subject", encode_text(composition.subject)))
    fields.append(("Date", format_datetime(composition.date)))
    fields.append(("Message-ID", _identifier(composition.message_id)))
    if answered := _known_identifiers((composition.in_reply_to or "",)):
        fields.append(("In-Reply-To", answered))
    if references := _known_identifiers(composition.references):
        fields.append(("References", references))
    for name, value in composition.extra_fields:
        if name.lower().startswith("content-") or name.lower() == "mime-version":
            raise ValueError("A structural field cannot be an extra field.")
        fields.append((refuse_line_ends(name), encode_text(value)))
    return fields


def _identifier(value: str) -> str:
    bare = value.strip().removeprefix("<").removesuffix(">")
    if not _MESSAGE_ID.fullmatch(bare):
        raise ValueError("This is not a message identifier.")
    return f"<{bare}>"


def _known_identifiers(values: Sequence[str]) -> str:
    """Identifiers of other people's mail: what cannot be written is left out, not refused."""
    bare = [refuse_line_ends(value).strip().strip("<>") for value in values]
    return " ".join(f"<{value}>" for value in bare if _MESSAGE_ID.fullmatch(value))


def assemble(fields: Sequence[tuple[str, str]], entity: bytes) -> bytes:
    """The message: fields, MIME-Version, then the entity, unchanged."""
    return b"".join((_folded(fields), b"MIME-Version: 1.0\r\n", entity))


def add_fields(entity: bytes, fields: Sequence[tuple[str, str]]) -> bytes:
    """The entity with more fields at the end of its header, as header protection wants them."""
    end = _header_end(entity)
    return b"".join((entity[:end], _folded(fields), entity[end:]))


def add_parameter(entity: bytes, name: str, value: str) -> bytes:
    """The entity with one more parameter on its Content-Type, for instance `hp`."""
    end = _header_end(entity)
    block = read_header_block(entity, 0, len(entity), limits=Limits(), on_limit=lambda _name: None)
    fields = []
    for field_name, content in block.headers.items():
        text = content.decode("ascii")
        if field_name.lower() == "content-type":
            text += encode_parameter(name, value)
        fields.append((field_name, text))
    return _folded(fields) + entity[end:]


def _folded(fields: Sequence[tuple[str, str]]) -> bytes:
    return b"".join(fold_field(name, value) for name, value in fields)


def _header_end(entity: bytes) -> int:
    """The offset of the empty line below the header."""
    at = entity.find(b"\r\n\r\n")
    if at < 0:
        raise ValueError("The entity has no header.")
    return at + 2


def build_entity(composition: Composition) -> bytes:
    """The Content-* fields and the body: what gets signed or encrypted.

    ValueError if a file name, type or Content-ID holds CR, LF or NUL.
    """
    seed = sha256(composition.message_id.encode("utf-8", "replace")).hexdigest()[:24]
    inline = [one for one in composition.attachments if one.content_id and composition.html]
    files = [one for one in composition.attachments if one not in inline]
    bodies: list[bytes] = []
    if composition.text is not None or composition.html is None:
        bodies.append(_text("plain", composition.text or ""))
    if composition.html is not None:
        html = _text("html", composition.html)
        if inline:
            related = [html, *(_inline(one) for one in inline)]
            html = _multipart("related", related, f"{seed}r", encode_parameter("type", "text/html"))
        bodies.append(html)
    if composition.calendar is not None:
        method = _METHOD.search(composition.calendar)
        stated = encode_parameter("method", method[1]) if method else ""
        bodies.append(_text("calendar", composition.calendar, stated))
    entity = bodies[0] if len(bodies) == 1 else _multipart("alternative", bodies, f"{seed}a")
    if composition.disposition is not None:
        kind = encode_parameter("report-type", "disposition-notification")
        report = [entity, _notification(composition.disposition)]
        entity = _multipart("report", report, f"{seed}n", kind)
    if not files:
        return entity
    return _multipart("mixed", [entity, *(_file(one) for one in files)], f"{seed}m")


def _multipart(subtype: str, parts: Sequence[bytes], seed: str, parameters: str = "") -> bytes:
    """RFC 2046 §5.1. `=_` occurs in neither base64 nor quoted-printable; the rest is looked at."""
    boundary = f"=_{seed}"
    while any(f"--{boundary}".encode() in part for part in parts):
        boundary = f"=_{sha256(boundary.encode()).hexdigest()[:24]}"
    content_type = f"multipart/{subtype}{parameters}{encode_parameter('boundary', boundary)}"
    opening = f"\r\n--{boundary}\r\n".encode()
    closing = f"\r\n--{boundary}--\r\n".encode()
    return b"".join(
        [fold_field("Content-Type", content_type), *(opening + part for part in parts), closing]
    )


def _notification(fields: str) -> bytes:
    """The machine's part of a receipt; its lines are ASCII and end in CRLF."""
    if not _is_seven_bit(content := fields.encode("ascii")):
        raise ValueError("A receipt has fields in ASCII, in lines of at most 998 octets.")
    return _leaf([("Content-Type", "message/disposition-notification")], content)


def _leaf(fields: Sequence[tuple[str, str]], body: bytes) -> bytes:
    return _folded(fields) + b"\r\n" + body


def _text(subtype: str, text: str, parameters: str = "") -> bytes:
    """A text part; line ends become CRLF, and a text that is not empty ends with one."""
    content = _LINE_END.sub(b"\r\n", text.encode("utf-8", "replace"))
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    content_type = ("Content-Type", f"text/{subtype}; charset=utf-8{parameters}")
    lines = content.split(b"\r\n")
    if all(_SEVEN_BIT_LINE.fullmatch(line) and not _is_mangled(line) for line in lines):
        return _leaf([content_type, ("Content-Transfer-Encoding", "7bit")], content)
    encoded = "\r\n".join(_qp_line(line) for line in lines).encode("ascii")
    return _leaf([content_type, ("Content-Transfer-Encoding", "quoted-printable")], encoded)


def _is_mangled(line: bytes) -> bool:
    """Do relays change such a line, or could it be taken for a delimiter?"""
    return line.startswith((b"From ", b"--=_")) or line == b"."


def _qp_line(line: bytes) -> str:
    """One line in quoted-printable (RFC 2045 §6.7) with soft line breaks."""
    tokens = [_QP[octet] for octet in line]
    if tokens and tokens[-1] == " ":
        tokens[-1] = "=20"
    if _is_mangled(line):
        tokens[0] = f"={line[0]:02X}"
    pieces: list[str] = []
    size = 0
    for token in tokens:
        if size + len(token) >= _QP_LINE:
            pieces.append("=\r\n")
            # What starts an output line is looked at like what starts a line.
            token = f"={ord(token):02X}" if token in {"F", "."} else token  # noqa: PLW2901
            size = 0
        pieces.append(token)
        size += len(token)
    return "".join(pieces)


def _file(attachment: Attachment) -> bytes:
    filename = safe_filename(refuse_line_ends(attachment.filename))
    disposition = ("Content-Disposition", f"attachment{encode_parameter('filename', filename)}")
    if attachment.content_type.lower() == "message/rfc822":
        content = _LINE_END.sub(b"\r\n", attachment.content)
        if _is_seven_bit(content):
            fields = [("Content-Type", "message/rfc822"), disposition]
            return _leaf([*fields, ("Content-Transfer-Encoding", "7bit")], content)
    return _base64(_media_type(attachment), [disposition], attachment.content)


def _inline(attachment: Attachment) -> bytes:
    filename = safe_filename(refuse_line_ends(attachment.filename))
    fields = [
        ("Content-Disposition", f"inline{encode_parameter('filename', filename)}"),
        ("Content-ID", _identifier(attachment.content_id or "")),
    ]
    return _base64(_media_type(attachment), fields, attachment.content)


def _base64(media_type: str, fields: Sequence[tuple[str, str]], content: bytes) -> bytes:
    structure = [("Content-Type", media_type), *fields, ("Content-Transfer-Encoding", "base64")]
    return _leaf(structure, encodebytes(content).replace(b"\n", b"\r\n"))


def _media_type(attachment: Attachment) -> str:
    """The stated type if it is one that a file can have.

    Containers cannot be encoded (RFC 2045 §6.4): what looks like one and is not 7-bit is sent as
    a plain file.
    """
    stated = refuse_line_ends(attachment.content_type).lower().partition(";")[0].strip()
    if not _MEDIA_TYPE.fullmatch(stated) or stated.startswith(("multipart/", "message/")):
        return _OPAQUE_TYPE
    return stated


def _is_seven_bit(content: bytes) -> bool:
    """RFC 2045 §2.7: ASCII without NUL, lines of at most 998 octets."""
    if not content.isascii() or b"\0" in content:
        return False
    return all(len(line) <= _MESSAGE_LINE for line in content.split(b"\r\n"))
