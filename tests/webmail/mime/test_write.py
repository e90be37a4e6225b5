"""What is written reads back as the same values, is 7-bit, and refuses injection."""

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webmail.mime import Address, choose_body, decode_body, decode_text, parse_message, part_source
from webmail.mime.write import (
    Attachment,
    Composition,
    NeedsSmtpUtf8Error,
    add_fields,
    add_parameter,
    assemble,
    build_entity,
    encode_addr_spec,
    fold_field,
    header_fields,
    new_message_id,
)

DATE = datetime(2026, 11, 3, 8, 15, tzinfo=timezone(timedelta(hours=1)))
SIMPLE = Composition(
    from_=Address("Ada", "ada@example.org"),
    to=(Address("", "bo@example.org"),),
    subject="Hello",
    date=DATE,
    message_id="a1@example.org",
    text="Hello Bo\n",
)
PNG = Attachment("logo.png", "image/png", b"\x89PNG", content_id="logo@x")
PDF = Attachment("Größe.pdf", "application/pdf", bytes(range(256)))


def write(composition: Composition, *, with_bcc: bool = False) -> bytes:
    return assemble(header_fields(composition, with_bcc=with_bcc), build_entity(composition))


def assert_seven_bit(raw: bytes, *, longest: int = 78) -> None:
    assert raw.isascii()
    assert b"\0" not in raw
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= longest


def test_a_simple_message_to_the_octet() -> None:
    assert write(SIMPLE) == (
        b"From: Ada <ada@example.org>\r\nTo: bo@example.org\r\nSubject: Hello\r\n"
        b"Date: Tue, 03 Nov 2026 08:15:00 +0100\r\nMessage-ID: <a1@example.org>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n\r\nHello Bo\r\n"
    )


@pytest.mark.parametrize(
    ("changes", "types"),
    [
        ({}, ["text/plain"]),
        ({"text": None}, ["text/plain"]),
        ({"text": None, "html": "<p>"}, ["text/html"]),
        ({"html": "<p>"}, ["multipart/alternative", "text/plain", "text/html"]),
        (
            {"html": "<p>", "attachments": (PNG,)},
            ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"],
        ),
        ({"attachments": (PNG,)}, ["multipart/mixed", "text/plain", "image/png"]),
        ({"attachments": (PDF,)}, ["multipart/mixed", "text/plain", "application/pdf"]),
        (
            {"html": "<p>", "attachments": (PDF, PNG)},
            [
                "multipart/mixed",
                "multipart/alternative",
                "text/plain",
                "multipart/related",
                "text/html",
                "image/png",
                "application/pdf",
            ],
        ),
    ],
)
def test_structure(changes: dict[str, object], types: list[str]) -> None:
    raw = write(replace(SIMPLE, **changes))
    message = parse_message(raw)
    assert [part.content_type for part in message.walk()] == types
    assert (message.flags, message.limits_hit) == (frozenset(), ())
    assert raw == write(replace(SIMPLE, **changes))
    assert_seven_bit(raw)


def test_the_picture_of_the_html_is_no_attachment() -> None:
    mail = replace(SIMPLE, html='<img src="cid:logo@x">', attachments=(PNG, PDF))
    message = parse_message(write(mail))
    choice = choose_body(message)
    assert [one.filename for one in choice.attachments] == ["Größe.pdf"]
    assert decode_body(message, choice.cid_parts["logo@x"]) == PNG.content
    assert choice.attachments[0].size == 256
    assert decode_body(message, choice.attachments[0].part) == PDF.content


@pytest.mark.parametrize(
    "text",
    [
        "From the start\n.\n-- \nAda\n",
        "trailing blanks  \t\n",
        "ü" * 500 + "\n",
        "x" * 2000 + "\n",
        "F" * 200 + "." * 200 + "\n",
        "--=_boundary\n",
        "\n\n",
        "a=3Db\n",
        "\x01\x7f\n",
        "",
    ],
)
def test_texts_come_back(text: str) -> None:
    raw = write(replace(SIMPLE, text=text, attachments=(PDF,)))
    message = parse_message(raw)
    assert decode_text(message, message.part("1")).text == text
    assert_seven_bit(raw)
    assert not re.search(rb"(?m)^(From |\.\r$)", raw.partition(b"\r\n\r\n")[2])


def test_a_text_gets_its_last_line_end() -> None:
    message = parse_message(write(replace(SIMPLE, text="a\r\nb\rc\nd")))
    assert decode_text(message, message.root).text == "a\nb\nc\nd\n"


SAFE_TEXT = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc", "Zl", "Zp"],
        exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    max_size=300,
)
NAMES = SAFE_TEXT.map(lambda text: " ".join(text.split()))


@settings(max_examples=150, deadline=None)
@given(subject=SAFE_TEXT, name=NAMES, other=NAMES, extra=SAFE_TEXT)
def test_fields_come_back(subject: str, name: str, other: str, extra: str) -> None:
    mail = replace(
        SIMPLE,
        subject=subject,
        from_=Address(name, "ada@example.org"),
        to=(Address(other, '"a, b"@example.org'), Address("x: y;", "c@d.example")),
        extra_fields=(("X-Note", extra),),
    )
    raw = write(mail)
    envelope = parse_message(raw).envelope
    assert envelope.subject == subject
    assert envelope.from_ == (mail.from_,)
    assert envelope.to == mail.to
    assert not envelope.from_malformed
    assert parse_message(raw).root.headers.text("x-note") == extra
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@settings(max_examples=60, deadline=None)
@given(filename=st.text(max_size=80), text=SAFE_TEXT, content=st.binary(max_size=300))
def test_files_come_back(filename: str, text: str, content: bytes) -> None:
    from webmail.mime import safe_filename

    if re.search(r"[\r\n\0]", filename):
        return
    mail = replace(SIMPLE, text=text, attachments=(Attachment(filename, "image/png", content),))
    message = parse_message(write(mail))
    part = message.part("2")
    assert part.filename == safe_filename(filename)
    assert decode_body(message, part) == content
    assert decode_text(message, message.part("1")).text == (f"{text}\n" if text else "")


def test_all_fields() -> None:
    mail = replace(
        SIMPLE,
        cc=(Address("C", "c@example.org"),),
        bcc=(Address("D", "d@example.org"),),
        reply_to=(Address("R", "r@example.org"),),
        in_reply_to="<q@x>",
        references=("p@x", "<q@x>", "not valid ü"),
    )
    envelope = parse_message(write(mail, with_bcc=True)).envelope
    assert envelope.cc == mail.cc
    assert envelope.bcc == mail.bcc
    assert envelope.reply_to == mail.reply_to
    assert envelope.date == DATE
    assert envelope.message_id == "a1@example.org"
    assert envelope.in_reply_to == ("q@x",)
    assert envelope.references == ("p@x", "q@x")
    assert b"d@example.org" not in write(mail)


def test_mail_to_hidden_recipients_has_a_to_field() -> None:
    fields = header_fields(replace(SIMPLE, to=(), bcc=(Address("", "d@example.org"),)))
    assert ("To", "undisclosed-recipients:;") in fields


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "a\r\nBcc: x@y.example"},
        {"subject": "a\0"},
        {"from_": Address("a\nb", "ada@example.org")},
        {"from_": Address("a", "ada@example.org\r\nX: y")},
        {"from_": Address("a", "ada@example.org>, <x@y.example")},
        {"from_": Address("a", "ada")},
        {"from_": Address("a", "")},
        {"to": (Address("", "a@b.example, c@d.example"),)},
        {"message_id": "a b"},
        {"message_id": "a>\r\nX: y"},
        {"in_reply_to": "a\r\nX: y"},
        {"extra_fields": (("X\r\nY", "z"),)},
        {"extra_fields": (("X", "y\nz"),)},
        {"extra_fields": (("X:", "y"),)},
        {"extra_fields": (("Content-Type", "text/html"),)},
        {"extra_fields": (("MIME-Version", "1.0"),)},
        {"attachments": (Attachment("a\r\nb", "image/png", b""),)},
        {"attachments": (Attachment("a", "image/png\r\nX: y", b""),)},
        {"html": "<p>", "attachments": (Attachment("a", "image/png", b"", content_id="a\r\nb"),)},
        {"date": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
)
def test_injection_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        write(replace(SIMPLE, **changes))


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("a@Bücher.example", "a@xn--bcher-kva.example"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ('"a b"@Example.org', '"a b"@Example.org'),
    ],
)
def test_addresses_as_written(address: str, written: str) -> None:
    assert encode_addr_spec(address) == written


def test_local_parts_outside_ascii_need_smtputf8() -> None:
    with pytest.raises(NeedsSmtpUtf8Error):
        encode_addr_spec("ü@example.org")


@pytest.mark.parametrize(
    ("stated", "written"),
    [
        ("image/png", "image/png"),
        ("Text/HTML; charset=x", "text/html"),
        ("multipart/mixed", "application/octet-stream"),
        ("message/partial", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_types_of_attachments(stated: str, written: str) -> None:
    mail = replace(SIMPLE, attachments=(Attachment("a", stated, b"x"),))
    assert parse_message(write(mail)).part("2").content_type == written


def test_a_forwarded_message_is_attached_as_it_is() -> None:
    forwarded = b"Subject: inner\r\n\r\n--=_trap\r\nFrom here\r\n"
    mail = replace(SIMPLE, attachments=(Attachment("a.eml", "message/rfc822", forwarded),))
    message = parse_message(write(mail))
    assert part_source(message, message.part("2.1")) == forwarded
    eight_bit = replace(
        SIMPLE, attachments=(Attachment("a.eml", "message/rfc822", "Subject: ü\n\n".encode()),)
    )
    message = parse_message(write(eight_bit))
    assert message.part("2").content_type == "application/octet-stream"
    assert decode_body(message, message.part("2")) == "Subject: ü\n\n".encode()


def test_a_boundary_occurs_in_no_part() -> None:
    seed = re.search(rb"=_[0-9a-f]+m", build_entity(replace(SIMPLE, attachments=(PDF,))))
    assert seed is not None
    trap = Attachment(
        "a.eml", "message/rfc822", b"Subject: x\r\n\r\n--" + seed[0] + b"\r\n\r\nx\r\n"
    )
    message = parse_message(write(replace(SIMPLE, attachments=(trap,))))
    assert [part.path for part in message.walk()] == ["", "1", "2", "2.1"]


def test_protected_fields_go_into_the_header_of_the_entity() -> None:
    mail = replace(SIMPLE, html="<p>")
    entity = add_fields(add_parameter(build_entity(mail), "hp", "cipher"), [("Subject", "Hello")])
    message = parse_message(entity)
    assert message.root.parameters["hp"] == "cipher"
    assert message.root.headers.get("subject") == b"Hello"
    assert [part.content_type for part in message.walk()][1:] == ["text/plain", "text/html"]
    with pytest.raises(ValueError, match="header"):
        add_fields(b"no header", [])


@pytest.mark.parametrize(
    "value",
    ["", "a", "a " * 300 + "b", "a  b   c " * 30 + "d", "x" * 900, "x" * 70 + " " + "y" * 70],
)
def test_folding_is_undone_by_unfolding(value: str) -> None:
    raw = fold_field("Subject", value)
    assert raw.endswith(b"\r\n")
    assert b"\r\n \r\n" not in raw
    assert parse_message(raw + b"\r\n").root.headers.get("subject") == value.encode()


@pytest.mark.parametrize(
    ("name", "value"),
    [("X Y", "z"), ("", "z"), ("X", "ü"), ("X", "a\r\nb"), ("X", "x" * 1000), ("X" * 77, "y")],
)
def test_fields_that_cannot_be_folded(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        fold_field(name, value)


def test_new_identifiers() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}@xn--bcher-kva\.example", new_message_id("bücher.example"))
    assert new_message_id("a.example") != new_message_id("a.example")
