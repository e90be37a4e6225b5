"""Frames: which part of a message is signed or encrypted, and what stands outside of it (RFC 9787).

A page keeps a flat list in the message's order (`page["frames"]`), each entry one of

    {"layer", "document", "outside"}   a document of that layer; "outside" is a code of
                                       smime.words.OUTSIDE or "" (inside of a frame, or no frame)
    {"layer", "within", "is_plain"}    a part with a verdict of its own begins, in layer "within";
                                       its links and images are off, unlike those round it

Layers count as `smime.reading.Reading.chains` does; the words of layer n are in
`page["verdict"]["frames"][n - 1]` and may be younger. Drawn, it is a tree: documents and boxes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from smime import words as catalogue
from smime.reading import Reading
from webmail.reader.presenting import BoxView, FrameView
from webmail.reader.words import said

# A list adds one text before and one behind what it passes on; more is somebody's own message.
_MOST_CHILDREN_OF_A_LIST = 3


def outside_code(reading: Reading) -> str:
    """Say what the parts of this reading are that stand outside of its framed parts; "" for none.

    Nothing is said inside of a frame, whose own line speaks for it, but for what its layers lack.
    """
    layers = [layer for frame in reading.frames for layer in frame.reading.layers]
    has_signed = any(layer.signature is not None for layer in layers)
    has_encrypted = any(layer.is_encryption for layer in layers)
    is_signed = any(layer.signature is not None for layer in reading.layers)
    is_encrypted = any(layer.is_encryption for layer in reading.layers)
    lacks_signature = has_signed and not is_signed
    lacks_encryption = has_encrypted and not is_encrypted
    if lacks_signature and _is_passed_on_by_a_list(reading):
        return "added-on-the-way"
    if lacks_encryption and is_signed:
        return "signed-in-the-clear"
    if lacks_signature and lacks_encryption:
        return "outside-both"
    if lacks_signature:
        return "outside-signature"
    return "outside-encryption" if lacks_encryption else ""


def _is_passed_on_by_a_list(reading: Reading) -> bool:
    """One secured part with plain text round it, in mail of a list: Mailman's header and footer."""
    root = reading.content.root
    return (
        reading.facts.is_list_mail
        and not reading.layers
        and root.content_type == "multipart/mixed"
        and len(root.children) <= _MOST_CHILDREN_OF_A_LIST
        and len(reading.frames) == 1
        and all(
            child.content_type == "text/plain" or child.path == reading.frames[0].path
            for child in root.children
        )
    )


type _Line = Callable[[tuple[FrameView | BoxView, ...]], BoxView]


@dataclass(slots=True)
class _Box:
    """A box while it is filled."""

    layer: int
    line: _Line | None = None  # None: the message itself
    items: list["FrameView | _Box"] = field(default_factory=list)

    def drawn(self) -> tuple[FrameView | BoxView, ...]:
        return tuple(each.box() if isinstance(each, _Box) else each for each in self.items)

    def box(self) -> BoxView:
        assert self.line is not None
        return self.line(self.drawn())


def frame_views(
    page: dict[str, Any], *, address: Callable[[int], str], title: str
) -> tuple[FrameView | BoxView, ...]:
    """Return the documents and boxes of a page. `address` makes the URL of the nth document."""
    whole = _Box(0)
    boxes = {0: whole}
    for entry in page["frames"]:
        layer = entry["layer"]
        if "within" in entry:
            box = _Box(layer, _line_of_part(entry, page["verdict"]["frames"][layer - 1]))
            boxes[entry["within"]].items.append(box)
            boxes[layer] = box
            continue
        into = boxes[layer]
        if entry["outside"]:
            into = _outside_box(into, entry["outside"])
        number = entry["document"]
        into.items.append(FrameView(url=address(number), title=title))
    return whole.drawn()


def _outside_box(within: _Box, code: str) -> _Box:
    """Return the box for what stands outside of framed parts: neighbours share one."""
    last = within.items[-1] if within.items else None
    if isinstance(last, _Box) and last.layer < 0:
        return last
    box = _Box(-1, _line_of_outside(code))
    within.items.append(box)
    return box


def _line_of_part(entry: Mapping[str, Any], kept: Sequence[Any]) -> _Line:
    headline, sentence, tail, is_locked, level = kept

    def line(items: tuple[FrameView | BoxView, ...]) -> BoxView:
        sentences = [said(sentence), said(tail)]
        return BoxView(
            level=level,
            is_locked=is_locked,
            headline=said(headline),
            sentence=" ".join(each for each in sentences if each),
            is_plain_only=entry["is_plain"],
            items=items,
        )

    return line


def _line_of_outside(code: str) -> _Line:
    words = catalogue.OUTSIDE[code]

    def line(items: tuple[FrameView | BoxView, ...]) -> BoxView:
        return BoxView(
            level="",
            is_locked=False,
            headline=_(words.headline),
            sentence=_(words.sentence),
            is_plain_only=False,
            items=items,
        )

    return line
