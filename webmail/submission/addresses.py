"""Addresses and parameters as they go into MAIL and RCPT (RFC 5321 §4.1.2, RFC 3461, RFC 6531)."""

import re
from dataclasses import dataclass

import idna

MAX_LOCAL = 64
MAX_DOMAIN = 255
MAX_PATH = 254  # RFC 3696 erratum 1690
_ATOM = r"[^\x00-\x20\x7f()<>@,;:\\\".\[\]]+"
_LOCAL = re.compile(rf'(?:{_ATOM}(?:\.{_ATOM})*|"(?:[^\x00-\x1f\x7f"\\]|\\[\x20-\x7e])*")\Z')
_DOMAIN = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\Z"
)
_DOMAIN_LITERAL = re.compile(r"\[[0-9A-Za-z:.]{2,60}\]\Z")


class AddressRefused(ValueError):  # noqa: N818
    """The text is no address that may go into a command; `reason` says why in one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address ready for a command. needs_utf8: its local part is not ASCII (SMTPUTF8)."""

    path: str
    needs_utf8: bool


def mailbox(address: str) -> Mailbox:
    """The address with its domain as A-labels. Raises AddressRefused."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.match(local):
        raise AddressRefused("This is not an e-mail address.")
    if not _DOMAIN_LITERAL.match(domain):
        domain = _ascii_domain(domain)
    path = f"{local}@{domain}"
    if len(local.encode()) > MAX_LOCAL or len(domain) > MAX_DOMAIN or len(path.encode()) > MAX_PATH:
        raise AddressRefused("This e-mail address is too long.")
    return Mailbox(path, needs_utf8=not local.isascii())


def _ascii_domain(domain: str) -> str:
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise AddressRefused("The domain of this e-mail address is not a valid name.") from None
    if not _DOMAIN.match(domain):
        raise AddressRefused("The domain of this e-mail address is not a valid name.")
    return domain


def xtext(text: str) -> str:
    """RFC 3461 §4: printable ASCII without `+` and `=`, everything else as `+XX`."""
    return "".join(
        chr(byte) if 33 <= byte <= 126 and byte not in b"+=" else f"+{byte:02X}"
        for byte in text.encode()
    )
