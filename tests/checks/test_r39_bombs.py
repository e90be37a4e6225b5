"""Check 39 of the reliability list: large and deep mail, floods, bombs.

Limits on parts, levels and sizes; the first text within 2 s or an honest refusal; memory bounded.
"""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from smime.reading import read_message
from smime.verdict import Context
from tests.checks.weigh import CASES, SIZE, Nowhere
from tests.corpora import ROOT
from webmail.reader import pipeline
from webmail.reader.notices import notices
from webmail.reader.variants import Variant

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# What a text that is shown may need whatever the message holds: 2 MiB of it, in a few forms.
SHOWN_TEXT = 40_000_000


@pytest.fixture(scope="module")
def weights() -> dict[str, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.checks.weigh"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "webmail.settings"},
        check=True,
        capture_output=True,
        timeout=280,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {str(line["name"]): line for line in lines}


@pytest.mark.parametrize("name", CASES)
def test_r39_memory_of_the_crypto_lane_follows_the_message(name: str, weights) -> None:
    """5 MB of junk base64 took 475 MB in a prototype; here at most three times the message."""
    weight = weights[name]  # a child that died is a KeyError
    most = SHOWN_TEXT if name == "not ASCII" else 3 * weight["size"]
    assert weight["peak"] <= most, weight
    assert weight["size"] >= SIZE * 0.9


def test_r39_attachments_of_25_megabytes_stay_out_of_the_page(weights) -> None:
    """What the web process gets of a large message is its page alone."""
    weight = weights["25 MB"]
    assert weight["size"] > 25_000_000
    assert weight["page"] < 20_000
    assert weight["peak"] < 2_000_000, "the attachment was decoded to show the message"


def nested(levels: int) -> bytes:
    return b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (level, level)
        for level in range(levels)
    )


FLOODS: dict[str, tuple[bytes, str]] = {
    "10,000 parts": (
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\ntext\n" * 10_000,
        "parts beyond the first 1000 are not shown",
    ),
    "500 levels": (nested(500) + b"\nx", "parts beyond level 20 are not shown"),
    "header of 1 MB": (
        b"Subject: " + b"x" * 1_000_000 + b"\n\ntext",
        "The header of this message is unusually long",
    ),
    "100,000 recipients": (
        b"To: " + b"a@b.example, " * 100_000 + b"\n\ntext",
        "The header of this message is unusually long",
    ),
    "5,000 recipients": (
        b"To: " + b"a@b.ex, " * 5_000 + b"\n\ntext",
        "Only the first 1000 addresses",
    ),
    "HTML of 200,000 levels": (
        b"Content-Type: text/html\n\ntext" + b"<div>" * 200_000,
        "only its words are shown",
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_r39_floods_are_answered_in_time_and_said(name: str) -> None:
    raw, sentence = FLOODS[name]
    start = time.process_time()
    made = pipeline.make(
        reading=read_message(b"From: a@b.example\n" + raw),
        context=Context(now=NOW, received_at=NOW, anchors=()),
        variant=Variant(),
        addresses=Nowhere(),
    )
    assert time.process_time() - start < 2
    assert any(sentence in said for said in notices(made.page["limits"]))
    assert made.documents.frames or "depth" in made.page["limits"]
    if made.documents.frames and name != "10,000 parts":
        assert "text" in made.documents.frames[0]


def test_r39_zip_bombs_are_never_opened() -> None:
    """A zip is a file: nothing in Signet unpacks one, so its size is its own."""
    zipped = CASES["attachment"]().replace(b"application/pdf", b"application/zip")
    start = time.process_time()
    made = pipeline.make(
        reading=read_message(zipped),
        context=Context(now=NOW, received_at=NOW, anchors=()),
        variant=Variant(),
        addresses=Nowhere(),
    )
    assert time.process_time() - start < 1
    assert made.page["attachments"][0][3] == SIZE * 3 // 4
