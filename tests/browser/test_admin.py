"""The admin panel in Chromium: axe and a silent console in both themes and three widths, keys, phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, PHONE, WIDE
from tests.browser.test_accessibility import violations

pytestmark = [pytest.mark.browser, pytest.mark.live]
expect.set_options(timeout=PATIENCE)
BOSS, BOSS_PASSWORD = "boss@office.example", "a very long office password"
SMALL = (1024, 768)

FILL = f"""
from datetime import timedelta
from django.utils import timezone
from cryptography.hazmat.primitives.serialization import Encoding
from accounts import audit
from accounts.models import User, MailServer, MailAccount
from smime import trust, vault
from smime.models import TrustAnchor
from smime.revocation_models import KeptAnswer, RevocationSource, WatchedCertificate
from smime.pki.authority import issue, new_root, to_pkcs12
now = timezone.now()
if not User.objects.filter(address={BOSS!r}).exists():
    boss = User.objects.create_superuser({BOSS!r}, {BOSS_PASSWORD!r}, display_name="The Office")
    root = new_root("Office CA", now - timedelta(days=99))
    pem = root.certificate.public_bytes(Encoding.PEM)
    trust.add_anchor(pem, actor=boss, reason="our own")
    for name, days in (("ines", 9), ("jonas", 200), ("mira", 230), ("late", -3)):
        user = User.objects.create_user(f"{{name}}@office.example", display_name=name.title())
        ends = now + timedelta(days=days)
        pair = issue(root, user.address, name, not_before=now - timedelta(days=50),
                     not_after=ends, key="p256")
        vault.import_keys(user, to_pkcs12(pair, "x"), "x", sealing="managed")
    MailAccount.objects.create(user=user, server=MailServer.objects.first(), address=user.address,
        login_name="late", sealed_password=b"x", state="auth-failed",
        last_error="The server refused the password.")
    audit.record("sign-in-refused", actor=None, actor_address="eve@office.example")
    long = User.objects.create_user(
        "the-office-of-the-secretary-general-7f3a9c21@district-heating.office.example")
    pair = issue(root, long.address, "long", not_before=now - timedelta(days=50),
                 not_after=now + timedelta(days=20), key="p256")
    vault.import_keys(long, to_pkcs12(pair, "x"), "x", sealing="managed")
    audit.record("signed-in", actor=long)
    card = WatchedCertificate.objects.create(
        fingerprint="f" * 64, der=b"x", issuer_der=b"x", not_after=now + timedelta(days=9),
        root_fingerprint=TrustAnchor.objects.get(name="Office CA").fingerprint)
    for number, more in enumerate((
        {{"failures": 3, "problem": "a list that does not count: signature, time or scope"}},
        {{"fetched_at": now, "until": now + timedelta(days=7), "next_at": now + timedelta(days=1)}},
        {{}},
    )):
        source = RevocationSource.objects.create(key=str(number), kind="list", **more,
            url=f"http://lists.certificates.office.example/{{number}}/the-office-ca-of-{{'x' * 60}}.crl")
        KeptAnswer.objects.create(certificate=card, source=source)
    audit.record("key-imported", actor=long, target=long.address + " 382b1d95b0604517")
print(User.objects.get(address="ines@office.example").pk,
      MailAccount.objects.get(login_name="late").pk, RevocationSource.objects.get(key="0").pk)
"""


@pytest.fixture
def office(collected, person, site):
    """Sign the administrator in: `office(size, theme=…)` gives a page and the ids of two rows."""

    def make(size=WIDE, **options):
        user, account, source = site.python(FILL).split()
        visitor = person(size, **options)
        page = visitor.page()
        page.goto(f"{site.url}/sign-in?next=/admin/")
        page.get_by_label("Email address").fill(BOSS)
        page.get_by_label("Password").fill(BOSS_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{site.url}/admin/")
        return page, {"user": user, "account": account, "source": source}

    return make


def _pages(ids: dict[str, str]) -> list[str]:
    return [
        "/admin/",
        "/admin/search/?q=office",
        "/admin/accounts/user/",
        f"/admin/accounts/user/{ids['user']}/change/",
        f"/admin/accounts/user/{ids['user']}/history/",
        "/admin/accounts/user/add/",
        "/admin/accounts/mailserver/",
        "/admin/accounts/mailserver/add/",
        "/admin/accounts/mailaccount/?state=auth-failed",
        f"/admin/accounts/mailaccount/{ids['account']}/change/",
        "/admin/accounts/auditevent/",
        "/admin/smime/ownkey/?o=4",
        "/admin/smime/personcertificate/",
        "/admin/smime/trustanchor/",
        "/admin/smime/trustanchor/add/",
        "/admin/smime/revocationsource/",
        f"/admin/smime/revocationsource/{ids['source']}/change/",
        "/admin/password_change/",
    ]


@pytest.mark.parametrize(
    ("size", "theme"), [(WIDE, "light"), (WIDE, "dark"), (SMALL, "light"), (PHONE, "dark")]
)
def test_no_page_has_a_violation_or_is_wider_than_the_window(office, site, size, theme) -> None:
    page, ids = office(size, theme=theme)
    for path in _pages(ids):
        page.goto(f"{site.url}{path}")
        page.wait_for_load_state()
        assert violations(page) == [], path
        over = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        wide = page.evaluate(
            "[...document.querySelectorAll('main *')].filter((each) =>"
            " each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)"
            ".slice(0, 3).map((each) => each.outerHTML.slice(0, 80))"
        )
        assert over <= 0, (path, wide)


def test_the_overview_shows_who_needs_attention_first(office) -> None:
    page, _ids = office()
    first = page.locator(".panel-people tbody tr").first
    expect(first).to_contain_text("Ines")
    expect(first).to_contain_text("Expires in 8 days")
    expect(page.get_by_role("link", name="mail account has a problem")).to_be_visible()
    chart = page.get_by_role("region", name="Certificates that expire")
    assert chart.get_by_role("listitem").count() == 12
    heights = chart.locator(".chart-bar").evaluate_all(
        "bars => bars.map((bar) => bar.getBoundingClientRect().height)"
    )
    assert len(heights) >= 2
    assert min(heights) > 10
    chart.get_by_role("link").first.click()
    page.wait_for_url("**/admin/smime/ownkey/?**")
    expect(page.locator("#result_list tbody tr")).not_to_have_count(0)


def test_keys_reach_everything(office) -> None:
    page, _ids = office()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("ines")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/search/?q=ines")
    page.get_by_role("link", name="ines@office.example").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    expect(page.get_by_role("heading", level=1)).to_have_text("ines@office.example")


def test_the_phones_menu_opens_and_closes(office) -> None:
    page, _ids = office(PHONE)
    side = page.get_by_role("navigation", name="Administration")
    expect(side).to_be_hidden()
    page.get_by_role("link", name="Open the menu").click()
    expect(side).to_be_visible()
    page.keyboard.press("Escape")
    expect(side).to_be_hidden()
    page.get_by_role("link", name="Open the menu").click()
    side.get_by_role("link", name="Mail servers").click()
    page.wait_for_url("**/admin/accounts/mailserver/")
    expect(side).to_be_hidden()


def test_without_script_a_mail_account_is_paused(office, site) -> None:
    page, ids = office(PHONE, javascript=False)
    page.goto(f"{site.url}/admin/accounts/mailaccount/{ids['account']}/change/")
    page.get_by_label("Reason").fill("until the password is right")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".notice")).to_contain_text("1 mail account is paused")
    page.goto(f"{site.url}/admin/accounts/mailaccount/{ids['account']}/change/")
    page.get_by_label("Reason").fill("it is right")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".notice")).to_contain_text("1 mail account is resumed")
