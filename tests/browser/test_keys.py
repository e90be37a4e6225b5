"""The keys page: the line of years, people on a phone, a certificate in full."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import expect

from smime.pki.authority import new_root
from tests.browser.certified import certify
from tests.browser.conftest import PATIENCE, PHONE, WIDE
from tests.browser.test_accessibility import violations

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (PHONE, "dark")])
def test_a_key_is_drawn_on_its_years(person, size, theme):
    mira = person(size, theme=theme)
    page = mira.page()
    mira.sign_in(page)
    certify(mira)
    page.goto(f"{mira.site.url}/keys")
    bar = page.locator(".timeline .timeline-words:visible")
    expect(bar).to_have_text("In use" if size == PHONE else "Signing and encryption, in use")
    assert page.locator(".timeline-label").count() >= 1
    line, today = page.locator(".timeline-bar"), page.locator(".timeline-today")
    box, now = line.bounding_box(), today.bounding_box()
    assert box["x"] < now["x"] < box["x"] + box["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.locator(".own-key > summary").click()
    export = page.get_by_role("link", name="Save as .p12")
    expect(export).to_be_visible()
    assert violations(page) == []
    export.click()
    expect(page.get_by_label("Password for the file")).to_be_visible()
    assert _beyond(page) == []
    assert violations(page) == []


WITHDRAW = """
from datetime import UTC, datetime, timedelta
from smime.models import OwnKey
from smime.revocation_models import KeptAnswer, RevocationSource, WatchedCertificate
now = datetime.now(tz=UTC)
key = OwnKey.objects.get(user__address=ADDRESS)
card = WatchedCertificate.objects.create(fingerprint=key.fingerprint, der=key.der, issuer_der=b"",
    root_fingerprint="", not_after=key.not_after, state="revoked")
source = RevocationSource.objects.create(key=key.fingerprint, kind="list", url="http://pki.test/l")
KeptAnswer.objects.create(certificate=card, source=source, state="revoked", issued=now,
    until=now + timedelta(days=1), at=datetime(2026, 11, 3, tzinfo=UTC))
"""


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "light")])
def test_a_withdrawn_key_says_since_when(person, size, theme):
    mira = person(size, theme=theme)
    page = mira.page()
    mira.sign_in(page)
    certify(mira)
    mira.site.python(f"ADDRESS = {mira.address!r}{WITHDRAW}")
    page.goto(f"{mira.site.url}/keys")
    expect(page.get_by_role("heading", name="Your certificate is withdrawn")).to_be_visible()
    expect(page.locator(".own-key-state")).to_contain_text("Withdrawn on 3 November 2026.")
    expect(page.locator(".timeline .timeline-words:visible")).to_have_text("Withdrawn")
    assert _beyond(page) == []
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_says_why_nothing_is_signed(person, theme):
    mira = person(PHONE, theme=theme)
    page = mira.page()
    mira.sign_in(page)
    certify(mira)
    mira.site.python(f"ADDRESS = {mira.address!r}{WITHDRAW}")
    page.goto(f"{mira.site.url}/compose")
    note, switch = page.locator("[data-sign-note]"), page.locator(".switch").first
    expect(note).to_contain_text("withdrawn on 3 November 2026", ignore_case=True)
    expect(note).to_be_visible()
    assert note.bounding_box()["y"] >= switch.bounding_box()["y"] + switch.bounding_box()["height"]
    assert _beyond(page) == []
    assert violations(page) == []


@pytest.mark.parametrize(
    ("size", "theme", "script"),
    [(WIDE, "dark", True), (PHONE, "light", True), (PHONE, "dark", False)],
)
def test_an_authority_of_ones_own(person, size, theme, script):
    mira = person(size, theme=theme, javascript=script)
    page = mira.page()
    mira.sign_in(page)
    page.goto(f"{mira.site.url}/keys")
    page.get_by_role("link", name="Add an authority").click()
    root = new_root("Partner CA", datetime.now(tz=UTC) - timedelta(days=20)).certificate
    file = {"name": "ca.pem", "mimeType": "", "buffer": root.public_bytes(Encoding.PEM)}
    for domains, heading in (("com", "Trust an authority"), ("a.example", "Trust this authority?")):
        page.get_by_label("The authority's certificate").set_input_files(file)
        page.get_by_label("Only for mail from these domains").fill(domains)
        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        assert _beyond(page) == []
        assert not script or violations(page) == []
    assert all("422" in each for each in mira.complaints)  # the refusal's status, nothing else
    mira.complaints.clear()
    page.get_by_role("button", name="The fingerprint is the same: trust it").click()
    row = page.locator(".own-anchor")
    expect(row).to_contain_text("a.example")
    assert _beyond(page) == []
    assert not script or violations(page) == []
    row.get_by_role("button", name="Trust Partner CA no longer").click()
    expect(row).to_have_count(0)


def _beyond(page) -> list[str]:
    """What reaches beyond the window; the page itself does not, because `main` scrolls."""
    return page.evaluate(
        "[...document.querySelectorAll('main *')]"
        ".filter((each) => each.getBoundingClientRect().right > innerWidth + 1)"
        ".map((each) => each.outerHTML.slice(0, 80))"
    )
