"""Sealed files: whole, in order, or not at all."""

import pytest
from django.conf import settings

from accounts.sealing import SealBroken, is_newest
from webmail.composer import sealed_files
from webmail.composer.sealed_files import PIECE


def path_of(key):
    return settings.BLOB_DIR / "composer" / key[:2] / key


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_content_comes_back(size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    key, written = sealed_files.write([content[:100], b"", content[100:]])
    assert written == size
    assert sealed_files.read_all(key) == content
    assert b"xxxxxxxx" not in path_of(key).read_bytes() or size < 8
    sealed_files.drop(key)
    sealed_files.drop(key)
    with pytest.raises(FileNotFoundError):
        sealed_files.read_all(key)


def pieces(key):
    data, found = path_of(key).read_bytes()[37:], []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(data[: 4 + length])
        data = data[4 + length :]
    return found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p[:-1],  # the last piece dropped
        lambda p: p[1:],
        lambda p: [p[1], p[0], p[2]],
        lambda p: [*p, p[0]],
        lambda p: [p[0], p[1][:-1]],
        lambda p: [p[0][:-1] + bytes([p[0][-1] ^ 1]), *p[1:]],
        lambda p: [b"\xff\xff\xff\xff" + p[0]],
        lambda p: [p[0], b"\x00"],
        lambda p: [],
    ],
)
def test_tampering_is_seen(spoil):
    key, _size = sealed_files.write([b"a" * (2 * PIECE + 5)])
    mark = path_of(key).read_bytes()[:37]
    path_of(key).write_bytes(mark + b"".join(spoil(pieces(key))))
    with pytest.raises(SealBroken):
        sealed_files.read_all(key)


def test_a_file_does_not_open_under_another_key():
    one, _ = sealed_files.write([b"one"])
    other, _ = sealed_files.write([b"other"])
    path_of(other).write_bytes(path_of(one).read_bytes())
    with pytest.raises(SealBroken):
        sealed_files.read_all(other)


def test_nothing_is_left_of_a_file_that_is_too_large():
    before = sorted(settings.BLOB_DIR.rglob("*.part"))
    with pytest.raises(sealed_files.TooLargeError):
        sealed_files.write([b"x" * 1000] * 11, limit=10_000)
    assert sorted(settings.BLOB_DIR.rglob("*.part")) == before


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "a" * 63, "/" * 64])
def test_keys_are_no_paths(key):
    with pytest.raises(FileNotFoundError):
        sealed_files.read_all(key)


def test_a_file_tells_which_key_sealed_it():
    key, _size = sealed_files.write([b"x"])
    assert is_newest(path_of(key).read_bytes())
