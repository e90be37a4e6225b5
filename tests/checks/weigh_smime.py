"""Run as a program: how much memory S/MIME mail of 25 MB takes to read and to write.

Each message is made in one child, which keeps it in a file, and read in another; a line of JSON
says its size, the peak above what the process held before the message came, and the processor time.
The message itself is part of the peak.
"""

import base64
import json
import os
import random
import sys
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

SIZE = 25_000_000  # octets of the message, about
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIELDS = [
    ("From", "a@b.example"),
    ("To", "a@b.example"),
    ("Subject", "x"),
    ("Date", "Fri, 20 Nov 2026 12:00:00 +0000"),
]
HEAD = b"".join(f"{name}: {value}\r\n".encode() for name, value in FIELDS)
INFLATED = 74 / 54  # base64 in lines


def entity(size: float) -> bytes:
    """A text and a file in base64, `size` octets."""
    file = base64.encodebytes(random.Random(1).randbytes(int(size / INFLATED)))
    return b"\r\n".join(
        [
            b"Content-Type: multipart/mixed; boundary=b\r\n",
            b"--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--b",
            b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n",
            file.replace(b"\n", b"\r\n") + b"--b--\r\n",
        ]
    )


def pkcs7(der: bytes, kind: str) -> bytes:
    head = f"Content-Type: application/pkcs7-mime; smime-type={kind}\r\n"
    encoded = base64.encodebytes(der).replace(b"\n", b"\r\n")
    return HEAD + (head + "Content-Transfer-Encoding: base64\r\n\r\n").encode() + encoded


class Person:
    """Whoever writes to herself."""

    def __init__(self) -> None:
        from smime.pki.authority import issue, new_root

        before, after = NOW - timedelta(days=9), NOW + timedelta(days=9)
        self.root = new_root("Root", before)
        self.pair = issue(
            self.root, "A", "a@b.example", not_before=before, not_after=after, key="rsa2048"
        )

    def protected(self, content: bytes, *, cipher: str = "") -> bytes:
        from smime.writing import protect

        readers = [self.pair.certificate] if cipher else []
        options = {"cipher": cipher} if cipher else {}
        return protect(content, FIELDS, signer=self.pair, recipients=readers, **options)

    def opaque(self) -> bytes:
        from smime.cms import sign_opaque

        content = entity(SIZE / INFLATED)
        return pkcs7(sign_opaque(content, self.pair, signed_at=NOW), "signed-data")

    def encrypted(self, cipher: str) -> bytes:
        from smime.cms import WRITABLE_CIPHERS, encrypt

        content = entity(SIZE / INFLATED)
        used = WRITABLE_CIPHERS[cipher]
        return pkcs7(encrypt(content, [self.pair.certificate], cipher=used), "enveloped-data")

    def compressed(self) -> bytes:
        from smime.cms import algorithms
        from smime.cms.elements import (
            element,
            integer,
            object_identifier,
            octet_string,
            sequence,
        )

        packed = octet_string(zlib.compress(entity(SIZE - 10_000), 1))
        data = sequence(object_identifier(algorithms.DATA), element(0xA0, packed))
        value = sequence(integer(0), sequence(object_identifier(algorithms.ZLIB)), data)
        oid = object_identifier(algorithms.COMPRESSED_DATA)
        return pkcs7(sequence(oid, element(0xA0, value)), "compressed-data")


READ: dict[str, Callable[[Person], bytes]] = {
    "signed": lambda person: person.protected(entity(SIZE)),
    "opaque": Person.opaque,
    "encrypted, CBC": lambda person: person.encrypted("aes-256-cbc"),
    "encrypted, GCM": lambda person: person.encrypted("aes-256-gcm"),
    "signed and encrypted, CBC": lambda person: person.protected(
        entity(SIZE / INFLATED**2), cipher="aes-256-cbc"
    ),
    "signed and encrypted, GCM": lambda person: person.protected(
        entity(SIZE / INFLATED**2), cipher="aes-256-gcm"
    ),
    "compressed": Person.compressed,
}
WRITTEN = {"signed": "", "signed and encrypted": "aes-256-cbc"}


def _peak() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _forget_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak()


def _tell(name: str, size: int, peak: int, started: float) -> None:
    seconds = round(time.process_time() - started, 2)
    line = {"name": name, "size": size, "peak": peak, "seconds": seconds}
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def _read(name: str, person: Person, kept: Path) -> None:
    from smime.reading import read_message
    from smime.verdict import Context
    from tests.checks.weigh import Nowhere
    from webmail.reader import pipeline
    from webmail.reader.variants import Variant

    context = Context(now=NOW, received_at=NOW, anchors=(person.root.certificate,))

    def show(raw: bytes) -> pipeline.Rendered:
        reading = read_message(raw, keys=[person.pair])
        return pipeline.make(
            reading=reading, context=context, variant=Variant(), addresses=Nowhere()
        )

    show(person.protected(entity(1000), cipher="aes-256-gcm"))
    before, started = _forget_peak(), time.process_time()
    raw = kept.read_bytes()
    made = show(raw)
    attached = [each[1] for each in made.page["attachments"]]
    if not (made.reading.is_shown and attached):
        raise RuntimeError(f"{name} was not opened")
    _tell(f"read {name}", len(raw), _peak() - before, started)


def _write(name: str, person: Person, kept: Path) -> None:
    cipher = WRITTEN[name]
    person.protected(entity(1000), cipher=cipher)
    before, started = _forget_peak(), time.process_time()
    made = person.protected(kept.read_bytes(), cipher=cipher)
    _tell(f"write {name}", len(made), _peak() - before, started)


def _in_child(work: Callable[[], object]) -> None:
    if (child := os.fork()) == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError("a child failed")


def main() -> None:
    import django

    django.setup()
    person = Person()
    with TemporaryDirectory() as directory:
        kept = Path(directory, "mail")
        for name, make in READ.items():
            _in_child(lambda make=make: kept.write_bytes(make(person)))
            _in_child(lambda name=name: _read(name, person, kept))
        for name, cipher in WRITTEN.items():
            size = SIZE / INFLATED**2 if cipher else SIZE
            _in_child(lambda size=size: kept.write_bytes(entity(size)))
            _in_child(lambda name=name: _write(name, person, kept))


if __name__ == "__main__":
    main()
