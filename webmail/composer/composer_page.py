"""Builds what the composer's page and the list of drafts draw."""

import uuid
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Identity, User
from webmail.composer import attachments, certificates, drafts, habits, placed, sizes
from webmail.composer.content import DraftContent
from webmail.composer.models import Draft
from webmail.composer.outbox_page import failure_advice
from webmail.composer.presenting import (
    AttachmentView,
    ComposerUrls,
    ComposerView,
    ContentView,
    DraftItem,
    DraftView,
    IdentityOption,
    ProtectionView,
)
from webmail.composer.protection import OwnKeys, names_of, unwritten_words, withdrawn_words
from webmail.composer.recipients import written
from webmail.composer.validation import recipient_chips
from webmail.html import own_html

_MOST_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What the page has to say about the last try."""

    failure: str = ""
    recipients_failure: str = ""
    attachments_failures: tuple[str, ...] = ()
    protection: ProtectionView | None = None
    is_conflict: bool = False
    typed: DraftContent | None = None  # the form's text, if it could not be stored


def composer_view(
    user: User,
    draft: Draft,
    request: HttpRequest,
    *,
    trouble: Trouble | None = None,
    key: uuid.UUID | None = None,
) -> ComposerView:
    """Return the whole page of a draft."""
    trouble = trouble or Trouble()
    stored = drafts.content_of(draft)
    content = trouble.typed or stored
    own = certificates.own_keys(user, draft.identity.address, request)
    kept = habits.habits_of(user)
    begins = not draft.relation and draft.revision == 0
    headline, failure, do = _failure(draft, trouble)
    return ComposerView(
        title=title_of(draft),
        key=key or uuid.uuid4(),
        draft=_draft_view(draft),
        identity=_option(draft.identity, chosen=draft.identity),
        identities=tuple(
            _option(each, chosen=draft.identity) for each in drafts.identities_for(user)
        ),
        signature_html=own_html(draft.identity.signature),
        content=ContentView(
            to=written(content.to),
            cc=written(content.cc),
            bcc=written(content.bcc),
            subject=content.subject,
            text=content.text,
            html=content.html,
        ),
        attachments=attachment_views(draft),
        recipients=recipient_chips(user, content),
        protection=trouble.protection,
        can_sign=own.can_sign,
        can_encrypt=own.can_sign and own.can_decrypt,
        sign=draft.sign,
        encrypt=draft.encrypt,
        sign_note=_sign_note(draft, own),
        failure_headline=headline,
        failure=failure,
        failure_advice=do,
        recipients_failure=trouble.recipients_failure,
        attachments_failures=trouble.attachments_failures,
        notices=stored.notices,
        is_conflict=trouble.is_conflict,
        shows_cc=bool(content.cc) or (begins and kept.shows_cc),
        shows_bcc=bool(content.bcc) or (begins and kept.shows_bcc),
        asks_receipt=content.asks_receipt,
        # Whatever was saved as text alone was written so.
        is_plain=not content.html
        and (draft.revision > 0 or kept.writes_plain or draft.relation == placed.CONTINUED),
        max_size=sizes.limit(draft.account.server),
        urls=urls_of(draft.pk),
    )


def _failure(draft: Draft, trouble: Trouble) -> tuple[str, str, str]:
    """Return headline, sentence and what to do: of this try, else of the last one."""
    if trouble.failure:
        return _("Your message was not sent"), trouble.failure, ""
    if not draft.failure:
        return "", "", ""
    do = failure_advice(draft)
    if do is None:  # nothing was sent: its quoted text could not be made
        return _("Something of the original is missing"), draft.failure, ""
    return _("Your message was not sent"), draft.failure, do


def title_of(draft: Draft) -> str:
    """Return the page's heading."""
    match draft.relation:
        case "reply":
            return _("Reply")
        case "reply-all":
            return _("Reply to all")
        case "forward":
            return _("Forward")
        case placed.CONTINUED:
            return _("Draft")
        case _:
            return _("New message")


def attachment_views(draft: Draft) -> tuple[AttachmentView, ...]:
    """Return the draft's files for the page."""
    return tuple(
        AttachmentView(
            id=file.pk, filename=file.filename, content_type=file.content_type, size=file.size
        )
        for file in attachments.files_of(draft)
    )


def urls_of(draft_id: int) -> ComposerUrls:
    """Return where the buttons of a draft post to."""
    own = {
        name: reverse(f"composer:{name}", args=[draft_id])
        for name in ("save", "attach", "detach", "send", "discard", "protection")
    }
    return ComposerUrls(
        **own,
        open=open_url(draft_id),
        recipients=reverse("composer:recipients"),
        suggest=reverse("composer:suggest"),
    )


def open_url(draft_id: int) -> str:
    """Return the page of a draft."""
    return f"{reverse('composer:compose')}?{urlencode({'draft': draft_id})}"


def draft_items(user: User) -> tuple[DraftItem, ...]:
    """Return the list of drafts, newest first, at most 200."""
    items = []
    for draft in drafts.drafts_for(user).prefetch_related("attachments")[:_MOST_LISTED]:
        content = drafts.content_of(draft)
        preview = next((line for line in content.text.split("\n") if line.strip()), "")
        items.append(
            DraftItem(
                id=draft.pk,
                people=names_of(content.everyone()),
                subject=content.subject,
                preview=preview.strip()[:200],
                updated_at=draft.updated_at,
                has_attachment=bool(draft.attachments.all()),
                failure=draft.failure,
                url=open_url(draft.pk),
            )
        )
    return tuple(items)


def saved_words(draft: Draft) -> str:
    """Return "Draft saved, encrypted, 09:41" (sealed on this server) in the person's time."""
    at = timezone.localtime(draft.updated_at)
    return _("Draft saved, encrypted, %s") % f"{at:%H:%M}"


def _draft_view(draft: Draft) -> DraftView:
    return DraftView(
        id=draft.pk,
        revision=draft.revision,
        relation=draft.relation,
        related_message_id=draft.related_message_id,
        updated_at=draft.updated_at,
        is_saved=draft.revision > 0,
        saved_by=draft.saved_by,
        saved_step=draft.saved_step,
        is_preparing=draft.is_preparing,
        holds_encrypted_quote=draft.holds_encrypted_quote,
    )


def _option(identity: Identity, *, chosen: Identity) -> IdentityOption:
    return IdentityOption(
        id=identity.pk,
        name=identity.name,
        address=identity.address,
        is_chosen=identity.pk == chosen.pk,
    )


def _sign_note(draft: Draft, own: OwnKeys) -> str:
    if not own.can_sign and own.withdrawal is not None:
        return withdrawn_words(own.withdrawal)
    if not own.can_sign and own.unwritten:
        return unwritten_words(own.unwritten)
    if not own.can_sign:
        return _("To write encrypted you need a certificate of your own.")
    if draft.encrypt:
        return _("Encrypted mail is always signed inside.")
    return ""
