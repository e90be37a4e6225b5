"""What people do with attachments: answer invitations, save contacts, go to a reported mail."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webmail.attached.itip import ANSWERS
from webmail.composer import answers, contacts
from webmail.composer import invitations as sending
from webmail.composer.composer_page import open_url
from webmail.composer.forms import whole_number
from webmail.composer.outbox import NotSendable
from webmail.composer.sending_off import Sent
from webmail.mailbox.access import message_for
from webmail.pages import invitations
from webmail.pages.reported import reported_message
from webmail.reader import shown
from webmail.reader.variants import Variant


@require_POST
@login_required
def invitation(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send the answer to an invitation to its organiser."""
    user: Any = request.user
    message = message_for(user, message_id)
    path = request.POST.get("path", "")
    answer = next((each for each in ANSWERS if each == request.POST.get("answer")), None)
    if answer is None:
        raise Http404
    reply, identity = invitations.reply_to(request, user, message, path, answer)
    draft = sending.draft_of(user, reply, identity=identity, request=request)
    try:
        mail = sending.send(user, draft, request=request)
    except NotSendable:
        # The composer says what is missing; nothing went out.
        if answers.is_htmx(request):
            return answers.toasted({"words": ""}, go_to=open_url(draft.pk))
        return redirect(open_url(draft.pk))
    invitations.remember_answer(message, path, answer, envelope_id=mail.envelope_id)
    response = answers.sent(request, Sent(mail=mail, is_repeat=False), draft.pk)
    response["Signet-Again"] = reverse("reader:attached-cards", args=[message.pk])
    return response


@require_POST
@login_required
def save_contact(request: HttpRequest, message_id: int) -> HttpResponse:
    """Save a contact that came by mail in the address book."""
    user: Any = request.user
    message = message_for(user, message_id)
    number = whole_number(request.POST.get("card"))
    found = shown.shown(request, message, request.POST.get("path", ""), Variant())
    cards = (found or {}).get("cards", {}).get("cards", [])
    if number is None or number >= len(cards):
        raise Http404
    try:
        contact = contacts.save_card(user, cards[number])
    except contacts.NotSaved as problem:
        words = str(problem)
    else:
        words = _("{name} is in your contacts.").format(name=contact.shown)
    if answers.is_htmx(request):
        return answers.toasted({"words": words})
    messages.info(request, words)
    return redirect("pages:message", message.pk)


@require_GET
@login_required
def reported(request: HttpRequest, message_id: int) -> HttpResponse:
    """Go to the mail that a delivery report is about."""
    user: Any = request.user
    message = message_for(user, message_id)
    original = reported_message(request, user, message)
    if original is not None:
        return redirect("pages:message", original.pk)
    messages.warning(
        request,
        _(
            "The message this report is about is not in your mailbox. Reports about mail that was"
            " never sent are sometimes forged."
        ),
    )
    return redirect("pages:message", message.pk)
