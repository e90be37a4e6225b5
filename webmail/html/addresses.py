"""Which addresses and URLs the server may fetch for a reader: the SSRF rules.

The caller resolves a host once, checks *every* address with `check_public_address` and connects to
the checked address. Names that resolve to private addresses need no list: the address is checked.
"""

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Literal
from urllib.parse import quote, urlsplit

import idna

LONGEST_URL = 4096
PORTS = {"http": 80, "https": 443}

# Python calls some of these global: they carry an IPv4 address that may be private, or are retired.
_REFUSED_NETWORKS: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "198.18.0.0/15",  # benchmarking, RFC 2544
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible, RFC 4291 §2.5.5.1
        "::ffff:0:0/96",  # IPv4-mapped, RFC 4291 §2.5.5.2
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # NAT64, RFC 8215
        "100::/64",  # discard, RFC 6666
        "2001::/23",  # IETF protocol assignments, Teredo 2001::/32 among them
        "2001:db8::/32",
        "2002::/16",  # 6to4, RFC 3056
        "3fff::/20",  # documentation, RFC 9637
        "5f00::/16",  # segment routing, RFC 9602
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",  # site-local, RFC 3879
        "ff00::/8",
    )
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER_LABEL = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_IPV4_LITERAL = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SCHEME = re.compile(r"(https?)://", re.IGNORECASE)


class RefusedUrl(ValueError):  # noqa: N818 - the name says what happened
    """The URL is not fetched. `reason` is a code: it never tells what answered at the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RefusedAddress(RefusedUrl):
    """The address is not a public one."""

    def __init__(self) -> None:
        super().__init__("address")


@dataclass(frozen=True, slots=True)
class RemoteUrl:
    """An http(s) URL that may be fetched once its host's addresses have been checked.

    `host` is the A-label form in lower case without the trailing dot, or an IP literal without
    brackets; `port` is 80 or 443; `target` is the request target, path and query.
    """

    scheme: Literal["http", "https"]
    host: str
    port: int
    target: str

    @property
    def url(self) -> str:
        """The URL again, normalised; the port is the scheme's own unless named."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"


def is_public_address(address: str | IPv4Address | IPv6Address) -> bool:
    """True when the server may connect to `address`; anything that is no address is False."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.scope_id is not None:
        return False
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        return False
    return not any(
        parsed in network for network in _REFUSED_NETWORKS if network.version == parsed.version
    )


def check_public_address(address: str | IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Answer the parsed address when the server may connect to it; else raise RefusedAddress."""
    if not is_public_address(address):
        raise RefusedAddress
    return ip_address(address)


def check_remote_url(url: str) -> RemoteUrl:
    """Take `url` apart for a fetch, or raise RefusedUrl. An IP literal is checked at once.

    Redirect targets go through here again, from zero.
    """
    if len(url) > LONGEST_URL:
        raise RefusedUrl("too-long")
    if _UNPRINTABLE.search(url):
        raise RefusedUrl("characters")
    if not _SCHEME.match(url):
        raise RefusedUrl("scheme")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedUrl("malformed") from error
    if "@" in parts.netloc:
        raise RefusedUrl("credentials")
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    if port is None:
        port = PORTS[scheme]
    if port not in PORTS.values():
        raise RefusedUrl("port")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]|")
    return RemoteUrl(
        scheme=scheme,
        host=normalise_host(parts.hostname or "", bracketed="[" in parts.netloc),
        port=port,
        target=f"{path}?{query}" if query else path,
    )


def normalise_host(host: str, *, bracketed: bool = False) -> str:
    """The A-label form of `host`, or a checked public IP literal; else raise RefusedUrl.

    Decimal, octal, hexadecimal and short IPv4 forms are refused: resolvers read them differently.
    """
    if bracketed:
        return str(check_public_address(host))
    name = to_a_labels(host)
    labels = name.split(".")
    if _NUMBER_LABEL.fullmatch(labels[-1]):
        if not _IPV4_LITERAL.fullmatch(name):
            raise RefusedUrl("host")
        return str(check_public_address(name))
    if len(labels) < 2 or labels[-1] in {"local", "localhost", "internal", "invalid", "onion"}:
        raise RefusedUrl("host")
    return name


def to_a_labels(host: str) -> str:
    """Lower-case A-label form of a host name without its trailing dot; raises RefusedUrl."""
    host = host.strip().removesuffix(".").lower()
    if not host or len(host) > 253:
        raise RefusedUrl("host")
    try:
        name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise RefusedUrl("host") from error
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise RefusedUrl("host")
    return name
