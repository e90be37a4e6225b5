"""Header fields of frames and parts: exact, and nothing of the mail's own words in them."""

import pytest

from webmail.html import attachment_headers, frame_headers
from webmail.html.responses import allowed_type, content_disposition

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def test_frame_headers_are_exact():
    assert frame_headers() == {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; font-src 'none';"
            " script-src 'none'; object-src 'none'; frame-src 'none'; connect-src 'none';"
            " media-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self';"
            " sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": (
            "camera=(), microphone=(), geolocation=(), clipboard-read=(), clipboard-write=()"
        ),
        "Cache-Control": "private, no-store",
        "X-DNS-Prefetch-Control": "off",
    }
    assert "allow-scripts" not in str(frame_headers())


def test_attachment_headers_are_exact():
    assert attachment_headers("Bericht März.pdf", "Application/PDF; name=x") == {
        "Content-Type": "application/pdf",
        "Content-Disposition": (
            "attachment; filename=\"Bericht Marz.pdf\"; filename*=UTF-8''Bericht%20M%C3%A4rz.pdf"
        ),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "application/xhtml+xml", "text/xml", "application/xml", "image/svg+xml",
     "message/rfc822x", "multipart/related", "text/javascript", "application/javascript",
     "text/css", "application/x-shockwave-flash", "application/x-msdownload", "text/html\r\nX: y",
     "image/png\r\nX: y", "", "png", "image/png/x", "image/p\u00e5ng", "x" * 100 + "/y",
     "text/x-amp-html", "application/ms-tnef"],
)  # fmt: skip
def test_other_types_are_octets(content_type):
    """Rows 13 and 14: the type mail states is matched, never copied."""
    assert allowed_type(content_type) == "application/octet-stream"
    headers = attachment_headers("x", content_type, inline=True, content_start=b"<html>")
    assert headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("content_type", "start", "disposition", "sent"),
    [
        ("image/png", PNG, "inline", "image/png"),
        ("image/png", b"<svg onload=x>", "attachment", "image/png"),
        ("image/jpeg", PNG, "attachment", "image/jpeg"),
        ("image/svg+xml", PNG, "attachment", "application/octet-stream"),
        ("text/plain; charset=utf-7", b"x", "inline", "text/plain; charset=utf-8"),
        ("application/pdf", b"%PDF-", "attachment", "application/pdf"),
        ("text/html", b"<html>", "attachment", "application/octet-stream"),
    ],
)
def test_inline(content_type, start, disposition, sent):
    headers = attachment_headers("x", content_type, inline=True, content_start=start)
    assert headers["Content-Disposition"].startswith(disposition + ";")
    assert headers["Content-Type"] == sent
    plain = attachment_headers("x", content_type, content_start=start)
    assert plain["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("a.pdf", "filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
        ("日本.txt", "filename=\"txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt"),
        ("日本", "filename=\"attachment\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC"),
        ("a\"b'c.txt", "filename=\"a_b_c.txt\"; filename*=UTF-8''a_b%27c.txt"),
        ("../../etc/passwd", "filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"),
        ("x\r\nSet-Cookie: a=b", "filename=\"x__Set-Cookie_ a=b\"; filename*=UTF-8''x__Set-Cookie_%20a%3Db"),
        ("\u202egpj.exe", "filename=\"_gpj.exe\"; filename*=UTF-8''_gpj.exe"),
        ("", "filename=\"attachment\"; filename*=UTF-8''attachment"),
        ("...", "filename=\"attachment\"; filename*=UTF-8''attachment"),
        ("a\ud800.txt", "filename=\"a_.txt\"; filename*=UTF-8''a_.txt"),
        ("a;b%20.txt", "filename=\"a_b_20.txt\"; filename*=UTF-8''a%3Bb%2520.txt"),
    ],
)  # fmt: skip
def test_names(name, fields):
    value = content_disposition("attachment", name)
    assert value == f"attachment; {fields}"
    assert value.isascii() and value.isprintable()


def test_long_names_keep_their_extension():
    value = content_disposition("attachment", "é" * 300 + ".pdf")
    assert value.endswith(".pdf") and len(value) < 800
