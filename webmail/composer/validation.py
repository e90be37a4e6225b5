"""May this draft be sent as it is? Asked before a mail is queued; nothing is written here."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Identity, User
from webmail.composer import attachments, certificates, drafts, sizes
from webmail.composer.content import DraftContent
from webmail.composer.forms import ComposerPost
from webmail.composer.models import Draft
from webmail.composer.presenting import ProtectionView, RecipientChip, RecipientState
from webmail.composer.protection import Wish, plan_protection
from webmail.composer.recipients import (
    MOST_RECIPIENTS,
    BadAddressError,
    sendable,
    without_repeats,
)


class NotSendable(Exception):  # noqa: N818 - the name is what it says
    """The mail was not queued. `message` is a sentence; `kind` a code; `protection` a panel."""

    def __init__(
        self, message: str, *, kind: str, protection: ProtectionView | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.protection = protection


def check_sendable(
    user: User, draft: Draft, content: DraftContent, request: HttpRequest | None
) -> None:
    """Raise NotSendable with the first reason why the draft cannot go out as it is."""
    if draft.is_preparing:
        raise NotSendable(_("The quoted text is still being prepared."), kind="preparing")
    _check_recipients(content)
    _check_size(draft, content)
    protection = protection_of(
        user,
        draft,
        recipient_chips(user, content),
        identity=draft.identity,
        sign=draft.sign,
        encrypt=draft.encrypt,
        request=request,
    )
    if protection is not None:
        raise NotSendable(protection.headline, kind=protection.kind, protection=protection)


def protection_while_typing(
    user: User, draft: Draft, posted: ComposerPost, request: HttpRequest
) -> ProtectionView | None:
    """Return the panel for the form as it is now; nothing is stored. Raises NoIdentityError.

    What is no address yet does not count: Send refuses it, and says so at the field.
    """
    everyone = recipient_chips(user, posted.content)
    return protection_of(
        user,
        draft,
        [chip for chip in everyone if chip.state != RecipientState.INVALID],
        identity=drafts.identity_for(user, posted.identity_id),
        sign=posted.sign,
        encrypt=posted.encrypt,
        request=request,
    )


def protection_of(
    user: User,
    draft: Draft,
    recipients: Sequence[RecipientChip],
    *,
    identity: Identity,
    sign: bool,
    encrypt: bool,
    request: HttpRequest | None,
) -> ProtectionView | None:
    """Return the panel that stands between a draft with these wishes and its sending, if any."""
    wish = Wish(sign=sign, encrypt=encrypt, holds_encrypted_quote=draft.holds_encrypted_quote)
    own = certificates.own_keys(user, identity.address, request)
    return plan_protection(wish=wish, own=own, recipients=recipients)


def recipient_chips(user: User, content: DraftContent) -> tuple[RecipientChip, ...]:
    """Return each person of the draft once, with what is known of their certificates."""
    seen: set[str] = set()
    entries = [
        (field, recipient)
        for field in ("to", "cc", "bcc")
        for recipient in without_repeats(getattr(content, field), seen=seen)
    ]
    return certificates.chips(user, entries)


def _check_recipients(content: DraftContent) -> None:
    everyone = content.everyone()
    if not everyone:
        raise NotSendable(_("Add at least one recipient."), kind="no-recipient")
    if len(everyone) > MOST_RECIPIENTS:
        raise NotSendable(
            _("A message can go to at most %d people at once.") % MOST_RECIPIENTS,
            kind="too-many-recipients",
        )
    for recipient in everyone:
        try:
            sendable(recipient.address)
        except BadAddressError as error:
            raise NotSendable(str(error), kind="bad-address") from None


def _check_size(draft: Draft, content: DraftContent) -> None:
    limit = sizes.limit(draft.account.server)
    expected = sizes.transferred(
        attachments.size_of_files(draft),
        len(content.text.encode()) + len(content.html.encode()),
        encrypted=draft.encrypt,
    )
    if expected > limit:
        raise NotSendable(
            _("Too large for this server: about %(size)s of at most %(limit)s. Remove a file.")
            % {"size": sizes.words(expected), "limit": sizes.words(limit)},
            kind="too-large",
        )
