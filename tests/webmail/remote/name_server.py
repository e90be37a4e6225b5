"""A name server of our own on the loopback: TXT records by name, UDP and TCP, as told."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from webmail.remote.text_records import NameServers

_UDP_ROOM = 1232


class Zone:
    """What is known, and what was asked: (name, "udp" or "tcp")."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}  # values as in a zone file
        self.aliases: dict[str, str] = {}
        self.broken: set[str] = set()  # SERVFAIL
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    @property
    def servers(self) -> NameServers:
        return NameServers(("127.0.0.1",), self.port)

    def txt(self, name: str, *values: str) -> None:
        """Set the records of a name, each split into strings of 255."""
        self.records[name] = [
            " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255) or [0])
            for value in values
        ]

    def answer(self, octets: bytes, by: str) -> bytes | None:
        query = dns.message.from_wire(octets)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append((name, by))
        if name in self.silent:
            return None
        reply = dns.message.make_response(query, recursion_available=True)
        target = self.aliases.get(name, name)
        if name in self.broken:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif target not in self.records:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.TXT:
            if target != name:
                reply.answer.append(
                    dns.rrset.from_text(question.name, 60, "IN", "CNAME", target + ".")
                )
            reply.answer.append(
                dns.rrset.from_text(target + ".", 60, "IN", "TXT", *self.records[target])
            )
        wire = reply.to_wire()
        if by == "udp" and len(wire) > _UDP_ROOM:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            wire = reply.to_wire()
        return wire


@contextmanager
def name_server() -> Iterator[Zone]:
    zone = Zone()

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            octets, socket = self.request
            wire = zone.answer(octets, "udp")
            if wire is not None:
                socket.sendto(wire, self.client_address)

    class Stream(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            head = self.request.recv(2)
            octets = self.request.recv(struct.unpack("!H", head)[0])
            wire = zone.answer(octets, "tcp")
            if wire is not None:
                self.request.sendall(struct.pack("!H", len(wire)) + wire)

    class Listener(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    # One port for both: bound by TCP first, then by UDP.
    with Listener(("127.0.0.1", 0), Stream) as tcp:
        zone.port = tcp.server_address[1]
        with socketserver.ThreadingUDPServer(("127.0.0.1", zone.port), Datagram) as udp:
            udp.daemon_threads = True
            threads = [
                threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02})
                for each in (tcp, udp)
            ]
            for thread in threads:
                thread.start()
            try:
                yield zone
            finally:
                for each in (tcp, udp):
                    each.shutdown()
                for thread in threads:
                    thread.join()
