"""The send button: store what the form holds, carry out the choice, queue, wait for the bytes."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from accounts.models import User
from webmail.composer import certificates, choices, drafts, habits, outbox
from webmail.composer.forms import ComposerPost
from webmail.composer.models import Draft, OutgoingMail
from webmail.composer.transitions import MailState


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The mail that a click made, and whether it is still being made ready."""

    mail: OutgoingMail
    is_repeat: bool

    @property
    def is_running(self) -> bool:
        """Whether its bytes are not made yet."""
        return self.mail.state == MailState.PREPARING

    @property
    def has_failed(self) -> bool:
        """Whether it could not be made; the draft says why."""
        return self.mail.state == MailState.FAILED


def store(user: User, draft_id: int, posted: ComposerPost) -> Draft:
    """Save what a form holds. Raises RevisionConflictError, DraftIsSendingError, Http404."""
    return drafts.save(
        user,
        draft_id,
        posted.content,
        posted.revision,
        identity=drafts.identity_for(user, posted.identity_id),
        sign=posted.sign,
        encrypt=posted.encrypt,
        overrides=posted.keeps_this,
        page=drafts.Page(posted.key, posted.step, posted.before),
    )


def send_off(user: User, draft_id: int, posted: ComposerPost, request: HttpRequest) -> Sent:
    """Send a draft once per click, however often the click arrives.

    Raises outbox.NotSendable, RevisionConflictError, Http404.
    """
    if (earlier := _earlier(user, draft_id, posted)) is not None:
        return _repeat(earlier)
    try:
        if posted.has_content:
            store(user, draft_id, posted)
        if posted.choice:
            choices.choose(user, draft_id, posted.choice)
        draft = drafts.draft_for(user, draft_id)
        mail = outbox.queue(user, draft, idempotency_key=posted.key, request=request)
        if posted.has_content and not draft.relation:
            _remember(user, draft, posted, request)
    except (drafts.DraftIsSendingError, drafts.RevisionConflictError, Http404):
        # The same click in another request may have been quicker.
        earlier = _earlier(user, draft_id, posted)
        if earlier is None:
            raise
        return _repeat(earlier)
    return Sent(mail=outbox.wait_while_preparing(mail), is_repeat=False)


def _remember(user: User, draft: Draft, posted: ComposerPost, request: HttpRequest) -> None:
    """Keep how a new mail was written."""
    content = posted.content
    habits.remember(
        user,
        shows_cc=bool(content.cc),
        shows_bcc=bool(content.bcc),
        writes_plain=posted.is_plain,
    )
    if posted.moved_switches and not posted.choice:
        own = certificates.own_keys(user, draft.identity.address, request)
        if own.can_sign:  # else "off" was no choice
            habits.remember_protection(draft.identity, sign=posted.sign, encrypt=posted.encrypt)


def _earlier(user: User, draft_id: int, posted: ComposerPost) -> OutgoingMail | None:
    return outbox.queued_by(user, posted.key) or outbox.live_mail_of(user, draft_id)


def _repeat(mail: OutgoingMail) -> Sent:
    return Sent(mail=outbox.wait_while_preparing(mail), is_repeat=True)
