"""Hostile HTML and CSS to safe HTML: links, images, quotes. Pure: no network, no Django."""

from webmail.html.addresses import (
    RefusedAddress,
    RefusedUrl,
    RemoteUrl,
    check_public_address,
    check_remote_url,
    is_public_address,
)
from webmail.html.document import document
from webmail.html.limits import HtmlLimits
from webmail.html.model import (
    NO_PICTURE,
    PLACEHOLDER,
    Ground,
    ImagePolicy,
    Link,
    LinkPolicy,
    SafeHtml,
    Theme,
)
from webmail.html.own import own_html
from webmail.html.plain import html_to_text
from webmail.html.rasters import raster_type
from webmail.html.responses import attachment_headers, frame_headers
from webmail.html.sanitise import sanitise_html
from webmail.html.text import render_text

__all__ = [
    "NO_PICTURE",
    "PLACEHOLDER",
    "Ground",
    "HtmlLimits",
    "ImagePolicy",
    "Link",
    "LinkPolicy",
    "RefusedAddress",
    "RefusedUrl",
    "RemoteUrl",
    "SafeHtml",
    "Theme",
    "attachment_headers",
    "check_public_address",
    "check_remote_url",
    "document",
    "frame_headers",
    "html_to_text",
    "is_public_address",
    "own_html",
    "raster_type",
    "render_text",
    "sanitise_html",
]
