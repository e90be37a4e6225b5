"""Answering an invitation: the reader knows what it says, the composer sends the answer."""

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.dispatch import receiver
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Identity, User
from smime import unlocking
from webmail.attached import itip
from webmail.composer import drafts
from webmail.composer.invitations import Reply
from webmail.composer.models import OutgoingMail
from webmail.composer.recipients import Recipient
from webmail.composer.transitions import MailState
from webmail.mailbox.models import Message
from webmail.reader import preview_store
from webmail.reader.calendar_words import event_view, when_words
from webmail.reader.models import InvitationAnswer, Reading
from webmail.reader.parts import PATIENCE
from webmail.reader.reading import ask
from webmail.reader.signals import asked_what_failed

_SUBJECTS = {
    "ACCEPTED": gettext_lazy("Accepted: {title}"),
    "TENTATIVE": gettext_lazy("Maybe: {title}"),
    "DECLINED": gettext_lazy("Declined: {title}"),
}
_SENTENCES = {
    "ACCEPTED": gettext_lazy("{name} accepts the invitation."),
    "TENTATIVE": gettext_lazy("{name} may come."),
    "DECLINED": gettext_lazy("{name} declines the invitation."),
}


def facts_of(request: HttpRequest, message: Message) -> dict[str, Any] | None:
    """Return what is known of a message's attachments, having a worker look if need be."""
    key = partial(unlocking.opened_key, request)
    facts = preview_store.load(message, session_key=key)
    if facts is None:
        ask(request, message, "reader.preview", patience=PATIENCE)
        facts = preview_store.load(message, session_key=key)
    return facts


def entry_of(request: HttpRequest, message: Message, path: str) -> dict[str, Any]:
    """Return what is known of an attachment; Http404 if it may not be looked into."""
    facts = facts_of(request, message)
    entry = facts["entries"].get(path) if facts else None
    if entry is None:
        raise Http404
    return dict(entry)


def identity_for(user: User, event: Mapping[str, Any]) -> Identity:
    """Return who of the person's addresses is invited, else the one they usually write from."""
    invited = {each["address"].lower() for each in event["attendees"]}
    known = drafts.identities_for(user)
    return next(
        (each for each in known if each.address.lower() in invited), None
    ) or drafts.identity_for(user, None)


def reply_to(
    request: HttpRequest, user: User, message: Message, path: str, answer: itip.Answer
) -> tuple[Reply, Identity]:
    """Return the answer to the invitation at `path`. Http404 if there is none to answer."""
    calendar = entry_of(request, message, path).get("calendar")
    if not calendar or not calendar["events"]:
        raise Http404
    event = calendar["events"][0]
    if not event_view(calendar, event).can_answer:
        raise Http404
    identity = identity_for(user, event)
    name = identity.name or identity.address
    title = " ".join(event["summary"].split()) or _("(no title)")
    sentence = str(_SENTENCES[answer]).format(name=name)
    when = when_words(event["start"], event["end"])
    organizer = event["organizer"]
    reply = Reply(
        organizer=Recipient(name=organizer["name"], address=organizer["address"]),
        subject=str(_SUBJECTS[answer]).format(title=title)[:900],
        text=f"{sentence}\n\n{title}\n{when}\n",
        calendar=itip.reply(
            answer=answer,
            uid=event["uid"],
            sequence=event["sequence"],
            summary=title,
            organizer=organizer["address"],
            attendee=identity.address,
            attendee_name=identity.name,
            echo=event["echo"],
            now=timezone.now(),
        ),
        in_reply_to=message.message_id,
        references=(message.message_id,) if message.message_id else (),
        came_encrypted=Reading.objects.filter(message=message, is_encrypted=True).exists(),
    )
    return reply, identity


def remember_answer(
    message: Message, path: str, answer: itip.Answer, *, envelope_id: uuid.UUID
) -> None:
    """Keep what was answered, for the page, and the mail that carries it."""
    InvitationAnswer.objects.update_or_create(
        message=message,
        path=path[:200],
        defaults={"answer": answer, "envelope_id": envelope_id, "answered_at": timezone.now()},
    )


@receiver(asked_what_failed, dispatch_uid="pages.failed-answers")
def _failed(sender: object, *, envelope_ids: set[uuid.UUID], **_more: Any) -> set[uuid.UUID]:  # noqa: ARG001
    """Say which answers did not go out."""
    ended = (MailState.FAILED, MailState.CANCELLED)
    failed = OutgoingMail.objects.filter(envelope_id__in=envelope_ids, state__in=ended)
    return set(failed.values_list("envelope_id", flat=True))
