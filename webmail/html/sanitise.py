"""Hostile HTML to safe HTML: guards, reading pass, CSS, writing pass, in this order."""

import logging
import re
from collections.abc import Callable
from types import MappingProxyType

from webmail.html.css import SafeStylesheet, safe_declarations, safe_stylesheet
from webmail.html.filters import AttributeFilter
from webmail.html.limits import DEFAULT_LIMITS, HtmlLimits, breached
from webmail.html.model import ImagePolicy, LinkPolicy, SafeHtml, Theme
from webmail.html.plain import strip_markup
from webmail.html.quotes import fold_quotes
from webmail.html.reading import Reading, read_html
from webmail.html.text import render_text
from webmail.html.writing import WriterFailed, wash, write, write_again

logger = logging.getLogger(__name__)

QUOTE_LABEL = "Show quoted text"
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,30}")


def sanitise_html(
    source: str,
    *,
    images: ImagePolicy,
    theme: Theme = "light",
    quoted_folding: bool = True,
    links: LinkPolicy | None = None,
    deceptive_href: Callable[[str], str] | None = None,
    second_wash: bool = False,
    quote_label: str = QUOTE_LABEL,
    limits: HtmlLimits = DEFAULT_LIMITS,
) -> SafeHtml:
    """Make one HTML part safe to show in the frame. Never raises.

    `deceptive_href` is short for a LinkPolicy with only that rule. On a broken limit, a failure of
    a parser or of nh3 the answer is the text view: the words of the mail, `text_view` set and the
    reason in `limits_hit`.
    """
    policy = links or LinkPolicy(deceptive=deceptive_href)
    source = source.replace("\x00", "\ufffd")
    limit = breached(source, limits)
    if limit is not None:
        return _text_view(source, limit, policy, limits)
    try:
        return _sanitised(
            source,
            images=images,
            theme=theme,
            policy=policy,
            fold_label=quote_label if quoted_folding else None,
            second_wash=second_wash,
            limits=limits,
        )
    except WriterFailed:
        return _text_view(source, "writer", policy, limits)
    except Exception:
        logger.exception("html not rendered")
        return _text_view(source, "error", policy, limits)


def _sanitised(
    source: str,
    *,
    images: ImagePolicy,
    theme: Theme,
    policy: LinkPolicy,
    fold_label: str | None,
    second_wash: bool,
    limits: HtmlLimits,
) -> SafeHtml:
    reading = read_html(source, limits)
    stylesheet = safe_stylesheet(reading.styles, theme=theme, limits=limits)
    ledger = AttributeFilter(reading, images=images, links=policy, limits=limits)
    body_background = reading.body_attributes.get("background", "")
    background = (ledger.image(body_background) or "") if body_background else ""
    body_style = _body_style(reading.body_attributes, limits)
    if len(reading.body_attributes.get("style", "")) > limits.style_attribute:
        ledger.limits_hit["style-attribute"] = None
    body = write(source, ledger)
    if second_wash and len(body.encode()) <= limits.own_html:
        body = write_again(wash(body), ledger.repeat)
    if fold_label is not None:
        folded = fold_quotes(body, label=fold_label)
        if folded is not None:
            body = write_again(folded, ledger.repeat)
    return _result(
        body,
        stylesheet,
        ledger,
        body_style=body_style,
        body_background=background,
        reading=reading,
    )


def _result(
    body: str,
    stylesheet: SafeStylesheet,
    ledger: AttributeFilter,
    *,
    body_style: str,
    body_background: str,
    reading: Reading,
) -> SafeHtml:
    removed = dict(ledger.removed)
    if stylesheet.dropped:
        removed["css"] = stylesheet.dropped
    limits_hit = dict(ledger.limits_hit)
    if stylesheet.is_cut:
        limits_hit["css"] = None
    return SafeHtml(
        body=body,
        css=stylesheet.text,
        body_style=body_style,
        removed=MappingProxyType(removed),
        remote_images=tuple(ledger.blocked),
        loaded_images=tuple(ledger.loaded),
        trackers=len(ledger.tracker_urls),
        tracker_hosts=ledger.tracker_hosts(),
        links=tuple(ledger.links),
        limits_hit=tuple(limits_hit),
        body_background=body_background,
        language=reading.language,
        direction=reading.direction,
        adapts_to_dark=stylesheet.has_dark,
    )


def _body_style(attributes: dict[str, str], limits: HtmlLimits) -> str:
    """The mail's body attributes as declarations, rebuilt; a style wins over old attributes."""
    parts: list[str] = []
    for name, declaration in (("bgcolor", "background-color"), ("text", "color")):
        colour = attributes.get(name, "").strip()
        if _COLOUR.fullmatch(colour):
            parts.append(f"{declaration}:{colour}")
    style = attributes.get("style", "")
    if style and len(style) <= limits.style_attribute:
        parts.append(safe_declarations(style).text)
    return ";".join(part for part in parts if part)


def _text_view(source: str, limit: str, policy: LinkPolicy, limits: HtmlLimits) -> SafeHtml:
    """The words of a mail that no parser may see whole."""
    plain = render_text(strip_markup(source[: limits.html], most=limits.text), links=policy)
    return SafeHtml(
        body=plain.body,
        text_view=True,
        links=plain.links,
        limits_hit=(limit, *plain.limits_hit),
        is_plain=True,
        adapts_to_dark=True,
    )
