"""Every family of address that a name may lead to: the fetch refuses it before it connects.

The ranges are written down here again, from IANA's registries of special-purpose addresses and from
rendering.md §6, with the public addresses on either side of each.
"""

import socket
from ipaddress import ip_address, ip_network

import pytest

from webmail.html.addresses import RefusedAddress, is_public_address
from webmail.remote import Limits, fetch

REFUSED = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96",
    "64:ff9b:1::/48", "100::/64", "200::/7", "400::/6", "800::/5", "1000::/4", "2001::/32",
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "4000::/3", "5f00::/16", "8000::/3",
    "a000::/3", "c000::/3", "e000::/4", "f000::/5", "f800::/6", "fc00::/7", "fe00::/9",
    "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip
PUBLIC = [
    "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "191.255.255.255", "192.0.1.0", "192.0.1.255", "192.0.3.0", "192.88.98.255", "192.88.100.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255",
    "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
    "2001:200::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", "2003::",
    "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:1000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2606:4700::1111",
]  # fmt: skip


def ends(text: str) -> tuple[str, str, str]:
    """The first, the middle and the last address of a range."""
    network = ip_network(text)
    middle = network[network.num_addresses // 2]
    return str(network[0]), str(middle), str(network[-1])


@pytest.mark.parametrize("network", REFUSED)
def test_a_name_that_leads_inside_is_never_connected_to(
    monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    def connect(*_: object, **__: object) -> socket.socket:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", connect)
    for address in ends(network):
        # The public address before it saves nothing: names are refused as a whole.
        for answers in ([address], ["93.184.215.14", address]):
            found = [(socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (each, 443)) for each in answers]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, found=found, **__: found)
            with pytest.raises(RefusedAddress):
                fetch("https://pictures.example/a", limits=Limits(5, 9), user_agent="Signet test")


@pytest.mark.parametrize("address", PUBLIC)
def test_the_addresses_on_either_side_are_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1"])
def test_no_ipv6_form_carries_an_address_inside(inside: str) -> None:
    """Mapped, translated, NAT64, 6to4, Teredo (server and, inverted, client), compatible."""
    octets = ip_address(inside).packed
    inverted = bytes(each ^ 0xFF for each in octets)
    forms = [
        bytes(10) + b"\xff\xff" + octets,
        bytes(8) + b"\xff\xff\0\0" + octets,
        bytes.fromhex("0064ff9b") + bytes(8) + octets,
        bytes.fromhex("0064ff9b0001") + bytes(6) + octets,
        b"\x20\x02" + octets + bytes(10),
        bytes.fromhex("20010000") + octets + bytes(8),
        bytes.fromhex("20010000") + bytes(8) + inverted,
        bytes(12) + octets,
    ]
    for form in forms:
        assert not is_public_address(ip_address(form)), ip_address(form)
