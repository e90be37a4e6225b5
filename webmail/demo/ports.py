"""Loopback ports that nobody uses yet."""

import socket


class NoFreePort(Exception):  # noqa: N818 - the name says what happened
    """None of the ports tried was free."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def first_free(wanted: int, *, tries: int = 100, taken: frozenset[int] = frozenset()) -> int:
    """Return `wanted` or the first free port after it; NoFreePort after `tries`."""
    for port in range(wanted, min(wanted + tries, 65536)):
        if port not in taken and is_free(port):
            return port
    raise NoFreePort(f"No port from {wanted} to {wanted + tries - 1} is free.")
