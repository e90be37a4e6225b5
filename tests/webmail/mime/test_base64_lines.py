"""Base64 in lines, from pieces of any size."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from webmail.mime.transfer import base64_lines


def expected(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_pieces_give_what_the_whole_gives(pieces):
    assert b"".join(base64_lines(pieces)) == expected(b"".join(pieces))


def test_large_pieces_are_cut_at_lines():
    for size in (57 * 1024 - 1, 57 * 1024, 57 * 1024 + 1, 57 * 3000):
        content = bytes(range(256)) * (size // 256 + 1)
        pieces = [b"x" * 5, memoryview(content)[:size], b"y"]
        encoded = list(base64_lines(pieces))
        assert b"".join(encoded) == expected(b"".join(pieces))
        assert all(each.endswith(b"\r\n") for each in encoded)
