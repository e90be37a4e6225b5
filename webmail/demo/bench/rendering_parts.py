"""P13 by its parts: reading a mail and washing its HTML, the latter beside its two parsers alone.

Processor time, the fastest of a few times for each mail, as the whole is measured.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import nh3
from selectolax.lexbor import LexborHTMLParser

from smime.reading import read_message
from webmail.demo.bench.rows import Row
from webmail.html import HtmlLimits, ImagePolicy, sanitise_html
from webmail.html.allowed import ATTRIBUTES, DROPPED_WITH_CONTENT, LINK_REL, SCHEMES, TAGS
from webmail.html.css import forget_declarations
from webmail.html.limits import breached
from webmail.mime import choose_body, decode_text

_WRITER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=DROPPED_WITH_CONTENT,
    attributes=ATTRIBUTES,
    link_rel=LINK_REL,
    url_schemes=SCHEMES,
)


def parts(mails: Sequence[bytes], *, repetitions: int) -> list[Row]:
    """Return the rows of the parts, in ms for a kB of all the mails."""
    size = sum(map(len, mails)) / 1000
    texts = [text for raw in mails for text in _texts(raw)]

    def part(what: str, took: float, floor: float | None = None) -> Row:
        floor = None if floor is None else floor / size
        return Row(id="P13", what=what, unit="ms/kB", value=took / size, floor=floor)

    return [
        part("of this, reading mail: tree, fields, layers", _sum(read_message, mails, repetitions)),
        part(
            "of this, washing HTML (floor: lexbor and nh3 alone, which ask nobody)",
            _sum(_wash, texts, repetitions),
            _sum(LexborHTMLParser, texts, repetitions) + _sum(_WRITER.clean, texts, repetitions),
        ),
    ]


def _texts(raw: bytes) -> Iterator[str]:
    """Yield the HTML of a mail that parsers may see."""
    content = read_message(raw).content
    for block in choose_body(content).blocks:
        text = decode_text(content, block.part).text.replace("\x00", "\ufffd")
        if block.kind == "html" and breached(text, HtmlLimits()) is None:
            yield text


def _wash(text: str) -> None:
    sanitise_html(text, images=ImagePolicy())


def _sum[T](work: Callable[[T], object], subjects: Sequence[T], repetitions: int) -> float:
    """Return the sum of the fastest times for each subject, in ms."""
    total = 0.0
    for subject in subjects:
        took = []
        for _ in range(repetitions):
            forget_declarations()
            begun = time.process_time()
            work(subject)
            took.append(time.process_time() - begun)
        total += min(took)
    return total * 1000
