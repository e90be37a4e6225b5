"""Makes what the viewer shows of an attachment (crypto lane); `shown` says what that is."""

import json
from typing import Final

from accounts import sealed_cache
from smime import revocation
from webmail.attached import limits
from webmail.attached.drawing import Drawer, Drawing
from webmail.attached.drawing import Kind as Drawable
from webmail.attached.kinds import kind_of
from webmail.mime import decode_text
from webmail.reader import links, opening, parts, pipeline, previews
from webmail.reader.opening import Located, Opened
from webmail.reader.shown import KEPT_FOR, MOVING, STEP, Shown, key, page_key
from webmail.reader.variants import Variant

PICTURE = (2400, 2400)  # pixels at most
PAGE = (1400, 2000)
ANIMATION = (640, 640)
PAGES_AT_ONCE: Final = 3  # drawn by one task


def _find(opened: Opened, path: str) -> Located | None:
    """Return the part if it may be looked into; parts of mail not to be relied on may not."""
    allowed = dict(opening.attachments(opened))
    if path in allowed:
        return allowed[path]
    if path.partition(STEP)[0] not in allowed or STEP not in path:
        return None
    try:
        located = opening.locate(opened, path)
    except KeyError:
        return None
    return located if located.may_look_into else None


def show(message_id: int, ticket_id: str, path: str, variant_key: str) -> str:
    """Make what the viewer shows of a part and keep it; returns the word for whoever waits.

    Raises rendering.NotHere, opening.NoSessionError.
    """
    opened = opening.open_for(message_id, ticket_id)
    if opened is None:
        return "expired"
    located = _find(opened, path)
    if located is None:
        is_gone = opened.is_junk or opening.may_give_together(opened)
        return "gone" if is_gone else parts.UNRELIABLE
    variant = Variant.parse(variant_key)
    content = located.content
    filename = located.filename
    content_type = located.part.content_type
    kind = kind_of(content[:1024], content_type=content_type, filename=filename)
    shown: Shown = {
        "kind": kind,
        "filename": filename,
        "content_type": content_type,
        "size": len(content),
        "code": "" if kind else "no-viewer",
    }
    session_key = opened.sealing_for(is_secret=located.is_secret)
    match kind:
        case "picture" | "pdf":
            shown |= _draw(message_id, path, kind, content, first=1, session_key=session_key)
        case "text":
            shown |= _text(located)
        case "message":
            found, is_secret = _message(opened, located, path, variant)
            shown |= found
            session_key = opened.sealing_for(is_secret=is_secret)
        case "calendar" | "contacts":
            shown |= previews.read_entry(kind, located)
    sealed_cache.put(
        key(message_id, path, variant),
        json.dumps(shown).encode(),
        session_key=session_key,
        seconds=KEPT_FOR,
    )
    return "done"


def draw_pages(message_id: int, ticket_id: str, path: str, first: str) -> str:
    """Draw some pages of a PDF from `first` on; returns the word for whoever waits.

    Raises rendering.NotHere, opening.NoSessionError.
    """
    opened = opening.open_for(message_id, ticket_id)
    if opened is None:
        return "expired"
    page = int(first)
    for sealed_by in {None, opened.asked_with}:
        if sealed_cache.get(page_key(message_id, path, page), session_key=sealed_by):
            return "done"  # another task's pages reached this one
    located = _find(opened, path)
    if located is None:
        return "gone"
    content = located.content
    kind: Drawable = "pdf" if b"%PDF-" in content[:1024] else "picture"
    if kind == "picture" and page == MOVING:
        kind = "animation"
    session_key = opened.sealing_for(is_secret=located.is_secret)
    said = _draw(message_id, path, kind, content, first=page, session_key=session_key)
    return str(said.get("code") or "done")


def _draw(
    message_id: int,
    path: str,
    kind: Drawable,
    content: bytes,
    *,
    first: int,
    session_key: bytes | None,
) -> Shown:
    """Draw a picture, or pages from `first` on, and keep what was drawn."""
    width, height = {"pdf": PAGE, "animation": ANIMATION}.get(kind, PICTURE)
    said: Shown = {}
    with Drawer() as drawer:
        for page in range(first, first + (PAGES_AT_ONCE if kind == "pdf" else 1)):
            made = drawer.draw(kind, content, width=width, height=height, page=page)
            if page == first:
                said = _said(made)
            if made.code:
                break
            sealed_cache.put(
                page_key(message_id, path, page),
                made.content,
                session_key=session_key,
                seconds=KEPT_FOR,
            )
            if page >= made.pages:
                break
    return said


def _said(made: Drawing) -> Shown:
    return {
        "code": made.code,
        "width": made.width,
        "height": made.height,
        "pages": made.pages,
        "moves": made.moves,
    }


def _text(located: Located) -> Shown:
    decoded = decode_text(located.tree, located.part, limit=limits.TEXT)
    return {"text": decoded.text, "is_cut": decoded.truncated}


class _Addresses:
    """URLs inside a forwarded message: its own frames and parts; never a remote image."""

    def __init__(self, opened: Opened, path: str, variant: Variant) -> None:
        self._user_id, self._message_id = opened.user.pk, opened.message.pk
        self._path, self._variant = path, variant

    def _address(self, kind: str, position: str) -> str:
        target = links.Target(self._user_id, self._message_id, self._variant.key, position)
        return links.address(kind, target)

    def image(self, position: int) -> str:
        raise AssertionError(f"remote image {position} of a forwarded message")

    def part(self, path: str) -> str:
        return self._address("part", f"{self._path}{STEP}{path}")

    def go(self, position: int) -> str:
        return self._address("attached-go", f"{self._path}#{position}")


def _message(opened: Opened, located: Located, path: str, variant: Variant) -> tuple[Shown, bool]:
    """Read a forwarded message as one of its own, with a verdict of its own."""
    reading = opening.read_nested(opened, located)
    context = opening.context_of(opened.message, reading, opened.keys)
    quiet = Variant(images=False, theme=variant.theme, plain=variant.plain)
    made = pipeline.make(
        reading=reading,
        context=context,
        variant=quiet,
        addresses=_Addresses(opened, path, variant),
    )
    # Who signed it is watched like who signed a part; its path is the same, wherever it is read.
    revocation.watch([made.verdict, *made.framed], now=context.now)
    documents = [made.documents.frames, made.documents.targets]
    return (
        {"page": made.page, "documents": documents, "level": made.verdict.level},
        located.is_secret or pipeline.holds_secrets(reading),
    )
