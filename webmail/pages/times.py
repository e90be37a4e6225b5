"""Times as the pages say them: short in lists, exact in tooltips."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def short(at: datetime, *, now: datetime) -> str:
    """Return "09:41" today, "Sun" this week, "12 Nov" this year, else "12 Nov 2024"."""
    local, today = timezone.localtime(at), timezone.localtime(now)
    days = (today.date() - local.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if 0 < days < 7:
        return _shown(local.date(), "D", get_language())
    if local.year == today.year and local < today + timedelta(days=1):
        return _shown(local.date(), "j M", get_language())
    return _shown(local.date(), "j M Y", get_language())


def long(at: datetime, *, now: datetime) -> str:
    """Return "Today 09:12", "Fri 16:20", "20 Nov 16:20" or "20 Nov 2024 16:20"."""
    local, today = timezone.localtime(at), timezone.localtime(now)
    if local.date() == today.date():
        return _("Today {time}").format(time=f"{local:%H:%M}")
    return f"{short(at, now=now)} {local:%H:%M}"


def exact(at: datetime) -> str:
    """Return the whole local time for a tooltip: "Friday, 20 November 2026, 16:20"."""
    local = timezone.localtime(at)
    return f"{_shown(local.date(), 'l, j F Y', get_language())}, {local:%H:%M}"


@lru_cache(maxsize=4096)
def _shown(day: date, form: str, _language: str | None) -> str:
    return date_format(day, form)
