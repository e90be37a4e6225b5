"""One line from the browser to real mail servers and back: alice writes to bob, in secret.

Through Chromium, Postfix (STARTTLS, then AUTH) and Dovecot; openssl opens what the server keeps.
"""

import re
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from smime.pki.authority import Authority, issue, new_root, to_pkcs12
from smime.pki.pkcs12 import KeyPair
from tests.browser.conftest import Person
from tests.servers.dovecot import PASSWORD
from tests.site import Site
from webmail.imap import Endpoint, Session
from webmail.sasl import Credentials

pytestmark = [pytest.mark.live, pytest.mark.browser, pytest.mark.timeout(240)]


def _certify(root: Authority, person: Person, now: datetime) -> KeyPair:
    before, after = now - timedelta(days=10), now + timedelta(days=300)
    return issue(
        root, person.address, person.name.title(), not_before=before, not_after=after, key="p256"
    )


def _import(site: Site, directory: Path, person: Person, pair: KeyPair) -> None:
    file, word = directory / f"{person.name}.p12", directory / "passphrase"
    file.write_bytes(to_pkcs12(pair, "of the file"))
    word.write_text("of the file\n")
    site.manage("key", "import", person.address, str(file), "--passphrase-file", str(word))


def _introduce(site: Site, owner: Person, other: KeyPair, other_address: str) -> None:
    """Give `owner` the certificate of somebody, as a verified message would."""
    pem = other.certificate.public_bytes(Encoding.PEM).decode()
    site.python(
        "from accounts.models import User\nfrom smime import people\n"
        f"people.import_certificate(User.objects.get(address={owner.address!r}), "
        f"{other_address!r}, {pem!r}.encode())"
    )


def _newest(person: Person) -> bytes:
    endpoint = Endpoint(
        host=person.servers.host,
        port=person.servers.imap_port,
        security="starttls",
        ca_pem=person.servers.ca_pem,
    )
    with Session.open(endpoint, Credentials(person.name, PASSWORD)) as session:
        chosen = session.select("INBOX")
        return session.body(chosen.uidnext - 1, limit=1_000_000)


def _openssl(*arguments: str, content: bytes) -> bytes:
    done = subprocess.run(
        ["openssl", "cms", *arguments], input=content, capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_alice_writes_to_bob_signed_and_encrypted(site: Site, person, tmp_path: Path) -> None:
    assert shutil.which("openssl")
    alice, bob = person(name="alice"), person(name="bob")
    now = datetime.now(tz=UTC)
    root = new_root("Whole line CA", now - timedelta(days=20))
    keys = {each.name: _certify(root, each, now) for each in (alice, bob)}
    anchor = tmp_path / "root.pem"
    anchor.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    site.manage("trust", "add", str(anchor), "--reason", "the test's own authority")

    desk, other_desk = alice.page(), bob.page()
    alice.sign_in(desk)
    bob.sign_in(other_desk)
    for each in (alice, bob):
        _import(site, tmp_path, each, keys[each.name])
    _introduce(site, alice, keys["bob"], bob.address)

    subject = f"Secret plan {time.monotonic_ns()}"
    desk.goto(f"{site.url}/compose")
    desk.get_by_label("To", exact=True).first.fill(bob.address)
    desk.keyboard.press("Enter")
    desk.get_by_label("Subject", exact=True).fill(subject)
    desk.get_by_label("Message", exact=True).first.click()
    desk.keyboard.type("Meet at the harbour at nine.")
    desk.get_by_role("switch", name="Encrypt").check(force=True)
    desk.get_by_role("button", name="Send", exact=True).last.click()

    row = other_desk.get_by_role("link", name=re.compile("Encrypted message")).first
    row.wait_for(timeout=60_000)  # no reload: the page hears of it
    row.click()
    other_desk.locator(".verdict-headline", has_text="Signed by Alice").first.wait_for()
    other_desk.get_by_role("heading", name=subject).first.wait_for()
    frame = other_desk.frame_locator("iframe").first
    frame.get_by_text("Meet at the harbour at nine.").wait_for()
    assert other_desk.locator(".verdict-ok").count() >= 1

    stored = _newest(bob)
    head = stored.partition(b"\r\n\r\n")[0]
    assert subject.encode() not in stored
    assert b"harbour" not in stored
    assert b"Subject: [...]" in head
    key, certificate = tmp_path / "bob.key", tmp_path / "bob.crt"
    pair = keys["bob"]
    key.write_bytes(pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(pair.certificate.public_bytes(Encoding.PEM))
    inner = _openssl("-decrypt", "-recip", str(certificate), "-inkey", str(key), content=stored)
    signed = _openssl("-verify", "-CAfile", str(anchor), "-purpose", "any", content=inner)
    assert b"harbour" in signed
    assert subject.encode() in signed

    assert _tls_came_before_auth(alice.servers.submission_log())


def _tls_came_before_auth(log: str) -> bool:
    """Say whether the session that signed alice in last had TLS by then (Signet opens others)."""
    lines = log.splitlines()
    logged_in = max(at for at, line in enumerate(lines) if "sasl_username=alice" in line)
    process = re.search(r"/smtpd\[\d+\]", lines[logged_in])
    assert process is not None
    session = [line for line in lines[:logged_in] if process[0] in line]
    connected = max(at for at, line in enumerate(session) if ": connect from" in line)
    return any("TLS connection established" in line for line in session[connected:])
