"""Mail domains and their servers: written here only, with an audit row for each change."""

from dataclasses import asdict, dataclass

import idna
from django.db import transaction
from django.http import HttpRequest

from accounts import audit
from accounts.models import MailServer, User
from webmail.sasl import Endpoint, TlsRefused, tls_context


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


def canonical_domain(domain: str) -> str:
    """Return a mail domain as lower-case A-labels; raises NotAServer."""
    text = domain.strip().removeprefix("@").rstrip(".")
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise NotAServer(f"“{domain}” is not a domain name.") from error


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
    if description.ca_pem:
        probe = Endpoint(description.imap_host, 1, "tls", ca_pem=description.ca_pem)
        try:
            tls_context(probe)
        except TlsRefused as error:
            raise NotAServer("The CA file holds no certificate in PEM.") from error
    with transaction.atomic():
        server, is_new = MailServer.objects.update_or_create(
            domain=canonical_domain(domain), defaults=asdict(description)
        )
        audit.record(
            "mail-server-added" if is_new else "mail-server-changed",
            actor=actor,
            target=server.domain,
            request=request,
            reason=reason,
        )
    return server, is_new
