"""A small world for tests: one authority, a few people, one clock. Keys are made once a run."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509

from smime.pki import KeyPair
from smime.pki.authority import (
    Authority,
    KeyKind,
    Revocation,
    crl,
    issue,
    new_intermediate,
    new_key,
    new_root,
)
from smime.pki.revocation import load_crls
from smime.verdict import Context

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class World:
    root: Authority
    inter: Authority
    stranger: Authority  # an authority nobody trusts
    alice: KeyPair
    bob: KeyPair
    mallory: KeyPair


@cache
def key(kind: KeyKind = "p256", name: str = ""):
    """A key, the same one each time for the same name."""
    return new_key(kind)


@cache
def world() -> World:
    root = new_root("Test Root", NOW - 2 * YEAR)
    inter = new_intermediate(root, "Test Issuer", NOW - 2 * YEAR)
    stranger = new_root("Stranger", NOW - 2 * YEAR)
    return World(
        root=root,
        inter=inter,
        stranger=stranger,
        alice=person("alice@example.org", "Alice", inter, kind="rsa2048"),
        bob=person("bob@example.org", "Bob", inter),
        mallory=person("mallory@evil.example", "Mallory", inter),
    )


def person(
    address: str | None,
    name: str,
    issuer: Authority | None = None,
    *,
    kind: KeyKind = "p256",
    not_before: datetime = NOW - YEAR,
    not_after: datetime = NOW + YEAR,
    **options,
) -> KeyPair:
    return issue(
        issuer or world().inter,
        address,
        name,
        not_before=not_before,
        not_after=not_after,
        key=key(kind, name),
        **options,
    )


def fresh_crl(
    *revoked: tuple[KeyPair, datetime, x509.ReasonFlags | None],
    issuer: Authority | None = None,
    next_update: datetime = NOW + 7 * DAY,
):
    entries = [Revocation(pair.certificate.serial_number, at, why) for pair, at, why in revoked]
    encoded = crl(
        issuer or world().inter,
        entries,
        this_update=NOW - DAY,
        next_update=next_update,
    )
    return load_crls([encoded])[0]


def context(**changes) -> Context:
    """Now, received now, trusting the root, with a fresh and empty list of withdrawals."""
    known = {
        "now": NOW,
        "received_at": NOW,
        "anchors": (world().root.certificate,),
        "crls": (fresh_crl(),),
    }
    return Context(**(known | changes))
