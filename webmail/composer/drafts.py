"""Drafts: made, saved (a stale save is told), listed, thrown away. The only writer of `Draft`.

A draft whose mail is on its way is held: it can be neither saved nor sent again until the mail came
back (undo, failure) or is gone for good (then the draft goes too).
"""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from accounts.models import Identity, User
from webmail.composer import placed, sealed_files
from webmail.composer.content import DraftContent, open_content, seal_content
from webmail.composer.models import Draft, DraftAttachment, OutgoingMail
from webmail.composer.transitions import LIVE
from webmail.html import html_to_text, own_html
from webmail.mailbox.models import Message

UNSAVED_FOR = timedelta(days=1)  # a page that was opened and left; then its empty draft goes


class RevisionConflictError(Exception):
    """Someone saved a newer revision of this draft elsewhere."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(f"draft {draft.pk} is at revision {draft.revision}")
        self.draft = draft


class DraftIsSendingError(Exception):
    """The draft's mail is on its way."""


class NoIdentityError(Exception):
    """The person has no address to write from."""


def draft_for(user: User, draft_id: int) -> Draft:
    """Return the person's draft. Raises Http404 for others' and absent ones alike."""
    draft = (
        Draft.objects.select_related("account__server", "identity")
        .filter(user=user, pk=draft_id)
        .first()
    )
    if draft is None:
        raise Http404
    return draft


def drafts_for(user: User) -> QuerySet[Draft]:
    """Return what the person is writing, newest first; nothing empty, nothing on its way."""
    return (
        Draft.objects.filter(user=user, revision__gt=0)
        .exclude(outgoing__state__in=LIVE)
        .select_related("identity")
        .order_by("-updated_at")
    )


def identities_for(user: User) -> tuple[Identity, ...]:
    """Return the addresses the person may write from, the default one first."""
    return tuple(
        Identity.objects.filter(user=user, account__user=user)
        .select_related("account__server")
        .order_by("-is_default", "id")
    )


def identity_for(user: User, identity_id: int | None) -> Identity:
    """Return the identity asked for, else the default one. Raises NoIdentityError."""
    identities = identities_for(user)
    chosen = next((each for each in identities if each.pk == identity_id), None)
    if chosen is not None:
        return chosen
    if not identities:
        raise NoIdentityError
    return identities[0]


def new(
    user: User,
    *,
    content: DraftContent | None = None,
    identity: Identity | None = None,
    relation: str = "",
    related_message: Message | None = None,
    sign: bool = False,
    encrypt: bool = False,
) -> Draft:
    """Make a draft (revision 0). Raises NoIdentityError."""
    identity = identity or identity_for(user, None)
    waits = related_message is not None
    with transaction.atomic():
        draft = Draft.objects.create(
            user=user,
            account=identity.account,
            identity=identity,
            sealed_content=b"",
            sign=sign or encrypt,
            encrypt=encrypt,
            relation=relation,
            related_message=related_message,
            preparation=Draft.Preparation.RUNNING if waits else "",
        )
        _store(draft, content or DraftContent())
        draft.save(update_fields=["sealed_content"])
    return draft


@dataclass(frozen=True, slots=True)
class Page:
    """A composer page that saves: its own key, and the number of this save (from 1; 0: unknown).

    `before`: the key of the page of this draft that it took the place of in its tab (a reload).
    """

    key: uuid.UUID | None
    step: int
    before: uuid.UUID | None = None


UNKNOWN_PAGE = Page(None, 0)


def content_of(draft: Draft) -> DraftContent:
    """Return the words of a draft."""
    return open_content(draft.sealed_content, draft_id=draft.pk)


def save(
    user: User,
    draft_id: int,
    content: DraftContent,
    revision: int,
    *,
    identity: Identity,
    sign: bool,
    encrypt: bool,
    overrides: bool = False,
    page: Page = UNKNOWN_PAGE,
) -> Draft:
    """Store what a form holds and return the draft with its new revision.

    `revision` is the one the form was made from; a newer one in the table raises
    RevisionConflictError unless the person chose to keep this text (`overrides`) or the newer one
    was saved by the same `page`: then the later of its saves stands, in whichever order they
    arrive (a page that closes saves while an earlier save is on its way). The page before it in
    its tab counts as the same. What forms do not hold (references, the lines of an encrypted
    quote) stays. Raises DraftIsSendingError, Http404.
    """
    with transaction.atomic():
        draft = locked(user, draft_id)
        stored = content_of(draft)
        html = own_html(content.html) if content.html.strip() else ""
        content = replace(
            stored,
            to=content.to,
            cc=content.cc,
            bcc=content.bcc,
            subject=" ".join(content.subject.split()),
            html=html,
            text=html_to_text(html) if html else _lines(content.text),
            asks_receipt=content.asks_receipt,
        )
        is_pages = bool(page.step) and draft.saved_by == page.key
        if is_pages and page.step <= draft.saved_step and not overrides:
            return draft  # overtaken by a later save of the same page
        flags = (identity.pk, sign or encrypt, encrypt)
        if content == stored and flags == (draft.identity_id, draft.sign, draft.encrypt):
            if page.step:
                draft.saved_by, draft.saved_step = page.key, page.step
                draft.save(update_fields=["saved_by", "saved_step"])
            return draft  # a repeated request is no conflict
        is_tabs = draft.saved_by is not None and draft.saved_by == page.before
        if draft.revision != revision and not (overrides or is_pages or is_tabs):
            raise RevisionConflictError(draft)
        draft.saved_by, draft.saved_step = page.key, page.step
        draft.identity, draft.account = identity, identity.account
        draft.sign, draft.encrypt = sign or encrypt, encrypt
        _store(draft, content)
        touch(draft)
    return draft


def rewrite(draft: Draft, content: DraftContent) -> None:
    """Replace the words of a locked draft (choices of the protection panel, a made quote)."""
    draft.saved_by = None  # no page holds these words yet
    _store(draft, content)
    touch(draft)


def touch(draft: Draft) -> None:
    """Write a locked draft's row as its next revision."""
    draft.revision += 1
    draft.updated_at = timezone.now()
    draft.save()


def locked(user: User, draft_id: int) -> Draft:
    """Return the draft, its row locked in the running transaction.

    Raises Http404, and DraftIsSendingError while its mail is on its way.
    """
    draft = (
        Draft.objects.select_for_update(no_key=True, of=("self",))
        .select_related("account__server", "identity")
        .filter(user=user, pk=draft_id)
        .first()
    )
    if draft is None:
        raise Http404
    if is_held(draft):
        raise DraftIsSendingError
    return draft


def is_held(draft: Draft) -> bool:
    """Whether the draft's mail is on its way."""
    return OutgoingMail.objects.filter(draft=draft, state__in=LIVE).exists()


def drafts_of(user: User, message: Message, *, relation: str) -> QuerySet[Draft]:
    """Return the person's drafts with this relation to a message, the newest first."""
    rows = Draft.objects.filter(user=user, related_message=message, relation=relation)
    return rows.exclude(outgoing__state__in=LIVE).order_by("-updated_at")


def discard(user: User, draft_id: int) -> None:
    """Throw a draft away with its files, and what it continues. Raises Http404,
    DraftIsSendingError.
    """
    with transaction.atomic():
        draft = locked(user, draft_id)
        placed.remove(draft)
        delete(draft)


def delete(draft: Draft) -> None:
    """Remove a draft that is not on its way; its files go when the transaction is through."""
    keys = list(DraftAttachment.objects.filter(draft=draft).values_list("key", flat=True))
    draft.delete()
    for key in keys:
        transaction.on_commit(partial(sealed_files.drop, key))


def expire_unsaved() -> int:
    """Remove drafts that nobody ever wrote into; return how many."""
    old = Draft.objects.filter(revision=0, created_at__lt=timezone.now() - UNSAVED_FOR)
    count = 0
    for draft in old.exclude(outgoing__state__in=LIVE)[:200]:
        delete(draft)
        count += 1
    return count


def _store(draft: Draft, content: DraftContent) -> None:
    draft.sealed_content = seal_content(content, draft_id=draft.pk)


def _lines(text: str) -> str:
    """Return form text with bare line feeds (browsers send CR LF)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
