"""Which bytes go to whom. Pure: recipients in, plans out.

In the clear all recipients share one set of bytes, which never names Bcc. Encrypted, a CMS object
lists its recipients: To and Cc share one, encrypted to the sender too, and each Bcc recipient gets
one of their own. The copy for Sent is encrypted to the sender alone and holds Bcc inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPlan:
    """One set of bytes: who gets it (envelope) and, if encrypted, who can read it."""

    recipients: tuple[str, ...]
    readers: tuple[str, ...]  # addresses whose certificates are used; empty: not encrypted
    for_sender: bool  # also encrypted to the sender


def plan_variants(
    *, to: Sequence[str], cc: Sequence[str], bcc: Sequence[str], encrypt: bool
) -> tuple[VariantPlan, ...]:
    """Return the sets of bytes of a mail; addresses as in the envelope, each once, To first."""
    named = tuple(dict.fromkeys([*to, *cc]))
    hidden = tuple(address for address in dict.fromkeys(bcc) if address not in named)
    if not encrypt:
        return (VariantPlan(recipients=named + hidden, readers=(), for_sender=False),)
    shared = [VariantPlan(recipients=named, readers=named, for_sender=True)] if named else []
    own = [
        VariantPlan(recipients=(address,), readers=(address,), for_sender=False)
        for address in hidden
    ]
    return (*shared, *own)


def content_cipher(capable: Mapping[str, bool]) -> str:
    """Return the one content cipher of all variants (smime.md, decision 4).

    AES-256-GCM if every reader is known to open it, else AES-256-CBC: never one strong and one weak
    copy of the same text.
    """
    return "aes-256-gcm" if capable and all(capable.values()) else "aes-256-cbc"
