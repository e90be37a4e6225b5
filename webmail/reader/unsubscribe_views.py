"""Leaving a list from its mail, and the lines that say what came of it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts import lanes, late_replies
from webmail.mailbox.access import message_for
from webmail.mailbox.models import Message
from webmail.reader import unsubscribing
from webmail.reader.asks import mail_url
from webmail.reader.reading import asks_of, open_message

PATIENCE = 22.0  # seconds: keys, POST, and the lane before them


@require_POST
@login_required
def unsubscribe(request: HttpRequest, message_id: int) -> HttpResponse:
    """Take the person's word: have one click carried out, or open the mail that leaves the list."""
    user: Any = request.user
    message = message_for(user, message_id)
    asks = asks_of(request, message)
    if not asks or not asks["list"]:
        raise Http404
    if request.POST.get("way") == "mail":
        return _open_mail(request, message, asks["list"])
    if unsubscribing.ask(user, message, asks["list"]) is None:
        raise Http404
    again = reverse("reader:asks", args=[message.pk])
    if _is_script(request):
        return HttpResponse(status=204, headers={"Signet-Again": again})
    return redirect(again)


def _open_mail(request: HttpRequest, message: Message, asks: dict[str, Any]) -> HttpResponse:
    user: Any = request.user
    mailto = mail_url(asks["mail"])
    if not mailto:
        raise Http404
    unsubscribing.note_mail(user, message, asks)
    url = f"{reverse('composer:compose')}?{urlencode({'mailto': mailto})}"
    if _is_script(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


@require_GET
@login_required
def asks(request: HttpRequest, message_id: int) -> HttpResponse:
    """Show what the message asks; a try that was agreed to is carried out and waited for."""
    user: Any = request.user
    message = message_for(user, message_id)
    row = unsubscribing.to_carry_out(user, message)
    if row is not None:
        pk = row.pk

        def post(reply: str) -> None:
            lanes.post("reader.unsubscribe", pk, reply, lane="fetch")

        late_replies.ask(request, post, PATIENCE)
    if not _is_script(request):
        return redirect("pages:message", message.pk)
    opened = open_message(request, message, wait=False)
    return render(request, "reader/asks.html", {"message_id": message.pk, "asks": opened.asks})


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
