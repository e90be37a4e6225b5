"""Files inside the body of a part: uuencode, yEnc, TNEF."""

import binascii
import struct
import zlib

import pytest

from tests.corpora import corpus
from webmail.mime import (
    BodyChoice,
    Flag,
    Message,
    choose_body,
    decode_body,
    decode_text,
    find_part,
    parse_message,
    part_source,
)
from webmail.mime.embedded import MOST_FILES, files_in_text
from webmail.mime.tnef import LONGEST, SIGNATURE, read_tnef
from webmail.mime.tnef import MOST_FILES as MOST_TNEF_FILES
from webmail.mime.transfer import decode_uu

PICTURE = bytes(range(256)) * 5


def uu(
    content: bytes, name: bytes = b"a.png", *, line_end: bytes = b"\n", end: bool = True
) -> bytes:
    lines = [
        binascii.b2a_uu(content[at : at + 45]).rstrip(b"\n") for at in range(0, len(content), 45)
    ]
    return line_end.join([b"begin 644 " + name, *lines, *([b"`", b"end"] if end else []), b""])


def yenc(
    content: bytes, name: bytes = b"a.png", *, crc: int | None = None, size: int | None = None
) -> bytes:
    shifted = bytes((octet + 42) & 255 for octet in content)
    for octet in b"=\0\r\n":
        escaped = b"=" + bytes(((octet + 64) & 255,))
        shifted = shifted.replace(bytes((octet,)), escaped)
    size = len(content) if size is None else size
    crc = zlib.crc32(content) if crc is None else crc
    lines = [shifted[at : at + 128] for at in range(0, len(shifted), 128)]
    return b"\r\n".join(
        [
            b"=ybegin line=128 size=%d name=%s" % (len(content), name),
            *lines,
            b"=yend size=%d crc32=%08x" % (size, crc),
            b"",
        ]
    )


def read(body: bytes, fields: bytes = b"") -> tuple[Message, BodyChoice]:
    message = parse_message(b"Content-Type: text/plain; charset=utf-8\n" + fields + b"\n" + body)
    return message, choose_body(message)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("content", [b"x", PICTURE, b"y" * 45, b" " * 100])
def test_uuencoded_files_are_attachments_and_leave_the_text(
    line_end: bytes, content: bytes
) -> None:
    source = b"before" + line_end + uu(content, b"my file.png", line_end=line_end) + b"after"
    message, choice = read(source)
    (file,) = choice.attachments
    assert (file.filename, file.content_type, file.size) == (
        "my file.png",
        "image/png",
        len(content),
    )
    assert decode_body(message, file.part) == content
    assert decode_text(message, message.root).text == "before\nafter"
    assert file.part is not message.root and choice.notes == ()
    assert find_part(message, file.path) == file.part
    # What is signed stays what it was.
    assert part_source(message, message.root) == message.raw


def test_the_transfer_encoding_of_the_text_is_undone_first() -> None:
    body = b"Hi\n" + uu(PICTURE) + b"Bye\n"
    message, choice = read(binascii.b2a_qp(body), b"Content-Transfer-Encoding: quoted-printable\n")
    assert [decode_body(message, one.part) for one in choice.attachments] == [PICTURE]
    encoded = binascii.b2a_base64(body)
    message, choice = read(encoded, b"Content-Transfer-Encoding: base64\n")
    assert [decode_body(message, one.part) for one in choice.attachments] == [PICTURE]
    assert decode_text(message, message.root).text == "Hi\nBye\n"


def test_several_files_have_paths_of_their_own() -> None:
    source = uu(b"one", b"1.txt") + b"between\n" + yenc(b"two", b"2.txt") + uu(b"three", b"3.txt")
    message, choice = read(source)
    assert [(one.path, one.filename) for one in choice.attachments] == [
        ("1+1", "1.txt"),
        ("1+2", "2.txt"),
        ("1+3", "3.txt"),
    ]
    assert [decode_body(message, find_part(message, f"1+{n}")) for n in (1, 2, 3)] == [
        b"one",
        b"two",
        b"three",
    ]
    with pytest.raises(KeyError):
        find_part(message, "1+4")
    with pytest.raises(KeyError):
        find_part(message, "2+1")


def test_base64_form_of_uuencode() -> None:
    encoded = b"begin-base64 644 a.bin\n" + binascii.b2a_base64(PICTURE) + b"====\nafter"
    message, choice = read(encoded)
    assert decode_body(message, choice.attachments[0].part) == PICTURE
    assert decode_text(message, message.root).text == "after"


@pytest.mark.parametrize(
    "text",
    [
        b"begin 644 the work on Monday, please.\nThanks",
        b"let us\nbegin 100 days from now\nlower case is no data\n",
        b"begin 644\n",
        b" begin 644 x\n#86)C\nend\n",
        b"begin-base64 644 x\nnever closed",
        b"=ybegin we say\n",
        b"=ybegin line=128 name=no-size\nx\n=yend\n",
        b"begin",
    ],
)
def test_prose_stays_prose(text: bytes) -> None:
    message, choice = read(text)
    assert choice.attachments == ()
    assert decode_text(message, message.root).text == text.decode()


@pytest.mark.parametrize(
    "body",
    [
        uu(PICTURE, end=False),
        uu(PICTURE)[:500],
        yenc(PICTURE, crc=1),
        yenc(PICTURE, size=3),
        yenc(PICTURE).rpartition(b"=yend")[0],
    ],
)
def test_damaged_files_are_listed_and_said(body: bytes) -> None:
    _, choice = read(b"Hi\n" + body)
    (file,) = choice.attachments
    assert Flag.DAMAGED_FILE in file.part.flags
    assert choice.notes == ("damaged-file",)
    assert file.size > 0


def test_yenc_keeps_every_octet() -> None:
    message, choice = read(b"Hi\r\n" + yenc(PICTURE) + b"Bye", b"Content-Transfer-Encoding: 8bit\n")
    assert decode_body(message, choice.attachments[0].part) == PICTURE
    assert decode_text(message, message.root).text == "Hi\nBye"
    assert choice.notes == ()


def test_a_part_of_a_yenc_file_is_named_so() -> None:
    content = b"middle"
    body = yenc(content).replace(b"=ybegin line", b"=ybegin part=2 total=3 line", 1)
    body = body.replace(b"\r\n", b"\r\n=ypart begin=7 end=12\r\n", 1)
    body = body.replace(b" crc32=", b" part=2 pcrc32=")
    message, choice = read(body)
    assert choice.attachments[0].filename == "a.png.part2"
    assert decode_body(message, choice.attachments[0].part) == content
    assert choice.notes == ()


def test_text_that_is_a_file_is_left_whole() -> None:
    """What is downloaded is what was sent."""
    message, choice = read(uu(b"x"), b"Content-Disposition: attachment; filename=log.txt\n")
    assert [one.path for one in choice.attachments] == ["1"]
    assert decode_text(message, message.root).text.startswith("begin 644")


def test_names_inside_are_made_safe() -> None:
    _, choice = read(uu(b"x", "../../etc/pass\u202etxt.exe".encode()))
    assert choice.attachments[0].filename == "pass_txt.exe"
    assert Flag.DECEPTIVE_FILENAME in choice.attachments[0].part.flags


def test_the_number_of_files_is_bounded_and_said() -> None:
    message, choice = read(uu(b"x") * (MOST_FILES + 5))
    assert len(choice.attachments) == MOST_FILES
    assert choice.notes == ("embedded",)
    assert "begin 644" in decode_text(message, message.root).text


@pytest.mark.corpus
def test_uuencoded_photo_of_the_corpus() -> None:
    folder = corpus("mime", "mimekit", "encoders")
    encoded = (folder / "photo.uu").read_bytes()
    (found,) = files_in_text(encoded)
    assert found.content == (folder / "photo.jpg").read_bytes() == decode_uu(encoded)


# TNEF


def attribute(level: int, number: int, value: bytes) -> bytes:
    return (
        struct.pack("<BII", level, number, len(value))
        + value
        + struct.pack("<H", sum(value) & 0xFFFF)
    )


def prop(kind: int, number: int, value: bytes) -> bytes:
    padded = value + b"\0" * (-len(value) % 4)
    return struct.pack("<HHII", kind, number, 1, len(value)) + padded


def properties(*each: bytes) -> bytes:
    return struct.pack("<I", len(each)) + b"".join(each)


def tnef(*attributes: bytes) -> bytes:
    return SIGNATURE + b"\1\0" + b"".join(attributes)


def file(name: str, content: bytes, **more: str) -> bytes:
    names = {"cid": 0x3712, "mime": 0x370E, "long": 0x3707}
    values = [
        prop(0x1F, names[key], value.encode("utf-16-le") + b"\0\0") for key, value in more.items()
    ]
    return (
        attribute(2, 0x00069002, b"\0" * 14)
        + attribute(2, 0x00018010, name.encode("cp1252") + b"\0")
        + attribute(2, 0x0006800F, content)
        + attribute(2, 0x00069005, properties(*values))
    )


def mail(winmail: bytes, text: str = "Hello") -> Message:
    encoded = binascii.b2a_base64(winmail, newline=False).decode()
    return parse_message(
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + text + "\n--b\n"
            "Content-Type: application/ms-tnef; name=winmail.dat\n"
            "Content-Transfer-Encoding: base64\n\n" + encoded + "\n--b--\n"
        ).encode()
    )


WHOLE = tnef(
    attribute(1, 0x00069007, struct.pack("<II", 1252, 0)),
    attribute(1, 0x0002800C, b"Gr\xfc\xdfe\0"),
    file("SHORT~1.PDF", b"%PDF", long="Größe.pdf", mime="application/pdf"),
    file("b.png", b"\x89PNG", cid="<i@x>"),
)


def test_tnef_is_opened_and_not_listed_itself() -> None:
    message = mail(WHOLE)
    choice = choose_body(message)
    assert [(one.path, one.filename, one.content_type) for one in choice.attachments] == [
        ("2+1", "Größe.pdf", "application/pdf"),
        ("2+2", "b.png", "image/png"),
    ]
    assert [decode_body(message, one.part) for one in choice.attachments] == [b"%PDF", b"\x89PNG"]
    assert set(choice.cid_parts) == {"i@x"}
    assert [decode_text(message, block.part).text for block in choice.blocks] == ["Hello"]
    assert decode_body(message, find_part(message, "2+1")) == b"%PDF"


def test_text_of_tnef_is_shown_when_there_is_no_other() -> None:
    raw = b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n"
    message = parse_message(raw + binascii.b2a_base64(WHOLE))
    (block,) = choose_body(message).blocks
    assert (block.kind, decode_text(message, block.part).text) == ("plain", "Grüße")
    page = attribute(1, 0x00069003, properties(prop(0x102, 0x1013, b"<p>x</p>")))
    message = parse_message(raw + binascii.b2a_base64(tnef(page)))
    (block,) = choose_body(message).blocks
    assert (block.kind, decode_text(message, block.part).text) == ("html", "<p>x</p>")


def test_tnef_without_a_text_that_can_be_read_stays_listed() -> None:
    raw = b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n"
    message = parse_message(raw + binascii.b2a_base64(tnef(file("a.txt", b"x"))))
    assert [one.path for one in choose_body(message).attachments] == ["1+1", "1"]
    message = parse_message(raw + binascii.b2a_base64(tnef()))
    assert [one.path for one in choose_body(message).attachments] == ["1"]


def test_messages_inside_tnef_stay_closed() -> None:
    inner = tnef(file("inner.txt", b"x"))
    value = properties(prop(0x0D, 0x3701, b"\0" * 16 + inner))
    outer = tnef(attribute(2, 0x00069002, b""), attribute(2, 0x00069005, value))
    message = mail(outer)
    (one,) = choose_body(message).attachments
    assert (one.filename, one.content_type) == ("message.dat", "application/ms-tnef")
    assert decode_body(message, one.part) == inner


@pytest.mark.parametrize("cut", range(7, len(WHOLE) - 2, 5))
def test_cut_tnef_gives_what_is_there_and_stays_listed(cut: int) -> None:
    choice = choose_body(mail(WHOLE[:cut]))
    listed = [one.path for one in choice.attachments]
    assert "2" in listed or not choice.notes
    assert len(listed) <= 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SIGNATURE,
        SIGNATURE + b"\1\0" + b"\1" + b"\xff" * 8,
        tnef(attribute(1, 0x00069003, struct.pack("<I", 0xFFFFFFFF) + b"\x1e\0\0\x10" * 50)),
        tnef(
            attribute(1, 0x00069003, struct.pack("<I", 1) + struct.pack("<HHI", 0x1002, 1, 2**31))
        ),
        tnef(
            attribute(
                1, 0x00069003, struct.pack("<I", 1) + struct.pack("<HHI", 0x1E, 0x1000, 2**31)
            )
        ),
        tnef(attribute(1, 0x00069003, struct.pack("<I", 1) + struct.pack("<HH", 0x99, 1))),
    ],
)
def test_nonsense_is_damaged(content: bytes) -> None:
    """Row 18: no length makes the reader loop."""
    found = read_tnef(content)
    assert found.files == [] and (found.is_damaged or len(content) < 6)


def test_long_tnef_and_many_files_are_bounded() -> None:
    many = tnef(*[file("a", b"x")] * (MOST_TNEF_FILES + 1))
    found = read_tnef(many)
    assert (len(found.files), found.is_cut) == (MOST_TNEF_FILES, True)
    assert [one.path for one in choose_body(mail(many)).attachments][-1] == "2"
    assert read_tnef(SIGNATURE + bytes(LONGEST)).is_damaged


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("attachments", ["zappa_av1.jpg", "bookmark.htm"]),
        ("data-before-name", ["AUTOEXEC.BAT", "CONFIG.SYS", "boot.ini"]),
        ("long-filename", ["allproductsmar2000.dat"]),
        ("multi-value-attribute", ["208225__5_seconds__Voice_Mail.mp3"]),
        ("two-files", ["AUTHORS", "README"]),
        ("unicode-mapi-attr", ["example.dat"]),
    ],
)
def test_tnef_of_the_corpus(name: str, files: list[str]) -> None:
    folder = corpus("mime", "mimekit", "tnef")
    found = read_tnef((folder / f"{name}.tnef").read_bytes())
    assert not found.is_damaged
    assert [one.name for one in found.files] == files
    for one in found.files:
        # The corpus keeps texts with bare line feeds.
        expected = (folder / name / one.name).read_bytes()
        assert expected in {one.content, one.content.replace(b"\r\n", b"\n")}


@pytest.mark.corpus
def test_html_of_tnef_of_the_corpus() -> None:
    folder = corpus("mime", "mimekit", "tnef")
    found = read_tnef((folder / "body.tnef").read_bytes())
    assert found.html.startswith("<!DOCTYPE HTML") and found.html.rstrip().endswith("</HTML>")
