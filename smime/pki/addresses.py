"""When two mail addresses are the same one, and when a certificate's name fits an address.

Domains compare as lower-case A-labels (RFC 5891), local parts without ASCII case. An address with
a non-ASCII local part is named by SmtpUTF8Mailbox alone, which compares octet for octet
(RFC 9598 §5) and never equals an rfc822Name.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import idna

# RFC 5322 §3.2.3 dot-atom: what a local part may hold without quotes.
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_ASCII_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class CertificateAddress:
    """A mail address as a certificate names it."""

    text: str  # as written in the certificate
    kind: Literal["rfc822", "smtputf8"]  # rfc822Name or emailAddress; SmtpUTF8Mailbox

    def fits(self, address: str) -> bool:
        """Say whether this name is `address`, a "local@domain" of a message's header."""
        if self.kind == "rfc822":
            return self.text.isascii() and same_address(self.text, address)
        local, domain = split_address(address)
        own_local, own_domain = split_address(self.text)
        if not local or local.isascii() or local != own_local:
            return False
        # RFC 9598 §5: the domain in the certificate must already be lower-case A-labels.
        return own_domain == a_label_domain(domain)


def split_address(address: str) -> tuple[str, str]:
    """Split at the last "@"; either half is empty when there is none."""
    local, at, domain = address.rpartition("@")
    return (local, domain) if at else ("", "")


def a_label_domain(domain: str) -> str:
    """Give the domain as lower-case A-labels; what is no domain name stays, in lower case."""
    lowered = domain.translate(_ASCII_FOLD).rstrip(".")
    if lowered.isascii():
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return lowered


@lru_cache(maxsize=8192)
def canonical_address(address: str) -> str:
    """Give the form two equal addresses share; "" when it is no address."""
    local, domain = split_address(address.strip())
    if not local or not domain:
        return ""
    if len(local) >= 2 and local[0] == local[-1] == '"':
        bare = _QUOTED_PAIR.sub(r"\1", local[1:-1])
        if _DOT_ATOM.fullmatch(bare):
            local = bare
    return f"{local.translate(_ASCII_FOLD)}@{a_label_domain(domain)}"


def same_address(one: str, other: str) -> bool:
    """Compare two header addresses: domains as A-labels, local parts without ASCII case."""
    canonical = canonical_address(one)
    return bool(canonical) and canonical == canonical_address(other)
