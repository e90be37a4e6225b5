import ipaddress

import pytest
from django.http import HttpRequest
from pytest_django import Settings

from accounts.client_address import client_address, network_of


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.9", "", [], "203.0.113.9"),
        ("203.0.113.9", "10.9.9.9", [], "203.0.113.9"),
        ("203.0.113.9", "10.9.9.9", ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7", ["10.0.0.0/8"], "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", ["10.0.0.0/8"], "198.51.100.7"),
        ("10.0.0.1", "nonsense", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
        ("::ffff:203.0.113.9", "", [], "203.0.113.9"),
        ("", "", [], None),
    ],
)
def test_only_trusted_proxies_are_believed(
    settings: Settings, peer: str, forwarded: str, trusted: list[str], expected: str | None
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = peer
    if forwarded:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    found = client_address(request)
    assert (str(found) if found else None) == expected


def test_networks() -> None:
    assert network_of(ipaddress.ip_address("203.0.113.9")) == "203.0.113.0/24"
    assert network_of(ipaddress.ip_address("2001:db8:1:2ff::1")) == "2001:db8:1:200::/56"
    assert network_of(None) == "local"
