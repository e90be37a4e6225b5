"""People of the bench in the demo's IMAP server, whom Signet has never seen, and their mail."""

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from webmail.demo.letters import ALICES, DOMAIN, Letter, Person
from webmail.demo.post import PostOffice, write

NAMES = tuple(f"visitor{number}" for number in range(1, 7))
PASSWORDS = {name: f"{name}-password" for name in NAMES}
LETTERS = 60  # in each inbox: more than one page of the list
_WITHIN = 20.0  # seconds for one answer of the server


def address(name: str) -> str:
    """Return what a person of the bench types at sign-in."""
    return f"{name}@{DOMAIN}"


@contextmanager
def connected(name: str, *, port: int, ca_file: str) -> Iterator[imaplib.IMAP4]:
    """Connect, STARTTLS and log in, by the standard library alone: the floor of a first sign-in."""
    client = imaplib.IMAP4("localhost", port, timeout=_WITHIN)
    try:
        client.starttls(ssl.create_default_context(cafile=ca_file))
        client.login(name, PASSWORDS[name])
        yield client
    finally:
        client.logout()


def letters(now: datetime) -> Sequence[tuple[bytes, datetime]]:
    """Return an inbox, oldest first: the demo's letters that anyone can read, again and again."""
    office = PostOffice.open(now)
    readable = [letter for letter in ALICES if letter.protection != "signed-encrypted"]
    return [
        (write(_again(readable[number % len(readable)], number), office), _at(now, number))
        for number in reversed(range(LETTERS))
    ]


def deliver(name: str, mail: Sequence[tuple[bytes, datetime]], *, port: int, ca_file: str) -> None:
    """Put `mail` into a person's inbox."""
    with connected(name, port=port, ca_file=ca_file) as client:
        for content, at in mail:
            client.append("INBOX", "", imaplib.Time2Internaldate(at), content)


def _again(letter: Letter, number: int) -> Letter:
    """Return a letter as another one: its own Message-ID and subject, in no conversation."""
    return replace(
        letter,
        key=f"bench-{number}",
        answers="",
        subject=f"{letter.subject} ({number + 1})",
        to=(Person("Visitor", address("visitor")),),
        hours=float(number + 1),
    )


def _at(now: datetime, number: int) -> datetime:
    return (now - timedelta(hours=number + 1)).astimezone(UTC)
