"""What the composer's and the outbox's pages draw: plain values, no models, no markup.

Pages and their templates (context name → value):

- `composer/compose.html`: `composer` → `ComposerView`. One form, `multipart/form-data`, fields
  `from` (identity id), `to`, `cc`, `bcc` (comma-separated addresses), `subject`, `text`, `html`
  (empty without script), `plain` ("yes", "no"; script), `moved` ("yes": a switch was moved by
  hand), `sign`, `encrypt` (checkboxes, "on"), `revision`, `key` (UUID of this
  send button), `files`. Its buttons use `formaction`: the view's `urls`. `action` of a button
  named `attachment` on `urls.detach` is the attachment's id.
- `composer/protection.html`: the same context; `composer.protection` is set. Its form repeats
  `key` and `revision` only (the content is saved) and posts a button named `choice`
  (`ProtectionChoice.value`) to `urls.send`. `composer.urls.open` leads back.
- On a conflict (`is_conflict`) buttons named `keep`: "this" on `urls.save` keeps the form's text,
  the other text is at `urls.open`.
- `composer/outbox.html`: `items` → tuple of `OutboxItem`.
- `composer/drafts.html`: `items` → tuple of `DraftItem`.
- `composer/partials/saved.html`: `saved` → `SavedView`; `composer/partials/attachments.html` and
  `composer/partials/protection.html`: `composer`; the latter also `is_live` while someone types.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class RecipientState(StrEnum):
    """Whether encrypted mail can be written to someone."""

    OK = "ok"  # usable certificate
    NONE = "none"  # no certificate known
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"  # by its issuer, or the issuer is blocked here
    INVALID = "invalid"  # not an address


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityOption:
    """One line of the From selector."""

    id: int
    name: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientChip:
    """A recipient as the form shows it."""

    field: str  # "to", "cc", "bcc"; "" when only states were asked
    name: str
    address: str  # as typed, if it is no address
    state: RecipientState
    # "" for ok; "No certificate found", "Certificate expired on 3 November 2026"
    words: str
    label: str = ""  # the same in one or two words, for the chip


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentView:
    """A file of the draft."""

    id: int
    filename: str
    content_type: str
    size: int  # octets


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPerson:
    """Someone who cannot read encrypted mail yet."""

    name: str
    address: str
    state: RecipientState
    words: str  # "No certificate found", "Certificate expired on 3 November 2026"
    ask_url: str  # opens a short signed mail that asks for a certificate
    ask_words: str  # "Ask Petra for it", "Ask Karim for a newer one"
    import_url: str  # where a certificate file can be given


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionChoice:
    """A button of the protection panel, named `choice`."""

    value: str  # "signed", "able-only", "remove-quote", "encrypt"
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectionView:
    """Why the mail was not sent as asked, and what the person may choose."""

    # "people-missing", "own-key-missing", "own-key-withdrawn", "own-key-unwritten",
    # "own-key-locked", "encrypted-quote"
    kind: str
    headline: str
    sentence: str
    people: tuple[MissingPerson, ...] = ()
    choices: tuple[ProtectionChoice, ...] = ()
    # A page to visit first: unlock keys, import one's own certificate; "" if none.
    link_url: str = ""
    link_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """The draft's row as the page needs it."""

    id: int
    revision: int
    relation: str  # "", "reply", "reply-all", "forward", "edit"
    related_message_id: int | None
    updated_at: datetime
    saved_by: UUID | None  # key of the page that saved last, and which of its saves that was
    saved_step: int
    is_saved: bool  # False: nothing was written into it yet
    is_preparing: bool  # the quoted text is still being made; reload shows it
    holds_encrypted_quote: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentView:
    """The words of the draft, as the form's fields hold them."""

    to: str  # comma-separated
    cc: str
    bcc: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposerUrls:
    """Where the form's buttons post to."""

    open: str  # the draft as it is stored (GET)
    save: str
    attach: str
    detach: str
    send: str
    discard: str
    protection: str  # what would stand between the form as it is and its sending (script)
    recipients: str
    suggest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposerView:
    """The whole composer page."""

    title: str  # "New message", "Reply", …
    key: UUID  # idempotency key of the send button on this page
    draft: DraftView
    identity: IdentityOption
    identities: tuple[IdentityOption, ...]
    signature_html: str  # of the identity, washed
    content: ContentView
    attachments: tuple[AttachmentView, ...]
    recipients: tuple[RecipientChip, ...]
    protection: ProtectionView | None
    can_sign: bool
    can_encrypt: bool  # an own certificate exists; `recipients` say the rest
    sign: bool
    encrypt: bool
    sign_note: str  # "Encrypted mail is always signed inside", "You have no certificate…" or ""
    # What went wrong, for the head of the page: headline, sentence, what to do; "" if nothing.
    failure_headline: str
    failure: str
    failure_advice: str
    # What is wrong with the recipients ("" if nothing), and with the files; said where they are.
    recipients_failure: str
    attachments_failures: tuple[str, ...]
    # Things to know that stop nothing: "Replies go to …, the address inside the protected message."
    notices: tuple[str, ...]
    # Someone saved a newer revision elsewhere: the page offers to keep this or the other.
    is_conflict: bool
    shows_cc: bool
    shows_bcc: bool
    asks_receipt: bool
    is_plain: bool  # the editor opens for plain text
    max_size: int  # octets of the whole message
    urls: ComposerUrls


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """The answer to a save by script (`composer/partials/saved.html`)."""

    state: str  # "saved", "conflict", "sending", "failed"
    words: str  # "Draft saved, encrypted, 09:41"
    revision: int
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftItem:
    """A line of the list of drafts."""

    id: int
    people: str  # "Anna, Jonas and 2 others"; "" if nobody yet
    subject: str
    preview: str
    updated_at: datetime
    has_attachment: bool
    failure: str  # why the last try to send it failed, or ""
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLine:
    """Recipients of whom the server said the same."""

    recipient: str  # an address; several are joined: "a@x, b@x and 2 others"
    state: str  # "waiting", "accepted", "failed", "uncertain"
    words: str  # the server's
    advice: str  # what to do about a failure; else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """A mail on its way out."""

    id: int
    state: str  # of OutgoingMail.State
    words: str  # "Sending to Tomas Eide in 7 s", "Your message was not sent", …
    detail: str  # the server's reply or what happens next, in words
    advice: str  # what to do, if no delivery says it; else ""
    people: str  # "Tomas Eide and 2 others"
    subject: str
    due_at: datetime
    seconds_left: int  # until it is sent; 0 when it is due or gone
    deliveries: tuple[DeliveryLine, ...]  # only those that are not simply accepted
    can_undo: bool
    can_send_now: bool
    can_send_again: bool  # the server did not confirm: the person decides
    draft_id: int | None  # reopened in the composer when it failed
    undo_url: str
    send_now_url: str
    again_url: str
    settle_url: str  # "It arrived": never sent again
