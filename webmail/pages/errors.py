"""Pages for requests that cannot be served, in words that say what to do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """Answer a form whose page is too old or came from elsewhere (Django's hook)."""
    return render(request, "errors/csrf.html", status=403)
