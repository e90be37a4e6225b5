"""P13: rendering: from a message's octets to its finished page, as the crypto lane does it.

Processor time of this process: other work on the machine does not count. Each rendering starts
without the styles that the last one read. The goal is judged on what a kB costs over all mails
together; medians of single mails stand beside it, as most mails of the corpora are far shorter
than real ones and what every mail costs is most of theirs.
"""

import base64
import os
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from smime.reading import read_message
from smime.verdict import Context
from webmail.demo.bench.private import Grounds
from webmail.demo.bench.rendering_parts import parts
from webmail.demo.bench.rows import NotMeasured, Row
from webmail.html.css import forget_declarations
from webmail.reader import pipeline
from webmail.reader.variants import Variant

GOAL = 0.1  # ms for a kB of mail, over the corpora
WORST_GOAL = 3_000.0  # ms, any mail of the corpora
LARGE_GOAL = 300.0  # ms, 25 MB with attachments
LARGE = 25_000_000  # octets
REPETITIONS = 5
_MAILS = frozenset({".eml", ".msg", ".txt"})
_HTML_HEADER = b"From: a@bench.example\nContent-Type: text/html; charset=utf-8\n\n"
_LONG = 10.0  # kB: beneath, what every mail costs hides what a kB costs
_LARGEST = 5_000_000  # octets of a file that is taken for a mail
_NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class NoAddresses:
    """Addresses in a page that nobody opens."""

    def image(self, position: int) -> str:
        return f"/img/{position}"

    def part(self, path: str) -> str:
        return f"/part/{path}"

    def go(self, position: int) -> str:
        return f"/go/{position}"


def measure(grounds: Grounds) -> list[Row]:  # noqa: ARG001 - needs no server
    """Render every mail of the corpora and one of 25 MB, the fastest of a few times each."""
    took: dict[str, float] = {}
    sizes: dict[str, float] = {}
    mails = dict(_corpora())
    for name, raw in mails.items():
        took[name] = min(_milliseconds(raw) for _ in range(REPETITIONS))
        sizes[name] = len(raw) / 1000
    worst = max(took, key=took.__getitem__)
    each = {name: took[name] / sizes[name] for name in took}
    raw = _large()
    return [
        Row(
            id="P13",
            what=f"render all {len(took)} mails of the corpora, for each kB (the goal's row)",
            unit="ms/kB",
            value=sum(took.values()) / sum(sizes.values()),
            goal=GOAL,
        ),
        *parts(list(mails.values()), repetitions=REPETITIONS),
        _median("for each kB", "ms/kB", list(each.values())),
        _median(
            "for each kB", "ms/kB", [each[name] for name in each if sizes[name] >= _LONG], _LONG
        ),
        _median("whole", "ms", list(took.values())),
        Row(
            id="P13",
            what=f"the worst of them: {worst}, {sizes[worst]:.0f} kB",
            unit="ms",
            value=took[worst],
            goal=WORST_GOAL,
        ),
        Row(
            id="P13",
            what="render a mail of 25 MB, its attachments unread",
            unit="ms",
            value=min(_milliseconds(raw) for _ in range(REPETITIONS)),
            goal=LARGE_GOAL,
        ),
    ]


def _median(what: str, unit: str, values: list[float], least: float = 0) -> Row:
    """Return the row of the median mail; `least`: kB of the shortest mail among `values`."""
    which = f"mails above {least:.0f} kB" if least else "mails, short ones too"
    values = sorted(values)
    return Row(
        id="P13",
        what=f"render a mail, {what}: median of {len(values)} {which}",
        unit=unit,
        value=statistics.median(values) if values else None,
        p95=values[len(values) * 95 // 100] if values else None,
        why="" if values else f"No mail of the corpora is above {least:.0f} kB.",
    )


def _milliseconds(raw: bytes) -> float:
    forget_declarations()
    begun = time.process_time()
    pipeline.make(
        reading=read_message(raw),
        context=Context(now=_NOW, received_at=_NOW, anchors=()),
        variant=Variant(),
        addresses=NoAddresses(),
    )
    return (time.process_time() - begun) * 1000


def _corpora() -> Iterator[tuple[str, bytes]]:
    """Yield name and octets of the corpora's mails, found as the tests find them."""
    beside = Path(settings.BASE_DIR).parent / "shared" / "corpora"
    root = Path(os.environ.get("SIGNET_CORPORA") or beside) / "mime"
    if not root.is_dir():
        raise NotMeasured("The mail corpora are not here; SIGNET_CORPORA names their directory.")
    for file in sorted(root.rglob("*")):
        if not file.is_file() or not 0 < file.stat().st_size <= _LARGEST:
            continue
        raw, name = file.read_bytes(), str(file.relative_to(root))
        if file.suffix == ".html":  # what HTML mail holds, without its mail
            yield name, _HTML_HEADER + raw
        elif file.suffix in _MAILS and b":" in raw.partition(b"\n")[0]:  # else a note beside
            yield name, raw


def _large() -> bytes:
    """Return a mail of 25 MB: a short text and ten attachments."""
    file = base64.encodebytes(random.Random(1).randbytes(LARGE * 3 // 41))  # noqa: S311
    lines = [
        b"From: a@bench.example", b"Subject: Drawings", b"MIME-Version: 1.0",
        b'Content-Type: multipart/mixed; boundary="o"', b"", b"--o", b"Content-Type: text/html",
        b"", b"<p>The drawings of the <b>bridge</b>.</p>",
    ]  # fmt: skip
    for number in range(10):
        lines += [
            b"--o", b"Content-Type: application/pdf", b"Content-Transfer-Encoding: base64",
            b'Content-Disposition: attachment; filename="%d.pdf"' % number, b"", file,
        ]  # fmt: skip
    return b"\r\n".join([*lines, b"--o--", b""])
