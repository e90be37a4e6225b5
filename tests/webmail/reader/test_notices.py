"""Every limit of rendering.md §1 holds, and the reader is told in a sentence of its own when it
bites: each code is brought about by a mail, through the whole pipeline.
"""

import base64
from datetime import UTC, datetime

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from smime.reading import read_message
from smime.verdict import Context
from tests.webmail.mime.test_embedded import file as tnef_file
from tests.webmail.mime.test_embedded import tnef
from tests.webmail.reader.test_pipeline import Numbered
from webmail.html import sanitise
from webmail.html.limits import DEFAULT_LIMITS
from webmail.html.writing import WriterFailed
from webmail.mime import Limits, parse_message
from webmail.mime.tnef import LONGEST, MOST_FILES
from webmail.reader import notices as module
from webmail.reader import pipeline, views
from webmail.reader.notices import notices
from webmail.reader.variants import Variant

HEADER = "The header of this message is unusually long; not all of it was read."
WORDS = "This message is built so unusually that only its words are shown."
LOOKS = "Some colours and distances of this message are not shown."
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\n\n"
PNG = b"\x89PNG\r\n\x1a\n"


def nested(levels: int) -> bytes:
    return b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (level, level)
        for level in range(levels)
    )


def html(text: str) -> bytes:
    return b"Content-Type: text/html; charset=utf-8\n\n" + text.encode()


def plain(text: str) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode()


def data_picture(octets: int) -> str:
    content = base64.b64encode(PNG + bytes(octets - len(PNG))).decode()
    return f'<img src="data:image/png;base64,{content}">'


def tnef_with(files: int) -> bytes:
    return tnef(*(tnef_file("a.txt", b"content") for _ in range(files)))


def file(name: str, content_type: str, content: bytes) -> bytes:
    return (
        MULTIPART
        + b"--b\n\nSee the file.\n--b\n"
        + f'Content-Type: {content_type}; name="{name}"\n'.encode()
        + b"Content-Transfer-Encoding: base64\nContent-Disposition: attachment\n\n"
        + base64.encodebytes(content)
        + b"--b--\n"
    )


UUENCODED = "begin 644 a%d\n#0V%%T\n`\nend\n"
# For each code: a mail one step within the limit, one beyond it, and what is said of the latter.
BITTEN: dict[str, tuple[bytes, bytes, str]] = {
    "depth": (nested(19) + b"\nx", nested(25) + b"\nx", "parts beyond level 20 are not shown"),
    "parts": (
        MULTIPART + b"--b\n\nx\n" * 990,
        MULTIPART + b"--b\n\nx\n" * 1_100,
        "parts beyond the first 1000 are not shown",
    ),
    "header-fields": (b"X: y\n" * 990 + b"\nx", b"X: y\n" * 1_100 + b"\nx", HEADER),
    "header-block": (
        b"X: y\n" + b"Z: " + b"y" * 60_000 + b"\n\nx",
        (b"X: " + b"y" * 60_000 + b"\n") * 5 + b"\nx",
        HEADER,
    ),
    "header-value": (
        b"Subject: " + b"y " * 30_000 + b"\n\nx",
        b"Subject: " + b"y " * 40_000 + b"\n\nx",
        HEADER,
    ),
    "content-value": (
        b"Content-Type: text/plain; a=" + b"y" * 3_000 + b"\n\nx",
        b"Content-Type: text/plain; a=" + b"y" * 5_000 + b"\n\nx",
        HEADER,
    ),
    "parameters": (
        b"Content-Type: text/plain" + b"".join(b"; a%d=b" % n for n in range(60)) + b"\n\nx",
        b"Content-Type: text/plain" + b"".join(b"; a%d=b" % n for n in range(70)) + b"\n\nx",
        HEADER,
    ),
    "encoded-words": (
        b"Subject: " + b"=?utf-8?q?a?= " * 900 + b"\n\nx",
        b"Subject: " + b"=?utf-8?q?a?= " * 1_100 + b"\n\nx",
        HEADER,
    ),
    "boundary": (
        b'Content-Type: multipart/mixed; boundary="%b"\n\n--%b\n\nx\n' % (b"b" * 256, b"b" * 256),
        b'Content-Type: multipart/mixed; boundary="%b"\n\n--%b\n\nx\n' % (b"b" * 257, b"b" * 257),
        "The mark between the parts of this message is too long",
    ),
    "addresses": (
        b"To: " + b"a@b.example, " * 990 + b"\n\nx",
        b"To: " + b"a@b.example, " * 1_500 + b"\n\nx",
        "the first 1000 addresses",
    ),
    "text": (
        plain("word " * 400_000),
        plain("word " * 450_000),
        "The text is longer than 2 MB and was cut.",
    ),
    "not-text": (plain("x\n"), plain("\x01\x02\x03\x04" * 9_000), "Only its beginning is shown"),
    "linkify": (
        plain("https://a.example/\n" * 1_990),
        plain("https://a.example/\n" * 2_100),
        "Not every address in this long text was made a link.",
    ),
    "blocks": (
        MULTIPART + b"--b\n\nx\n" * 30,
        MULTIPART + b"--b\n\nx\n" * 31,
        "more texts than fit on a page",
    ),
    "embedded": (
        plain("".join(UUENCODED % n for n in range(MOST_FILES - 1))),
        plain("".join(UUENCODED % n for n in range(MOST_FILES + 1))),
        "holds an unusual number of files",
    ),
    "damaged-file": (
        plain(UUENCODED % 1 + "text"),
        plain("begin 644 a\n#0V%T\n"),
        "An attachment inside the text is incomplete or damaged.",
    ),
    "damaged-tnef": (
        file("winmail.dat", "application/ms-tnef", tnef_with(1)),
        file("winmail.dat", "application/ms-tnef", tnef_with(1)[:-20]),
        "(winmail.dat) is damaged",
    ),
    "large-tnef": (
        file("winmail.dat", "application/ms-tnef", tnef_with(1)),
        file("winmail.dat", "application/ms-tnef", tnef_with(1) + bytes(LONGEST)),
        "(winmail.dat) is too large to be opened here",
    ),
    "external-body": (
        plain("x"),
        b"Content-Type: message/external-body; access-type=URL; URL=ftp://a.example/\n\nx",
        "Nothing was fetched from there.",
    ),
    "partial": (
        plain("x"),
        b"Content-Type: message/partial; id=a; number=1; total=2\n\nx",
        "The pieces are not joined",
    ),
    "html-size": (html("x" * 1024 * 1024), html("x" * (1024 * 1024 + 1)), WORDS),
    "tags": (html("<br>" * 39_000 + "x"), html("<br>" * 40_001 + "x"), WORDS),
    "entities": (html("&amp;" * 39_000), html("&amp;" * 40_001), WORDS),
    "nesting": (html("<div>" * 450 + "x"), html("<div>" * 501 + "x"), WORDS),
    "attributes": (
        html(f"<p {' '.join(f'a{n}=x' for n in range(190))}>x"),
        html(f"<p {' '.join(f'a{n}=x' for n in range(230))}>x"),
        WORDS,
    ),
    "formatting": (
        html("<b>" * 90 + "<p>x</p>" * 9_000),
        html("<b>" * 400 + "<p>x</p>" * 9_000),
        WORDS,
    ),
    "css": (
        html("<style>" + "p{color:red}" * 900 + "</style>x"),
        html("<style>" + "p{color:red}" * 1_001 + "</style>x"),
        LOOKS,
    ),
    "style-attribute": (
        html(f'<p style="color:red;{" " * 3_900}">x'),
        html(f'<p style="color:red;{" " * 4_100}">x'),
        LOOKS,
    ),
    "style-attributes": (
        html("".join(f'<p style="width:{n}px">x' for n in range(1_900))),
        html("".join(f'<p style="width:{n}px">x' for n in range(2_100))),
        LOOKS,
    ),
    "data-images": (
        html(data_picture(512 * 1024)),
        html(data_picture(512 * 1024 + 3)),
        "A picture inside the text is too large",
    ),
    "links": (
        html("<a href=https://a.example/>a</a>" * DEFAULT_LIMITS.links),
        html("<a href=https://a.example/>a</a>" * (DEFAULT_LIMITS.links + 1)),
        "more links than are checked",
    ),
    "images": (
        html("<img src=https://a.example/x.png>" * DEFAULT_LIMITS.images),
        html("<img src=https://a.example/x.png>" * (DEFAULT_LIMITS.images + 1)),
        "more pictures than are looked at",
    ),
    "empty": (plain("x"), plain(" \n"), "This message has no text."),
    "nothing-shown": (
        html("<p>x</p>"),
        html("<script>alert(1)</script><svg><text>x</text></svg>&nbsp;<p> </p>"),
        "Nothing in this message can be shown safely.",
    ),
}
# Tried below: what makes it happen is no octets of a mail, or too many for a test.
ELSEWHERE = {"raw", "writer", "error"}


def said_of(raw: bytes) -> tuple[list[str], tuple[str, ...]]:
    """The codes and sentences of a mail as its page has them."""
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    made = pipeline.make(
        reading=read_message(raw),
        context=Context(now=now, received_at=now, anchors=()),
        variant=Variant(),
        addresses=Numbered(),
    )
    return made.page["limits"], notices(made.page["limits"])


@pytest.mark.parametrize("code", BITTEN)
def test_a_limit_holds_and_is_said_when_it_bites(code: str) -> None:
    within, beyond, sentence = BITTEN[code]
    assert code not in said_of(within)[0]
    codes, sentences = said_of(beyond)
    assert code in codes
    assert any(sentence in said for said in sentences), sentences


def test_every_sentence_is_brought_about_by_a_mail() -> None:
    assert BITTEN.keys() | ELSEWHERE == module._SENTENCES.keys()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (html(f"<style>p{{color:red}}{' ' * 66_000}</style>x"), "css"),
        (html(f'<body style="color:red;{" " * 4_100}">x'), "style-attribute"),
        (file("winmail.dat", "application/ms-tnef", tnef_with(MOST_FILES + 1)), "embedded"),
    ],
)
def test_further_ways_to_the_same_limits(raw: bytes, code: str) -> None:
    assert code in said_of(raw)[0]


def test_what_is_left_of_a_limit_is_still_there() -> None:
    """Cut, not lost: the first 1,000 parts, 20 levels, the words of a bomb."""
    raw = BITTEN["nesting"][1]
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    made = pipeline.make(
        reading=read_message(raw.replace(b"<div>x", b"<div>the words")),
        context=Context(now=now, received_at=now, anchors=()),
        variant=Variant(),
        addresses=Numbered(),
    )
    assert "the words" in made.documents.frames[0]
    tree = parse_message(BITTEN["parts"][1])
    assert sum(1 for _ in tree.walk()) == Limits().parts
    deepest = parse_message(BITTEN["depth"][1]).root
    levels = 1
    while deepest.children:
        deepest, levels = deepest.children[0], levels + 1
    assert levels == Limits().depth


def test_a_message_too_large_to_be_read_says_its_bound_and_offers_the_original() -> None:
    hit = parse_message(b"Subject: x\n\n" + b"y" * 100, limits=Limits(raw=50)).limits_hit
    (said,) = notices(hit)
    assert (
        said
        == "This message is larger than 200 MB. Only its header is shown; download the original."
    )


@pytest.mark.parametrize(
    ("step", "problem", "code"),
    [
        ("read_html", SoftTimeLimitExceeded(), "error"),
        ("write", MemoryError(), "error"),
        ("safe_stylesheet", ValueError(), "error"),
        ("write", WriterFailed(), "writer"),
    ],
)
def test_html_that_runs_out_of_time_or_memory_shows_its_words(
    monkeypatch, step: str, problem: Exception, code: str
) -> None:
    """Never a less strict renderer: the text view, and that it is one."""

    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(sanitise, step, fail)
    codes, sentences = said_of(html("<p>the words</p><script>alert(1)</script>"))
    assert codes == [code]
    assert sentences == (WORDS + " Download the original.",)


def test_a_blank_text_beside_files_needs_no_word() -> None:
    with_file = file("a.pdf", "application/pdf", b"%PDF").replace(b"See the file.", b" ")
    assert said_of(with_file) == ([], ())


def test_what_the_page_lists_and_the_source_shows_is_cut_with_a_word(letters, monkeypatch) -> None:
    fields = "".join(f"X-Field-{n}: y\r\n" for n in range(pipeline.HEADER_ROWS + 1))
    more, all_of_it = "There are more fields", "Only the beginning is shown."
    long = letters.put(f"Subject: s\r\n{fields}\r\nx\r\n".encode())
    short = letters.put(b"Subject: s\r\n\r\nx\r\n")
    assert more in letters.opened(long)
    assert more not in letters.opened(short)
    monkeypatch.setattr(views, "SOURCE_SHOWN", 100)
    assert all_of_it in letters.client.get(f"/message/{long.pk}/source").content.decode()
    assert all_of_it not in letters.client.get(f"/message/{short.pk}/source").content.decode()
