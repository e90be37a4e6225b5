"""The outbox's page and posts."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webmail.composer import outbox, outbox_page
from webmail.composer.answers import is_htmx, toasted, user_of
from webmail.composer.composer_page import open_url


@login_required
@require_GET
def outbox_list(request: HttpRequest) -> HttpResponse:
    """List what is on its way."""
    return _page(request)


@login_required
@require_POST
def undo(request: HttpRequest, outgoing_id: int) -> HttpResponse:
    """Call a mail back into the composer, or say that it is too late."""
    draft = outbox.undo(user_of(request), outgoing_id)
    if draft is None:
        return _refused(request, _("Too late: the message was already handed over."))
    if is_htmx(request):
        return toasted({"words": _("Sending undone")}, go_to=open_url(draft.pk))
    return redirect(open_url(draft.pk))


@login_required
@require_POST
def send_now(request: HttpRequest, outgoing_id: int) -> HttpResponse:
    """Do not wait any longer."""
    done = outbox.send_now(user_of(request), outgoing_id)
    return _done(request) if done else _refused(request, _("The message is on its way already."))


@login_required
@require_POST
def again(request: HttpRequest, outgoing_id: int) -> HttpResponse:
    """Send an unconfirmed mail once more."""
    done = outbox.send_again(user_of(request), outgoing_id)
    return _done(request) if done else _refused(request, _("There is nothing to send again."))


@login_required
@require_POST
def settle(request: HttpRequest, outgoing_id: int) -> HttpResponse:
    """Book an unconfirmed mail as arrived."""
    done = outbox.settle(user_of(request), outgoing_id)
    return _done(request) if done else _refused(request, _("There is nothing left to decide."))


def _done(request: HttpRequest) -> HttpResponse:
    return toasted({"words": _("Sending")}) if is_htmx(request) else redirect("composer:outbox")


def _refused(request: HttpRequest, words: str) -> HttpResponse:
    if is_htmx(request):
        return toasted({"words": words}, status=409)
    return _page(request, failure=words, status=409)


def _page(request: HttpRequest, *, failure: str = "", status: int = 200) -> HttpResponse:
    items = outbox_page.outbox_for(user_of(request))
    context = {"items": items, "failure": failure}
    return render(request, "composer/outbox.html", context, status=status)
