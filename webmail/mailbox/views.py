"""Buttons of the list and of an open message: act, undo."""

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
)
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from webmail.mailbox import actions, intents
from webmail.mailbox.forms import ActionForm, UndoForm


class SeeOther(HttpResponseRedirect):
    """The answer to a form is at another address (RFC 9110 §15.4.4)."""

    status_code = 303


@login_required
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Do what a button says with the checked or open mail."""
    form = ActionForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(_("This form is not complete."))
    done = actions.perform(
        request.user,
        form.action_name,
        kind=form.id_kind,
        ids=form.cleaned_data["ids"],
        folder_id=form.cleaned_data["folder"],
        target_id=form.cleaned_data["target"],
    )
    return _answer(request, form.cleaned_data["next"], done.words, undo=str(done.group))


@login_required
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take a group of changes back."""
    form = UndoForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(_("This form is not complete."))
    is_whole = intents.undo(request.user, form.cleaned_data["group"])
    words = _("Undone") if is_whole else _("This could not be undone completely.")
    return _answer(request, form.cleaned_data["next"], words)


def _answer(request: HttpRequest, following: str, words: str, *, undo: str = "") -> HttpResponse:
    """204 with the toast for a script, else a redirect to where the form was."""
    if request.headers.get("HX-Request"):
        toast = {"words": words} | ({"undo": undo} if undo else {})
        # ASCII: header fields are not a place for other characters.
        return HttpResponse(status=204, headers={"Signet-Toast": json.dumps(toast)})
    messages.info(request, words, extra_tags=undo)
    is_ours = url_has_allowed_host_and_scheme(
        following, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return SeeOther(following if is_ours else "/")
