"""Chromium over a running Signet: Dovecot, Postfix, workers, watcher and web as in production."""

import imaplib
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.servers.dovecot import PASSWORD
from tests.servers.fixtures import MailServers
from tests.site import ROOT, Site

PATIENCE = 20_000  # milliseconds; the machine may be busy
WIDE, MIDDLE, PHONE = (1440, 900), (1100, 800), (390, 844)


@dataclass(slots=True)
class Person:
    """Somebody with a mailbox on the private Dovecot, and their browser."""

    servers: MailServers
    site: Site
    name: str
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self.name}@{self.servers.domain}"

    def page(self) -> Page:
        """A tab whose console is listened to."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", lambda message: self._listen(message))  # noqa: PLW0108 (slots)
        return page

    def _listen(self, message: object) -> None:
        text = message.text  # type: ignore[attr-defined]
        if message.type == "error" and "net::ERR" not in text:  # type: ignore[attr-defined]
            self.complaints.append(text)

    def sign_in(self, page: Page) -> None:
        page.goto(f"{self.site.url}/sign-in")
        page.get_by_label("Email address").fill(self.address)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.site.url}/")

    def receive(self, *subjects: str, text: str = "Hello.\n", sender: str = "") -> None:
        """Put letters into the inbox, the last one newest."""
        context = ssl.create_default_context(cadata=self.servers.ca_pem)
        with imaplib.IMAP4_SSL(
            self.servers.host, self.servers.imaps_port, ssl_context=context
        ) as c:
            c.login(self.name, PASSWORD)
            for number, subject in enumerate(subjects):
                at = datetime.now(UTC) - timedelta(minutes=len(subjects) - number)
                letter = EmailMessage()
                letter["From"] = sender or "Anna Lindqvist <anna@nordlys.example>"
                letter["To"] = self.address
                letter["Subject"] = subject
                letter["Date"] = format_datetime(at)
                letter["Message-ID"] = make_msgid(domain="nordlys.example")
                letter.set_content(text)
                c.append("INBOX", "", imaplib.Time2Internaldate(at), letter.as_bytes())


@pytest.fixture(scope="session")
def collected() -> None:
    """The front end as it is now, under the names that pages ask for."""
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
        cwd=ROOT,
        check=True,
        timeout=120,
    )


@pytest.fixture
def person(collected, mail_servers: MailServers, site: Site, chromium: Browser):
    """Make somebody new: `person(size, javascript=True, theme="light")`."""
    made: list[Person] = []

    def make(size=WIDE, *, javascript=True, theme="light", name="") -> Person:
        name = name or f"reader{time.monotonic_ns() % 10**10}"
        mail_servers.add_user(name)
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=javascript,
            color_scheme=theme,
            has_touch=size == PHONE,
        )
        made.append(Person(mail_servers, site, name, context))
        return made[-1]

    yield make
    complaints = [line for each in made for line in each.complaints]
    for each in made:
        each.context.close()
    assert complaints == [], "the console of a page was not silent"
