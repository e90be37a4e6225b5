"""Addresses of attachments: cards, the viewer, drawn pages, frames of forwarded mail, the ZIP."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from webmail.attached import archive
from webmail.html import attachment_headers, frame_headers
from webmail.mailbox.access import message_for
from webmail.mailbox.models import Message
from webmail.reader import links, parts, shown, viewer_pages
from webmail.reader.reading import ask_late, open_message
from webmail.reader.variants import Variant


def _target(request: HttpRequest, kind: str, token: str) -> tuple[Message, links.Target]:
    user: Any = request.user
    target = links.read(kind, token, user_id=user.pk)
    return message_for(user, target.message_id), target


def _placed(request: HttpRequest, kind: str, token: str) -> tuple[Message, Variant, str, int]:
    """Return what a token whose position is "path#number" points at."""
    message, target = _target(request, kind, token)
    path, _sep, number = target.position.rpartition("#")
    return message, Variant.parse(target.variant), path, int(number)


@require_GET
@login_required
def cards(request: HttpRequest, message_id: int) -> HttpResponse:
    """Draw the attachments again, with their pictures and what they say."""
    message = message_for(request.user, message_id)
    ask_late(request, message, "reader.preview", patience=parts.PATIENCE)
    opened = open_message(request, message, wait=False)
    if opened.attached is None:
        raise Http404
    context = {"opened": opened, "item": {"id": message.pk}}
    return render(request, "reader/attachment_cards.html", context)


@require_GET
@login_required
def view(request: HttpRequest, token: str) -> HttpResponse:
    """Show one attachment: in the page's dialog, or without script as a page of its own."""
    message, target = _target(request, "attached", token)
    variant = Variant.parse(target.variant)
    try:
        found = shown.made(request, message, target.position, variant)
    except parts.NotTakenOut as problem:
        return not_here(request, message, problem)
    is_dialog = request.headers.get("HX-Request") == "true"
    view = viewer_pages.viewer_view(message, variant, target.position, found)
    template = "reader/attachment_view.html" if is_dialog else "reader/attachment_page.html"
    return render(request, template, {"view": view, "message": message})


@require_GET
@login_required
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Serve a drawn picture or page of a PDF."""
    message, _variant, path, number = _placed(request, "attached-page", token)
    found = shown.picture(request, message, path, number)
    if found is None:
        raise Http404
    headers = attachment_headers("page.webp", "image/webp", inline=True, content_start=found[:32])
    return HttpResponse(found, headers=headers)


def _documents(request: HttpRequest, kind: str, token: str) -> tuple[list[list[str]], int]:
    message, variant, path, number = _placed(request, kind, token)
    found = shown.shown(request, message, path, variant)
    if found is None or "documents" not in found:
        raise Http404
    return found["documents"], number


@require_GET
@login_required
def frame(request: HttpRequest, token: str) -> HttpResponse:
    """Serve a document of a forwarded message into its sandboxed frame."""
    (frames, _targets), number = _documents(request, "attached-frame", token)
    if number >= len(frames):
        raise Http404
    return HttpResponse(frames[number], headers=frame_headers())


@require_GET
@login_required
def go(request: HttpRequest, token: str) -> HttpResponse:
    """Name the real target of a deceptive link in a forwarded message."""
    (_frames, targets), number = _documents(request, "attached-go", token)
    if number >= len(targets):
        raise Http404
    return render(request, "reader/go.html", {"target": targets[number]})


@require_GET
@login_required
def download_all(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send all attachments as one ZIP, made while it is sent."""
    message, _of = _target(request, "attached-all", token)
    try:
        found = parts.all_of(request, message)
    except parts.NotTakenOut as problem:
        return not_here(request, message, problem)
    names = archive.unique_names(filename for filename, _pieces in found)
    files = ((name, content) for name, (_filename, content) in zip(names, found, strict=True))
    headers = attachment_headers(_("Attachments") + ".zip", "application/zip")
    return StreamingHttpResponse(archive.stream(files), headers=headers)


def not_here(request: HttpRequest, message: Message, problem: parts.NotTakenOut) -> HttpResponse:
    """Say why a part cannot be had, and what can."""
    context = {
        "message": message,
        "limit": settings.MESSAGE_LIMIT if problem.is_too_large else 0,
        "is_junk": problem.is_of_junk,
        "is_unreliable": problem.is_unreliable,
    }
    is_refused = problem.is_of_junk or problem.is_unreliable
    status = 422 if problem.is_too_large else 403 if is_refused else 503
    return render(request, "reader/part_missing.html", context, status=status)
