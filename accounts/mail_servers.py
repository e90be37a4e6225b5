"""Mail domains and their servers: written here only, with an audit row for each change."""

from dataclasses import asdict, dataclass
from functools import partial

import idna
from django.db import transaction
from django.http import HttpRequest

from accounts import audit, signals
from accounts.models import MailServer, User
from webmail.mime.authentication_results import canonical_authserv_id
from webmail.sasl import Endpoint, TlsRefused, tls_context

_MOST_NAMES = 20  # of one server
_LONGEST_NAMES = 1000  # characters, the column's width


class NotAServer(Exception):  # noqa: N818  (reads as a sentence where it is raised)
    """The description of a mail server is not usable; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDescription:
    """What `MailServer` keeps, as somebody entered it."""

    imap_host: str
    imap_port: int
    imap_security: str
    submission_host: str
    submission_port: int
    submission_security: str
    ca_pem: str = ""
    sieve: str = ""
    pop: str = ""
    login_is_local_part: bool = False
    authserv_ids: str = ""


def canonical_domain(domain: str) -> str:
    """Return a mail domain as lower-case A-labels; raises NotAServer."""
    text = domain.strip().removeprefix("@").rstrip(".")
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise NotAServer(f"“{domain}” is not a domain name.") from error


def canonical_authserv_ids(text: str) -> str:
    """Return names from Authentication-Results fields in the form that is kept.

    They may be parted by spaces, commas or lines. Raises NotAServer.
    """
    names = dict.fromkeys(text.replace(",", " ").split())
    found = {name: canonical_authserv_id(name) for name in names}
    wrong = [name for name, canonical in found.items() if not canonical]
    if wrong:
        raise NotAServer(
            f"“{wrong[0][:80]}” cannot stand at the beginning of an Authentication-Results field."
        )
    if len(found) > _MOST_NAMES:
        raise NotAServer(f"At most {_MOST_NAMES} names are kept for a server.")
    kept = " ".join(dict.fromkeys(found.values()))
    if len(kept) > _LONGEST_NAMES:
        raise NotAServer("These names are too long together.")
    return kept


def split_endpoint(text: str, *, default_port: int) -> tuple[str, int]:
    """Split "host:port" or "[address]:port"; raises NotAServer."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default_port)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise NotAServer(f"“{text}” must be HOST:PORT with a port from 1 to 65535.")
    host = host.removeprefix("[").removesuffix("]")
    if not host or any(c.isspace() or c in "/@\x00" for c in host):
        raise NotAServer(f"“{text}” must be HOST:PORT.")
    return host, int(port)


def save_server(
    domain: str,
    description: ServerDescription,
    *,
    actor: User | None,
    reason: str = "",
    request: HttpRequest | None = None,
) -> tuple[MailServer, bool]:
    """Make or change the domain's servers; returns the row and whether it is new.

    Raises NotAServer.
    """
    name = canonical_domain(domain)
    names = canonical_authserv_ids(description.authserv_ids)
    if description.ca_pem:
        probe = Endpoint(description.imap_host, 1, "tls", ca_pem=description.ca_pem)
        try:
            tls_context(probe)
        except TlsRefused as error:
            raise NotAServer("The CA file holds no certificate in PEM.") from error
    with transaction.atomic():
        before = (
            MailServer.objects.filter(domain=name).values_list("authserv_ids", flat=True).first()
        )
        server, is_new = MailServer.objects.update_or_create(
            domain=name, defaults=asdict(description) | {"authserv_ids": names}
        )
        if before is not None and before != server.authserv_ids:
            transaction.on_commit(
                partial(signals.trusted_results_changed.send, sender=None, server=server)
            )
        audit.record(
            "mail-server-added" if is_new else "mail-server-changed",
            actor=actor,
            target=server.domain,
            request=request,
            reason=reason,
        )
    return server, is_new
