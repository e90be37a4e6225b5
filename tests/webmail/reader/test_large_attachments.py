"""Large attachments: sent a window at a time, never whole in the web or in the cache."""

import base64
import io
import zipfile

import pytest

from accounts import redis, sealed_cache
from tests.webmail.reader.test_attachments import hrefs, whole
from webmail.imap import LimitExceeded
from webmail.reader import extracting, fetching, passing_on, pieces

MIB = 1024 * 1024


@pytest.fixture(params=[16, pytest.param(1, marks=pytest.mark.slow)])
def scale(request, monkeypatch) -> int:
    """By what pieces, windows and files are smaller than they are in life."""
    monkeypatch.setattr(pieces, "PIECE", pieces.PIECE // request.param)
    monkeypatch.setattr(pieces, "WINDOW", pieces.WINDOW // request.param)
    monkeypatch.setattr(extracting, "WINDOW", pieces.WINDOW)
    return request.param


def letter_with(letters, *files: tuple[str, bytes]):
    """Mirror a letter with files, put together without the cost of a library."""
    lines = [
        b"From: anna@nordlys.example", b"Subject: Large files", b"MIME-Version: 1.0",
        b'Content-Type: multipart/mixed; boundary="o"', b"", b"--o", b"", b"See the files.",
    ]  # fmt: skip
    for name, content in files:
        lines += [
            b"--o",
            b"Content-Type: application/octet-stream",
            b'Content-Disposition: attachment; filename="%b"' % name.encode(),
            b"Content-Transfer-Encoding: base64",
            b"",
            base64.b64encode(content),
        ]
    return letters.put(b"\r\n".join([*lines, b"--o--", b""]))


def octets(size: int) -> bytes:
    """Content whose every piece is another."""
    return b"".join(number.to_bytes(4) for number in range(size // 4)) + b"x" * (size % 4)


def in_cache() -> int:
    """Octets of sealed values in the cache."""
    client = redis.client()
    return sum(client.strlen(name) for name in client.scan_iter(b"sealed:*"))


def zip_of(letters, message):
    urls = hrefs(letters.opened(message), "/attached/")
    return letters.client.get(next(url for url in urls if url.endswith(".zip")))


def test_a_part_of_60_mib_comes_whole_a_window_at_a_time(letters, settings, workers, scale):
    settings.MESSAGE_LIMIT = 100 * MIB
    content = octets(60 * MIB // scale + 7)
    message = letter_with(letters, ("large.bin", content))
    (url,) = hrefs(letters.opened(message), "/part/")
    workers.clear()
    answer = letters.client.get(url)
    assert answer["Content-Length"] == str(len(content))
    found, most = bytearray(), 0
    for piece in answer.streaming_content:
        assert len(piece) <= pieces.PIECE
        found += piece
        most = max(most, in_cache())
    assert found == content
    assert most < 2 * pieces.WINDOW
    assert workers == ["reader.extract_part"] * 4


def test_more_than_100_mib_are_one_zip(letters, settings, scale):
    """Small ones are taken out together, each large one in windows; the cache holds little."""
    settings.MESSAGE_LIMIT = 200 * MIB
    files = [
        ("small.bin", octets(1000)),
        ("large.bin", octets(70 * MIB // scale)),
        *((f"photo{number}.jpg", octets(9 * MIB // scale)) for number in range(4)),
        ("empty.bin", b""),
        ("last.txt", b"end"),
    ]
    message = letter_with(letters, *files)
    answer = zip_of(letters, message)
    assert answer.status_code == 200
    written, most = io.BytesIO(), 0
    for piece in answer.streaming_content:
        written.write(piece)
        most = max(most, in_cache())
    with zipfile.ZipFile(written) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [name for name, _content in files]
        assert all(archive.read(name) == content for name, content in files)
    assert most < 3 * pieces.WINDOW


def test_what_is_beyond_the_limit_is_said_and_the_original_offered(letters, settings):
    message = letter_with(letters, ("a.bin", octets(1000)), ("b.bin", octets(1000)))
    urls = hrefs(letters.opened(message), "/attached/") + hrefs(letters.opened(message), "/part/")
    settings.MESSAGE_LIMIT = 900
    for url in urls:
        answer = letters.client.get(url)
        assert answer.status_code == 422, url
        page = answer.content.decode()
        assert "This message holds more than 900" in page
        assert f'href="/message/{message.pk}/raw.eml"' in page


def test_the_original_beyond_the_limit_is_passed_on_in_windows(
    letters, settings, monkeypatch, scale
):
    """tests/live/test_large_mail.py does this with a real server."""
    raw = octets(2 * pieces.WINDOW)  # ends where a window ends
    message = letters.mailbox.receive("Huge", size=len(raw))
    settings.MESSAGE_LIMIT = 1000
    asked = []

    def window(_message, *, offset, length):
        asked.append(offset)
        return raw[offset : offset + length]

    monkeypatch.setattr(passing_on.bodies, "window", window)
    answer = letters.client.get(f"/message/{message.pk}/raw.eml")
    assert "Content-Length" not in answer.headers
    assert whole(answer) == raw
    assert asked == [0, pieces.WINDOW, 2 * pieces.WINDOW]


def test_a_message_beyond_the_limit_shows_its_header_and_the_way_to_the_original(
    letters, monkeypatch
):
    message = letters.mailbox.receive("Huge", size=60 * MIB)

    def refused(_message):
        raise LimitExceeded("too large")

    monkeypatch.setattr(fetching.bodies, "raw", refused)
    page = letters.opened(message)
    assert "larger than 50.0\xa0MB, the most that is opened here" in page
    assert f'href="/message/{message.pk}/raw.eml"' in page


def test_a_server_that_is_away_is_said(letters, settings, monkeypatch):
    message = letters.mailbox.receive("Huge", size=2000)
    settings.MESSAGE_LIMIT = 1000

    def gone(_message, *, offset, length):
        raise passing_on.AccountUnusable("away")

    monkeypatch.setattr(passing_on.bodies, "window", gone)
    answer = letters.client.get(f"/message/{message.pk}/raw.eml")
    assert answer.status_code == 503
    assert "try again in a moment" in answer.content.decode()


def test_the_web_holds_a_piece_at_a_time(letters):
    content = bytes(8 * pieces.PIECE)
    message = letter_with(letters, ("large.bin", content))
    answer = letters.client.get(hrefs(letters.opened(message), "/part/")[0])
    sizes = [len(piece) for piece in answer.streaming_content]
    assert max(sizes) == pieces.PIECE
    assert sum(sizes) == len(content)


def kept(content: bytes) -> pieces.Kept:
    pieces.keep("x", content, filename="a", content_type="b/c", session_key=None, seconds=90)
    found = pieces.find("x", session_key=b"k" * 32)
    assert found is not None
    return found


def test_a_content_that_left_the_cache_is_taken_out_again(valkey):
    content = octets(3 * pieces.PIECE + 1)
    found = kept(content)
    sealed_cache.drop(found.names[1], session_key=None)
    again = []

    def more(offset):
        again.append(offset)
        pieces.keep(
            "x", content, filename="a", content_type="b/c", session_key=None, seconds=90,
            offset=offset,
        )  # fmt: skip
        return pieces.find("x", session_key=b"k" * 32, offset=offset)

    assert b"".join(found.pieces(more)) == content
    assert again == [pieces.PIECE]


@pytest.mark.parametrize("more", [None, lambda _offset: None])
def test_a_content_that_cannot_be_had_again_breaks_off(valkey, more):
    found = kept(bytes(pieces.PIECE + 1))
    sealed_cache.drop(found.names[1], session_key=None)
    with pytest.raises(pieces.PieceLostError):
        list(found.pieces(more))
