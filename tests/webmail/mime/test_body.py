"""Transfer encodings, charsets and the choice of the body."""

import pytest

from webmail.mime import (
    BodyChoice,
    Flag,
    choose_body,
    decode_body,
    decode_text,
    is_secured,
    parse_message,
)
from webmail.mime.charset import codec_for
from webmail.mime.choosing import MOST_BLOCKS, BodyKind
from webmail.mime.transfer import decode, decoded_size


@pytest.mark.parametrize(
    ("encoding", "content", "decoded"),
    [
        ("base64", b"aGVsbG8=", b"hello"),
        ("base64", b"aGV\r\nsb!G8=\r\n", b"hello"),
        ("base64", b"aGVsbG8", b"hello"),
        ("base64", b"aGVsbG8h a", b"hello!"),
        ("base64", b"====", b""),
        ("base64", b"", b""),
        ("base64", b"aGk=aGk=", b"hi"),
        ("quoted-printable", b"a=3Db=\r\nc=0A", b"a=bc\n"),
        ("quoted-printable", b"a=  \r\nb=zz=", b"ab=zz"),
        ("x-uuencode", b"begin 644 x\n%:&5L;&\\\n`\nend\n", b"hello"),
        ("x-uuencode", b"begin 644 x\n%:&5L;&\\   junk\nend\n", b"hello"),
        ("x-uuencode", b"no uuencode", b""),
        ("8bit", b"\xff", b"\xff"),
        ("x-unknown", b"=41", b"=41"),
    ],
)
def test_transfer_encodings(encoding: str, content: bytes, decoded: bytes) -> None:
    assert decode(content, encoding) == decoded


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("BASE64 (comment)", "base64"),
        ('"quoted-printable";', "quoted-printable"),
        ("8-bit", "8bit"),
        ("", "7bit"),
    ],
)
def test_names_of_transfer_encodings(value: str, name: str) -> None:
    source = f"Content-Transfer-Encoding: {value}\n\nx".encode()
    assert parse_message(source).root.transfer_encoding == name


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 1000])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_size_of_base64_is_exact(size: int, line_end: bytes) -> None:
    from base64 import encodebytes

    raw = encodebytes(b"x" * size).replace(b"\n", line_end)
    assert decoded_size(raw, 0, len(raw), "base64") == size


@pytest.mark.parametrize(("content", "size"), [(b"a=3Db=\r\nc", 4), (b"a=3Db=\nc", 4), (b"abc", 3)])
def test_size_of_quoted_printable_is_exact(content: bytes, size: int) -> None:
    assert decoded_size(content, 0, len(content), "quoted-printable") == size


@pytest.mark.parametrize(
    ("content_type", "content", "text", "charset"),
    [
        ("text/plain; charset=utf-8", "ü".encode(), "ü", "utf-8"),
        ("text/plain; charset=iso-8859-1", b"\xfc\x80", "ü€", "cp1252"),
        # labels that the octets contradict
        ("text/plain; charset=utf-8", b"\xfc", "ü", "cp1252"),
        ("text/plain; charset=utf-8", "üö".encode() + b"\xfc", "üö\ufffd", "utf-8"),
        ("text/plain; charset=iso-8859-1", "ü".encode(), "ü", "utf-8"),
        ("text/plain; charset=koi8-r", "Привет".encode(), "Привет", "utf-8"),
        ("text/plain; charset=euc-kr", "日本語".encode(), "日本語", "utf-8"),
        ("text/plain; charset=utf-16", b"plain", "plain", "utf-8"),
        ("text/plain; charset=iso-2022-jp", "日本".encode(), "日本", "utf-8"),
        # labels as mail carries them
        ("text/plain; charset=utf_8", "ü".encode(), "ü", "utf-8"),
        ('text/plain; charset="charset=UTF-8"', "ü".encode(), "ü", "utf-8"),
        ("text/plain; charset=IBM437", b"\x81", "ü", "cp437"),
        ("text/plain; charset=x-mac-greek", b"\xe1", "α", "mac_greek"),
        ("text/plain; charset=utf-32", b"\xff\xfe\0\0a\0\0\0", "a", "utf-32-le"),
        ("text/plain; charset=utf-32be", b"\0\0\0a", "a", "utf-32-be"),
        ("text/plain; charset=us-ascii", "ü".encode(), "ü", "utf-8"),
        ("text/plain", "\ufeffü".encode(), "ü", "utf-8"),
        ("text/plain; charset=x-unknown", "ü".encode(), "ü", "utf-8"),
        ("text/plain; charset=utf-7", b"+AGE-", "+AGE-", "utf-8"),
        ("text/plain; charset=utf-16", b"\xff\xfea\0", "a", "utf-16-le"),
        (
            "text/html; charset=utf-8",
            b"<meta charset=koi8-r>\xc3\xbc",
            "<meta charset=koi8-r>ü",
            "utf-8",
        ),
        ("text/html", b"<meta charset=koi8-r>\xc1", "<meta charset=koi8-r>а", "koi8-r"),
        ("text/plain; charset=utf-8", b"a\r\nb\0c\rd", "a\nb\ufffdc\rd", "utf-8"),
    ],
)
def test_charsets(content_type: str, content: bytes, text: str, charset: str) -> None:
    message = parse_message(b"Content-Type: " + content_type.encode() + b"\n\n" + content)
    decoded = decode_text(message, message.root)
    assert (decoded.text, decoded.charset, decoded.truncated) == (text, charset, False)


def test_undeclared_cyrillic_is_guessed() -> None:
    text = "Привет, это обычное письмо без указания кодировки. Мы встретимся завтра утром."
    message = parse_message(b"Subject: x\n\n" + text.encode("cp1251"))
    assert decode_text(message, message.root).text == text


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Le café était fermé à Noël, où êtes-vous allé? Ça va très bien.", "cp1252"),
        ("El niño comió piña mañana también", "cp1252"),
        ("Zażółć gęślą jaźń, proszę przyjść na spotkanie jutro", "cp1250"),
        ("Привет, это обычное письмо без указания кодировки", "koi8-r"),
        ("Καλημέρα σας, αυτό είναι ένα μήνυμα", "cp1253"),
        ("こんにちは、会議は明日です。よろしくお願いします", "cp932"),
        ("こんにちは、会議は明日です。よろしくお願いします", "euc_jp"),
        ("你好，这是一封普通的邮件，明天见", "gb18030"),
        ("안녕하세요 내일 회의가 있습니다", "cp949"),
        ("你好，這是一封普通的郵件，明天見", "big5hkscs"),
    ],
)
def test_undeclared_and_mislabelled_text_is_guessed(text: str, codec: str) -> None:
    for label in (b"", b"; charset=utf-8", b"; charset=unknown-8bit"):
        source = b"Content-Type: text/plain" + label + b"\n\n" + text.encode(codec)
        message = parse_message(source)
        assert decode_text(message, message.root).text == text


@pytest.mark.parametrize(
    "label",
    [
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
        "raw_unicode_escape",
        "rot13",
        "hex",
        "zlib",
        "bz2",
        "base64",
        "uu",
        "quopri",
        "utf-7",
        "utf_7",
        "mbcs",
        "\x00",
        "ÿ",
    ],
)
def test_codecs_that_a_sender_may_not_choose(label: str) -> None:
    assert codec_for(label) is None


def test_every_codec_of_the_table_decodes_anything() -> None:
    from webmail.mime.charset import decode_as
    from webmail.mime.charset_labels import CODECS

    for codec in CODECS:
        for is_final in (True, False):
            assert isinstance(
                decode_as(bytes(range(256)) * 3 + b"\x1b$", codec, final=is_final), str
            )


def test_long_text_is_cut_between_characters() -> None:
    message = parse_message("Content-Type: text/plain; charset=utf-8\n\nüü".encode())
    decoded = decode_text(message, message.root, limit=3)
    assert (decoded.text, decoded.truncated) == ("ü", True)
    assert decode_body(message, message.root, limit=1) == b"\xc3"


def part(content_type: str, body: str = "x", *fields: str) -> str:
    return "\n".join([f"Content-Type: {content_type}", *fields, "", body])


def multi(subtype: str, *parts: str, boundary: str = "b", parameters: str = "") -> str:
    lines = [f"Content-Type: multipart/{subtype}; boundary={boundary}{parameters}", ""]
    for one in parts:
        lines += [f"--{boundary}", one]
    return "\n".join([*lines, f"--{boundary}--", ""])


PLAIN = part("text/plain")
HTML = part("text/html", "<p>x</p>")
BLANK = part("text/html", "<style>p{}</style><title>t</title> <p>&nbsp;</p><!-- x -->")
PDF = part("application/pdf", "x", "Content-Disposition: attachment; filename=a.pdf")
PICTURE = part("image/png", "x", "Content-ID: <i@x>", "Content-Disposition: inline")
SHOWN = part("text/html", '<img src="cid:i%40x">')
FORWARD = part("message/rfc822", "Subject: y\n\nz")
LOG = part("text/plain", "x", "Content-Disposition: attachment; filename=a.log")
CALENDAR = part("text/calendar; method=REQUEST")
SIGNATURE = part("application/pkcs7-signature")
RESOURCES = part("application/applefile; name=Holiday.jpg")
JPEG = part("image/jpeg")
ENVELOPED = part("application/pkcs7-mime; smime-type=enveloped-data")
SIGNED = multi("signed", HTML, SIGNATURE, boundary="s")


def summary(choice: BodyChoice) -> dict[str, list[str]]:
    everything = {
        "blocks": [f"{block.part.path} {block.kind}" for block in choice.blocks],
        "attachments": [one.path for one in choice.attachments],
        "nested": [one.path for one in choice.nested],
        "secured": [one.path for one in choice.secured],
        "invitations": [one.path for one in choice.invitations],
    }
    return {name: value for name, value in everything.items() if value}


@pytest.mark.parametrize(
    ("source", "prefer", "expected"),
    [
        (PLAIN, "html", {"blocks": ["1 plain"]}),
        (PDF, "html", {"attachments": ["1"]}),
        (LOG, "html", {"attachments": ["1"]}),
        (multi("alternative", PLAIN, HTML), "html", {"blocks": ["2 html"]}),
        (multi("alternative", PLAIN, HTML), "plain", {"blocks": ["1 plain"]}),
        (multi("alternative", PLAIN, BLANK), "html", {"blocks": ["1 plain"]}),
        (multi("alternative", BLANK), "html", {"blocks": ["1 html"]}),
        (multi("alternative", HTML), "plain", {"blocks": ["1 html"]}),
        (
            multi("alternative", PLAIN, part("text/enriched"), HTML),
            "plain",
            {"blocks": ["1 plain"]},
        ),
        (
            multi("alternative", PLAIN, part("text/x-amp-html"), HTML),
            "html",
            {"blocks": ["3 html"]},
        ),
        (
            multi("alternative", PLAIN, HTML, CALENDAR),
            "html",
            {"blocks": ["2 html"], "attachments": ["3"], "invitations": ["3"]},
        ),
        (
            multi("alternative", PLAIN, multi("mixed", HTML, PDF, boundary="c")),
            "plain",
            {"blocks": ["1 plain"], "attachments": ["2.2"]},
        ),
        (
            multi("alternative", PLAIN, multi("related", SHOWN, PICTURE, boundary="c")),
            "html",
            {"blocks": ["2.1 html"]},
        ),
        (
            multi("alternative", PLAIN, multi("related", SHOWN, PICTURE, boundary="c")),
            "plain",
            {"blocks": ["1 plain"]},
        ),
        (multi("related", SHOWN, PICTURE), "html", {"blocks": ["1 html"]}),
        (multi("related", HTML, PICTURE), "html", {"blocks": ["1 html"], "attachments": ["2"]}),
        (
            multi(
                "related",
                PICTURE,
                part("text/html", '<img src="cid:i@x">', "Content-ID: <r>"),
                parameters='; start="<r>"',
            ),
            "html",
            {"blocks": ["2 html"]},
        ),
        # a web archive: the picture first, and only the type says what the page is
        (
            multi("related", PICTURE, SHOWN, parameters='; type="Text/HTML"'),
            "html",
            {"blocks": ["2 html"]},
        ),
        (
            multi("related", PICTURE, HTML),
            "html",
            {"attachments": ["1", "2"]},
        ),
        (
            multi("related", PLAIN, SHOWN, PICTURE, parameters='; type="text/html"'),
            "html",
            {"blocks": ["1 plain"], "attachments": ["2", "3"]},
        ),
        (multi("mixed", SHOWN, PICTURE), "html", {"blocks": ["1 html"]}),
        (
            multi("mixed", PLAIN, PDF, HTML, LOG),
            "html",
            {"blocks": ["1 plain", "3 html"], "attachments": ["2", "4"]},
        ),
        (multi("unknown", PLAIN, PDF), "html", {"blocks": ["1 plain"], "attachments": ["2"]}),
        (
            multi(
                "mixed",
                PLAIN,
                part("text/plain", "x", "Content-Disposition: inline; filename=a.txt"),
            ),
            "html",
            {"blocks": ["1 plain", "2 plain"], "attachments": ["2"]},
        ),
        (multi("mixed", PLAIN, FORWARD), "html", {"blocks": ["1 plain"], "nested": ["2"]}),
        (
            multi("report", PLAIN, part("message/delivery-status"), FORWARD),
            "html",
            {"blocks": ["1 plain", "2 plain"], "nested": ["3"]},
        ),
        (part("message/external-body; access-type=x"), "html", {"blocks": ["1 plain"]}),
        (part("message/partial"), "html", {"attachments": ["1"]}),
        (multi("parallel", PLAIN, PDF), "html", {"blocks": ["1 plain"], "attachments": ["2"]}),
        (
            multi("byteranges", part("application/pdf"), part("application/pdf")),
            "html",
            {"attachments": ["1", "2"]},
        ),
        (multi("digest", "\n\nx", FORWARD), "html", {"nested": ["1", "2"]}),
        (
            multi("mixed", PLAIN, multi("appledouble", RESOURCES, JPEG, boundary="c")),
            "html",
            {"blocks": ["1 plain"], "attachments": ["2.2"]},
        ),
        (multi("appledouble", JPEG, RESOURCES), "html", {"attachments": ["1", "2"]}),
        (multi("appledouble", RESOURCES), "html", {"attachments": ["1"]}),
        (RESOURCES, "html", {"attachments": ["1"]}),
        (
            part("text/plain", "begin 644 x", "Content-Transfer-Encoding: x-uuencode"),
            "html",
            {"attachments": ["1"]},
        ),
        (
            part("text/plain", "x", "Content-Transfer-Encoding: x-what"),
            "html",
            {"blocks": ["1 plain"]},
        ),
        (part("text/csv"), "html", {"attachments": ["1"]}),
        (part("application/ms-tnef"), "html", {"attachments": ["1"]}),
        ("Content-Type: multipart/mixed; boundary=b\n\ntext", "html", {"blocks": ["1 plain"]}),
        # signed and encrypted
        (multi("signed", HTML, SIGNATURE), "html", {"blocks": ["1 html"]}),
        (
            multi("signed", multi("mixed", PLAIN, PDF, boundary="c"), SIGNATURE),
            "html",
            {"blocks": ["1.1 plain"], "attachments": ["1.2"]},
        ),
        (multi("signed", SIGNED, SIGNATURE), "html", {"blocks": ["1.1 html"]}),
        (
            multi("signed", HTML, PDF, HTML),
            "html",
            {"blocks": ["1 html"], "attachments": ["2", "3"]},
        ),
        (multi("mixed", SIGNED), "html", {"secured": ["1"]}),
        (
            multi("mixed", HTML, SIGNED, HTML),
            "html",
            {"blocks": ["1 html", "3 html"], "secured": ["2"]},
        ),
        (multi("alternative", PLAIN, ENVELOPED), "html", {"blocks": ["1 plain"], "secured": ["2"]}),
        (multi("related", HTML, ENVELOPED), "html", {"blocks": ["1 html"], "secured": ["2"]}),
        (ENVELOPED, "html", {"attachments": ["1"]}),
        (
            multi("encrypted", part("application/pgp-encrypted"), part("application/octet-stream")),
            "html",
            {"attachments": ["1", "2"]},
        ),
    ],
)
def test_choice(source: str, prefer: BodyKind, expected: dict[str, list[str]]) -> None:
    message = parse_message(source.encode())
    assert summary(choose_body(message, prefer=prefer)) == expected


def test_no_part_is_lost() -> None:
    """Every leaf of a mixed tree is somewhere: shown, listed, nested, secured or a cid target."""
    message = parse_message(
        multi(
            "mixed", PLAIN, HTML, PDF, PICTURE, LOG, FORWARD, SIGNED, ENVELOPED, CALENDAR
        ).encode()
    )
    choice = choose_body(message)
    found = {one.path for group in summary(choice).values() for one in map(_Path, group)}
    assert found == {child.path for child in message.root.children}


class _Path(str):
    __slots__ = ()

    @property
    def path(self) -> str:
        return self.split(" ")[0]


def test_parts_of_other_subtrees_are_no_targets_of_cid() -> None:
    signed = multi("signed", PICTURE.replace("i@x", "signed@x"), SIGNATURE, boundary="s")
    nested = part("message/rfc822", PICTURE.replace("i@x", "nested@x"))
    message = parse_message(multi("mixed", SHOWN, PICTURE, signed, nested).encode())
    assert set(choose_body(message).cid_parts) == {"i@x"}
    assert set(choose_body(message, root=message.part("3")).cid_parts) == {"signed@x"}
    assert set(choose_body(message, root=message.part("4")).cid_parts) == {"nested@x"}


def test_a_forwarded_message_is_chosen_by_itself() -> None:
    message = parse_message(multi("mixed", PLAIN, part("message/rfc822", SIGNED)).encode())
    assert summary(choose_body(message, root=message.part("2"))) == {"blocks": ["2.1 html"]}
    root = parse_message(FORWARD.encode())
    assert summary(choose_body(root)) == {"nested": ["1"]}


def test_forwarded_messages_that_were_not_opened_are_files() -> None:
    encoded = part("message/rfc822", "U3ViamVjdDogeA==", "Content-Transfer-Encoding: base64")
    message = parse_message(multi("mixed", PLAIN, encoded).encode())
    assert summary(choose_body(message)) == {"blocks": ["1 plain"], "attachments": ["2"]}
    assert summary(choose_body(message, root=message.part("2"))) == {"attachments": ["2"]}
    assert decode_body(message, message.part("2")) == b"Subject: x"


def test_texts_beyond_the_bound_are_files() -> None:
    message = parse_message(multi("mixed", *[PLAIN] * (MOST_BLOCKS + 2)).encode())
    choice = choose_body(message)
    assert len(choice.blocks) == MOST_BLOCKS
    assert [one.path for one in choice.attachments] == [str(MOST_BLOCKS + 1), str(MOST_BLOCKS + 2)]
    assert choice.notes == ("blocks",)


def test_the_name_of_a_macintosh_file_may_stand_at_its_resources() -> None:
    message = parse_message(multi("appledouble", RESOURCES, JPEG).encode())
    assert [one.filename for one in choose_body(message).attachments] == ["Holiday.jpg"]


@pytest.mark.parametrize(
    ("source", "notes"),
    [
        (
            part('message/external-body; access-type=URL; URL="https://x.example/"'),
            ("external-body",),
        ),
        (multi("mixed", PLAIN, part("message/external-body")), ("external-body",)),
        (part("message/partial; id=x; number=1; total=3", "Subject: inner\n\nx"), ("partial",)),
        (PLAIN, ()),
    ],
)
def test_what_is_not_in_the_message_is_said(source: str, notes: tuple[str, ...]) -> None:
    assert choose_body(parse_message(source.encode())).notes == notes


def test_attachments_have_a_safe_name() -> None:
    message = parse_message(multi("mixed", PLAIN, part("application/pdf")).encode())
    assert choose_body(message).attachments[0].filename == "part-2.bin"


def test_legacy_names_of_secured_parts() -> None:
    message = parse_message(part('application/octet-stream; name="smime.p7m"').encode())
    assert is_secured(message.root)


def test_too_deep_trees_become_attachments() -> None:
    source = PLAIN
    for number in range(30):
        source = multi("mixed", source, boundary=f"b{number}x")
    message = parse_message(source.encode())
    deepest = list(message.walk())[-1]
    assert Flag.TOO_DEEP in deepest.flags
    assert summary(choose_body(message)) == {"attachments": [deepest.path]}
