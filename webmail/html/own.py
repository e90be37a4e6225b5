"""HTML that a user of ours wrote: composer, signatures, pasted and quoted text."""

from webmail.html.filters import AttributeFilter
from webmail.html.limits import DEFAULT_LIMITS, HtmlLimits, breached
from webmail.html.model import ImagePolicy, LinkPolicy
from webmail.html.plain import strip_markup
from webmail.html.reading import Reading, read_html
from webmail.html.text import render_text
from webmail.html.writing import WriterFailed, wash, write, write_again


def own_html(source: str, *, limits: HtmlLimits = DEFAULT_LIMITS) -> str:
    """Clean HTML to be edited or sent: an HTML fragment. Never raises.

    Style blocks go, styles stay filtered; images are kept when they travel with the mail (cid:) or
    are in it (data:), all others become the placeholder. Up to 50 kB are washed by bleach as well;
    nh3 writes last. HTML beyond the limits comes back as text.
    """
    source = source.replace("\x00", "\ufffd")
    if breached(source, limits) is not None:
        return render_text(strip_markup(source[: limits.html], most=limits.text)).body
    reading = read_html(source, limits)
    # Nobody deceives himself: the writer's own links keep their targets.
    ledger = AttributeFilter(
        Reading(links=reading.links, limits_hit=reading.limits_hit),
        images=ImagePolicy(cid=lambda content_id: f"cid:{content_id}"),
        links=LinkPolicy(deceptive=lambda href: href),
        limits=limits,
    )
    try:
        body = write(source, ledger)
        if len(source.encode("utf-8", "replace")) <= limits.own_html:
            body = write_again(wash(body), ledger.repeat)
    except WriterFailed:
        return render_text(strip_markup(source, most=limits.text)).body
    return body
