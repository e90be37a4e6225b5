"""Several files as one ZIP, written piece by piece (stored, not compressed: attachments are)."""

import io
import unicodedata
import zipfile
from collections.abc import Buffer, Iterable, Iterator
from typing import Final, override

_TIME: Final = (1980, 1, 1, 0, 0, 0)  # a mail states no time for its files
_LONGEST: Final = 150  # UTF-8 octets, as webmail.mime.filenames


class _Pipe(io.RawIOBase):
    """What `zipfile` writes into: cannot seek, is emptied after each piece."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, content: Buffer) -> int:
        piece = bytes(content)
        self._held.append(piece)
        return len(piece)

    def take(self) -> bytes:
        held, self._held = b"".join(self._held), []
        return held


def stream(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Yield the ZIP of (name, pieces); never holds more than a piece and the directory.

    Names must be safe base names, each once (`unique_names`).
    """
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for name, pieces in files:
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w", force_zip64=False) as file:
                for piece in pieces:
                    file.write(piece)
                    if made := pipe.take():
                        yield made
            yield pipe.take()
    yield pipe.take()


def unique_names(names: Iterable[str]) -> list[str]:
    """Return the names, later ones numbered where two would be one file on some system.

    "a.txt", "A.TXT" become "a.txt", "A (2).TXT".
    """
    taken: set[str] = set()
    unique = []
    for name in names:
        chosen, number = name, 1
        while (key := _key(chosen)) in taken:
            number += 1
            chosen = _numbered(name, number)
        taken.add(key)
        unique.append(chosen)
    return unique


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _numbered(name: str, number: int) -> str:
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    tail = f" ({number}){dot}{ending}"
    room = _LONGEST - len(tail.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + tail
