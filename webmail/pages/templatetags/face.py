"""Tags of the templates: icons and seals from the sprite, addresses of built files."""

import logging
from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from webmail.mailbox.folders import shown_name
from webmail.mailbox.models import Folder

logger = logging.getLogger(__name__)
register = template.Library()

# What a seal is called for people who do not see it; "none" is drawn only in the reading pane.
SEAL_WORDS = {
    "ok": _("signed"),
    "warn": _("look first"),
    "bad": _("do not rely on it"),
    "unknown": _("signature not known"),
    "none": _("not signed"),
}


@lru_cache(maxsize=64)
def asset_url(path: str) -> str:
    """Return the address of a built static file, with its content's hash once collected."""
    try:
        return staticfiles_storage.url(path)
    except ValueError:  # not collected: a fresh checkout, tests
        logger.warning("static file not collected path=%s", path)
        return f"{settings.STATIC_URL}{path}"


@register.simple_tag
def asset(path: str) -> str:
    """Return the address of a file below static/."""
    return asset_url(path)


@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, extra: str = "") -> SafeString:
    """Draw an icon of static/icons/lucide.txt; `extra` is more classes (`i-s`, `i-l`)."""
    return format_html(
        '<svg class="i {}" aria-hidden="true"><use href="{}#{}"/></svg>',
        extra,
        asset_url("build/sprite.svg"),
        name,
    )


@register.simple_tag
@lru_cache(maxsize=64)
def seal(level: str, size: str = "") -> SafeString:
    """Draw the seal of a verdict class; `size` "large" is the panel's 34 px form."""
    if level not in SEAL_WORDS:
        return SafeString("")
    symbol = "ok-large" if level == "ok" and size == "large" else level
    return format_html(
        '<svg class="seal seal-{} {}" aria-hidden="true"><use href="{}#seal-{}"/></svg>',
        level,
        size and f"seal-{size}",
        asset_url("build/sprite.svg"),
        symbol,
    )


# The sign before an answer of the verdict panel: its look, its icon, its word.
_FACT_GLYPHS = {
    "yes": (" fact-yes", "check", _("Yes")),
    "caution": (" fact-caution", "triangle-alert", _("Caution")),
    "no": (" fact-no", "x", _("No")),
    "unknown": ("", "minus", _("Not known")),
}


@register.simple_tag
def fact_glyph(glyph: str) -> SafeString:
    """Draw the sign before an answer, with its word for people who do not see it."""
    return _drawn_glyph(glyph, get_language())


@lru_cache(maxsize=64)
def _drawn_glyph(glyph: str, _language: str | None) -> SafeString:
    look, symbol, word = _FACT_GLYPHS.get(glyph, _FACT_GLYPHS["unknown"])
    return format_html(
        '<span class="fact-glyph{}">{}<span class="vh">{}: </span></span>', look, icon(symbol), word
    )


@register.simple_tag
def words(template_name: str) -> SafeString:
    """Include a template that holds words only: rendered once for each language."""
    return _rendered(template_name, get_language())


@lru_cache(maxsize=64)
def _rendered(template_name: str, _language: str | None) -> SafeString:
    return SafeString(render_to_string(template_name))


@register.filter
def definitions(rows: Iterable[tuple[str, str]]) -> SafeString:
    """Draw names and texts as rows of a list of definitions; mail has dozens of header fields."""
    return format_html_join("", "<div><dt>{}</dt><dd><bdi>{}</bdi></dd></div>", rows)


@register.filter
def folder_name(folder: Folder) -> str:
    """Return what the folder is called on the page."""
    return shown_name(folder.path, folder.delimiter, folder.role)


@register.filter
def initials(name: str) -> str:
    """Return one or two letters that stand for a person."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[1][0] if len(words) > 1 else "")).upper()


@register.filter
def kilobytes(size: int) -> str:
    """Return a size in words people use: "386 kB", "1.8 MB" (decimal units)."""
    if size < 1000:
        return f"{size} B"
    if size < 999_500:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB"


_ICON_BY_ENDING = {
    "image": ("png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "tif", "tiff", "heic"),
    "sheet": ("xlsx", "xls", "ods", "csv"),
    "file-text": ("pdf", "doc", "docx", "odt", "rtf", "txt", "md"),
    "mail": ("eml",),
    "calendar-days": ("ics",),
    "user": ("vcf",),
}


@register.filter
def attachment_icon(file: object) -> str:
    """Return the icon for a file by its name's ending; the content is never trusted for it."""
    name = str(getattr(file, "name", "") or getattr(file, "filename", ""))
    ending = name.rpartition(".")[2].lower()
    for symbol, endings in _ICON_BY_ENDING.items():
        if ending in endings:
            return symbol
    return "file"
