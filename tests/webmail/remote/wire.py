"""A server that says exact octets, as no library would let it: heads, chunks and ends that lie."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from tests.webmail.remote.hosts import Site, resolving


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: octets, and then the same piece over and over, if there is one."""

    octets: bytes
    endless: bytes = b""


class Wire(Site):
    """Gives each connection the next answer, the last one ever after; keeps what was asked."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "http")
        self.answers: list[Said] = []
        self.heads: list[bytes] = []

    def say(self, *answers: bytes | Said) -> None:
        self.answers = [each if isinstance(each, Said) else Said(each) for each in answers]


@contextmanager
def saying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Serve on the loopback until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listener.getsockname()[1])
    connections: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                head += piece
            said = wire.answers[min(len(wire.heads), len(wire.answers) - 1)]
            wire.heads.append(head)
            connection.sendall(said.octets)
            while said.endless and not wire.stopped.is_set():
                connection.sendall(said.endless)

    def accept() -> None:
        with suppress(OSError):  # the listener is shut
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    resolving(monkeypatch, wire)
    try:
        yield wire
    finally:
        wire.stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for each in connections:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        thread.join()
