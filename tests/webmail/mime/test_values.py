"""Header values: encoded-words, parameters, addresses, dates, file names."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from webmail.mime import (
    Address,
    Limits,
    ascii_domain,
    decode_header_value,
    is_deceptive_filename,
    parse_addresses,
    parse_date,
    parse_message,
    read_address_list,
    safe_filename,
)
from webmail.mime.addresses import _SIMPLE
from webmail.mime.parameters import parse_content_type, parse_disposition


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?iso-8859-1?Q?a_b?=", "a b"),
        ("=?utf-8*de?q?a?=", "a"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=  x =?utf-8?q?b?=", "a  x b"),
        ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
        ("x=?utf-8?q?a?=y", "xay"),
        ('"=?utf-8?q?a?="', '"a"'),
        # a character and a base64 group that were split between words
        ("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
        ("=?utf-8?b?w7?= =?utf-8?b?w=?=", "ü"),
        ("=?utf-8?b?w7w?=", "ü"),
        ("=?utf-8?q?two words?=", "two words"),
        ("=?utf-8?q?What??=", "What?"),
        ("=?utf-8?q?bad =ZZ escape?=", "bad =ZZ escape"),
        ("=?utf-8?q?open =?utf-8?q?sound?=", "=?utf-8?q?open sound"),
        ("=?utf-8?q?never closed", "=?utf-8?q?never closed"),
        ("=?utf-8?x?other?=", "=?utf-8?x?other?="),
        ("=?x-unknown?q?=C3=BC?=", "ü"),
        ("=?x-unknown?q?=FC?=", "ü"),
        ("=??q?=FC?=", "ü"),
        ("=?utf-7?q?+AGE-?=", "+AGE-"),
        ("=?unicode_escape?q?\\x41?=", "\\x41"),
        ("=?us-ascii?q?=C3=BC?=", "ü"),
        ("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?gb2312?b?xOO6ww==?=", "你好"),
        # decoded once; controls and bidirectional marks do not come through
        ("=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=", "=?utf-8?q?a?="),
        ("=?utf-8?q?a=0D=0ABcc:_x=00?=", "aBcc: x"),
        ("=?utf-8?b?4oCuYWLigKzigag=?=", "ab\u2068".replace("\u2068", "")),
        ("a\tb", "a b"),
        (b"\xc3\xbc", "ü"),
        (b"\xfc \xc3", "ü Ã"),
    ],
)
def test_encoded_words(value: bytes | str, text: str) -> None:
    assert decode_header_value(value) == text


def test_words_beyond_the_limit_stay_as_written() -> None:
    assert decode_header_value("=?utf-8?q?a?= =?utf-8?q?b?=", limit=1) == "a =?utf-8?q?b?="


@pytest.mark.parametrize(
    ("value", "token", "parameters"),
    [
        ("text/plain", "text/plain", {}),
        ("TEXT/Html; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        (
            'text/plain; charset="utf-8"; format=flowed',
            "text/plain",
            {"charset": "utf-8", "format": "flowed"},
        ),
        (
            'text/plain;charset="utf-8" format=flowed',
            "text/plain",
            {"charset": "utf-8", "format": "flowed"},
        ),
        ("text/plain charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("text/plain;; ;charset = utf-8;", "text/plain", {"charset": "utf-8"}),
        ("(note) text/plain (a; b=(c)); charset=x (Plain text)", "text/plain", {"charset": "x"}),
        ('text/plain; name="a\\"b;c"', "text/plain", {"name": 'a"b;c'}),
        ('text/plain; name="open; charset=x', "text/plain", {"name": "open", "charset": "x"}),
        (
            "application/pdf; name=My report (1).pdf",
            "application/pdf",
            {"name": "My report (1).pdf"},
        ),
        ("text/plain; junk; =x; charset=x", "text/plain", {"charset": "x"}),
        ('text/plain; name="=?utf-8?q?=C3=A4?="', "text/plain", {"name": "ä"}),
        ("text/plain; name*=utf-8''%C3%A4", "text/plain", {"name": "ä"}),
        ("text/plain; name*=%C3%A4", "text/plain", {"name": "ä"}),
        ("text/plain; name*0=a; name*1=b", "text/plain", {"name": "ab"}),
        (
            "text/plain; name*1=b; name*0*=utf-8''%C3; name*2*=%A4",
            "text/plain",
            {"name": "\ufffdb\ufffd"},
        ),
        ("text/plain; name*0*=utf-8''%C3; name*1*=%A4", "text/plain", {"name": "ä"}),
        ("text/plain; name*0=a; name*2=c", "text/plain", {"name": "a"}),
        (
            'text/plain; name*0="=?utf-8?q?=C3"; name*1="=A4?="',
            "text/plain",
            {"name": "ä"},
        ),
        ("text/plain; name*1=b; name=plain", "text/plain", {"name": "plain"}),
        ("text/plain; name=old; name*=utf-8''new", "text/plain", {"name": "new"}),
        ("text/plain; charset=a; charset=b", "text/plain", {"charset": "a"}),
        ("text/plain; x*=utf-8''a%0D%0Ab%00", "text/plain", {"x": "ab"}),
        ("text", "", {}),
        ("", "", {}),
        ("/plain; a=b", "", {"a": "b"}),
        ("(((", "", {}),
    ],
)
def test_content_type(value: str, token: str, parameters: dict[str, str]) -> None:
    parsed = parse_content_type(value.encode(), limits=Limits(), on_limit=lambda _: None)
    assert (parsed.token, dict(parsed.parameters)) == (token, parameters)


@pytest.mark.parametrize(
    ("value", "token", "parameters"),
    [
        ('Attachment; filename="a.pdf"', "attachment", {"filename": "a.pdf"}),
        ("filename=a.pdf", "", {"filename": "a.pdf"}),
        ("inline", "inline", {}),
    ],
)
def test_disposition(value: str, token: str, parameters: dict[str, str]) -> None:
    parsed = parse_disposition(value.encode(), limits=Limits(), on_limit=lambda _: None)
    assert (parsed.token, dict(parsed.parameters)) == (token, parameters)


def test_the_octets_of_a_boundary_are_kept() -> None:
    raw = b'Content-Type: multipart/mixed; boundary="\xe4\x82 "\n\n--\xe4\x82\n\nx\n--\xe4\x82--'
    assert [part.path for part in parse_message(raw).walk()] == ["", "1"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ada@example.org", [("", "ada@example.org")]),
        ("Ada Lovelace <ada@example.org>", [("Ada Lovelace", "ada@example.org")]),
        (
            '"Lovelace, Ada" <ada@example.org>, bo@example.org',
            [("Lovelace, Ada", "ada@example.org"), ("", "bo@example.org")],
        ),
        ("ada@example.org (Ada)", [("Ada", "ada@example.org")]),
        ("thief@evil.example (ceo@bank.example)", [("ceo@bank.example", "thief@evil.example")]),
        ("ceo@bank.example <thief@evil.example>", [("ceo@bank.example", "thief@evil.example")]),
        ("A (x (y)) B <a (z) @ example.org>", [("A B", "a@example.org")]),
        ("=?utf-8?q?=C3=84da?= <a@b.example>", [("Äda", "a@b.example")]),
        ('"=?utf-8?q?=C3=84da?=" <a@b.example>', [("Äda", "a@b.example")]),
        ("=?utf-8?Q?Doe, John?= <j@b.example>", [("Doe, John", "j@b.example")]),
        ("=?utf-8?q?a_=3Cx=40y.example=3E?=", [("a <x@y.example>", "")]),
        ("<@relay,@other:a@b.example>", [("", "a@b.example")]),
        ('"a b"@example.org', [("", '"a b"@example.org')]),
        ('"a\\"b" <"c\\\\d"@example.org>', [('a"b', '"c\\\\d"@example.org')]),
        ("a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
        ("a@bücher.example", [("", "a@bücher.example")]),
        ("бо@почта.example", [("", "бо@почта.example")]),
        (
            "Team: a@b.example, C <c@d.example>;, e@f.example",
            [("", "a@b.example"), ("C", "c@d.example"), ("", "e@f.example")],
        ),
        ("undisclosed-recipients:;", []),
        ("a@b.example; c@d.example", [("", "a@b.example"), ("", "c@d.example")]),
        ("Ada ada@example.org", [("Ada", "ada@example.org")]),
        ("ada @ example.org", [("", "ada@example.org")]),
        ("a..b.@docomo.example", [("", "a..b.@docomo.example")]),
        (",, a@b.example,,", [("", "a@b.example")]),
        (
            "Ada <ada@example.org, Bo <bo@example.org>",
            [("Ada", "ada@example.org"), ("Bo", "bo@example.org")],
        ),
        ("<>", [("", "")]),
        ("Ada", [("Ada", "")]),
        ("a@b@c.example", [("a@b@c.example", "")]),
        ("<a b@c.example>", [("", "")]),
        ("a@", [("", "")]),
        ("@b.example", [("", "")]),
        ("<a@b.example\x01>", [("", "")]),
        ('"open <a@b.example>', [("open <a@b.example>", "")]),
        ("", []),
    ],
)
def test_addresses(value: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.name, one.address) for one in parse_addresses(value)] == expected


@pytest.mark.parametrize(
    ("field", "is_malformed"),
    [
        ("From: Ada <ada@example.org>", False),
        ("From : Ada <ada@example.org>", False),
        ("From: ada@example.org, bo@example.org", False),
        ("From: ada@example.org (note) (another)", False),
        ("", True),
        ("From:", True),
        ("From: a@b.example\nFrom: a@b.example", True),
        ("From: Ada", True),
        ("From: Team: ada@example.org;", True),
        ("From: Team:;", True),
        ('From: "Ada <ada@example.org>', True),
        ("From: Ada <ada@example.org", True),
        ("From: (Ada ada@example.org", True),
        ("From: <a@b.example> <c@d.example>", True),
        ("From: <a@b.example> c@d.example", True),
        ("From: a@b@c.example", True),
        ("From: Ada <ada@example.org>, nobody", True),
    ],
)
def test_from_malformed(field: str, is_malformed: bool) -> None:
    message = parse_message(f"{field}\nSubject: x\n\n".encode())
    assert message.envelope.from_malformed is is_malformed


@pytest.mark.parametrize(
    "value",
    [
        "Ada <a@b.example>",
        '"Lovelace,  Ada" <a@b.example>',
        "<a@b.example>",
        "A  B<a.+b=@b.example>",
        '"" <a@b>',
        '" x "<a@b>',
        "'x' <a@b..c>",
    ],
)
def test_the_short_cut_for_simple_fields_reads_the_same(value: str) -> None:
    assert _SIMPLE.fullmatch(value)
    # White space at the end takes the long way.
    assert read_address_list(value) == read_address_list(value + " ")


def test_comments_are_kept_for_the_rule_on_names() -> None:
    assert parse_addresses("A <a@b.example> (=?utf-8?q?ceo=40bank.example?=)") == (
        Address("A", "a@b.example", "ceo@bank.example"),
    )


def test_address_lists_say_when_they_were_cut() -> None:
    read = read_address_list("a@b.example, c@d.example", limit=1)
    assert (len(read.addresses), read.is_cut) == (1, True)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("Example.ORG", "example.org"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("a\u2028ü", None),
    ],
)
def test_ascii_domain(domain: str, expected: str | None) -> None:
    assert ascii_domain(domain) == expected


HOUR = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tue, 03 Nov 2026 08:15:00 +0100", datetime(2026, 11, 3, 8, 15, tzinfo=HOUR)),
        ("3 Nov 26 08:15 GMT (comment)", datetime(2026, 11, 3, 8, 15, tzinfo=UTC)),
        ("Tue, 03 Nov 2026 08:15:00 -0000", datetime(2026, 11, 3, 8, 15, tzinfo=UTC)),
        ("Tue, 03 Nov 2026 08:15:00", datetime(2026, 11, 3, 8, 15, tzinfo=UTC)),
        ("Tue, 03 Nov 2026 08:15:60 +0000", datetime(2026, 11, 3, 8, 15, 59, tzinfo=UTC)),
        ("Tue, 03 Nov 2026 08:15:00 +9999", datetime(2026, 11, 3, 8, 15, tzinfo=UTC)),
        ("2026-11-03T08:15:00Z", datetime(2026, 11, 3, 8, 15, tzinfo=UTC)),
        ("2026-11-03 08:15:00", datetime(2026, 11, 3, 8, 15, tzinfo=UTC)),
        ("Tue, 31 Feb 2026 08:15:00 +0000", None),
        ("Tue, 03 Nov 0101 08:15:00 +0000", None),
        ("Tue, 03 Nov 99999999999999 08:15:00 +0000", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        ("9" * 100_000, None),
    ],
)
def test_dates(value: str | None, expected: datetime | None) -> None:
    parsed = parse_date(value)
    assert parsed == expected
    assert parsed is None or parsed.utcoffset() == (expected.utcoffset() if expected else None)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\a.doc", "a.doc"),
        ("a\r\nb\0.txt", "a__b_.txt"),
        ('a"<b>|?*.txt', "a__b____.txt"),
        ("a\u202efdp.exe", "a_fdp.exe"),
        (".bashrc", "bashrc"),
        ("name. . ", "name"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("console.txt", "console.txt"),
        ("u\u0308.txt", "ü.txt"),
        ("a\ud800.txt", "a_.txt"),
        ("", "part-1.2.bin"),
        (None, "part-1.2.bin"),
        ("...", "part-1.2.bin"),
        ("///", "part-1.2.bin"),
        ("ü" * 200 + ".pdf", "ü" * 73 + ".pdf"),
        ("a" * 200, "a" * 150),
        ("a." + "b" * 200, "a." + "b" * 148),
    ],
)
def test_safe_filename(name: str | None, safe: str) -> None:
    assert safe_filename(name, path="1.2") == safe


@pytest.mark.parametrize(
    ("name", "is_deceptive"),
    [
        ("a.pdf", False),
        ("setup.exe", False),
        ("a.pdf.exe", True),
        ("a.pdf   .EXE ", True),
        ("archive.tar.gz", False),
        ("Version 1.2.pdf", False),
        ("a\u202efdp.exe", True),
        ("a\u200f.pdf", True),
    ],
)
def test_deceptive_filename(name: str, is_deceptive: bool) -> None:
    assert is_deceptive_filename(name) is is_deceptive


def test_message_identifiers() -> None:
    envelope = parse_message(
        b"Message-ID: <a@b>\nIn-Reply-To: <c\n d@e> (comment)\nReferences: <f@g><h@i> junk\n\n"
    ).envelope
    assert envelope.message_id == "a@b"
    assert envelope.in_reply_to == ("cd@e",)
    assert envelope.references == ("f@g", "h@i")
    assert parse_message(b"Message-ID: bare@id x\n\n").envelope.message_id == "bare@id"
    assert parse_message(b"Message-ID: <a@[\n\n").envelope.message_id == ""
