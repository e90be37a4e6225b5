"""What a worker needs to open an account's servers: credentials and endpoints."""

import socket
from typing import Literal, cast

from django.conf import settings

from accounts.models import MailAccount, MailServer
from accounts.sealing import open_sealed, seal, subject_of
from webmail.html import is_public_address
from webmail.sasl import ConnectFailed, Credentials, Endpoint

_PURPOSE = "mail-password"


def for_account(account: MailAccount) -> Credentials:
    """Open the account's password; raises accounts.sealing.SealBroken."""
    subject = subject_of("accounts.MailAccount", account.pk)
    password = open_sealed(bytes(account.sealed_password), purpose=_PURPOSE, subject=subject)
    return Credentials(account.login_name, password.decode())


def sealed_password_for(account: MailAccount, password: str) -> bytes:
    """Seal a password for that (saved) account's row."""
    subject = subject_of("accounts.MailAccount", account.pk)
    return seal(password.encode(), purpose=_PURPOSE, subject=subject)


def login_name(server: MailServer, address: str) -> str:
    """Return the name `address` signs in to its server as."""
    return address.rpartition("@")[0] if server.login_is_local_part else address


def imap_endpoint(server: MailServer) -> Endpoint:
    """Return where the server's IMAP listens; raises ConnectFailed for a forbidden network."""
    return _endpoint(server, server.imap_host, server.imap_port, server.imap_security)


def submission_endpoint(server: MailServer) -> Endpoint:
    """Return where the server takes mail; raises ConnectFailed for a forbidden network."""
    return _endpoint(
        server, server.submission_host, server.submission_port, server.submission_security
    )


def _endpoint(server: MailServer, host: str, port: int, security: str) -> Endpoint:
    return Endpoint(
        host,
        port,
        cast("Literal['starttls', 'tls']", security),
        ca_pem=server.ca_pem or None,
        address=None if settings.ALLOW_PRIVATE_MAIL_SERVERS else _public_address(host, port),
    )


def _public_address(host: str, port: int) -> str:
    """Resolve once, so that the name cannot point elsewhere between this check and the dialling."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConnectFailed(f"The name {host} was not found.") from error
    for *_rest, address in found:
        if is_public_address(str(address[0])):
            return str(address[0])
    raise ConnectFailed(f"{host} is on a private network, which this installation forbids.")
