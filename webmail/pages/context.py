"""What every template gets (settings.TEMPLATES): the shell, and whole page or fragment.

A page is asked for whole, or by script for one pane of it: then `HX-Target` names the pane and
only its block is rendered.
"""

from typing import Any

from django.http import HttpRequest

from webmail.pages.shell import Shell

WHOLE_PAGE = "base.html"
_PANES = {
    "list": "layouts/list_fragment.html",
    "reading": "layouts/reading_fragment.html",
}


def pane_asked(request: HttpRequest) -> str:
    """Return the pane that script asks for ("list", "reading" or a message's), or ""."""
    if request.headers.get("HX-Request-Type") != "partial":
        return ""
    return request.headers.get("HX-Target", "").partition("#")[2]


def application(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page."""
    return {
        "shell": Shell(request),
        "layout": _PANES.get(pane_asked(request), WHOLE_PAGE),
    }
