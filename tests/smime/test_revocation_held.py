"""Certificates that people hold are watched: their own, and those mail is encrypted to."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import User
from smime import people, revocation_held, revocation_refresh, trust, vault
from smime.models import OwnKey, PersonCertificate, TrustAnchor
from smime.pki import KeyPair
from smime.pki.authority import (
    Authority,
    Revocation,
    crl,
    issue,
    new_intermediate,
    new_root,
    to_pkcs12,
)
from smime.pki.certificates import fingerprint
from smime.pki.locations import Locations
from smime.revocation_models import RevocationSource, WatchedCertificate
from smime.tasks import begin_to_watch_held
from smime.withdrawn import Withdrawn
from tests.accounts.admin_clients import client_of
from tests.webmail.remote.hosts import Reply, Site, serving

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

NOW = timezone.now().replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIST = Locations(lists=("http://pki.test/ca.crl",))
SINCE = (NOW - 2 * DAY).strftime("%-d %B %Y")


@pytest.fixture(scope="module")
def root() -> Authority:
    return new_root("Held test root", NOW - 700 * DAY)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with serving(monkeypatch) as made:
        yield made


@pytest.fixture
def trusted(root: Authority) -> TrustAnchor:
    pem = root.certificate.public_bytes(Encoding.PEM)
    (row,) = trust.add_anchor(pem, actor=None, reason="Ours")
    return row


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        "accounts.lanes._send", lambda name, args, lane, **_: found.append((name, *args, lane))
    )
    return found


def certified(root: Authority, address: str, *, ends: int = 300) -> KeyPair:
    dates = {"not_before": NOW - 30 * DAY, "not_after": NOW + ends * DAY}
    return issue(root, address, "Somebody", key="p256", published=LIST, **dates)


def owns(user: User, pair: KeyPair) -> OwnKey:
    (key,) = vault.import_keys(user, to_pkcs12(pair, "x"), "x", sealing=OwnKey.Sealing.MANAGED)
    return key


def knows(user: User, pair: KeyPair, address: str) -> PersonCertificate:
    return people.import_certificate(user, address, pair.certificate.public_bytes(Encoding.PEM))


def look(user_id: int = 0) -> None:
    revocation_held.watch_held(user_id, 0, 0, now=NOW)


def watched() -> set[str]:
    return set(WatchedCertificate.objects.values_list("fingerprint", flat=True))


def withdraw(site: Site, root: Authority, *pairs: KeyPair) -> None:
    entries = [Revocation(each.certificate.serial_number, NOW - 2 * DAY) for each in pairs]
    content = crl(root, entries, this_update=NOW - HOUR, next_update=NOW + 7 * DAY)
    site.routes["/ca.crl"] = Reply(content)
    look()
    revocation_refresh.refresh(rules=site.rules())


# --- who is watched -------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
def test_own_keys_and_imported_certificates_are_watched(root: Authority, anna: User) -> None:
    own, other = certified(root, anna.address), certified(root, "petra@partner.test")
    owns(anna, own)
    knows(anna, other, "petra@partner.test")
    look()
    assert watched() == {fingerprint(own.certificate), fingerprint(other.certificate)}


def test_a_stranger_s_are_not(root: Authority, anna: User, trusted: TrustAnchor) -> None:
    strange = certified(new_root("Strange", NOW - 99 * DAY), "eve@evil.test")
    gone = certified(root, "old@partner.test", ends=-1)
    limited = certified(root, "petra@partner.test")
    knows(anna, strange, "eve@evil.test")
    PersonCertificate.objects.update(is_pinned=True)  # trusting a person trusts nobody else
    knows(anna, gone, "old@partner.test")
    knows(anna, limited, "petra@partner.test")
    trust.change_anchor(trusted, state="limited", domains=["else.test"], actor=None, reason="Few")
    look()
    assert watched() == set()
    trust.change_anchor(
        trusted, state="limited", domains=["partner.test"], actor=None, reason="Few"
    )
    look()
    assert watched() == {fingerprint(limited.certificate)}


@pytest.mark.usefixtures("trusted")
def test_a_site_may_forbid_it(root: Authority, anna: User) -> None:
    owns(anna, certified(root, anna.address))
    with override_settings(FETCH_REVOCATION=False):
        look()
    assert watched() == set()


@pytest.mark.usefixtures("trusted")
def test_the_chain_of_a_key_leads_to_the_root(root: Authority, anna: User) -> None:
    below = new_intermediate(root, "Issuing", NOW - 99 * DAY)
    pair = certified(below, anna.address)
    owns(anna, pair)
    look()
    assert fingerprint(pair.certificate) in watched()


@pytest.mark.usefixtures("trusted")
def test_steps_go_on_until_everybody_was_looked_at_and_then_rest_for_a_day(
    root: Authority,
    anna: User,
    posted: list[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks,
) -> None:
    monkeypatch.setattr(revocation_held, "CHUNK", 2)
    for number in range(5):
        knows(anna, certified(root, f"p{number}@partner.test"), f"p{number}@partner.test")
    posted.clear()
    with django_capture_on_commit_callbacks(execute=True):
        begin_to_watch_held()
    steps = 0
    while asked := [args for name, *args, _lane in posted if name == "smime.watch_held"]:
        posted.clear()
        steps += 1
        with django_capture_on_commit_callbacks(execute=True):
            revocation_held.watch_held(*asked[0], now=NOW)
    assert (len(watched()), steps) == (5, 3)
    searched: list[object] = []
    monkeypatch.setattr(revocation_held, "_paths", lambda rows, now: searched.extend(rows) or set())
    look()
    assert searched == []
    revocation_held.watch_held(0, 0, 0, now=NOW + 2 * DAY)
    assert len(searched) == 2


@pytest.mark.usefixtures("trusted")
def test_what_becomes_held_is_looked_at_at_once(
    root: Authority,
    anna: User,
    posted: list[tuple[object, ...]],
    django_capture_on_commit_callbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        owns(anna, certified(root, anna.address))
    assert ("smime.watch_held", anna.pk, 0, 0, "crypto") in posted
    posted.clear()
    with django_capture_on_commit_callbacks(execute=True):
        knows(anna, certified(root, "petra@partner.test"), "petra@partner.test")
    assert ("smime.watch_held", anna.pk, 0, 0, "crypto") in posted
    posted.clear()
    other = new_root("Another", NOW - 9 * DAY).certificate.public_bytes(Encoding.PEM)
    with django_capture_on_commit_callbacks(execute=True):
        trust.add_anchor(other, actor=None, reason="New")
    assert ("smime.watch_held", 0, 0, 0, "crypto") in posted


# --- what follows ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
def test_nothing_is_signed_with_a_withdrawn_key_but_it_opens_old_mail(
    site: Site, root: Authority, anna: User
) -> None:
    pair = certified(root, anna.address)
    owns(anna, pair)
    opened = vault.open_keys(anna, kek=None)
    assert vault.signing_key(anna, anna.address, opened) is not None
    withdraw(site, root, pair)
    opened = vault.open_keys(anna, kek=None)
    assert vault.signing_key(anna, anna.address, opened) is None
    assert [each.certificate for each in opened.pairs] == [pair.certificate]


@pytest.mark.usefixtures("trusted")
def test_another_key_in_use_signs_instead(site: Site, root: Authority, anna: User) -> None:
    good, bad = certified(root, anna.address), certified(root, anna.address)
    owns(anna, good)
    owns(anna, bad)
    OwnKey.objects.update(is_current=True)
    withdraw(site, root, bad)
    signer = vault.signing_key(anna, anna.address, vault.open_keys(anna, kek=None))
    assert signer is not None
    assert signer.certificate == good.certificate


@pytest.mark.usefixtures("trusted")
def test_nothing_is_encrypted_to_a_withdrawn_certificate(
    site: Site, root: Authority, anna: User
) -> None:
    address = "petra@partner.test"
    bad = certified(root, address)
    row = knows(anna, bad, address)
    assert people.recipient_states(anna, [address], NOW)[address].code == "ok"
    withdraw(site, root, bad)
    found = people.recipient_states(anna, [address], NOW)[address]
    assert (found.code, found.certificate) == ("withdrawn", row)
    assert found.withdrawal is not None
    assert found.withdrawal.at == NOW - 2 * DAY
    good = certified(root, address)
    knows(anna, good, address)
    assert people.recipient_states(anna, [address], NOW)[address].code == "ok"


@pytest.mark.usefixtures("trusted")
def test_whoever_a_withdrawn_authority_certified_is_withdrawn_with_it(
    site: Site, root: Authority, anna: User
) -> None:
    below = new_intermediate(root, "Issuing", NOW - 99 * DAY, published=LIST)
    pair = certified(below, "petra@partner.test")
    people.keep_issuers([below.certificate])
    knows(anna, pair, "petra@partner.test")
    withdraw(site, root, KeyPair(key=below.key, certificate=below.certificate))
    found = Withdrawn.load().find(pair.certificate, NOW)
    assert found is not None
    assert found.at == NOW - 2 * DAY


def test_a_blocked_issuer_s_certificates_say_so(
    root: Authority, anna: User, trusted: TrustAnchor
) -> None:
    trust.change_anchor(trusted, state="blocked", domains=[], actor=None, reason="Broken into")
    found = Withdrawn.load().find(certified(root, anna.address).certificate, NOW)
    assert found is not None
    assert (found.at, found.is_blocked) == (None, True)


@pytest.mark.usefixtures("trusted")
def test_the_keys_page_says_since_when(site: Site, root: Authority, anna: User) -> None:
    own, other = certified(root, anna.address), certified(root, "petra@partner.test")
    owns(anna, own)
    row = knows(anna, other, "petra@partner.test")
    browser: Client = client_of(anna)
    page = browser.get("/keys").content.decode()
    assert "ithdrawn" not in page
    withdraw(site, root, own, other)
    page = browser.get("/keys").content.decode()
    assert "Your certificate is withdrawn" in page
    assert page.count(f"Withdrawn on {SINCE}.") == 2  # the card, and the key itself
    assert "Withdrawn, opens old mail" in page
    short = (NOW - 2 * DAY).strftime("%-d %b %Y")
    assert f"Withdrawn on {short}" in page
    certificate = browser.get(f"/keys/certificates/{row.pk}").content.decode()
    assert f"Withdrawn on {SINCE}." in certificate


@pytest.mark.usefixtures("trusted")
def test_held_certificates_stay_watched_though_nobody_writes(
    site: Site, root: Authority, anna: User
) -> None:
    """Seen again each day, so that they never count as forgotten (90 days)."""
    pair = certified(root, anna.address)
    owns(anna, pair)
    withdraw(site, root)
    later = NOW + 80 * DAY
    revocation_held.watch_held(0, 0, 0, now=later)
    assert WatchedCertificate.objects.get().wanted_at == later
    assert RevocationSource.objects.get().next_at is not None
