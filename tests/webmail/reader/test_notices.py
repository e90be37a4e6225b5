"""Every limit of reading that a message meets has its sentence (rendering.md §1)."""

import pytest

from webmail.mime import Limits, parse_message
from webmail.reader.notices import notices

HEADER = "The header of this message is unusually long; not all of it was read."
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\n\n"


def nested(levels: int) -> bytes:
    return b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (level, level)
        for level in range(levels)
    )


@pytest.mark.parametrize(
    ("raw", "code", "sentence"),
    [
        (nested(25) + b"\nx", "depth", "parts beyond level 20 are not shown"),
        (MULTIPART + b"--b\n\nx\n" * 1_100, "parts", "parts beyond the first 1000 are not shown"),
        (b"X: y\n" * 1_100 + b"\nx", "header-fields", HEADER),
        (b"X: " + b"y " * 150_000 + b"\n\nx", "header-block", HEADER),
        (b"Subject: " + b"y " * 40_000 + b"\n\nx", "header-value", HEADER),
        (b"Content-Type: text/plain; a=" + b"y" * 5_000 + b"\n\nx", "content-value", HEADER),
        (
            b"Content-Type: text/plain" + b"".join(b"; a%d=b" % n for n in range(70)) + b"\n\nx",
            "parameters",
            HEADER,
        ),
        (b"To: " + b"a@b.example, " * 1_500 + b"\n\nx", "addresses", "the first 1000 addresses"),
    ],
)
def test_a_limit_that_is_met_is_said(raw, code, sentence):
    hit = parse_message(raw).limits_hit
    assert code in hit
    assert any(sentence in said for said in notices([code]))


def test_a_message_too_large_to_be_read_says_its_bound_and_offers_the_original():
    hit = parse_message(b"Subject: x\n\n" + b"y" * 100, limits=Limits(raw=50)).limits_hit
    (said,) = notices(hit)
    assert (
        said
        == "This message is larger than 200 MB. Only its header is shown; download the original."
    )
