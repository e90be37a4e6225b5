"""Check 47: a mail account's host cannot be used to reach what is not public.

The name is resolved once, every address is judged, and the connection goes to the judged address.
"""

import socket

import pytest

from accounts import credentials
from accounts.models import MailServer
from webmail.html import RefusedUrl, check_remote_url, is_public_address
from webmail.sasl import ConnectFailed

INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.88.99.1", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
    "fec0::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "fe80::1%eth0",
]  # fmt: skip


def server(host: str, **fields: object) -> MailServer:
    return MailServer(
        **{
            "domain": "example.test",
            "imap_host": host,
            "imap_port": 993,
            "imap_security": "tls",
            "submission_host": host,
            "submission_port": 587,
            "submission_security": "starttls",
            **fields,
        }
    )


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Each look-up gets the next answer; the list is of the names that were asked for."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("address", INSIDE)
def test_r47_addresses_inside_are_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    settings.ALLOW_PRIVATE_MAIL_SERVERS = False
    resolving(monkeypatch, [address])
    assert not is_public_address(address)
    for endpoint in (credentials.imap_endpoint, credentials.submission_endpoint):
        with pytest.raises(ConnectFailed) as refused:
            endpoint(server("mail.example.test"))
        # The sentence tells nobody what answers behind the name.
        assert address not in str(refused.value)


def test_r47_a_rebinding_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch, settings) -> None:
    settings.ALLOW_PRIVATE_MAIL_SERVERS = False
    asked = resolving(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    endpoint = credentials.imap_endpoint(server("rebind.example.test"))
    assert (endpoint.host, endpoint.address) == ("rebind.example.test", "93.184.216.34")
    assert asked == ["rebind.example.test"]


def test_r47_a_name_with_an_address_inside_never_leads_there(
    monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    settings.ALLOW_PRIVATE_MAIL_SERVERS = False
    resolving(monkeypatch, ["127.0.0.1", "::ffff:10.0.0.1", "93.184.216.34"])
    assert credentials.imap_endpoint(server("both.example.test")).address == "93.184.216.34"


def test_r47_an_admin_may_allow_private_networks(monkeypatch: pytest.MonkeyPatch, settings) -> None:
    settings.ALLOW_PRIVATE_MAIL_SERVERS = True
    asked = resolving(monkeypatch, ["10.0.0.1"])
    assert credentials.imap_endpoint(server("mail.internal")).address is None
    assert asked == []  # the connection itself resolves it


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
        "http://[::ffff:7f00:1]/", "http://localhost./", "http://127.0.0.1.:80/", "http://a.b:22/",
        "http://a.b:6379/", "gopher://a.b/", "http://user@a.b/", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_r47_addresses_in_odd_forms_are_refused_or_judged(url: str) -> None:
    try:
        found = check_remote_url(url)
    except RefusedUrl:
        return
    assert not is_public_address(found.host), "a literal address that is inside must not pass"
