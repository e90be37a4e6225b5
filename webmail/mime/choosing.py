"""Which parts of a message are its body, which are attachments, which need a frame of their own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import unquote

from webmail.mime import transfer
from webmail.mime.body import decode_body, decode_text
from webmail.mime.embedded import Embedded, embedded_in, is_tnef_part, may_hold_files
from webmail.mime.filenames import safe_filename
from webmail.mime.parts import Flag, Message, Part

MOST_BLOCKS: Final = 30  # each is a frame of its own on the page; further texts are files

type BodyKind = Literal["html", "plain"]

_PLAIN_TEXT: Final = frozenset({"text/plain"})
# Text that is shown as it is written, when there is nothing better.
_OTHER_PLAIN: Final = frozenset({"text/enriched", "text/richtext", "text/markdown"})
_REPORTS: Final = frozenset(
    {
        "message/delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "message/global-delivery-status",
        "message/global-disposition-notification",
        "message/tracking-status",
    }
)
_RESOURCES: Final = frozenset({"application/applefile", "application/mac-applefile"})
_IGNORED: Final = frozenset({"text/x-amp-html"})
_MESSAGES: Final = frozenset({"message/rfc822", "message/global"})
_PKCS7: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURES: Final = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
    }
)
_SIGNED_CONTAINERS: Final = frozenset({"multipart/signed", "multipart/encrypted"})
_BLANK_CHECK: Final = 64 * 1024  # octets; longer HTML is taken to show something
_UNSHOWN: Final = re.compile(
    r"<!--.*?(?:-->|\Z)|<(style|script|title)\b.*?(?:</\1[^<>]*>?|\Z)", re.IGNORECASE | re.DOTALL
)
_SHOWS_PICTURE: Final = re.compile(
    r"<(?:img|table|body|td)\b[^<>]*?\b(?:src|background)\b", re.IGNORECASE
)
_TAG: Final = re.compile(r"<[^<>]*>|&(?:nbsp|#160|#xa0|zwnj|#8203|shy);", re.IGNORECASE)
_CID: Final = re.compile(r"\bcid:([^\"'\s<>)]{1,998})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BodyBlock:
    """A part to show, in a block and document of its own."""

    part: Part
    kind: BodyKind


@dataclass(frozen=True, slots=True)
class AttachmentPart:
    """A part to list."""

    part: Part
    path: str
    filename: str  # safe, never empty
    content_type: str  # as the message states it: not for a response header
    size: int  # decoded octets, exact if the content is well-formed
    inline: bool


@dataclass(frozen=True, slots=True)
class BodyChoice:
    """The parts of one trust subtree by their use. A part is in one of the tuples at most, except
    that inline text with a file name is both a block and an attachment.
    """

    blocks: tuple[BodyBlock, ...]
    attachments: tuple[AttachmentPart, ...]
    cid_parts: Mapping[str, Part]  # by Content-ID without brackets; this subtree only
    nested: tuple[Part, ...]  # opened forwarded messages, each with a trust state of its own
    secured: tuple[
        Part, ...
    ]  # signed or encrypted parts below the root: never joined with the rest
    invitations: tuple[Part, ...] = ()  # text/calendar with a METHOD; listed as attachments too
    # What the reader should be told, once each: "external-body" (content is elsewhere and was not
    # fetched), "partial" (a piece of a message), "damaged-file", "embedded" (too many files inside
    # one part), "damaged-tnef", "large-tnef" (not opened), "blocks" (more than MOST_BLOCKS texts).
    notes: tuple[str, ...] = ()


def is_secured(part: Part) -> bool:
    """Does the part claim a signature or an encryption (RFC 8551 §3.9, RFC 1847)?"""
    if part.content_type in _SIGNED_CONTAINERS or part.content_type in _PKCS7:
        return True
    name = (part.filename or "").lower()
    return part.content_type == "application/octet-stream" and name.endswith((".p7m", ".p7c"))


def choose_body(
    message: Message, *, root: Part | None = None, prefer: BodyKind = "html"
) -> BodyChoice:
    """Sort the parts below `root` (default: the message's) by the rules of their containers.

    A forwarded message given as `root` stands for the message inside it.
    """
    top = message.root if root is None else root
    if top.content_type in _MESSAGES and top.children and root is not None:
        top = top.children[0]
    chooser = _Chooser(message, prefer)
    chooser.visit_root(top)
    return chooser.choice()


@dataclass(slots=True)
class _Chooser:
    """Walks one subtree. Recursion is bounded by `Limits.depth`."""

    message: Message
    prefer: BodyKind
    blocks: list[BodyBlock] = field(default_factory=list)
    listed: list[tuple[Part, bool]] = field(default_factory=list)  # True: hide when referred to
    nested: list[Part] = field(default_factory=list)
    secured: list[Part] = field(default_factory=list)
    invitations: list[Part] = field(default_factory=list)
    cid_parts: dict[str, Part] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    tnef_bodies: list[Part] = field(default_factory=list)
    opened_tnef: list[Part] = field(default_factory=list)  # its files are listed instead of it

    def visit_root(self, part: Part) -> None:
        if part.content_type == "multipart/signed" and part.children:
            self._visit_signed(part)
        elif part.content_type == "multipart/encrypted" and part.children:
            for child in part.children:
                self._list(child)
        elif is_secured(part):
            self._list(part)
        else:
            self.visit(part)
            if not self.blocks and Flag.NO_PARTS in part.flags:
                # A multipart that holds no part: what it holds is shown rather than lost.
                self.listed = [entry for entry in self.listed if entry[0] is not part]
                self.blocks.append(BodyBlock(part, "plain"))
        if not self.blocks and self.tnef_bodies:
            body = self.tnef_bodies[0]
            self.blocks.append(
                BodyBlock(body, "html" if body.content_type == "text/html" else "plain")
            )
        if not self.blocks:  # its text may be in RTF, which is not opened
            self.listed += [(each, False) for each in self.opened_tnef]

    def _visit_signed(self, part: Part) -> None:
        content, *others = part.children
        self.visit_root(content)  # a signature round a signature still covers the whole
        for number, other in enumerate(others):
            if number or other.content_type not in _SIGNATURES:
                self._list(other)

    def visit(self, part: Part) -> None:
        if is_secured(part):
            self.secured.append(part)
        elif part.content_type in _MESSAGES and part.children:
            self.nested.append(part)  # without children it was too deep or encoded: a file
        elif not part.children:
            self._visit_leaf(part)
        elif part.content_type == "multipart/alternative":
            self._visit_alternative(part)
        elif part.content_type == "multipart/related":
            self._visit_related(part)
        elif part.content_type == "multipart/appledouble":
            self._visit_appledouble(part)
        else:
            for child in part.children:
                self.visit(child)

    def _visit_appledouble(self, part: Part) -> None:
        """The file itself; its Macintosh resources, which come first, are no use elsewhere."""
        is_double = len(part.children) > 1 and part.children[0].content_type in _RESOURCES
        for child in part.children[1 if is_double else 0 :]:
            if is_double and child.filename is None:
                child = replace(child, filename=part.children[0].filename)  # noqa: PLW2901
            self.visit(child)

    def _visit_leaf(self, part: Part) -> None:
        self._note_content_id(part)
        self._say(part)
        kind = self._kind(part)
        if part.content_type in _IGNORED and part.disposition != "attachment":
            return
        if kind is None or not self._is_shown_inline(part):
            self._list(part)
            return
        if len(self.blocks) >= MOST_BLOCKS:
            self.notes["blocks"] = None
            self._list(part)
            return
        self.blocks.append(BodyBlock(part, kind))
        if part.filename is not None and len(self.blocks) > 1:
            self._list(part)
        if may_hold_files(part):
            self._list_embedded(embedded_in(self.message, part))

    def _say(self, part: Part) -> None:
        if part.content_type in {"message/external-body", "message/partial"}:
            self.notes[part.content_type.partition("/")[2]] = None

    def _list_embedded(self, embedded: Embedded) -> None:
        for file in embedded.files:
            self._note_content_id(file)
            self.listed.append((file, file.content_id is not None))
            if Flag.DAMAGED_FILE in file.flags:
                self.notes["damaged-file"] = None
        if embedded.is_cut:
            self.notes["embedded"] = None

    def _is_shown_inline(self, part: Part) -> bool:
        if part.disposition not in {None, "inline"}:
            return False  # RFC 2183 §2.8: an unknown disposition is an attachment
        return part.filename is None or part.disposition == "inline" or not self.blocks

    def _visit_alternative(self, part: Part) -> None:
        chosen = self._best(part.children)
        for child in part.children:
            if child is chosen or is_secured(child) or child.content_type in _MESSAGES:
                self.visit(child)
            else:
                self._list_unchosen(child)

    def _best(self, children: tuple[Part, ...]) -> Part | None:
        """The last child of the wanted kind that shows anything, else the last of the other."""
        other: BodyKind = "plain" if self.prefer == "html" else "html"
        for kind in (self.prefer, other):
            offering = [child for child in children if self._offers(child, kind)]
            real = [child for child in offering if child.content_type not in _OTHER_PLAIN]
            if candidates := real or offering:
                return candidates[-1]
        # Only blank HTML is left: it is still the body.
        return next((child for child in reversed(children) if self._kind(child)), None)

    def _offers(self, part: Part, kind: BodyKind) -> bool:
        """Would the part, visited, give a block of that kind?"""
        if is_secured(part) or part.content_type in _MESSAGES:
            return False
        if not part.children:
            is_offered = self._kind(part) == kind and part.disposition in {None, "inline"}
            return is_offered and (kind == "plain" or not self._is_blank_html(part))
        if part.content_type == "multipart/related":
            return self._offers(_related_root(part), kind)
        return any(self._offers(child, kind) for child in part.children)

    def _list_unchosen(self, part: Part) -> None:
        """What an alternative that was not taken holds beside its text must not get lost."""
        for leaf in part.walk():
            if leaf.children or leaf.content_type in _MESSAGES:
                continue
            is_text = self._kind(leaf) is not None or leaf.content_type in _IGNORED
            if not is_text or leaf.disposition == "attachment":
                self._note_content_id(leaf)
                if leaf.content_id is None or leaf.disposition == "attachment":
                    self._list(leaf)

    def _visit_related(self, part: Part) -> None:
        root = _related_root(part)
        self.visit(root)
        for child in part.children:
            if child is root:
                continue
            if child.children or is_secured(child) or child.content_type in _MESSAGES:
                self.visit(child)
            else:
                self._note_content_id(child)
                self.listed.append((child, True))
                self._note_invitation(child)

    def _list(self, part: Part) -> None:
        if part.children and part.content_type not in _MESSAGES:
            for child in part.children:
                self._list(child)
            return
        self._note_invitation(part)
        if is_tnef_part(part):
            embedded = embedded_in(self.message, part)
            self._list_embedded(embedded)
            self.tnef_bodies += embedded.bodies
            if embedded.is_damaged:
                self.notes["damaged-tnef"] = None
            if embedded.is_too_large:
                self.notes["large-tnef"] = None
            if embedded.is_whole:
                self.opened_tnef.append(part)
                return
        self.listed.append((part, part.disposition != "attachment" and part.content_id is not None))

    def _note_invitation(self, part: Part) -> None:
        if part.content_type == "text/calendar" and "method" in part.parameters:
            self.invitations.append(part)

    def _note_content_id(self, part: Part) -> None:
        if part.content_id is not None:
            self.cid_parts.setdefault(part.content_id, part)

    def _kind(self, part: Part) -> BodyKind | None:
        """How a leaf can be shown, or None."""
        if part.transfer_encoding in transfer.UUENCODE:
            return None
        if part.content_type == "text/html":
            return "html"
        is_plain = (
            part.content_type in _PLAIN_TEXT
            or part.content_type in _OTHER_PLAIN
            or part.content_type in _REPORTS
            or part.content_type == "message/external-body"
        )
        return "plain" if is_plain else None

    def _is_blank_html(self, part: Part) -> bool:
        if part.end - part.body_start > _BLANK_CHECK:
            return False
        text = _UNSHOWN.sub("", decode_text(self.message, part).text)
        return not _SHOWS_PICTURE.search(text) and not _TAG.sub("", text).strip(
            "\ufeff\u200b \t\r\n"
        )

    def _referred(self) -> frozenset[str]:
        """The Content-IDs that the chosen HTML names (RFC 2392)."""
        found: set[str] = set()
        for block in self.blocks:
            if block.kind == "html":
                text = decode_text(self.message, block.part).text
                found.update(unquote(match[1]) for match in _CID.finditer(text))
        return frozenset(found)

    def choice(self) -> BodyChoice:
        may_hide = any(is_hideable for _, is_hideable in self.listed)
        referred = self._referred() if may_hide else frozenset[str]()
        attachments = [
            _attachment(self.message, part)
            for part, is_hideable in self.listed
            if not (is_hideable and part.content_id in referred)
        ]
        return BodyChoice(
            blocks=tuple(self.blocks),
            attachments=tuple(attachments),
            cid_parts=MappingProxyType(self.cid_parts),
            nested=tuple(self.nested),
            secured=tuple(self.secured),
            invitations=tuple(self.invitations),
            notes=tuple(self.notes),
        )


def _related_root(part: Part) -> Part:
    """The root of a multipart/related: `start`, else the first child (RFC 2387 §3.2).

    Web archives put pictures in front of the page: then the first of the stated `type` is meant.
    """
    start = part.parameters.get("start", "").strip("<> ")
    for child in part.children:
        if start and child.content_id == start:
            return child
    first, *others = part.children
    stated = part.parameters.get("type", "").strip().lower()
    if not first.content_type.startswith(("image/", "audio/", "video/")):
        return first
    return next((child for child in others if child.content_type == stated), first)


def _attachment(message: Message, part: Part) -> AttachmentPart:
    if part.content is not None:
        size = len(part.content)
    else:
        size = transfer.decoded_size(message.raw, part.body_start, part.end, part.transfer_encoding)
    if part.transfer_encoding in transfer.UUENCODE:
        size = len(decode_body(message, part))
    return AttachmentPart(
        part=part,
        path=part.path,
        filename=part.filename or safe_filename(None, path=part.path),
        content_type=part.content_type,
        size=size,
        inline=part.disposition == "inline",
    )
