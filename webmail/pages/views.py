"""Whole pages, put together from the apps' parts: parse, one call, render."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from webmail.mailbox.access import message_for
from webmail.pages import context, lists, preferences, probes, read_state
from webmail.pages.conversation import ConversationView, conversation_view
from webmail.pages.forms import LookForm, PersonForm
from webmail.pages.shell import DENSITIES, DENSITY_COOKIE, KEYBOARD_COOKIE, Shell
from webmail.reader.reading import opener_for

_YEAR = 365 * 24 * 3600  # seconds


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The inbox; sign-in for whom it does not know."""
    if not request.user.is_authenticated:
        return redirect("accounts:sign-in")
    return folder(request, "inbox")


@require_GET
@login_required
def folder(request: HttpRequest, name: str) -> HttpResponse:
    """One page of a folder's conversations."""
    user: Any = request.user
    found = lists.folder_named(user, name)
    if found is None and name != "inbox":
        raise Http404
    shell = Shell(request)
    page = (
        lists.folder_list(
            user,
            found,
            lists.ListAddress.of_folder(name, request.GET),
            opener=opener_for(request),
            state=shell.state,
        )
        if found is not None
        else lists.nothing_yet(state=shell.state)
    )
    section = "starred" if page.only == "starred" else ""
    return render(
        request,
        "mailbox/folder.html",
        {"shell": shell, "folder": found, "page": page, "section": section},
    )


@require_GET
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """Mail that matches words and operators; no words lead back to the folder."""
    user: Any = request.user
    address = lists.ListAddress.of_search(request.GET)
    if not address.query:
        return redirect("pages:folder", address.folder or "inbox")
    scope = lists.folder_named(user, address.folder)
    page = lists.search_list(user, address, folder=scope, opener=opener_for(request))
    return render(
        request,
        "mailbox/folder.html",
        {"folder": scope, "page": page, "query": address.query, "section": "search"},
    )


@require_GET
@login_required
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """An open message with its conversation, its list beside it."""
    user: Any = request.user
    found = message_for(user, message_id)
    address = lists.ListAddress.beside(request.GET)
    view = conversation_view(request, found, address)
    values: dict[str, Any] = {name: getattr(view, name) for name in view.__slots__}
    values["item"] = next(item for item in view.thread if item.is_open)
    pane = context.pane_asked(request)
    if pane == f"opened-{found.pk}":  # the body that was not ready when the page was made
        return render(request, "reader/opened.html", {**values, "is_late": True})
    if pane == f"m{found.pk}":  # a folded message opens in place
        return render(request, "reader/message.html", values)
    if pane != "reading":
        read_state.page_opened(user, found)
        shell = Shell(request)
        values["shell"] = shell
        values["page"] = _list_beside(request, address, shell, view)
    values["query"] = address.query
    return render(request, "reader/conversation.html", values)


def _list_beside(
    request: HttpRequest, address: lists.ListAddress, shell: Shell, view: ConversationView
) -> lists.ListView:
    user: Any = request.user
    found, opener, thread_id = view.folder, opener_for(request), view.message.thread_id
    if address.query:
        return lists.search_list(user, address, folder=found, opener=opener, open_thread=thread_id)
    if found is None:
        raise Http404
    return lists.folder_list(
        user, found, address, opener=opener, state=shell.state, open_thread=thread_id
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def user_settings(request: HttpRequest) -> HttpResponse:
    """Name, signature, time zone; theme, rows and keys; sessions."""
    user: Any = request.user
    section = request.POST.get("section", "")
    form = PersonForm(request.POST if section == "person" else None, user=user)
    if section == "person" and form.is_valid():
        preferences.save_person(user, **form.cleaned_data)
        return _saved(request)
    if section == "look":
        look = LookForm(request.POST)
        if look.is_valid():
            preferences.save_theme(user, look.cleaned_data["theme"])
            return _with_cookies(_saved(request), look)
    if section == "sessions":
        preferences.end_other_sessions(user, request)
        return _saved(request, _("All other sessions have ended."))
    status = 422 if section else 200
    values = {"form": form, "section": "settings", **preferences.choices()}
    return render(request, "pages/settings.html", values, status=status)


def _saved(request: HttpRequest, words: str = "") -> HttpResponse:
    messages.success(request, words or _("Saved."))
    return redirect("pages:settings")


def _with_cookies(response: HttpResponse, look: LookForm) -> HttpResponse:
    keyboard = "on" if look.cleaned_data["keyboard"] else "off"
    density = look.cleaned_data["density"] or DENSITIES[0]
    for name, value in ((KEYBOARD_COOKIE, keyboard), (DENSITY_COOKIE, density)):
        response.set_cookie(name, value, max_age=_YEAR, samesite="Lax", secure=settings.IS_HTTPS)
    return response


@require_GET
@login_required
def protection(request: HttpRequest) -> HttpResponse:
    """What the seals mean."""
    return render(request, "pages/protection.html", {"section": "protection"})


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Say that the process is up."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_GET
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Say whether the database, Redis and a worker answer; one line each."""
    findings = probes.findings(now=timezone.now())
    status = 200 if all(finding.is_good for finding in findings) else 503
    text = "".join(f"{finding.name} {finding.words}\n" for finding in findings)
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus: from this machine, or with the token."""
    if not probes.may_read_metrics(request):
        return HttpResponseForbidden("Metrics are for this machine or for bearers of the token.\n")
    text = probes.metrics_text(now=timezone.now())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")
