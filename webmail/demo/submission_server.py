"""The embedded submission server: STARTTLS, then AUTH, delivering into the embedded IMAP server.

A process of its own (`python -m webmail.demo.submission_server`), without Django. It accepts
mail only from its own people, each under their own address, and only for its own domain: the
demo never sends anything to the world.
"""

import argparse
import asyncio
import json
import logging
import signal
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from webmail.imap import Endpoint
from webmail.imap import Session as ImapSession
from webmail.sasl import Credentials

logger = logging.getLogger(__name__)
SIZE_LIMIT = 35 * 1024 * 1024  # octets, announced as SIZE


@dataclass(frozen=True, slots=True)
class Office:
    """Whom the server knows and where their mail goes."""

    domain: str
    passwords: dict[str, str]  # local part → password
    imap: Endpoint


class Handler:
    """aiosmtpd's hooks (its own naming)."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def _local_part(self, address: str) -> str | None:
        local, _, domain = address.rpartition("@")
        known = local.lower() in self._office.passwords and domain.lower() == self._office.domain
        return local.lower() if known else None

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept each sender under their own address only."""
        if self._local_part(address) != session.auth_data:
            return "550 5.7.1 This address is not yours"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender accepted"

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Accept the demo's own people."""
        if self._local_part(address) is None:
            if not address.lower().endswith(f"@{self._office.domain}"):
                return "550 5.7.1 The demo sends no mail to the outside"
            return "550 5.1.1 Nobody here has this address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient accepted"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Deliver by APPEND, each recipient once; 451 if the IMAP server does not take it."""
        content = envelope.original_content or b""
        trace = (
            f"Return-Path: <{envelope.mail_from}>\r\n"
            "Received: from localhost by localhost (Signet demo) with ESMTPSA;\r\n"
            f"\t{datetime.now(tz=UTC):%a, %d %b %Y %H:%M:%S} +0000\r\n"
        ).encode("ascii", "replace")
        names = {self._local_part(address) for address in envelope.rcpt_tos}
        try:
            for name in sorted(name for name in names if name):
                await asyncio.to_thread(self._append, name, trace + content)
        except OSError:
            logger.exception("delivery failed")
            return "451 4.3.0 The mailbox cannot be reached, try again later"
        return "250 2.0.0 Delivered"

    def _append(self, name: str, content: bytes) -> None:
        credentials = Credentials(username=name, password=self._office.passwords[name])
        with ImapSession.open(self._office.imap, credentials) as session:
            session.append("INBOX", content, flags=(), internal_date=datetime.now(tz=UTC))


def authenticator(office: Office) -> Any:
    """Return aiosmtpd's authenticator: the login name is the address or its local part."""

    def check(
        _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, secret: Any
    ) -> AuthResult:
        if mechanism not in {"PLAIN", "LOGIN"} or not isinstance(secret, LoginPassword):
            return AuthResult(success=False, handled=False)
        login, _, domain = secret.login.decode("utf-8", "replace").lower().partition("@")
        right = domain in {"", office.domain} and office.passwords.get(login) == (
            secret.password.decode("utf-8", "replace")
        )
        return AuthResult(success=right, auth_data=login, handled=True)

    return check


async def serve(office: Office, *, listen: str, port: int, certificate: Path, key: Path) -> None:
    """Serve on `port` of `listen` until SIGTERM."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    handler = Handler(office)

    def session() -> SMTP:
        return SMTP(
            handler,
            hostname="localhost",
            ident="Signet demo",
            data_size_limit=SIZE_LIMIT,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            auth_require_tls=True,
            authenticator=authenticator(office),
            enable_SMTPUTF8=True,
        )

    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    server = await loop.create_server(session, listen, port)
    async with server:
        await stopping.wait()


def main() -> None:
    """Read the settings file that the supervisor wrote and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    settings = json.loads(parser.parse_args().settings.read_text("utf-8"))
    logging.basicConfig(level=logging.INFO, format="time=%(asctime)s %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd would log commands
    office = Office(
        domain=settings["domain"],
        passwords=settings["passwords"],
        imap=Endpoint(
            host=settings["name"],
            port=settings["imap_port"],
            security="starttls",
            ca_pem=Path(settings["ca"]).read_text("ascii"),
        ),
    )
    asyncio.run(
        serve(
            office,
            listen=settings["listen"],
            port=settings["port"],
            certificate=Path(settings["certificate"]),
            key=Path(settings["key"]),
        )
    )


if __name__ == "__main__":
    main()
