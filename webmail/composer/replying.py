"""Answers, forwards, drafts begun elsewhere: the draft at once, its text from the crypto lane.

What came encrypted is opened there alone, with a key ticket, and the draft says so: it can only
leave encrypted. Recipients are never taken from what the mirror knows of a secured message.
"""

import logging
import time
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.lanes import post
from accounts.models import Identity, User
from smime.reading import Reading
from webmail.composer import attachments, certificates, drafts, habits, placed
from webmail.composer.attachments import AttachmentRefusedError
from webmail.composer.content import DraftContent, seal_content
from webmail.composer.models import Draft, DraftAttachment
from webmail.composer.originals import NotReadableError, files_of, read_original
from webmail.composer.placed import CONTINUED
from webmail.composer.quoting import Original, answer, continued, forward
from webmail.composer.recipients import comparable
from webmail.html import own_html
from webmail.mailbox import bodies
from webmail.mailbox.models import Message

log = logging.getLogger(__name__)

WAIT = 1.5  # seconds that the page waits for the quoted text
_POLL = 0.02
_LOST_AFTER = timedelta(seconds=20)  # then the page asks for it again
_WAITING = (Draft.Preparation.RUNNING, Draft.Preparation.FILLING)


def start(user: User, message: Message, *, relation: str, request: HttpRequest) -> Draft:
    """Make the draft of an answer, a forward or a continued draft; wait a moment for its text.

    Raises NoIdentityError.
    """
    identity = _identity_for(user, message)
    sign, encrypt = certificates.default_protection(user, identity, request)
    draft = drafts.new(
        user,
        identity=identity,
        relation=relation,
        related_message=message,
        sign=sign,
        encrypt=encrypt,
    )
    _ask(draft, request)
    deadline = time.monotonic() + WAIT
    while draft.is_preparing and time.monotonic() < deadline:
        time.sleep(_POLL)
        draft.refresh_from_db()
    return draft


def continue_draft(user: User, message: Message, *, request: HttpRequest) -> Draft:
    """Return the draft here that stands for one of another mail program; made if there is none.

    One whose text could not be read is tried again. Raises Http404, NoIdentityError.
    """
    if not placed.is_draft(message):
        raise Http404
    earlier = drafts.drafts_of(user, message, relation=CONTINUED).first()
    if earlier is None:
        return start(user, message, relation=CONTINUED, request=request)
    failed = Draft.objects.filter(pk=earlier.pk, preparation=Draft.Preparation.FAILED, revision=0)
    if failed.update(preparation=Draft.Preparation.RUNNING, failure="", updated_at=timezone.now()):
        _ask(earlier, request)
    return earlier


def ask_again(draft: Draft, request: HttpRequest) -> None:
    """Post the preparation once more if it seems to be lost."""
    before = timezone.now() - _LOST_AFTER
    lost = Draft.objects.filter(pk=draft.pk, preparation__in=_WAITING, updated_at__lt=before)
    if lost.update(preparation=Draft.Preparation.RUNNING, updated_at=timezone.now()):
        _ask(draft, request)


def prepare_reply(draft_id: int, ticket: str) -> None:
    """Fill a waiting draft (crypto lane); one that is filled already stays as it is."""
    if not _claim(draft_id):
        return
    draft = Draft.objects.select_related(
        "user", "identity", "related_message__account__server"
    ).get(pk=draft_id)
    message = draft.related_message
    if message is None:
        _fail(draft, _("The message is gone from the mail server."))
        return
    try:
        original, reading = _read(draft, message, ticket)
    except NotReadableError:
        _fail(
            draft, _("This message is encrypted and could not be opened. Unlock your keys first.")
        )
    except Exception:
        # Whatever it was: the person can still write; nothing of the original is in the log.
        log.exception("draft=%d message=%d event=quoting-failed", draft.pk, message.pk)
        _fail(draft, _("The message could not be read. The mail server may not answer."))
    else:
        _fill(draft, original, reading)


def _claim(draft_id: int) -> bool:
    """Take a waiting draft for this worker, without what a dead one attached to it."""
    with transaction.atomic():
        waiting = Draft.objects.filter(pk=draft_id, preparation=Draft.Preparation.RUNNING)
        if not waiting.update(preparation=Draft.Preparation.FILLING, updated_at=timezone.now()):
            return False
        for left in DraftAttachment.objects.filter(draft_id=draft_id):
            attachments.remove(left)
    return True


def _read(draft: Draft, message: Message, ticket: str) -> tuple[Original, Reading]:
    # Only what is secured needs keys: no other mail has a private key opened for it.
    keys = certificates.opened_keys(draft.user, ticket).pairs if message.is_secured else ()
    zone = ZoneInfo(draft.user.time_zone or "UTC")
    return read_original(bodies.raw(message), keys=keys, zone=zone)


def _fill(draft: Draft, original: Original, reading: Reading) -> None:
    signature = _signature_block(draft.identity)
    failure = ""
    if draft.relation == CONTINUED:
        content = continued(original)
        failure = _attach_files(draft, reading)
    elif draft.relation == "forward":
        content = forward(original, signature_html=signature)
        failure = _attach_files(draft, reading)
    else:
        own = [identity.address for identity in drafts.identities_for(draft.user)]
        to_all = draft.relation == "reply-all"
        content = answer(original, own=own, to_all=to_all, signature_html=signature)
    if habits.habits_of(draft.user).writes_plain and draft.relation != CONTINUED:
        content = replace(content, html="")
    is_encrypted = original.is_encrypted
    protection = {"sign": True, "encrypt": True} if is_encrypted else {}
    _finish(
        draft,
        content,
        preparation="",
        failure=failure,
        holds_encrypted_quote=is_encrypted,
        **protection,
    )


def _attach_files(draft: Draft, reading: Reading) -> str:
    """Attach the original's files; return why the first of those left out was, or ""."""
    failure = ""
    for file in files_of(reading):
        try:
            attachments.attach_content(
                draft.user,
                draft.pk,
                filename=file.filename,
                content_type=file.content_type,
                chunks=[file.content],
                is_from_encrypted=reading.is_decrypted,
            )
        except AttachmentRefusedError as refused:
            failure = failure or f"{file.filename}: {refused}"
    return failure


def _fail(draft: Draft, words: str) -> None:
    _finish(draft, DraftContent(), preparation=Draft.Preparation.FAILED, failure=words)


def _finish(draft: Draft, content: DraftContent, **columns: object) -> None:
    """Write the claimed draft; its revision stays 0: nobody wrote yet."""
    Draft.objects.filter(pk=draft.pk, preparation=Draft.Preparation.FILLING).update(
        sealed_content=seal_content(content, draft_id=draft.pk),
        updated_at=timezone.now(),
        **columns,
    )


def _ask(draft: Draft, request: HttpRequest) -> None:
    message = draft.related_message
    ticket = certificates.key_ticket(request) if message is not None and message.is_secured else ""
    post("composer.prepare_reply", draft.pk, ticket, lane="crypto")


def _identity_for(user: User, message: Message) -> Identity:
    """Return the identity the message was sent to, else one of its account, else the default."""
    identities = drafts.identities_for(user)
    named = {
        comparable(address)
        for field in ("to", "cc")
        for _name, address in message.recipients.get(field, [])
    } | {comparable(message.from_address)}
    of_account = [each for each in identities if each.account_id == message.account_id]
    addressed = [each for each in of_account if comparable(each.address) in named]
    for candidates in (addressed, of_account, identities):
        if candidates:
            return candidates[0]
    raise drafts.NoIdentityError


def _signature_block(identity: Identity) -> str:
    if not identity.signature.strip():
        return ""
    return f"<div>-- <br>{own_html(identity.signature)}</div>"
