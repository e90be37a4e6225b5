"""Where a request comes from, believing only the proxies of SIGNET_TRUSTED_PROXIES."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(request: HttpRequest) -> Address | None:
    """Return the client's address; None when the server gave none (a Unix socket).

    X-Forwarded-For is read from its right end, past the trusted proxies: what stands left of the
    first other address was written by the client and proves nothing.
    """
    current = _parsed(request.META.get("REMOTE_ADDR", ""))
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    while hops and (current is None or _is_trusted(current)):
        if not settings.TRUSTED_PROXIES:
            break
        step = _parsed(hops.pop())
        if step is None:
            break
        current = step
    return current


def network_of(address: Address | None) -> str:
    """Return the network that shares a sign-in throttle: an IPv4 /24 or an IPv6 /56."""
    if address is None:
        return "local"
    prefix = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network((address, prefix), strict=False))


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_trusted(address: Address) -> bool:
    networks = (ipaddress.ip_network(text, strict=False) for text in settings.TRUSTED_PROXIES)
    return any(address in network for network in networks)
