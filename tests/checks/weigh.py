"""Run as a program: how much memory the crypto lane needs for each of the messages below.

Every message is read in a child of its own; a line of JSON says its size, the peak above what the
process held before, the seconds of processor time, and what the page would say.
"""

import base64
import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

SIZE = 5_000_000  # octets
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def mail(content_type: str, encoding: str, body: bytes) -> bytes:
    fields = (
        f"From: a@b.example\r\nSubject: x\r\nContent-Type: {content_type}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return fields.encode() + body


def base64_lines(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


def junk() -> bytes:
    return random.Random(1).randbytes(SIZE * 3 // 4)


def signed(content: bytes) -> bytes:
    head = b'Content-Type: multipart/signed; boundary=b; protocol="application/pkcs7-signature"'
    return b"\r\n".join(
        [
            b"From: a@b.example",
            head,
            b"",
            b"--b",
            mail("application/pdf", "base64", content),
            b"--b",
            mail("application/pkcs7-signature", "base64", b"AAAA"),
            b"--b--",
        ]
    )


PKCS7 = "application/pkcs7-mime; name=smime.p7m"
OID_SIGNED = bytes.fromhex("06092a864886f70d010702")
CASES: dict[str, Callable[[], bytes]] = {
    "attachment": lambda: mail("application/pdf", "base64", base64_lines(junk())),
    "text": lambda: mail("text/plain", "base64", base64_lines(junk())),
    "html": lambda: mail("text/html", "base64", base64_lines(junk())),
    "enveloped": lambda: mail(PKCS7, "base64", base64_lines(junk())),
    "nested DER": lambda: mail(PKCS7, "base64", base64_lines(b"\x30\x80" * (SIZE * 3 // 8))),
    "wide DER": lambda: mail(
        PKCS7,
        "base64",
        base64_lines(
            b"\x30\x84\x00\x38\x00\x00"
            + OID_SIGNED
            + b"\xa0\x84\x00\x37\xff\xf0"
            + b"\x30\x00" * 1_830_000
        ),
    ),
    "signed": lambda: signed(base64_lines(junk())),
    "base64 of signs": lambda: mail("text/plain", "base64", b"A!=" * (SIZE // 3)),
    "base64 of noise": lambda: mail("text/plain", "base64", b"A!\xff" * (SIZE // 3)),
    "uuencode": lambda: mail(
        "text/plain", "7bit", b"begin 644 x\n" + b"#86)C\n" * (SIZE // 6) + b"end\n"
    ),
    "uuencode of nothing": lambda: mail(
        "application/pdf", "x-uuencode", b"begin 644 x\n" + b"x\n" * (SIZE // 2)
    ),
    "yEnc": lambda: mail(
        "text/plain", "8bit", b"=ybegin line=128 size=5 name=x\n" + b"=x" * (SIZE // 2)
    ),
    "quoted-printable": lambda: mail("text/plain", "quoted-printable", b"=41" * (SIZE // 3)),
    "lines": lambda: mail("text/plain", "7bit", b"\n" * SIZE),
    "quotes": lambda: mail("text/plain", "7bit", b">a\nb\n" * (SIZE // 5)),
    "flowed": lambda: mail("text/plain; format=flowed", "7bit", b"a \n" * (SIZE // 3)),
    "TNEF": lambda: mail(
        "application/ms-tnef",
        "base64",
        base64_lines(b"\x78\x9f\x3e\x22\1\0\1\3\x90\6\0\0\0\x30\0" + b"\x1e\0\0\x10" * 900_000),
    ),
    "parts": lambda: (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * (SIZE // 10)
    ),
    "fields": lambda: b"X: y\r\n" * (SIZE // 6),
    "not ASCII": lambda: mail("text/plain", "8bit", "ёжик ".encode() * (SIZE // 9)),
    "25 MB": lambda: mail("application/pdf", "base64", base64_lines(junk()) * 5),
}


class Nowhere:
    def image(self, position: int) -> str:
        return f"/img/{position}"

    def part(self, path: str) -> str:
        return f"/part/{path}"

    def go(self, position: int) -> str:
        return f"/go/{position}"


def _peak() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _weigh(name: str) -> None:
    from smime.reading import read_message
    from smime.verdict import Context
    from webmail.reader import pipeline
    from webmail.reader.variants import Variant

    def show(raw: bytes) -> pipeline.Rendered:
        context = Context(now=NOW, received_at=NOW, anchors=())
        return pipeline.make(
            reading=read_message(raw), context=context, variant=Variant(), addresses=Nowhere()
        )

    show(mail("text/html", "7bit", b"<p>warm"))
    raw = CASES[name]()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before, start = _peak(), time.process_time()
    made = show(raw)
    line = {
        "name": name,
        "size": len(raw),
        "peak": _peak() - before,
        "seconds": round(time.process_time() - start, 2),
        "said": made.page["limits"],
        "page": len(json.dumps(made.page)) + sum(map(len, made.documents.frames)),
    }
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def main() -> None:
    import django

    django.setup()
    for name in CASES:
        if (child := os.fork()) == 0:
            _weigh(name)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
