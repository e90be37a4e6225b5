"""What is quoted of a message, and what is not."""

from zoneinfo import ZoneInfo

import pytest

from webmail.composer.originals import NotReadableError, files_of, read_original

HEAD = (
    b"From: Ada <ada@example.org>\r\nTo: me@example.org, Bo <bo@example.org>\r\nCc: cy@example.org\r\n"
    b"Subject: Offer\r\nDate: Tue, 03 Nov 2026 08:15:00 +0000\r\nMessage-ID: <a@x>\r\n"
    b"References: <o@x>\r\nMIME-Version: 1.0\r\n"
)
OSLO = ZoneInfo("Europe/Oslo")


def read(raw):
    return read_original(raw, keys=(), zone=OSLO)


def test_plain_text():
    original, _ = read(HEAD + b"Content-Type: text/plain\r\n\r\nWe go\r\nup to 40.\r\n")
    assert original.text == "We go\nup to 40.\n"
    assert original.html == ""
    assert [str(p) for p in original.to] == ["me@example.org", "Bo <bo@example.org>"]
    assert (original.message_id, original.references) == ("a@x", ("o@x",))
    assert f"{original.date:%H:%M}" == "09:15"
    assert not original.is_encrypted


def test_html_is_washed_and_its_images_stay_out():
    html = b'<p onclick="x()">Hi <b>Bo</b><script>1</script><img src="https://t.example/p.gif?u=1"></p>'
    original, _ = read(HEAD + b"Content-Type: text/html\r\n\r\n" + html)
    assert "<b>Bo</b>" in original.html
    assert not any(word in original.html for word in ("script", "onclick", "t.example"))
    assert original.text.strip().startswith("Hi Bo")


MIXED = (
    HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n"
    b"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"
    b"--b\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nMAA=\r\n--b--\r\n"
)


def test_files_of_a_forward():
    original, reading = read(MIXED)
    files = {file.filename: file.content for file in files_of(reading)}
    assert files["a.pdf"] == b"%PDF"
    assert original.text.strip() == "See the file."


def test_what_cannot_be_opened_is_not_quoted():
    raw = (
        HEAD + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nMAA=\r\n"
    )
    with pytest.raises(NotReadableError):
        read(raw)


def test_a_hostile_original_never_raises_anything_else():
    for raw in (b"", b"\x00" * 100, HEAD, HEAD + b"Content-Type: multipart/mixed\r\n\r\n"):
        read(raw)
