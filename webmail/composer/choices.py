"""Carrying out what a person chose on the protection panel: on the stored draft, told by name."""

from dataclasses import replace

from django.db import transaction

from accounts.models import User
from webmail.composer import attachments, drafts
from webmail.composer.content import DraftContent
from webmail.composer.models import Draft, DraftAttachment
from webmail.composer.presenting import RecipientState
from webmail.composer.quoting import leaks, without_secrets
from webmail.composer.recipients import Recipient, comparable
from webmail.composer.validation import recipient_chips


def choose(user: User, draft_id: int, choice: str) -> Draft:
    """Change the draft as chosen and return it.

    "signed": not encrypted. "plain": neither signed nor encrypted. "encrypt": encryption on.
    "able-only": only those who can read encrypted mail. "remove-quote": without what came
    encrypted, not encrypted. Raises Http404, DraftIsSendingError.
    """
    with transaction.atomic():
        draft = drafts.locked(user, draft_id)
        content = drafts.content_of(draft)
        match choice:
            case "signed":
                draft.encrypt = False
            case "plain":
                draft.sign = draft.encrypt = False
            case "encrypt":
                draft.sign = draft.encrypt = True
            case "able-only":
                content = _able_only(user, content)
            case "remove-quote":
                content = _remove_quote(draft, content)
            case _:
                return draft
        drafts.rewrite(draft, content)
    return draft


def _able_only(user: User, content: DraftContent) -> DraftContent:
    able = {
        comparable(chip.address)
        for chip in recipient_chips(user, content)
        if chip.state == RecipientState.OK
    }

    def kept(people: tuple[Recipient, ...]) -> tuple[Recipient, ...]:
        return tuple(each for each in people if comparable(each.address) in able)

    return replace(content, to=kept(content.to), cc=kept(content.cc), bcc=kept(content.bcc))


def _remove_quote(draft: Draft, content: DraftContent) -> DraftContent:
    for attachment in DraftAttachment.objects.filter(draft=draft, is_from_encrypted=True):
        attachments.remove(attachment)
    content = without_secrets(content)
    # Words of it that the person moved into their own sentences keep the draft encrypted.
    draft.holds_encrypted_quote = leaks(content)
    if not draft.holds_encrypted_quote:
        draft.encrypt = False
        content = replace(content, secret_lines=(), secret_subject="")
    return content
