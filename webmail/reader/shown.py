"""What the viewer shows of an attachment: found in the sealed cache, or asked of a worker.

What is kept (JSON): {"kind", "filename", "content_type", "size", "code", …} and by kind
picture: "width", "height", "moves"; pdf: also "pages"; text: "text", "is_cut"; calendar, contacts:
as `previews`; message: "page", "documents" (as webmail.reader.store has them). Pictures and pages
are WebP octets beside it.
"""

import json
from typing import Any

from django.http import HttpRequest

from accounts import sealed_cache
from smime import unlocking
from webmail.attached import limits
from webmail.mailbox import standing
from webmail.mailbox.models import Message
from webmail.reader.parts import JUNK, PATIENCE, NotTakenOut
from webmail.reader.reading import ask_late
from webmail.reader.variants import PIPELINE, Variant

KEPT_FOR = 15 * 60  # seconds
MOVING = 2  # the "page" of a picture on which it moves; drawn when somebody asks for it
STEP = "|"  # between a part's path and a path inside the message that it is

type Shown = dict[str, Any]


def key(message_id: int, path: str, variant: Variant) -> str:
    """Return the name of what is shown of a part."""
    return f"reader:shown:{PIPELINE}:{message_id}:{variant.key}:{path}"


def page_key(message_id: int, path: str, page: int) -> str:
    """Return the name of a drawn page."""
    return f"reader:page:{message_id}:{path}:{page}"


def shown(request: HttpRequest, message: Message, path: str, variant: Variant) -> Shown | None:
    """Return what the viewer shows of a part; None if it can't be had."""
    try:
        return made(request, message, path, variant)
    except NotTakenOut:
        return None


def made(request: HttpRequest, message: Message, path: str, variant: Variant) -> Shown:
    """Return what the viewer shows of a part, having it made if need be. Raises NotTakenOut.

    Nothing of mail in spam, also where it was made before the mail was put there.
    """
    if standing.is_junk(message):
        raise NotTakenOut(JUNK)
    found = _kept(request, message, path, variant)
    if found is None:
        word = ask_late(request, message, "reader.show_part", path, variant.key, patience=PATIENCE)
        found = _kept(request, message, path, variant)
    if found is None:
        raise NotTakenOut(word)
    return found


def _kept(request: HttpRequest, message: Message, path: str, variant: Variant) -> Shown | None:
    for sealed_by in (None, unlocking.opened_key(request)):
        content = sealed_cache.get(key(message.pk, path, variant), session_key=sealed_by)
        if content is not None:
            found: Shown = json.loads(content)
            return found
    return None


def picture(request: HttpRequest, message: Message, path: str, page: int) -> bytes | None:
    """Return a drawn picture or page as WebP, having it drawn if need be; None if it can't be."""
    if not 1 <= page <= limits.PDF_PAGES or standing.is_junk(message):
        return None
    found = _kept_picture(request, message, path, page)
    if found is None:
        ask_late(request, message, "reader.draw_pages", path, str(page), patience=PATIENCE)
        found = _kept_picture(request, message, path, page)
    return found


def _kept_picture(request: HttpRequest, message: Message, path: str, page: int) -> bytes | None:
    for sealed_by in (None, unlocking.opened_key(request)):
        content = sealed_cache.get(page_key(message.pk, path, page), session_key=sealed_by)
        if content is not None:
            return content
    return None
