"""Attachments of the demo's letters, made when they are needed."""

import io
from datetime import UTC, datetime, timedelta

from PIL import Image, ImageDraw

from webmail.mime.write import Attachment


def _pdf(title: str) -> bytes:
    """Return a one-page PDF 1.4 that says its title (ISO 32000-1 §7.5)."""
    words = title.encode("latin-1", "replace").replace(b"(", b"\\(").replace(b")", b"\\)")
    drawing = (
        b"BT /F1 22 Tf 72 750 Td (" + words + b") Tj 0 -40 Td /F1 12 Tf "
        b"(Nordlys Grid AS) Tj ET 72 700 450 0.8 re f"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    written = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    written += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(written)


def _picture(name: str) -> bytes:
    """Return a PNG: a curve over a calm sky."""
    image = Image.new("RGB", (960, 540), "#dfe8ee")
    draw = ImageDraw.Draw(image)
    for row in range(540):
        shade = 232 - row // 6
        draw.line([(0, row), (960, row)], fill=(shade - 20, shade - 4, shade + 8))
    seed = sum(name.encode())
    points = [
        (x, 300 + ((x * (seed % 7 + 3)) % 97) - 48 + (x * x // 5200) % 60)
        for x in range(0, 961, 12)
    ]
    draw.line(points, fill="#243f6b", width=4, joint="curve")
    draw.polygon(
        [(0, 540), (0, 470), (240, 420), (520, 480), (960, 430), (960, 540)], fill="#3f5f53"
    )
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def _calendar(title: str, now: datetime) -> bytes:
    """Return an invitation (RFC 5545) three weeks ahead."""
    start = (now + timedelta(days=21)).replace(hour=9, minute=0, second=0, microsecond=0)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Nordlys//Calendar//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{title.lower().replace(' ', '-')}@nordlys.example",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTEND:{(start + timedelta(days=1)).astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{title}",
        "LOCATION:Bergen",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines).encode()


def attachment(filename: str, *, now: datetime) -> Attachment:
    """Return the file `filename`; its ending decides what is in it."""
    stem, _, ending = filename.rpartition(".")
    title = stem.replace("-", " ")
    match ending:
        case "pdf":
            return Attachment(filename, "application/pdf", _pdf(title))
        case "png":
            return Attachment(filename, "image/png", _picture(filename))
        case "ics":
            return Attachment(filename, "text/calendar", _calendar(title, now))
        case "csv":
            rows = b"relay;pickup A;delay s\r\nF6;520;0.5\r\nF7;480;0.3\r\n"
            return Attachment(filename, "text/csv", rows)
        case _:
            raise ValueError(f"The demo has no file of the kind {ending}.")
