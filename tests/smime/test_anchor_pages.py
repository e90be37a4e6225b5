"""A person's own authorities over HTTP and by command, and what administrators do about them."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import AuditEvent, User
from smime import deciding_anchors, trust
from smime.models import PersonAnchor, TrustAnchor
from tests.accounts.admin_clients import client_of, staff_with
from tests.smime.anchor_mails import Partner, new_partner, pem

pytestmark = pytest.mark.django_db
PASSWORD = "a very long password"
ADD = "/keys/anchors/add"


@pytest.fixture(scope="module")
def partner() -> Partner:
    return new_partner()


@pytest.fixture(autouse=True)
def _allowed(settings, valkey: str) -> None:
    settings.PERSONAL_ANCHORS = True


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice@example.test", PASSWORD)


@pytest.fixture
def browser(alice: User) -> Client:
    return client_of(alice)


def look(browser: Client, content: bytes, domains: str = "partner.example") -> Any:
    """Upload a file: what it is, is shown."""
    file = SimpleUploadedFile("ca.pem", content)
    return browser.post(ADD, {"file": file, "domains": domains})


def agree(browser: Client, shown: Any, **more: str) -> Any:
    """Send what the page that was shown holds, as its button does."""
    fields = {"carried": shown.context["carried"], "domains": shown.context["domains"]}
    return browser.post(ADD, {**fields, "agreed": "yes", **more})


def age_sign_in(browser: Client) -> None:
    session = browser.session
    session["started-at"] = int(datetime.now(tz=UTC).timestamp()) - 3600
    session.save()


def test_nothing_is_trusted_before_it_was_shown_and_agreed_to(
    browser: Client, alice: User, partner: Partner
) -> None:
    assert ADD in browser.get("/keys").content.decode()
    shown = look(browser, partner.file, "@Partner.example, sub.example")
    page = shown.content.decode()
    assert shown.status_code == 200
    assert "Partner root" in page
    assert "partner.example, sub.example" in page
    assert shown.context["offered"].fingerprint in page
    assert not PersonAnchor.objects.exists()
    assert agree(browser, shown).status_code == 302
    row = PersonAnchor.objects.get()
    assert (row.user, row.domains) == (alice, ["partner.example", "sub.example"])
    event = AuditEvent.objects.get(action="person-anchor-added")
    assert event.actor == alice
    assert event.details["fingerprint"] == row.fingerprint
    page = browser.get("/keys").content.decode()
    assert deciding_anchors.in_groups(row.fingerprint) in page
    browser.post(reverse("smime:remove-anchor", args=[row.pk]))
    assert not PersonAnchor.objects.exists()
    assert AuditEvent.objects.filter(action="person-anchor-removed", actor=alice).exists()


def test_who_signed_in_long_ago_gives_the_password(browser: Client, partner: Partner) -> None:
    age_sign_in(browser)
    shown = look(browser, partner.file)
    assert 'name="password"' in shown.content.decode()
    for password in ({}, {"password": "wrong"}):
        refused = agree(browser, shown, **password)
        assert refused.status_code == 422
        assert "password" in refused.context["problem"]
    assert not PersonAnchor.objects.exists()
    assert agree(browser, shown, password=PASSWORD).status_code == 302
    assert PersonAnchor.objects.exists()


def test_what_is_agreed_to_is_checked_again(browser: Client, partner: Partner) -> None:
    """The page carries the certificate: what comes back may be anything."""
    shown = look(browser, partner.file)
    for changed in ({"domains": "com"}, {"carried": ""}):
        assert agree(browser, shown, **changed).status_code == 422
    assert agree(browser, shown, carried="%%%").status_code == 404
    refused = look(browser, pem(partner.petra.certificate), "kept.example")
    assert refused.status_code == 422
    assert "basicConstraints" in refused.context["problem"]
    assert 'value="kept.example"' in refused.content.decode()
    assert "64 KiB" in look(browser, b" " * 200_000).context["problem"]
    assert not PersonAnchor.objects.exists()


def test_nobody_reaches_anothers(browser: Client, alice: User, partner: Partner) -> None:
    row = deciding_anchors.add(alice, partner.file, "partner.example")
    other = client_of(User.objects.create_user("bob@example.test"))
    assert other.post(reverse("smime:remove-anchor", args=[row.pk])).status_code == 404
    assert "Partner root" not in other.get("/keys").content.decode()
    assert browser.get(reverse("smime:remove-anchor", args=[row.pk])).status_code == 405


def test_without_the_sites_word_there_is_no_page(
    browser: Client, alice: User, partner: Partner
) -> None:
    deciding_anchors.add(alice, partner.file, "partner.example")
    with override_settings(PERSONAL_ANCHORS=False):
        assert browser.get(ADD).status_code == 404
        assert look(browser, partner.file).status_code == 404
        page = browser.get("/keys").content.decode()
        assert ADD not in page
        assert "these do not count" in page
        PersonAnchor.objects.all().delete()
        assert "Authorities you trust" not in browser.get("/keys").content.decode()


class TestAdministrators:
    LIST = "/admin/smime/personanchor/"

    @pytest.fixture
    def change(self, alice: User, partner: Partner) -> str:
        row = deciding_anchors.add(alice, partner.file, "partner.example")
        return f"{self.LIST}{row.pk}/change/"

    def test_they_see_whose_there_are_and_the_rule(self, change: str) -> None:
        boss = client_of(User.objects.create_superuser("root@example.test", PASSWORD))
        page = boss.get(self.LIST).content.decode()
        for said in ("Partner root", "alice@example.test", "partner.example", "Counts for"):
            assert said in page
        assert "SIGNET_PERSONAL_ANCHORS" in page
        assert boss.get(change).status_code == 200
        assert boss.get(f"{self.LIST}add/").status_code == 403
        with override_settings(PERSONAL_ANCHORS=False):
            page = boss.get(self.LIST).content.decode()
        assert "Not allowed, does not count" in page
        assert "not allowed here" in page

    def test_they_remove_one_and_say_why(self, change: str) -> None:
        boss = client_of(User.objects.create_superuser("root@example.test", PASSWORD))
        assert boss.post(change, {"decision": "remove", "reason": ""}).status_code == 200
        assert PersonAnchor.objects.exists()
        boss.post(change, {"decision": "remove", "reason": "Left us"})
        assert not PersonAnchor.objects.exists()
        assert not TrustAnchor.objects.exists()
        event = AuditEvent.objects.get(action="person-anchor-removed")
        assert (event.reason, event.actor_address) == ("Left us", "root@example.test")
        assert "alice@example.test" in event.target

    def test_they_forbid_one_to_everybody(self, change: str, alice: User, partner: Partner) -> None:
        boss = client_of(User.objects.create_superuser("root@example.test", PASSWORD))
        boss.post(change, {"decision": "forbid", "reason": "Broken into"})
        assert not PersonAnchor.objects.exists()
        assert TrustAnchor.objects.get().state == "blocked"
        with pytest.raises(deciding_anchors.DecisionError, match="does not accept"):
            deciding_anchors.add(alice, partner.file, "partner.example")

    def test_rights_are_given_one_by_one(self, change: str) -> None:
        clerk = client_of(staff_with("smime.view_personanchor"))
        assert 'name="reason"' not in clerk.get(change).content.decode()
        assert clerk.post(change, {"decision": "remove", "reason": "x"}).status_code == 403
        remover = client_of(staff_with("smime.change_personanchor", address="remover@example.test"))
        refused = remover.post(change, {"decision": "forbid", "reason": "x"})
        assert refused.status_code == 200  # no such choice without the right to block
        assert not TrustAnchor.objects.exists()
        stranger = client_of(staff_with("smime.view_trustanchor", address="other@example.test"))
        assert stranger.get(self.LIST).status_code == 403
        remover.post(change, {"decision": "remove", "reason": "x"})
        assert not PersonAnchor.objects.exists()


class TestCommand:
    def run(self, *arguments: str) -> Any:
        out = StringIO()
        call_command("trust", *arguments, "--json", stdout=out)
        return json.loads(out.getvalue())

    def test_it_lists_and_removes_a_persons(self, alice: User, partner: Partner) -> None:
        trust.add_anchor(pem(partner.middle.certificate), actor=None, reason="Ours")
        row = deciding_anchors.add(alice, partner.file, "partner.example")
        (shown,) = self.run("list", "--user", "Alice@example.test")["anchors"]
        assert (shown["fingerprint"], shown["domains"]) == (row.fingerprint, ["partner.example"])
        assert (shown["standing"], shown["user"]) == ("counts", alice.address)
        (other,) = self.run("list")["anchors"]
        assert other["name"] == "Partner mail CA"
        removed = self.run("remove", row.fingerprint[:8], "--user", alice.address)
        assert removed == {"removed": shown}
        assert self.run("list", "--user", alice.address) == {"anchors": []}
        assert AuditEvent.objects.filter(action="person-anchor-removed").exists()
        assert TrustAnchor.objects.exists()

    @pytest.mark.parametrize(
        "arguments",
        [
            ("remove", "00", "--user", "alice@example.test"),
            ("remove", "0" * 64, "--user", "alice@example.test"),
            ("list", "--user", "nobody@example.test"),
            ("list", "--user", "no address"),
        ],
    )
    def test_refusals(self, alice: User, arguments: tuple[str, ...]) -> None:
        assert alice.pk
        with pytest.raises(CommandError) as caught:
            call_command("trust", *arguments, stdout=StringIO())
        assert caught.value.returncode == 1
        assert str(caught.value).endswith(".")
