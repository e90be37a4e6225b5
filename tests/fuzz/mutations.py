"""Damaged variants of whole messages: the same number always gives the same message."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from tests.corpora import corpora_root

LONGEST = 24_000  # octets of a seed: the budget of ten thousand cases is a minute
ENDINGS = {".eml", ".txt", ".msg", ".html", ".env", ".tnef", ".uu"}
TOKENS = [
    token.encode("latin-1")
    for token in (
        "\r\n\r\n", "\n", "\r", "\0", "--", "--\n", "=", "=?", "?=", "=?utf-8?q?", "=?utf-8?b?",
        "=0D=0A", "=00", "Content-Type: ", "Content-Type: multipart/mixed; boundary=",
        "Content-Type: multipart/signed; boundary=", "Content-Type: message/rfc822\n\n",
        "Content-Type: application/ms-tnef\n", "Content-Type: text/html\n\n",
        "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: x-uuencode\n",
        "Content-Disposition: attachment; filename*0*=", "; charset=", "; charset=utf-7",
        "; charset=iso-2022-jp", "; format=flowed; delsp=yes", "; name*=utf-8''%E2%80%AE",
        "begin 644 a\n", "begin-base64 644 a\n", "end\n", "====\n", "`\n", "=ybegin line=1 size=1 name=a\n",
        "=yend size=1\n", "\x78\x9f\x3e\x22", "\xff\xff\xff\xff", "\x00\x00\x00\x80", "<", ">", "<!--",
        "-->", "<svg>", "<math>", "<style>", "</style>", "<script>", "<img src=x onerror=alert(1)>",
        "<a href=javascript:alert(1)>", "<table>", "<details>", "<template>", "<select>",
        'style="', "url(", "@import ", "\\", "&", "&#", "&lt;", '"', "'", "(", ")", ";", ":", ",",
        "@", "From: a@b.example\n", 'From: "', "Date: ", "> ", ">" * 30, "-- \n", " \n",
        "\xe2\x80\xae", "\xc2\xa0", "\xed\xa0\x80", "\xf0\x9f\x94\x92", "\x1b$B", "cid:", "data:image/png;base64,",
    )
]  # fmt: skip
type Change = Callable[[Random, bytearray, Sequence[bytes]], None]


def seeds() -> list[bytes]:
    """The corpora's messages and pages that are short enough, in a fixed order."""
    found = []
    for path in sorted(corpora_root().rglob("*")):
        if path.is_file() and path.suffix in ENDINGS and path.stat().st_size <= LONGEST:
            found.append(_as_message(path))
    return found


def _as_message(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".html":
        return b"From: a@b.example\nContent-Type: text/html; charset=utf-8\n\n" + content
    if path.suffix == ".tnef":
        return b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: 8bit\n\n" + content
    return content


def _place(random: Random, raw: bytearray) -> int:
    return random.randrange(len(raw) + 1)


def _span(random: Random, raw: bytearray) -> slice:
    at = _place(random, raw)
    return slice(at, at + 1 + int(random.expovariate(1 / 40)))


def _flip(random: Random, raw: bytearray, _: Sequence[bytes]) -> None:
    if raw:
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)


def _delete(random: Random, raw: bytearray, _: Sequence[bytes]) -> None:
    del raw[_span(random, raw)]


def _repeat(random: Random, raw: bytearray, _: Sequence[bytes]) -> None:
    span = _span(random, raw)
    raw[span] = raw[span] * random.choice((2, 3, 50))


def _insert(random: Random, raw: bytearray, _: Sequence[bytes]) -> None:
    at = _place(random, raw)
    raw[at:at] = random.choice(TOKENS) * random.choice((1, 1, 1, 20))


def _move(random: Random, raw: bytearray, _: Sequence[bytes]) -> None:
    span = _span(random, raw)
    piece = raw[span]
    del raw[span]
    at = _place(random, raw)
    raw[at:at] = piece


def _cut(random: Random, raw: bytearray, _: Sequence[bytes]) -> None:
    del raw[_place(random, raw) :]


def _line_ends(random: Random, raw: bytearray, _: Sequence[bytes]) -> None:
    ends = (b"\r\n", b"\n", b"\r", b"\n\n", b"\r\r\n")
    raw[:] = raw.replace(random.choice((b"\r\n", b"\n")), random.choice(ends))


def _splice(random: Random, raw: bytearray, others: Sequence[bytes]) -> None:
    other = random.choice(others)
    start = random.randrange(len(other) + 1)
    at = _place(random, raw)
    raw[at:at] = other[start : start + random.choice((40, 400, 4_000))]


def _move_lines(random: Random, raw: bytearray, _: Sequence[bytes]) -> None:
    lines = raw.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    raw[:] = b"\n".join(lines)


CHANGES: Sequence[Change] = (
    _flip, _flip, _delete, _repeat, _insert, _insert, _move, _cut, _line_ends, _splice, _move_lines,
)  # fmt: skip


def mutated(number: int, originals: Sequence[bytes]) -> bytes:
    """Case `number`."""
    random = Random(number)
    raw = bytearray(originals[number % len(originals)])
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        random.choice(CHANGES)(random, raw, originals)
        del raw[4 * LONGEST :]
    return bytes(raw)
