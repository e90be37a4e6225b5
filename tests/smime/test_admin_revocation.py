"""The admin table of revocation addresses, and asking again through a worker."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, User
from smime import revocation, revocation_refresh, trust
from smime.models import TrustAnchor
from smime.pki.authority import Authority, crl, issue, new_root
from smime.pki.locations import Locations
from smime.pki.paths import find_path
from smime.problems import revocation_problem
from smime.revocation_models import RevocationSource
from tests.accounts.admin_clients import client_of, staff_with
from tests.webmail.remote.hosts import Reply, Site, serving

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

NOW = timezone.now().replace(microsecond=0)
DAY = timedelta(days=1)
PAGE = "/admin/smime/revocationsource/"


@pytest.fixture(scope="module")
def root() -> Authority:
    return new_root("Table test root", NOW - 99 * DAY)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with serving(monkeypatch) as made:
        yield made


@pytest.fixture
def boss(valkey: str) -> Client:
    return client_of(User.objects.create_superuser("root@example.test", "a very long password"))


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    monkeypatch.setattr("accounts.lanes.post", lambda name, *_, lane: found.append((name, lane)))
    return found


@pytest.fixture
def source(root: Authority) -> RevocationSource:
    """A list that one certificate names."""
    pem = root.certificate.public_bytes(Encoding.PEM)
    trust.add_anchor(pem, actor=None, reason="Ours")
    pair = issue(
        root,
        "a@partner.test",
        "Anna",
        key="p256",
        not_before=NOW - DAY,
        not_after=NOW + 99 * DAY,
        published=Locations(lists=("http://pki.test/ca.crl",)),
    )
    path = find_path(pair.certificate, anchors=[root.certificate], others=(), moments=[NOW])
    revocation.watch_paths([path], now=NOW)
    return RevocationSource.objects.get()


def ask(client: Client, source: RevocationSource) -> str:
    given = {"action": "ask_again", "_selected_action": source.pk}
    return client.post(PAGE, given, follow=True).content.decode()


def test_what_is_known_of_an_address_is_said(
    boss: Client, site: Site, source: RevocationSource, root: Authority
) -> None:
    page = boss.get(PAGE).content.decode()
    assert "Not asked yet" in page
    revocation_refresh.refresh(rules=site.rules())
    page = boss.get(PAGE).content.decode()
    for words in ("http://pki.test/ca.crl", "Revocation list", "Does not answer", "status 404"):
        assert words in page
    site.routes["/ca.crl"] = Reply(crl(root, [], this_update=NOW - DAY, next_update=NOW + DAY))
    RevocationSource.objects.update(next_at=NOW)
    revocation_refresh.refresh(rules=site.rules())
    page = boss.get(PAGE).content.decode()
    assert "Answers" in page
    assert "Does not answer" not in page
    assert '<td class="field-watched">1</td>' in page


@pytest.mark.parametrize(
    ("fetch", "demand", "words"),
    [
        (True, False, ("and for no others", "soft policy")),
        (True, True, ("and for no others", "hard policy")),
        (False, False, ("Nothing is fetched here", "soft policy")),
    ],
)
def test_the_rules_in_force_are_said(
    boss: Client, fetch: bool, demand: bool, words: tuple[str, ...]
) -> None:
    with override_settings(FETCH_REVOCATION=fetch, DEMAND_REVOCATION=demand):
        page = boss.get(PAGE).content.decode()
    assert all(each in page for each in words)


def test_asking_again_fetches_a_list_that_is_still_fresh(
    boss: Client,
    site: Site,
    source: RevocationSource,
    root: Authority,
    posted: list[tuple[str, str]],
) -> None:
    site.routes["/ca.crl"] = Reply(crl(root, [], this_update=NOW - DAY, next_update=NOW + DAY))
    revocation_refresh.refresh(rules=site.rules())
    assert revocation_refresh.refresh(rules=site.rules()) == 0
    posted.clear()
    assert "1 address is being asked." in ask(boss, source)
    assert posted == [("smime.fetch_revocation", "fetch")]  # the page itself asks nobody
    assert len(site.asked) == 1
    assert revocation_refresh.refresh(rules=site.rules()) == 1
    assert len(site.asked) == 2
    event = AuditEvent.objects.get(action="revocation-asked")
    assert event.target == "http://pki.test/ca.crl"
    assert (
        "had a revocation address asked" in boss.get("/admin/accounts/auditevent/").content.decode()
    )


def test_nobody_is_asked_for_a_root_that_is_trusted_no_more(
    boss: Client, source: RevocationSource, posted: list[tuple[str, str]]
) -> None:
    trust.remove_anchor(TrustAnchor.objects.get(), actor=None, reason="Gone")
    posted.clear()
    assert "Nobody needs it now" in ask(boss, source)
    assert posted == []


def test_nobody_is_asked_where_it_is_forbidden(
    boss: Client, source: RevocationSource, posted: list[tuple[str, str]]
) -> None:
    posted.clear()
    with override_settings(FETCH_REVOCATION=False):
        assert "SIGNET_FETCH_REVOCATION forbids it" in ask(boss, source)
    assert posted == []


def test_looking_is_not_the_right_to_ask(
    source: RevocationSource, posted: list[tuple[str, str]], valkey: str
) -> None:
    posted.clear()
    looks = client_of(staff_with("smime.view_revocationsource"))
    assert "Ask again now" not in looks.get(PAGE).content.decode()
    ask(looks, source)
    assert posted == []
    asks = client_of(staff_with("smime.change_revocationsource", address="asks@example.test"))
    assert "Ask again now" in asks.get(PAGE).content.decode()
    ask(asks, source)
    assert posted
    change = reverse("admin:smime_revocationsource_change", args=[source.pk])
    assert asks.post(change, {"url": "http://evil.test/"}).status_code == 403


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("not a revocation list", "What came is no revocation list."),
        ("status 503", "It answers with the status 503."),
        ("the address may not be asked: private", "The address may not be asked: private."),
        ("ConnectionRefusedError", "It did not answer: ConnectionRefusedError."),
    ],
)
def test_problems_are_said_in_words(problem: str, words: str) -> None:
    assert revocation_problem(problem) == words
