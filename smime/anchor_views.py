"""The pages on which a person trusts an authority of their own, or no longer."""

import base64
import binascii
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import confirming
from smime import deciding_anchors, person_anchors
from smime.deciding import DecisionError
from smime.models import PersonAnchor
from smime.views import confirmation_problem, person

_DOMAINS_LENGTH = 8192  # characters of the field
# Base64 needs four characters for three octets; one more octet tells that a file is too large.
_CARRIED_LENGTH = (deciding_anchors.FILE_LIMIT // 3 + 2) * 4


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_anchor(request: HttpRequest) -> HttpResponse:
    """Take an authority's file and its domains, show what it is, and trust it once agreed to.

    Between the two steps the certificate, which is public, is carried by the page; everything is
    checked again.
    """
    if not person_anchors.are_allowed():
        raise Http404
    if request.method != "POST":
        return _page(request, {})
    domains = request.POST.get("domains", "")[:_DOMAINS_LENGTH]
    content = _carried(request) or _uploaded(request)
    shown: dict[str, object] = {"domains": domains}
    try:
        offered = deciding_anchors.examine(person(request), content, domains)
        shown |= {
            "offered": offered,
            "carried": base64.b64encode(content).decode(),
            "asks_password": not confirming.is_fresh(request),
        }
        if request.POST.get("agreed") != "yes":
            return _page(request, shown)
        problem = confirmation_problem(request)
        if problem is None:
            row = deciding_anchors.add(person(request), content, domains, request=request)
            words = _("You trust {name} now, for {domains}.")
            said = words.format(name=row.name or row.subject, domains=", ".join(row.domains))
            messages.success(request, said)
            return redirect("smime:keys")
    except DecisionError as error:
        problem = error.reason
    return _page(request, {**shown, "problem": problem}, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_POST
@login_required
def remove_anchor(request: HttpRequest, anchor_id: int) -> HttpResponse:
    """Trust an authority no longer; that is allowed always."""
    row = PersonAnchor.objects.filter(user=person(request), pk=anchor_id).first()
    if row is None:
        raise Http404
    deciding_anchors.remove(row, actor=person(request), request=request)
    messages.success(request, _("The authority is removed: you trust it no longer."))
    return redirect("smime:keys")


def _uploaded(request: HttpRequest) -> bytes:
    """Return the file's content, one octet beyond the limit at most."""
    file = request.FILES.get("file")
    return bytes(file.read(deciding_anchors.FILE_LIMIT + 1)) if file is not None else b""


def _carried(request: HttpRequest) -> bytes:
    try:
        return base64.b64decode(
            request.POST.get("carried", "")[:_CARRIED_LENGTH].encode(), validate=True
        )
    except binascii.Error as error:
        raise Http404 from error  # nothing of ours


def _page(
    request: HttpRequest, context: dict[str, object], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    return render(request, "smime/anchor.html", {"section": "keys", **context}, status=status)
