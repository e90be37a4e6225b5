"""The tree: offsets, section numbers, delimiters, flags, limits."""

import pytest

from webmail.mime import Flag, Limits, Message, decode_body, parse_message, part_source
from webmail.mime.tree import split_multipart


def shape(message: Message) -> list[tuple[str, str]]:
    return [(part.path, part.content_type) for part in message.walk()]


def multipart(*parts: str, subtype: str = "mixed", boundary: str = "b", close: bool = True) -> str:
    lines = [f"Content-Type: multipart/{subtype}; boundary={boundary}", ""]
    for part in parts:
        lines += [f"--{boundary}", part]
    return "\n".join([*lines, f"--{boundary}--"] if close else lines)


TEXT = "Content-Type: text/plain\n\nhello"
IMAGE = "Content-Type: image/png\n\nx"
FORWARD = f"Content-Type: message/rfc822\n\nFrom: a@b.example\n{TEXT}"
FORWARDED_TREE = (
    f"Content-Type: message/rfc822\n\nSubject: x\n{multipart(TEXT, IMAGE, boundary='c')}"
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", [("1", "text/plain")]),
        ("Subject: x\n\nhi", [("1", "text/plain")]),
        (
            multipart(TEXT, IMAGE),
            [("", "multipart/mixed"), ("1", "text/plain"), ("2", "image/png")],
        ),
        (
            multipart(multipart(TEXT, IMAGE, boundary="c"), IMAGE),
            [
                ("", "multipart/mixed"),
                ("1", "multipart/mixed"),
                ("1.1", "text/plain"),
                ("1.2", "image/png"),
                ("2", "image/png"),
            ],
        ),
        (
            multipart(TEXT, FORWARD),
            [
                ("", "multipart/mixed"),
                ("1", "text/plain"),
                ("2", "message/rfc822"),
                ("2.1", "text/plain"),
            ],
        ),
        (
            multipart(FORWARDED_TREE),
            [
                ("", "multipart/mixed"),
                ("1", "message/rfc822"),
                ("1.TEXT", "multipart/mixed"),
                ("1.1", "text/plain"),
                ("1.2", "image/png"),
            ],
        ),
        (FORWARD, [("1", "message/rfc822"), ("1.1", "text/plain")]),
        (
            multipart("\nFrom: a@b.example\n\nx", subtype="digest"),
            [("", "multipart/digest"), ("1", "message/rfc822"), ("1.1", "text/plain")],
        ),
        ("Content-Type: nonsense\n\nhi", [("1", "text/plain")]),
        (
            multipart(TEXT, "Content-Type: nonsense\n\nhi"),
            [("", "multipart/mixed"), ("1", "text/plain"), ("2", "application/octet-stream")],
        ),
        ("Content-Type: multipart/mixed\n\nno boundary", [("1", "text/plain")]),
        ("Content-Type: multipart/mixed; boundary=b\n\nno parts", [("1", "multipart/mixed")]),
        ("From x@y Mon Jan 1 00:00:00 2024\nContent-Type: text/html\n\nhi", [("1", "text/html")]),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_sections(source: str, expected: list[tuple[str, str]], line_end: str) -> None:
    assert shape(parse_message(source.replace("\n", line_end).encode())) == expected


@pytest.mark.parametrize(
    ("body", "children", "is_closed"),
    [
        (b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", [b"\r\none", b"\r\ntwo"], True),
        (b"preamble\n--b\none\n--b--\nepilogue\n--b\nmore", [b"one"], True),
        (b"--b \t\none\n--b-- \t\n", [b"one"], True),
        (b"--b\n--b\n--b--", [b"", b""], True),
        (b"--b\none\n--bx\n--b-\n --b\nrest\n--b--", [b"one\n--bx\n--b-\n --b\nrest"], True),
        (b"--b\none\n--b--x\n--b--", [b"one\n--b--x"], True),
        (b"--b\none\r--b\r\n--b--", [b"one\r--b"], True),
        (b"--b\none\r\r\n--b--", [b"one\r"], True),
        (b"--b\none\n\n--b--", [b"one\n"], True),
        (b"--b\none", [b"one"], False),
        (b"--b", [b""], False),
        (b"nothing", [], False),
        (b"", [], False),
    ],
)
def test_delimiters(body: bytes, children: list[bytes], is_closed: bool) -> None:
    raw = b"X: y\n\n" + body
    spans, closed = split_multipart(raw, 6, len(raw), b"b", most=10)
    assert [raw[low:high] for low, high in spans] == children
    assert closed is is_closed


def test_a_child_never_reads_past_the_delimiter_of_its_parent() -> None:
    inner = multipart(TEXT, boundary="inner", close=False)
    message = parse_message(multipart(inner, "Content-Type: image/png\n\n--inner\n\nx").encode())
    assert shape(message) == [
        ("", "multipart/mixed"),
        ("1", "multipart/mixed"),
        ("1.1", "text/plain"),
        ("2", "image/png"),
    ]
    assert decode_body(message, message.part("1.1")) == b"hello"
    assert Flag.UNCLOSED in message.part("1").flags
    assert Flag.UNCLOSED in message.flags


SIGNED_CONTENTS = [
    b"Content-Type: text/plain\r\n\r\nhello\r\n",
    b"Content-Type: text/plain\r\n\r\n",
    b"content-TYPE:  text/plain;\r\n\tcharset = utf-8\r\n\r\nspace at the end  \r\n\r\n\r\n",
    b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c  \r\n\r\nx\r\n--c--  \r\nepilogue\r\n",
    b"Content-Type: text/plain\r\nX: \xff\xfe\r\n\r\n\xe4\x00\r\n",
    b"Content-Type: text/plain\n\nbare\nLF\n",
    b"Content-Type: text/plain\r\n\r\nmixed\nends\r\nand\rCR",
    b"\r\nno header",
]


@pytest.mark.parametrize("content", SIGNED_CONTENTS)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_signed_octets_are_those_of_the_message(content: bytes, line_end: bytes) -> None:
    raw = line_end.join(
        [
            b'Content-Type: multipart/signed; boundary="=_s"; protocol="application/pkcs7-signature"',
            b"",
            b"--=_s",
            content,
            b"--=_s",
            b"Content-Type: application/pkcs7-signature",
            b"",
            b"AAAA",
            b"--=_s--",
            b"",
        ]
    )
    message = parse_message(raw)
    assert part_source(message, message.part("1")) == content
    assert part_source(message, message.root) == raw


@pytest.mark.parametrize(
    ("source", "flag"),
    [
        ("Content-Type: text/html\nContent-Type: text/plain\n\n", Flag.DUPLICATE_TYPE),
        (
            "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n",
            Flag.DUPLICATE_ENCODING,
        ),
        (
            "Content-Disposition: inline\nContent-Disposition: inline\n\n",
            Flag.DUPLICATE_DISPOSITION,
        ),
        (
            "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n\n",
            Flag.DUPLICATE_BOUNDARY,
        ),
        (
            "Content-Type: multipart/mixed; boundary*0=a; boundary=b\n\n--b\n\n",
            Flag.DUPLICATE_BOUNDARY,
        ),
        ("Content-Type: text/plain; charset=a; charset=b\n\n", Flag.DUPLICATE_PARAMETER),
        ("Content-Type: text\n\n", Flag.BROKEN_TYPE),
        ("Content-Transfer-Encoding: x-rot\n\n", Flag.UNKNOWN_ENCODING),
        (
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQQ==",
            Flag.ENCODED_CONTAINER,
        ),
        ("Content-Type: multipart/mixed; boundary=b\n\nx", Flag.NO_PARTS),
        ("Subject: x\nno field\n\n", Flag.HEADER_JUNK),
        ("Subject: x", Flag.HEADER_UNTERMINATED),
        ("Content-Disposition: attachment; filename=a.pdf.exe\n\n", Flag.DECEPTIVE_FILENAME),
        (
            "Content-Disposition: attachment; filename*=utf-8''a%E2%80%AEfdp.exe\n\n",
            Flag.DECEPTIVE_FILENAME,
        ),
    ],
)
def test_flags(source: str, flag: Flag) -> None:
    assert flag in parse_message(source.encode()).flags


def test_a_clean_message_has_no_flags() -> None:
    message = parse_message(multipart(TEXT, IMAGE, FORWARD).encode())
    assert (message.flags, message.limits_hit) == (frozenset(), ())


def test_the_first_of_doubled_structural_fields_counts() -> None:
    message = parse_message(b"Content-Type: text/html\nContent-Type: text/plain\n\nx")
    assert message.root.content_type == "text/html"


@pytest.mark.parametrize(
    ("source", "limits", "name"),
    [
        ("Subject: x\n\n" + "y" * 100, Limits(raw=50), "raw"),
        ("Subject: " + "x" * 99 + "\n\n", Limits(header_block=50), "header-block"),
        ("A: 1\nB: 2\nC: 3\n\n", Limits(header_fields=2), "header-fields"),
        ("Subject: " + "x" * 99 + "\n\n", Limits(header_value=50), "header-value"),
        (f"Content-Type: text/plain; a={'x' * 99}\n\n", Limits(content_value=50), "content-value"),
        ("Content-Type: text/plain; a=1; b=2; c=3\n\n", Limits(parameters=2), "parameters"),
        (
            f"Content-Type: multipart/mixed; boundary={'x' * 99}\n\n",
            Limits(boundary=50),
            "boundary",
        ),
        ("To: a@b, c@d, e@f\n\n", Limits(addresses=2), "addresses"),
        ("Subject: =?utf-8?q?a?= =?utf-8?q?b?=\n\n", Limits(encoded_words=1), "encoded-words"),
        (multipart(multipart(TEXT, boundary="c")), Limits(depth=1), "depth"),
        (multipart(TEXT, TEXT, TEXT), Limits(parts=3), "parts"),
        (multipart(FORWARD), Limits(parts=2), "parts"),
    ],
)
def test_limits(source: str, limits: Limits, name: str) -> None:
    assert name in parse_message(source.encode(), limits=limits).limits_hit
    assert parse_message(source.encode()).limits_hit == ()


def test_depth_of_limits_is_bounded() -> None:
    with pytest.raises(ValueError, match="depth"):
        Limits(depth=10_000)


@pytest.mark.parametrize(
    ("source", "subject", "body"),
    [
        (b"Subject: a\n b\n\nx", "a b", b"x"),
        (b" leading space\nSubject: a\n\nx", "a", b"x"),
        (b"junk\nSubject: a\n\nx", "a", b"x"),
        (b"Subject : a\n\nx", "a", b"x"),
        (b"hello world\n\nx", "", b"hello world\n\nx"),
        (b"\nSubject: a\n\nx", "", b"Subject: a\n\nx"),
        (b"Subject: a\r\n\r\nx", "a", b"x"),
        (b"Subject: a\nno field, no empty line", "a", b"no field, no empty line"),
        (b"Subject: a\xff\n\n", "aÿ", b""),
        ("Subject: ä\n\n".encode(), "ä", b""),
        (b"Subject: a\rb\0c\n\n", "abc", b""),
    ],
)
def test_header_blocks(source: bytes, subject: str, body: bytes) -> None:
    message = parse_message(source)
    assert message.envelope.subject == subject
    assert decode_body(message, message.root) == body


def test_part_by_path() -> None:
    message = parse_message(multipart(TEXT, IMAGE).encode())
    assert message.part("2").content_type == "image/png"
    with pytest.raises(KeyError):
        message.part("3")


def test_headers_are_found_without_case_and_keep_their_order() -> None:
    headers = parse_message(b"X-A: 1\nb: =?utf-8?q?=C3=A4?=\nx-a:  2\n  3 \n\n").root.headers
    assert headers.get("x-A") == b"1"
    assert headers.get_all("X-a") == [b"1", b"2  3"]
    assert headers.items() == [("X-A", b"1"), ("b", b"=?utf-8?q?=C3=A4?="), ("x-a", b"2  3")]
    assert headers.text("B") == "ä"
    assert headers.get("none") is None
    assert headers.text("none") == ""
