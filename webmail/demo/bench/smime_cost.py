"""P12: what S/MIME takes of the processor beside `openssl cms`, the same files in turn.

Signet's side is a process that is warm, as the crypto lane's are; openssl's is its command, start
included. Both read a file and write one.
"""

import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from shutil import which

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from smime.cms import WRITABLE_CIPHERS
from smime.cms.elements import Octets
from smime.cms.encrypting import enveloped_data
from smime.cms.signing import signed_data
from smime.pki.authority import Authority, issue, new_key, new_root
from smime.pki.path_memory import PathMemory
from smime.pki.pkcs12 import KeyPair
from smime.reading import read_message
from smime.verdict import Context, judge
from webmail.demo.bench.measuring import alternating
from webmail.demo.bench.private import Grounds
from webmail.demo.bench.rows import NotMeasured, Row
from webmail.mime.transfer import base64_lines

SIZES = {"10 kB": (10_000, 9), "25 MB": (25_000_000, 3)}  # octets, repetitions
RECIPIENTS = (1, 10, 100)
VERDICT_GOAL = 5.0  # ms for a signed mail of 10 kB, from its bytes
CIPHER = "aes-256-cbc"
_HEAD = (
    b"From: bench@example.test\r\nTo: bench@example.test\r\nSubject: Bench\r\n"
    b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\nContent-Type: application/"
    b"pkcs7-mime; smime-type="
)
_LINE = b"The quick brown fox jumps over the lazy dog, and so it goes on.\r\n"


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where the files lie, and whose keys are used: 100 readers over five keys."""

    place: Path
    root: Authority
    readers: list[KeyPair]
    moment: datetime

    @property
    def writer(self) -> KeyPair:
        return self.readers[0]

    def file(self, name: str) -> Path:
        return self.place / name


def measure(grounds: Grounds) -> list[Row]:
    """Time each of sign, verify, encrypt and decrypt; the floor is openssl's time."""
    if which("openssl") is None:
        raise NotMeasured("The command openssl is not installed.")
    with tempfile.TemporaryDirectory(prefix="signet-bench-") as place:
        bench = _prepared(Path(place))
        rows = []
        for label, (size, repetitions) in SIZES.items():
            grounds.say(f"P12: {label} …")
            _write_entity(bench, size)
            for what, ours, theirs in _pairs(bench):
                times = alternating(
                    {"ours": partial(_own_time, ours), "openssl": partial(_openssl, bench, theirs)},
                    repetitions=repetitions,
                    warm_up=1,
                )
                rows.append(
                    Row(
                        id="P12",
                        what=f"{what}, {label}, CPU; floor: openssl cms",
                        unit="ms",
                        value=times["ours"].median,
                        p95=times["ours"].p95,
                        floor=times["openssl"].median,
                        goal=1.0,
                    )
                )
            if label == "10 kB":
                rows.append(_verdict_row(bench))
        return rows


def _prepared(place: Path) -> _Bench:
    moment = datetime.now(UTC).replace(microsecond=0)
    before, after = moment - timedelta(days=9), moment + timedelta(days=99)
    root = new_root("Bench", before)
    made = partial(issue, root, "bench@example.test", not_before=before, not_after=after)
    keys = [new_key("rsa2048") for _ in range(5)]
    readers = [
        made(f"Bench {number}", key=keys[number % len(keys)]) for number in range(max(RECIPIENTS))
    ]
    bench = _Bench(place, root, readers, moment)
    for number, pair in enumerate(readers):
        bench.file(f"{number}.pem").write_bytes(pair.certificate.public_bytes(Encoding.PEM))
    key = bench.writer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    bench.file("key.pem").write_bytes(key)
    return bench


def _write_entity(bench: _Bench, size: int) -> None:
    """A text of lines that all differ."""
    head = b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
    lines = (b"%09d " % number + _LINE for number in range(size // (len(_LINE) + 10)))
    bench.file("entity").write_bytes(head + b"".join(lines))


def _pairs(bench: _Bench) -> Iterator[tuple[str, Callable[[], object], list[str]]]:
    """What is done, by Signet and by openssl; what openssl wrote is read by both."""
    signer = ["-signer", "0.pem", "-inkey", "key.pem"]
    sign = ["-sign", "-nodetach", "-binary", "-in", "entity", *signer, "-out", "signed"]
    yield "sign", lambda: _sign(bench), sign
    verify = ["-verify", "-noverify", "-in", "signed", "-out", "plain"]
    yield "verify", lambda: _read(bench, "signed"), verify
    for count in RECIPIENTS:
        people = "1 recipient" if count == 1 else f"{count} recipients"
        certificates = [f"{number}.pem" for number in range(count)]
        options = ["-encrypt", f"-{CIPHER}", "-binary", "-in", "entity", "-out", "encrypted"]
        yield f"encrypt, {people}", partial(_encrypt, bench, count), [*options, *certificates]
        decrypt = ["-decrypt", "-in", "encrypted", "-inkey", "key.pem", "-recip", "0.pem"]
        yield f"decrypt, {people}", lambda: _read(bench, "encrypted"), [*decrypt, "-out", "plain"]


def _sign(bench: _Bench) -> None:
    content = bench.file("entity").read_bytes()
    signed = signed_data([content], bench.writer, signed_at=bench.moment, is_detached=False)
    _write_mail(bench, "signed-data", signed)


def _encrypt(bench: _Bench, count: int) -> None:
    content = bench.file("entity").read_bytes()
    certificates = [reader.certificate for reader in bench.readers[:count]]
    cipher = WRITABLE_CIPHERS[CIPHER]
    _write_mail(bench, "enveloped-data", enveloped_data([content], certificates, cipher=cipher))


def _write_mail(bench: _Bench, kind: str, der: Iterable[Octets]) -> None:
    with bench.file("own").open("wb") as file:
        file.write(_HEAD + kind.encode("ascii") + b"\r\n\r\n")
        file.writelines(base64_lines(der))


def _read(bench: _Bench, name: str) -> None:
    reading = read_message(bench.file(name).read_bytes(), keys=[bench.writer])
    if not reading.is_shown or len(reading.layers) != 1:
        raise NotMeasured("A message that openssl wrote was not opened.")
    bench.file("own").write_bytes(reading.content.raw)


def _own_time(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def _openssl(bench: _Bench, options: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["openssl", "cms", *options], cwd=bench.place, check=True, capture_output=True)  # noqa: S607
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds * 1000


def _verdict_row(bench: _Bench) -> Row:
    """A signed mail of 10 kB, from its bytes to what is said of it, paths known already."""
    raw = bench.file("signed").read_bytes()
    anchors = (bench.root.certificate,)
    memory = PathMemory(anchors, ())
    context = Context(now=bench.moment, received_at=bench.moment, anchors=anchors, memory=memory)

    def verdict() -> None:
        judge(read_message(raw).facts, context=context)

    times = alternating({"verdict": lambda: _own_time(verdict)}, repetitions=50, warm_up=5)
    return Row(
        id="P12",
        what="verdict of a signed mail of 10 kB from its bytes, paths known, CPU",
        unit="ms",
        value=times["verdict"].median,
        p95=times["verdict"].p95,
        goal=VERDICT_GOAL,
    )
