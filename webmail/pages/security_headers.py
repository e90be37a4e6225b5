"""The outermost middleware: security headers of every page, and the person's time for its view.

Views that set headers of their own keep them (a message's document has a stricter policy).
"""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.models import User
from webmail.pages import preferences

# No inline script or style, no other host, no frame but our own message documents.
APPLICATION_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
ADMIN = "/admin/"
ZONE_COOKIE = "signet-zone"  # written by script (static/js/small.js)
_TRUSTED_TYPES = "; require-trusted-types-for 'script'"
_HEADERS = {
    "Content-Security-Policy": APPLICATION_CSP,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class SecurityHeadersMiddleware:
    """Add what a response does not say itself; pages with mail are never kept by caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            response = self._get_response(request)
        finally:
            timezone.deactivate()  # a thread serves many people in turn
        if request.path.startswith(ADMIN):
            # Django's admin writes HTML by script; it holds no mail. All else of the policy stays.
            response.headers.setdefault(
                "Content-Security-Policy", APPLICATION_CSP.replace(_TRUSTED_TYPES, "")
            )
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Let the view speak the person's time; who that is is known by now."""
        zone = getattr(request.user, "time_zone", "UTC")
        if not zone and isinstance(request.user, User):
            zone = preferences.adopt_zone(request.user, request.COOKIES.get(ZONE_COOKIE, ""))
        try:
            timezone.activate(zoneinfo.ZoneInfo(zone))
        except (ValueError, zoneinfo.ZoneInfoNotFoundError):
            timezone.deactivate()
