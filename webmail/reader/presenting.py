"""What a message's page draws: plain values, no models, no markup.

Templates get `message` → `OpenMessage`. `frames` are iframes (rendering.md §7 names their
attributes), in boxes where only a part is signed or encrypted; everything else is text that
templates escape.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

if TYPE_CHECKING:
    from webmail.reader.aid_words import AidView
    from webmail.reader.asks import AsksView
    from webmail.reader.attachment_cards import AttachedView
    from webmail.reader.detail_words import DetailsView

State = Literal["ready", "rendering", "locked", "failed", "server-down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """An address as shown: `name` is empty when it held another address or nothing."""

    name: str
    address: str

    @property
    def shown(self) -> str:
        """The name, else the address."""
        return self.name or self.address

    @property
    def initials(self) -> str:
        """One or two letters for the round picture."""
        words = [word for word in self.shown.replace("@", " ").split() if word[:1].isalnum()]
        return "".join(word[0] for word in words[:2]).upper() or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One of the six questions of the verdict panel."""

    question: str
    glyph: Literal["yes", "caution", "no", "unknown"]
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerView:
    """The certificate behind a signature, for its page and the copy button."""

    name: str
    addresses: tuple[str, ...]
    issuer: str
    serial: str
    fingerprint: str
    not_before: str
    not_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """The panel above the body. `level` chooses the seal: ok, warn, bad, unknown, none."""

    code: str
    encryption_code: str
    level: str
    headline: str
    sentence: str
    flag: str
    is_locked: bool  # shows the lock
    is_quiet: bool  # one line instead of a panel
    is_expanded: bool
    notes: tuple[str, ...]  # sentences
    answers: tuple[AnswerView, ...]
    signer: SignerView | None
    action: Literal["", "unlock", "import-key"]  # what the panel's button does
    action_label: str = ""  # what stands on it


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameView:
    """One sandboxed document."""

    url: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxView:
    """A part with a verdict of its own, or what stands outside of one, with its line.

    Without items it is a part that could not be opened, or holds files only.
    """

    level: str  # chooses the seal; "" for what stands outside: no seal
    is_locked: bool  # shows the lock
    headline: str
    sentence: str
    is_plain_only: bool  # unlike what it is in: links and images are off in it
    items: "tuple[FrameView | BoxView, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentView:
    """A part to download."""

    path: str
    name: str
    kind: str  # in words: "PDF", "Image"
    size: int  # octets
    url: str
    is_dangerous: bool  # can run programs: a second click is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesView:
    """The bar for remote images."""

    blocked: int
    trackers: int
    tracker_hosts: tuple[str, ...]
    loaded: int
    is_always: bool  # the person asked for this sender's images whenever the mail is verified
    may_load: bool  # not offered out of decrypted mail unless its class is ok
    may_always: bool  # only for verified senders


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMessage:
    """A message on its page. In any state but `ready` the frames are empty and `problem` speaks."""

    id: int
    state: State
    subject: str
    sender: PersonView
    from_: tuple[PersonView, ...]
    to: tuple[PersonView, ...]
    cc: tuple[PersonView, ...]
    bcc: tuple[PersonView, ...]
    reply_to: tuple[PersonView, ...]
    sent_on_behalf: PersonView | None
    date: datetime | None
    received_at: datetime
    verdict: VerdictView | None
    frames: tuple[FrameView | BoxView, ...] = ()
    attachments: tuple[AttachmentView, ...] = ()
    images: ImagesView | None = None
    is_encrypted: bool = False
    # Words of it were opened with a key, or wait for one: the page gives them up with the key.
    is_secret: bool = False
    is_plain_only: bool = False  # "Plain text only. Links, images and files are off."
    is_junk: bool = False
    asks: "AsksView | None" = None
    has_deceptive_links: bool = False
    shade: Literal["", "light", "dark"] = ""  # what HTML is shown on where the page is dark
    notices: tuple[str, ...] = ()  # limits, cut parts
    attached: "AttachedView | None" = None
    aid: "AidView | None" = None  # the one hint above the body
    details: "DetailsView | None" = None  # None until the message was read
    problem: str = ""
    header_rows: tuple[tuple[str, str], ...] = field(default=())
    has_more_header: bool = False  # more fields than `header_rows`


_KINDS = {
    "application/pdf": "PDF",
    "application/zip": "ZIP",
    "text/calendar": gettext_lazy("Calendar"),
    "text/csv": "CSV",
    "text/html": "HTML",
    "text/plain": gettext_lazy("Text"),
    "text/vcard": gettext_lazy("Contact"),
    "message/rfc822": gettext_lazy("Message"),
}


def kind_words(content_type: str, filename: str) -> str:
    """Say what kind of file this is: "PDF", "Image", "Spreadsheet"."""
    if content_type in _KINDS:
        return str(_KINDS[content_type])
    family = content_type.partition("/")[0]
    if family == "image":
        return _("Image")
    if family in {"audio", "video"}:
        return _("Sound") if family == "audio" else _("Film")
    ending = filename.rpartition(".")[2].upper() if "." in filename else ""
    return ending[:6] or _("File")


def size_words(octets: int) -> str:
    """Return a size people read: "41 kB", "1.2 MB"."""
    if octets < 1000:
        return ngettext("{n} byte", "{n} bytes", octets).format(n=octets)
    if octets < 1_000_000:
        return _("{n} kB").format(n=round(octets / 1000))
    return _("{n} MB").format(n=f"{octets / 1_000_000:.1f}")
