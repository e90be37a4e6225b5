"""A server that does exactly what a script says, well or badly, one thread per connection."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Self

type Script = Callable[["Peer"], None]


class Peer:
    """One accepted connection, from the server's side."""

    def __init__(self, sock: socket.socket, log: list[bytes], stopping: threading.Event) -> None:
        self._sock = sock
        self._buffer = b""
        self.log = log
        self.stopping = stopping

    def send(self, data: bytes) -> None:
        """Send at once."""
        self._sock.sendall(data)

    def trickle(self, data: bytes, *, every: float) -> None:
        """Send one byte at a time, until all is sent or the test ends."""
        for byte in data:
            if self.stopping.wait(every):
                return
            self.send(bytes([byte]))

    def flood(self, data: bytes, *, megabytes: int) -> None:
        """Send the same bytes again and again; ends when the client hangs up."""
        block = data * (65536 // len(data) + 1)
        for _ in range(megabytes * 16):
            if self.stopping.is_set():
                return
            self.send(block)

    def readline(self) -> bytes | None:
        """A line without its end; None when the client hung up."""
        while b"\n" not in self._buffer:
            data = self._sock.recv(65536)
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        line = line.rstrip(b"\r")
        self.log.append(line)
        return line

    def read(self, size: int) -> bytes:
        """Exactly so many bytes, fewer when the client hung up."""
        while len(self._buffer) < size:
            data = self._sock.recv(65536)
            if not data:
                break
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def start_tls(self, context: ssl.SSLContext) -> None:
        """The server's half of a handshake."""
        self._sock = context.wrap_socket(self._sock, server_side=True)

    def wait(self, seconds: float) -> None:
        """Do nothing for a while, or until the test ends."""
        self.stopping.wait(seconds)

    def hang(self) -> None:
        """Say nothing more until the test ends."""
        self.stopping.wait(60)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


class ScriptedServer:
    """`with ScriptedServer(script) as server:` listens on 127.0.0.1:`port`.

    context: wraps connections in TLS before the script runs. log: all lines received, in order.
    What a script raises, other than a broken connection, is raised again when the server stops.
    """

    def __init__(self, script: Script, *, context: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._peers: list[Peer] = []
        self._faults: list[Exception] = []
        self.log: list[bytes] = []
        self.connections = 0
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        self._listener.settimeout(0.1)
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            sock.settimeout(20)
            self.connections += 1
            peer = Peer(sock, self.log, self._stopping)
            self._peers.append(peer)
            self._start(lambda peer=peer: self._serve(peer))  # type: ignore[misc]

    def _serve(self, peer: Peer) -> None:
        try:
            if self._context is not None:
                peer.start_tls(self._context)
            self._script(peer)
        except OSError:
            pass  # the client refused to go on, which is what most scripts are about
        except Exception as error:  # noqa: BLE001 - raised again in the test's own thread
            self._faults.append(error)
        finally:
            peer.close()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in list(self._threads):
            thread.join(10)
        self._listener.close()
        if self._faults:
            raise self._faults[0]

    def wait_for(self, condition: Callable[[], bool], *, seconds: float = 5.0) -> bool:
        """Poll until the condition holds; whether it did."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if condition():
                return True
            time.sleep(0.01)
        return condition()
