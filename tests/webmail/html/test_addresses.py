"""The SSRF rules: every family of address that is refused, and URLs that hide one."""

from ipaddress import ip_address

import pytest

from webmail.html import (
    RefusedAddress,
    RefusedUrl,
    check_public_address,
    check_remote_url,
    is_public_address,
)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "93.184.215.14", "172.15.255.255", "172.32.0.1", "100.63.255.255",
     "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1"],
)  # fmt: skip
def test_public_address(address):
    assert is_public_address(address)
    assert check_public_address(address) == ip_address(address)
    assert check_public_address(ip_address(address)) == ip_address(address)


@pytest.mark.parametrize(
    "address",
    [
        # this host, loopback, link-local and metadata, private
        "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "169.254.169.254", "10.0.0.1",
        "172.16.0.1", "172.31.255.255", "192.168.1.1",
        # shared, protocol assignments, documentation, benchmarking, relays, multicast, reserved
        "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "198.51.100.1",
        "203.0.113.1", "198.18.0.1", "198.19.255.255", "192.88.99.1", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255",
        # IPv6 of the same kinds
        "::", "::1", "fe80::1", "fe80::1%eth0", "2606:4700::1111%1", "fc00::1", "fd12::1",
        "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1",
        # IPv6 with an IPv4 address inside
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1", "::127.0.0.1", "::8.8.8.8",
        "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1",
        "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        # not an address at all
        "", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "1.1.1.1 ", "1.1.1.1/8",
    ],
)  # fmt: skip
def test_refused_address(address):
    assert not is_public_address(address)
    with pytest.raises(RefusedAddress):
        check_public_address(address)


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://a.example", "a.example", 443, "/"),
        ("HTTP://A.Example./x", "a.example", 80, "/x"),
        ("http://a.example:443/x?y#z", "a.example", 443, "/x?y"),
        ("https://a.example:/x", "a.example", 443, "/x"),
        ("https://bücher.example/ü?ü", "xn--bcher-kva.example", 443, "/%C3%BC?%C3%BC"),
        ("https://a.example/%2e%2e/a|b", "a.example", 443, "/%2e%2e/a%7Cb"),
        ("https://8.8.8.8/x", "8.8.8.8", 443, "/x"),
        ("https://[2606:4700::1111]/x", "2606:4700::1111", 443, "/x"),
        ("https://127.0.0.1.nip.io/x", "127.0.0.1.nip.io", 443, "/x"),  # its address is checked
        ("https://_a.example/x", "_a.example", 443, "/x"),
    ],
)
def test_remote_url(url, host, port, target):
    remote = check_remote_url(url)
    assert (remote.host, remote.port, remote.target) == (host, port, target)
    assert check_remote_url(remote.url) == remote


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.example/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("//a.example/", "scheme"),
        ("https:a.example/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://a.example/", "scheme"),
        ("", "scheme"),
        ("https://a.example/" + "x" * 5000, "too-long"),
        ("https://a.example/a b", "characters"),
        ("https://a.example/a\r\nX: y", "characters"),
        ("https://a.example\\@b.example/", "characters"),
        ("https://a\u200b.example/", "characters"),
        ("https://u@a.example/", "credentials"),
        ("https://u:p@a.example/", "credentials"),
        ("https://@a.example/", "credentials"),
        ("https://a.example:8080/", "port"),
        ("https://a.example:22/", "port"),
        ("https://a.example:0/", "port"),
        ("https://a.example:99999/", "malformed"),
        ("https://a.example:x/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https:///x", "host"),
        ("https://localhost/", "host"),
        ("https://printer.local/", "host"),
        ("https://metadata.google.internal/", "host"),
        ("https://a..example/", "host"),
        ("https://a%2eexample/", "host"),
        ("https://" + "a" * 64 + ".example/", "host"),
        ("https://" + "a." * 130 + "example/", "host"),
        ("http://2130706433/", "host"),
        ("http://0x7f000001/", "host"),
        ("http://0x7f.1/", "host"),
        ("http://0177.0.0.1/", "host"),
        ("http://127.1/", "host"),
        ("http://1.2.3.4.5/", "host"),
        ("http://127.0.0.1/", "address"),
        ("http://127.0.0.1./", "address"),
        ("http://10.0.0.1/", "address"),
        ("http://169.254.169.254/latest/", "address"),
        ("http://\uff11\uff12\uff17.0.0.1/", "address"),
        ("http://[::1]/", "address"),
        ("http://[::ffff:127.0.0.1]/", "address"),
        ("http://[::ffff:7f00:1]/", "address"),
        ("http://[fe80::1%25eth0]/", "address"),
        ("http://[64:ff9b::7f00:1]/", "address"),
    ],
)
def test_refused_url(url, reason):
    with pytest.raises(RefusedUrl) as refused:
        check_remote_url(url)
    assert refused.value.reason == reason


def test_the_longest_url():
    url = "https://a.example/"
    assert check_remote_url(url + "x" * (4096 - len(url))).host == "a.example"
    with pytest.raises(RefusedUrl, match="too-long"):
        check_remote_url(url + "x" * (4097 - len(url)))
