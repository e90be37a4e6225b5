"""The reader's own addresses: frames, parts, images, source, marked links."""

from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from smime import unlocking
from webmail.html import attachment_headers, frame_headers
from webmail.mailbox.access import message_for
from webmail.mailbox.models import Message
from webmail.reader import images, links, parts, permissions, proxy
from webmail.reader.attachment_views import not_here
from webmail.reader.pieces import Kept
from webmail.reader.reading import Ask, ask, ask_late
from webmail.reader.store import Documents, load_documents
from webmail.reader.variants import Variant

SOURCE_SHOWN = 2_000_000  # octets; the rest is to be had by downloading


def _documents(
    request: HttpRequest, kind: str, token: str, *, render: Ask = ask_late
) -> tuple[Documents | None, int]:
    """Return the documents a token points into, rendering again if they left the cache.

    `render`: how to wait for that; `ask` for views that wait for something else besides.
    """
    user: Any = request.user
    target = links.read(kind, token, user_id=user.pk)
    message = message_for(user, target.message_id)
    variant, key = Variant.parse(target.variant), partial(unlocking.opened_key, request)
    found = load_documents(message, variant, session_key=key)
    if found is None:
        render(request, message, "reader.render", variant.key, patience=parts.PATIENCE)
        found = load_documents(message, variant, session_key=key)
    return found, int(target.position)


def _sent_in_pieces(
    request: HttpRequest, message: Message, path: str, found: Kept, headers: dict[str, str]
) -> StreamingHttpResponse:
    """Pass a content on piece by piece; the web process never holds a whole attachment."""
    length = {} if found.size is None else {"Content-Length": str(found.size)}
    return StreamingHttpResponse(
        parts.sent(request, message, path, found), headers={**headers, **length}
    )


@require_GET
@login_required
def frame(request: HttpRequest, token: str) -> HttpResponse:
    """Serve one finished document into its sandboxed frame."""
    documents, position = _documents(request, "frame", token)
    if documents is None or position >= len(documents.frames):
        raise Http404
    return HttpResponse(documents.frames[position], headers=frame_headers())


@require_GET
@login_required
def part(request: HttpRequest, token: str) -> HttpResponseBase:
    """Serve one part: downloaded, or in place for images and text."""
    user: Any = request.user
    target = links.read("part", token, user_id=user.pk)
    message = message_for(user, target.message_id)
    try:
        found = parts.content(request, message, target.position)
    except parts.NotTakenOut as problem:
        return not_here(request, message, problem)
    headers = attachment_headers(
        found.filename,
        found.content_type,
        inline="download" not in request.GET,
        content_start=found.start[:32],
    )
    return _sent_in_pieces(request, message, target.position, found, headers)


@require_GET
@login_required
def img(request: HttpRequest, token: str) -> HttpResponse:
    """Serve a remote image from the proxy's cache, having it fetched first if need be."""
    documents, position = _documents(request, "img", token, render=ask)
    if documents is None or position >= len(documents.images):
        raise Http404
    picture = proxy.picture(request, documents.images[position])
    if picture is None:
        raise Http404
    headers = attachment_headers(
        "image", picture.content_type, inline=True, content_start=picture.content[:32]
    )
    headers["Cache-Control"] = f"private, max-age={images.KEPT_FOR}"
    return HttpResponse(picture.content, headers=headers)


@require_GET
@login_required
def go(request: HttpRequest, token: str) -> HttpResponse:
    """Name the real target of a deceptive link before anyone goes there."""
    documents, position = _documents(request, "go", token)
    if documents is None or position >= len(documents.targets):
        raise Http404
    return render(request, "reader/go.html", {"target": documents.targets[position]})


@require_GET
@login_required
def source(request: HttpRequest, message_id: int) -> HttpResponse:
    """Show the message as it came, as text."""
    message = message_for(request.user, message_id)
    try:
        found = parts.content(request, message, parts.SOURCE)
    except parts.NotTakenOut as problem:
        return not_here(request, message, problem)
    beginning = found.first(SOURCE_SHOWN + 1)
    text = beginning[:SOURCE_SHOWN].decode("utf-8", "replace")
    context = {"message": message, "source": text, "is_cut": len(beginning) > SOURCE_SHOWN}
    return render(request, "reader/source.html", context)


@require_GET
@login_required
def raw(request: HttpRequest, message_id: int) -> HttpResponseBase:
    """Download the message as it came."""
    message = message_for(request.user, message_id)
    try:
        found = parts.content(request, message, parts.SOURCE)
    except parts.NotTakenOut as problem:
        return not_here(request, message, problem)
    headers = attachment_headers(found.filename, "message/rfc822")
    return _sent_in_pieces(request, message, parts.SOURCE, found, headers)


@require_POST
@login_required
def load_images(request: HttpRequest, message_id: int) -> HttpResponse:
    """Load remote images once, always for this sender, or never again."""
    user: Any = request.user
    message = message_for(user, message_id)
    choice = request.POST.get("choice", "once")
    permissions.choose(user, message, choice)
    back = _back(request, message)
    if choice != "never":
        back += f"{'&' if '?' in back else '?'}images=once"
    return HttpResponseRedirect(f"{back}#opened-{message.pk}")


def _back(request: HttpRequest, message: Message) -> str:
    """Return the message's page beside the list that the form was on."""
    page = reverse("pages:message", args=[message.pk])
    following = request.POST.get("next", "")
    return following if following.startswith(f"{page}?") and "#" not in following else page
