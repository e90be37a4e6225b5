"""Files made for tests: pictures, PDFs, and what hostile senders make of them."""

import io
import struct
import zlib

from PIL import Image


def picture(width=64, height=48, kind="PNG", mode="RGB", **options) -> bytes:
    written = io.BytesIO()
    Image.new(mode, (width, height), 120).save(written, kind, **options)
    return written.getvalue()


def animation(kind="GIF", *, count=3) -> bytes:
    shades = [(number % 256, 90 * number % 256, 40) for number in range(count)]
    frames = [Image.new("RGB", (40, 30), shade) for shade in shades]
    written = io.BytesIO()
    frames[0].save(written, kind, save_all=True, append_images=frames[1:])
    return written.getvalue()


def png_bomb(width=30_000, height=30_000) -> bytes:
    """A PNG of 900 million pixels in a few kilobytes: the header alone says so."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


def pdf(pages=1, *, box="0 0 595 842", drawing=b"72 700 450 20 re f") -> bytes:
    """A PDF of empty pages with a bar (ISO 32000-1 §7.5)."""
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
    ]
    for number in range(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents {4 + 2 * number} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing))
    written = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(written + trailer % (len(objects) + 1, start))


def invitation(
    method="REQUEST", *lines: str, attendee="mira@nordlys.example", organizer="anna@nordlys.example"
) -> str:
    """An invitation from Anna for 4 December 2026, 15:00 in Oslo."""
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            f"METHOD:{method}",
            "BEGIN:VEVENT",
            "UID:bergen-4@nordlys.example",
            "SEQUENCE:2",
            "DTSTAMP:20261120T080000Z",
            "DTSTART;TZID=Europe/Oslo:20261204T150000",
            "DTEND;TZID=Europe/Oslo:20261204T163000",
            "SUMMARY:Offsite\\, Bergen",
            "LOCATION:Harbour Hotel",
            f"ORGANIZER;CN=Anna Lindqvist:mailto:{organizer}",
            f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{attendee}",
            "ATTENDEE;PARTSTAT=ACCEPTED;CN=Jonas Berg:mailto:jonas@nordlys.example",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )
