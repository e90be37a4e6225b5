"""The composer's pages and posts: parse, one call, answer. Everything works without script."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from webmail.composer import (
    answers,
    attachments,
    certificates,
    completion,
    drafts,
    replying,
    sending_off,
    starting,
    validation,
)
from webmail.composer.answers import is_htmx, page, user_of
from webmail.composer.composer_page import draft_items, open_url
from webmail.composer.forms import read_post, whole_number
from webmail.composer.outbox import NotSendable
from webmail.composer.recipients import parse

_MOST_ASKED = 500  # addresses in one question about recipients


@login_required
@require_GET
def compose(request: HttpRequest) -> HttpResponse:
    """Show a draft; without `draft`, make one as the link asks and go to it."""
    user = user_of(request)
    if "draft" in request.GET:
        draft = drafts.draft_for(user, whole_number(request.GET["draft"]) or 0)
        replying.ask_again(draft, request)
        return page(request, draft)
    try:
        draft = starting.start(user, request.GET, request)
    except drafts.NoIdentityError:
        return render(request, "composer/no_account.html", status=409)
    return redirect(open_url(draft.pk))


@login_required
@require_GET
def draft_list(request: HttpRequest) -> HttpResponse:
    """List what the person is writing."""
    return render(request, "composer/drafts.html", {"items": draft_items(user_of(request))})


@login_required
@require_POST
def save(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Store the form: by script at intervals, or by the button."""
    user, posted = user_of(request), read_post(request.POST)
    try:
        draft = sending_off.store(user, draft_id, posted)
    except drafts.RevisionConflictError as conflict:
        return answers.conflict(request, conflict.draft, posted)
    except drafts.DraftIsSendingError:
        return answers.is_sending(request)
    return answers.saved(request, draft)


@login_required
@require_POST
def attach(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Attach the uploaded files; the rest of the form is stored first."""
    user, posted = user_of(request), read_post(request.POST)
    failures: tuple[str, ...] = ()
    try:
        if posted.has_content:
            sending_off.store(user, draft_id, posted)
        failures = attachments.attach_all(user, draft_id, request.FILES.getlist("files"))
    except drafts.RevisionConflictError as conflict:
        return answers.conflict(request, conflict.draft, posted)
    except drafts.DraftIsSendingError:
        return answers.is_sending(request)
    return answers.files_changed(request, drafts.draft_for(user, draft_id), failures=failures)


@login_required
@require_POST
def detach(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Take a file out; the rest of the form is stored first."""
    user, posted = user_of(request), read_post(request.POST)
    try:
        if posted.has_content:
            sending_off.store(user, draft_id, posted)
        attachments.detach(user, draft_id, posted.attachment_id or 0)
    except drafts.RevisionConflictError as conflict:
        return answers.conflict(request, conflict.draft, posted)
    except drafts.DraftIsSendingError:
        return answers.is_sending(request)
    return answers.files_changed(request, drafts.draft_for(user, draft_id))


@login_required
@require_POST
def send(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Send the form's draft, once per click."""
    user, posted = user_of(request), read_post(request.POST)
    try:
        sent = sending_off.send_off(user, draft_id, posted, request)
    except drafts.RevisionConflictError as conflict:
        return answers.conflict(request, conflict.draft, posted)
    except NotSendable as refusal:
        return answers.not_sendable(request, drafts.draft_for(user, draft_id), refusal)
    return answers.sent(request, sent, draft_id)


@login_required
@require_POST
def protection(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Say what stands between the form as it is now and its sending."""
    user, posted = user_of(request), read_post(request.POST)
    draft = drafts.draft_for(user, draft_id)
    panel = validation.protection_while_typing(user, draft, posted, request)
    return answers.protection_panel(request, draft, panel)


@login_required
@require_POST
def discard(request: HttpRequest, draft_id: int) -> HttpResponse:
    """Throw a draft away."""
    try:
        drafts.discard(user_of(request), draft_id)
    except drafts.DraftIsSendingError:
        return answers.is_sending(request)
    if is_htmx(request):
        return HttpResponse(status=204)
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return redirect(target if is_ours else "composer:drafts")


@login_required
@require_GET
def recipients(request: HttpRequest) -> HttpResponse:
    """Say for each `address` whether encrypted mail can be written to them."""
    asked = parse(", ".join(request.GET.getlist("address")))[:_MOST_ASKED]
    chips = certificates.chips(user_of(request), [("", each) for each in asked])
    return JsonResponse(
        {
            "recipients": [
                {
                    "name": chip.name,
                    "address": chip.address,
                    "state": chip.state,
                    "words": chip.label,
                }
                for chip in chips
            ]
        }
    )


@login_required
@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """Complete the address or name that begins with `q`."""
    people = completion.suggest(user_of(request), request.GET.get("q", ""))
    return JsonResponse(
        {"people": [{"name": each.name, "address": each.address} for each in people]}
    )
