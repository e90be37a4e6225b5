"""Making users: addresses in one spelling, no usable password unless one is given."""

from typing import TYPE_CHECKING, Any

import idna
from django.contrib.auth.base_user import BaseUserManager

if TYPE_CHECKING:
    from accounts.models import User


def canonical_address(address: str) -> str:
    """Return `address` trimmed, its domain as lower-case A-labels (RFC 5890).

    Raises ValueError with a sentence for the person if it is no address.
    """
    local, at, domain = address.strip().rpartition("@")
    if not (at and local and domain) or any(c.isspace() or ord(c) < 32 for c in address.strip()):
        raise ValueError("Enter an address like name@example.org.")
    try:
        ascii_domain = idna.encode(domain.rstrip("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        ascii_domain = domain.rstrip(".").lower()
        if not ascii_domain.replace("-", "").replace(".", "").isalnum():
            raise ValueError("The part after @ is not a domain name.") from None
    if len(local) + len(ascii_domain) > 318:
        raise ValueError("This address is too long.")
    return f"{local.lower() if local.isascii() else local}@{ascii_domain}"


class PeopleManager(BaseUserManager["User"]):
    """Django's own way to make users (createsuperuser, tests, sign-in)."""

    def create_user(self, address: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without `password` only the mail server can check a sign-in."""
        user = self.model(address=canonical_address(address), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, address: str, password: str, **fields: Any) -> "User":
        """Make a local administrator."""
        return self.create_user(
            address, password, **{"is_staff": True, "is_superuser": True, **fields}
        )
