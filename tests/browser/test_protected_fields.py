"""The real subject of encrypted mail in the list: there once it was opened, gone while locked."""

import base64
import imaplib
import re
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import expect

from smime.pki.authority import issue, new_root, to_pkcs12
from smime.writing import protect
from tests.browser.conftest import PATIENCE, PHONE, WIDE, Person
from tests.browser.test_accessibility import violations
from tests.servers.dovecot import PASSWORD
from webmail.mime import Address
from webmail.mime.write import Composition, build_entity, header_fields

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)

PASSPHRASE = "a passphrase of keys"
SECRET = "The harbour at nine"
IMPORT = """
import base64
from accounts.models import User
from smime import trust, vault
user = User.objects.get(address=ADDRESS)
trust.add_anchor(ROOT.encode(), actor=None, reason="test")
vault.import_keys(user, base64.b64decode(FILE), "word", sealing="personal",
    vault_passphrase=PASSPHRASE)
"""


def deliver_secret(person: Person) -> None:
    """Give somebody a personal key and a mail for it, whose subject stands inside alone."""
    now = datetime.now(UTC)
    root = new_root("Nordlys Root", now - timedelta(days=20))
    dates = {"not_before": now - timedelta(days=10), "not_after": now + timedelta(days=90)}
    anna = issue(root, "anna@nordlys.example", "Anna Lindqvist", key="p256", **dates)
    own = issue(root, person.address, "Mira", key="p256", **dates)
    values = {
        "ADDRESS": person.address,
        "ROOT": root.certificate.public_bytes(Encoding.PEM).decode(),
        "FILE": base64.b64encode(to_pkcs12(own, "word")).decode(),
        "PASSPHRASE": PASSPHRASE,
    }
    person.site.python("".join(f"{name} = {value!r}\n" for name, value in values.items()) + IMPORT)
    made = Composition(
        from_=Address("Anna Lindqvist", "anna@nordlys.example"),
        to=(Address("Mira", person.address),),
        subject=SECRET,
        date=now,
        message_id=f"secret.{person.name}@nordlys.example",
        text="Only for you.\n",
    )
    raw = protect(
        build_entity(made), header_fields(made), signer=anna, recipients=[own.certificate],
        cipher="aes-256-gcm",
    )  # fmt: skip
    assert SECRET.encode() not in raw
    context = ssl.create_default_context(cadata=person.servers.ca_pem)
    with imaplib.IMAP4_SSL(
        person.servers.host, person.servers.imaps_port, ssl_context=context
    ) as session:
        session.login(person.name, PASSWORD)
        session.append("INBOX", "", imaplib.Time2Internaldate(now), raw)


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (PHONE, "dark")])
def test_opened_locked_and_unlocked(person, size, theme, tmp_path):
    mira = person(size, theme=theme)
    page = mira.page()
    mira.sign_in(page)
    deliver_secret(mira)
    subject = page.locator(".row .row-subject")
    expect(subject).to_have_text("Encrypted message")
    page.locator(".row-link").click()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()
    heading = page.locator("h2.subject")
    expect(heading).to_have_text(SECRET)
    expect(page).to_have_title(re.compile(f"^{SECRET} · "))

    def folder():
        page.goto(f"{mira.site.url}/mail/inbox")
        return subject

    expect(folder()).to_have_text(SECRET)
    assert violations(page) == []
    page.screenshot(path=tmp_path / f"unlocked-{theme}.png")
    page.goto(f"{mira.site.url}/search?q=harbour")
    expect(subject).to_have_text(SECRET)
    expect(page.locator(".row mark")).to_have_text("harbour")

    page.goto(f"{mira.site.url}/keys")
    page.get_by_role("button", name="Lock now").click()
    expect(page.get_by_text("Your keys are locked.")).to_be_visible()
    expect(folder()).to_have_text("Encrypted message")
    page.screenshot(path=tmp_path / f"locked-{theme}.png")
    page.locator(".row-link").click()
    expect(heading).to_have_text("Encrypted message")
    assert "harbour" not in page.content()

    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Unlock").click()
    expect(heading).to_have_text(SECRET)
    expect(folder()).to_have_text(SECRET)
