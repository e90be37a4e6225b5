"""The crypto lane: the final bytes of a mail, made once.

Message-ID and Date are those of the row, so a repeat after a crash differs in boundaries at most,
and only as long as nothing was sent: once the variants are in the table they are never made again.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from cryptography import x509
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.lanes import post
from smime import people, vault
from smime.pki import KeyPair
from smime.writable import allowed
from smime.writing import protect
from webmail.composer import attachments, drafts, outbox, sealed_files, sizes, transitions
from webmail.composer.certificates import opened_keys, own_certificates
from webmail.composer.content import DraftContent
from webmail.composer.ending import fail
from webmail.composer.leases import Heartbeat, LeaseLostError, Taken, take
from webmail.composer.models import Delivery, Draft, OutgoingMail, Variant
from webmail.composer.outward import Hidden, in_the_clear, policy_for
from webmail.composer.recipients import Recipient, comparable, sendable, without_repeats
from webmail.composer.transitions import MailState
from webmail.composer.variants import VariantPlan, content_cipher, plan_variants
from webmail.mailbox.changes import announce
from webmail.mime import Address
from webmail.mime.write import Attachment, Composition, assemble, build_entity, header_fields

log = logging.getLogger(__name__)

MOST_TRIES = 3  # crashes of the worker on one mail
_TICKET_LIVES = timedelta(seconds=60)
_NOT_MADE = gettext_lazy("The message could not be made ready. It is safe in Drafts.")


class CannotPrepareError(Exception):
    """The mail cannot be made; the text is a sentence for the person."""


class KeysLockedError(CannotPrepareError):
    """The key ticket is gone and the keys need it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    """What signs and who can read."""

    signer: KeyPair | None
    certificates: dict[str, x509.Certificate]  # by comparable address
    own: tuple[x509.Certificate, ...]  # of the sender, for the shared variant and the copy
    cipher: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    plan: VariantPlan
    key: str
    size: int


def prepare(outgoing_id: int, ticket: str) -> None:
    """Make the bytes of a mail and queue it, or reopen its draft with the reason."""
    taken = take(outgoing_id, state=MailState.PREPARING)
    if taken is None:
        return
    mail = (
        OutgoingMail.objects.select_related("account__server", "user", "draft__identity")
        .filter(pk=outgoing_id)
        .get()
    )
    try:
        with Heartbeat(taken):
            _prepare(taken, mail, ticket)
    except KeysLockedError as error:
        if timezone.now() - mail.created_at < _TICKET_LIVES and not ticket:
            # The task that holds the ticket may still come.
            taken.write(lease_until=None, handed_until=timezone.now() + timedelta(seconds=20))
        else:
            _give_up(taken, mail, str(error))
    except CannotPrepareError as error:
        _give_up(taken, mail, str(error))
    except LeaseLostError:
        log.warning("outgoing=%d event=taken-over", outgoing_id)
    except Exception:
        # A fault of ours (a full disk, a lost file): told at once, nothing was sent.
        log.exception("outgoing=%d event=preparing-broke", outgoing_id)
        _give_up(taken, mail, str(_NOT_MADE))


def _prepare(taken: Taken, mail: OutgoingMail, ticket: str) -> None:
    draft = mail.draft
    if draft is None or taken.fence > MOST_TRIES:
        raise CannotPrepareError(str(_NOT_MADE))
    content = _deduplicated(drafts.content_of(draft))
    keys = _keys(mail, draft, content, ticket)
    composition = _composition(mail, draft, content)
    hidden = Hidden(content.hidden_people, content.hidden_ids)
    if not draft.encrypt:
        composition = in_the_clear(composition, hidden)
    entity = build_entity(composition)
    plans = plan_variants(
        to=_envelope(content.to),
        cc=_envelope(content.cc),
        bcc=_envelope(content.bcc),
        encrypt=draft.encrypt,
    )
    made: list[_Made] = []
    sent_copy_key = ""
    try:
        for plan in plans:
            readers = [keys.certificates[comparable(reader)] for reader in plan.readers]
            readers += keys.own if plan.for_sender else ()
            made.append(
                _store(mail, plan, _bytes(composition, entity, keys, hidden, readers=readers))
            )
        readers = list(keys.own) if draft.encrypt else []
        copy = _bytes(composition, entity, keys, hidden, readers=readers, with_bcc=True)
        sent_copy_key, _size = sealed_files.write([copy])
        _queue(taken, mail, made, sent_copy_key)
    except BaseException:
        for key in (*(each.key for each in made), sent_copy_key):
            sealed_files.drop(key)
        raise


def _bytes(
    composition: Composition,
    entity: bytes,
    keys: _Keys,
    hidden: Hidden,
    *,
    readers: Sequence[x509.Certificate],
    with_bcc: bool = False,
) -> bytes:
    fields = header_fields(composition, with_bcc=with_bcc)
    if keys.signer is None:
        return assemble(fields, entity)
    return protect(
        entity,
        fields,
        signer=keys.signer,
        recipients=list(readers),
        cipher=keys.cipher,
        policy=policy_for(composition, hidden),
        post_quantum=allowed(),
    )


def _store(mail: OutgoingMail, plan: VariantPlan, content: bytes) -> _Made:
    limit = sizes.limit(mail.account.server)
    if len(content) > limit:
        raise CannotPrepareError(
            _("Too large for this server: %(size)s of at most %(limit)s. Remove a file.")
            % {"size": sizes.words(len(content)), "limit": sizes.words(limit)}
        )
    key, size = sealed_files.write([content])
    return _Made(plan=plan, key=key, size=size)


def _queue(taken: Taken, mail: OutgoingMail, made: Sequence[_Made], sent_copy_key: str) -> None:
    transitions.check(MailState.PREPARING, MailState.QUEUED)
    now = timezone.now()
    window = outbox.undo_window()
    with transaction.atomic():
        for each in made:
            variant = Variant.objects.create(outgoing=mail, key=each.key, size=each.size)
            Delivery.objects.bulk_create(
                Delivery(variant=variant, recipient=address) for address in each.plan.recipients
            )
        taken.let_go(
            state=MailState.QUEUED,
            state_since=now,
            due_at=now + window,
            sent_copy_key=sent_copy_key,
        )
        announce(mail.account, folder_ids=(), kind="outbox")
        if not window:
            post("composer.send", mail.pk, lane="send")


def _give_up(taken: Taken, mail: OutgoingMail, reason: str) -> None:
    try:
        fail(taken, mail, before=MailState.PREPARING, reason=reason, now=timezone.now())
    except LeaseLostError:
        log.warning("outgoing=%d event=taken-over", mail.pk)


def _keys(mail: OutgoingMail, draft: Draft, content: DraftContent, ticket: str) -> _Keys:
    """Open what this mail needs. Raises CannotPrepareError rather than send it weaker."""
    if not draft.sign and not draft.encrypt:
        return _Keys(signer=None, certificates={}, own=(), cipher="")
    opened = opened_keys(mail.user, ticket)
    address = draft.identity.address
    signer = vault.signing_key(mail.user, address, opened)
    if signer is None:
        if opened.locked:
            raise KeysLockedError(_("Your keys are locked. Unlock them and send again."))
        raise CannotPrepareError(
            _("You have no certificate that can sign for this address and is not withdrawn.")
        )
    if not draft.encrypt:
        return _Keys(signer=signer, certificates={}, own=(), cipher="")
    return _readers(mail, content, signer=signer, address=address)


def _readers(mail: OutgoingMail, content: DraftContent, *, signer: KeyPair, address: str) -> _Keys:
    own = own_certificates(mail.user, address)
    if not own:
        raise CannotPrepareError(_("You have no certificate to encrypt your own copy for."))
    addresses = sorted({comparable(each.address) for each in content.everyone()})
    states = people.recipient_states(mail.user, addresses, timezone.now())
    certificates: dict[str, x509.Certificate] = {}
    for each in addresses:
        state = states.get(each)
        if state is None or state.code != "ok" or state.certificate is None:
            raise CannotPrepareError(
                _("There is no valid certificate for %s any more. Nothing was sent.") % each
            )
        certificates[each] = x509.load_der_x509_certificate(bytes(state.certificate.der))
    capable = {each: states[each].gcm_capable for each in addresses}
    return _Keys(signer=signer, certificates=certificates, own=own, cipher=content_cipher(capable))


def _composition(mail: OutgoingMail, draft: Draft, content: DraftContent) -> Composition:
    return Composition(
        from_=Address(name=draft.identity.name, address=mail.envelope_from),
        to=_addresses(content.to),
        cc=_addresses(content.cc),
        bcc=_addresses(content.bcc),
        reply_to=(),
        subject=content.subject,
        date=mail.created_at.astimezone(ZoneInfo(mail.user.time_zone or "UTC")),
        message_id=mail.message_id,
        in_reply_to=content.in_reply_to or None,
        references=content.references,
        text=content.text,
        html=content.html or None,
        calendar=content.calendar or None,
        disposition=content.disposition or None,
        attachments=tuple(
            Attachment(
                filename=file.filename,
                content_type=file.content_type,
                content=b"".join(attachments.content_of(file)),
            )
            for file in attachments.files_of(draft)
        ),
        extra_fields=_extra_fields(mail, content),
    )


def _extra_fields(mail: OutgoingMail, content: DraftContent) -> tuple[tuple[str, str], ...]:
    if content.disposition:
        # RFC 8098 §3 wants an empty return path as well; submission servers take mail from its
        # author alone, so this field has to keep machines from answering (RFC 3834 §5).
        return (("Auto-Submitted", "auto-replied"),)
    if content.asks_receipt:
        return (("Disposition-Notification-To", f"<{mail.envelope_from}>"),)
    return ()


def _deduplicated(content: DraftContent) -> DraftContent:
    """Return the content with each person once, in the most open field."""
    seen: set[str] = set()
    return replace(
        content,
        to=without_repeats(content.to, seen=seen),
        cc=without_repeats(content.cc, seen=seen),
        bcc=without_repeats(content.bcc, seen=seen),
    )


def _addresses(recipients: Sequence[Recipient]) -> tuple[Address, ...]:
    return tuple(Address(name=each.name, address=sendable(each.address)) for each in recipients)


def _envelope(recipients: Sequence[Recipient]) -> tuple[str, ...]:
    return tuple(sendable(each.address) for each in recipients)
