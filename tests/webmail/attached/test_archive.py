"""All attachments as one ZIP: whole, streamed, with names that are safe together."""

import io
import tracemalloc
import zipfile

from webmail.attached.archive import stream, unique_names


def test_what_goes_in_comes_out():
    files = [("a.txt", [b"one ", b"two"]), ("Ærlig.bin", [b"\0" * 70_000]), ("empty", [])]
    whole = b"".join(stream(files))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "a.txt": b"one two", "Ærlig.bin": b"\0" * 70_000, "empty": b"",
        }  # fmt: skip


def test_a_hundred_megabytes_never_stand_in_memory():
    piece = bytes(1024 * 1024)
    tracemalloc.start()
    size = sum(len(part) for part in stream([("large", (piece for _ in range(100)))]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 100 * 1024 * 1024
    assert peak < 8 * 1024 * 1024


def test_names_that_would_be_one_file_are_numbered():
    names = ["a.txt", "A.TXT", "a.txt", "noend", "noend", "ﬁle", "file", "a (2).txt"]
    assert unique_names(names) == [
        "a.txt", "A (2).TXT", "a (3).txt", "noend", "noend (2)", "ﬁle", "file (2)", "a (2) (2).txt",
    ]  # fmt: skip
    long = "x" * 146 + ".pdf"
    assert all(len(name.encode()) <= 150 for name in unique_names([long, long]))
