"""A small authority and its people, made once."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from smime.pki import KeyPair
from smime.pki.authority import Authority, KeyKind, issue, new_root

NOW = datetime.now(tz=UTC).replace(microsecond=0)


def certify(
    root: Authority,
    address: str,
    *,
    name: str = "Someone",
    begins: int = -5,
    ends: int = 300,
    key: KeyKind = "p256",
    ku: frozenset[str] | None = None,
) -> KeyPair:
    """Issue a key pair valid from `begins` to `ends` days from now."""
    more = {} if ku is None else {"ku": ku}
    return issue(
        root,
        address,
        name,
        not_before=NOW + timedelta(days=begins),
        not_after=NOW + timedelta(days=ends),
        key=key,
        **more,
    )


@pytest.fixture(scope="session")
def authority() -> Authority:
    return new_root("Vault test CA", NOW - timedelta(days=400))


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna@example.test", display_name="Anna")


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user("ben@example.test", display_name="Ben")
