"""What a person chooses about themselves and their pages."""

import html
import zoneinfo
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.html import escape, strip_tags
from django.utils.translation import gettext as _

from accounts import audit, session_limits
from accounts.models import Identity, User


def default_identity(user: User) -> Identity | None:
    """Return the identity whose name and signature the settings page edits."""
    return Identity.objects.filter(user=user).order_by("-is_default", "pk").first()


def signature_text(identity: Identity | None) -> str:
    """Return a signature as plain text for its field."""
    if identity is None:
        return ""
    return html.unescape(strip_tags(identity.signature.replace("<br>", "\n")))


@transaction.atomic
def save_person(
    user: User, *, display_name: str, signature: str, language: str, time_zone: str
) -> None:
    """Store the name (also of the identity people write as), signature, language and zone."""
    user.display_name = display_name
    user.language = language
    user.time_zone = time_zone
    user.save(update_fields=["display_name", "language", "time_zone"])
    identity = default_identity(user)
    if identity is not None:
        identity.name = display_name
        # Identity.signature is HTML; what is typed here is text.
        identity.signature = escape(signature).replace("\r\n", "\n").replace("\n", "<br>")
        identity.save(update_fields=["name", "signature"])


@cache
def zone_names() -> frozenset[str]:
    """Return the time zones that exist here: looked up once, as it opens hundreds of files."""
    return frozenset(zoneinfo.available_timezones())


def adopt_zone(user: User, name: str) -> str:
    """Set the zone a browser told, if none is set; return the zone in force, "UTC" if unknown."""
    if name not in zone_names():
        return "UTC"
    # A setting saved meanwhile stands.
    User.objects.filter(pk=user.pk, time_zone="").update(time_zone=name)
    user.refresh_from_db(fields=["time_zone"])
    return user.time_zone


def save_theme(user: User, theme: str) -> None:
    """Store the theme; the server draws it, so there is no flash."""
    user.theme = theme
    user.save(update_fields=["theme"])


def end_other_sessions(user: User, request: HttpRequest) -> None:
    """End every session of the person but this one."""
    session_limits.end_others(request, user)
    audit.record("sessions.ended", actor=user, request=request)


def choices() -> dict[str, Any]:
    """Return what the settings page offers."""
    return {
        "themes": User.Theme.choices,
        "densities": (
            ("comfortable", _("Comfortable")),
            ("cosy", _("Cosy")),
            ("compact", _("Compact")),
        ),
        "zones": sorted(zone_names()),
        "languages": settings.LANGUAGES,
    }
