"""Withdrawals ahead of time, against a web server of our own and openssl's responder."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from django.test import override_settings
from django.utils import timezone

from accounts.models import User
from smime import revocation, revocation_refresh, trust
from smime.models import Intermediate, TrustAnchor
from smime.pki import KeyPair
from smime.pki.authority import Authority, Revocation, crl, issue, new_intermediate, new_root
from smime.pki.certificates import fingerprint
from smime.pki.locations import Locations
from smime.pki.paths import Path, find_path
from smime.pki.revocation import check_revocation
from smime.revocation_answers import StoredAnswers, answers_for
from smime.revocation_models import KeptAnswer, RevocationSource, WatchedCertificate
from smime.signals import withdrawal_known
from smime.withdrawn import Withdrawn
from tests.smime.pki.responder import answer
from tests.webmail.remote.hosts import Asked, Reply, Site, serving

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

NOW = timezone.now().replace(microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEAR = 365 * DAY
LIST = Locations(lists=("http://pki.test/ca.crl",))
RESPONDER = Locations(responders=("http://pki.test/ocsp",))
BOTH = Locations(lists=LIST.lists, responders=RESPONDER.responders)


@pytest.fixture(scope="module")
def root() -> Authority:
    return new_root("Revocation test root", NOW - 2 * YEAR)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with serving(monkeypatch) as made:
        yield made


@pytest.fixture
def trusted(root: Authority) -> TrustAnchor:
    (row,) = trust.add_anchor(
        root.certificate.public_bytes(Encoding.PEM), actor=None, reason="Ours"
    )
    return row


@pytest.fixture
def turned(settings: object) -> Iterator[list[str]]:
    """Fingerprints announced."""
    found: list[str] = []

    def hear(fingerprints: tuple[str, ...], **_: object) -> None:
        found.extend(fingerprints)

    withdrawal_known.connect(hear)
    yield found
    withdrawal_known.disconnect(hear)


def person(root: Authority, published: Locations | None, **more: object) -> KeyPair:
    options = {"not_before": NOW - YEAR, "not_after": NOW + YEAR, "key": "p256"} | more
    return issue(root, "a@partner.test", "Anna", published=published, **options)


def path_of(pair: KeyPair, root: Authority) -> Path:
    found = find_path(
        pair.certificate, anchors=[root.certificate], others=pair.chain, moments=[NOW]
    )
    assert found.trust == "trusted"
    return found


def encoded_list(root: Authority, *revoked: KeyPair, at: datetime | None = None, **more) -> bytes:
    entries = [
        Revocation(each.certificate.serial_number, at or NOW - DAY, more.get("reason"))
        for each in revoked
    ]
    return crl(
        root,
        entries,
        this_update=more.get("this_update", NOW - HOUR),
        next_update=more.get("next_update", NOW + 7 * DAY),
    )


def refresh(site: Site) -> int:
    return revocation_refresh.refresh(rules=site.rules())


def state(pair: KeyPair) -> str:
    row = WatchedCertificate.objects.get(fingerprint=fingerprint(pair.certificate))
    return row.state


def status(pair: KeyPair, root: Authority, now: datetime = NOW) -> str:
    kept = StoredAnswers()[fingerprint(pair.certificate)]
    return check_revocation(pair.certificate, root.certificate, answers=kept, now=now).state


# --- who is asked about, and who never --------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
def test_a_list_is_fetched_once_and_answers(
    site: Site, root: Authority, turned: list[str], django_capture_on_commit_callbacks
) -> None:
    pair = person(root, LIST)
    site.routes["/ca.crl"] = Reply(encoded_list(root), "text/plain")  # the type decides nothing
    with django_capture_on_commit_callbacks(execute=True):
        revocation.watch_paths([path_of(pair, root)], now=NOW)
        assert (state(pair), status(pair, root)) == ("unknown", "unknown")
        assert refresh(site) == 1
    assert (state(pair), status(pair, root)) == ("good", "good")
    assert turned == [fingerprint(pair.certificate)]
    assert refresh(site) == 0
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    assert refresh(site) == 0
    assert len(site.asked) == 1
    source = RevocationSource.objects.get()
    assert NOW + 20 * HOUR < source.next_at <= timezone.now() + DAY


def test_a_stranger_makes_nobody_call(site: Site, root: Authority) -> None:
    """Not before the root is trusted, nor after it was blocked or removed."""
    pair = person(root, BOTH)
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    assert not WatchedCertificate.objects.exists()
    (anchor,) = trust.add_anchor(
        root.certificate.public_bytes(Encoding.PEM), actor=None, reason="Ours"
    )
    for kind in ("broken", "unknown-root", "self-signed", "incomplete", "pinned"):
        revocation.watch_paths([Path(kind, (pair.certificate, root.certificate))], now=NOW)
    assert not WatchedCertificate.objects.exists()
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    assert WatchedCertificate.objects.exists()
    trust.change_anchor(anchor, state="blocked", domains=[], actor=None, reason="Broken into")
    assert refresh(site) == 0
    trust.remove_anchor(TrustAnchor.objects.get(), actor=None, reason="Gone")
    assert refresh(site) == 0
    assert site.asked == []


@pytest.mark.usefixtures("trusted")
def test_a_site_may_forbid_it(site: Site, root: Authority) -> None:
    pair = person(root, LIST)
    signer = SimpleNamespace(is_intact=True, path=path_of(pair, root))
    verdict = SimpleNamespace(signature=SimpleNamespace(signers=(signer,)))
    with override_settings(FETCH_REVOCATION=False):
        revocation.watch([verdict], now=NOW)
        assert not WatchedCertificate.objects.exists()
    revocation.watch([verdict], now=NOW)
    with override_settings(FETCH_REVOCATION=False):
        assert refresh(site) == 0
    forged = SimpleNamespace(signers=(SimpleNamespace(is_intact=False, path=signer.path),))
    WatchedCertificate.objects.all().delete()
    revocation.watch([SimpleNamespace(signature=forged)], now=NOW)
    assert not WatchedCertificate.objects.exists()


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/ca.crl",
        "http://[::1]/ca.crl",
        "http://169.254.169.254/latest",
        "http://localhost/ca.crl",
        "http://pki.test.:6379/",
    ],
)
def test_even_a_trusted_authority_reaches_no_private_address(
    site: Site, root: Authority, url: str
) -> None:
    pair = person(root, Locations(lists=(url,), responders=(url,), issuers=(url,)))
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    assert refresh(site) == 3
    problems = set(RevocationSource.objects.values_list("problem", flat=True))
    assert all("may not be asked" in each for each in problems)
    assert site.asked == []


@pytest.mark.usefixtures("trusted")
def test_who_names_no_address_is_not_watched(root: Authority) -> None:
    revocation.watch_paths([path_of(person(root, None), root)], now=NOW)
    assert not WatchedCertificate.objects.exists()


# --- what counts --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
def test_a_withdrawal_stays_known(site: Site, root: Authority, turned: list[str]) -> None:
    pair = person(root, LIST)
    reason = x509.ReasonFlags.key_compromise
    site.routes["/ca.crl"] = Reply(encoded_list(root, pair, reason=reason))
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    refresh(site)
    (kept,) = answers_for([fingerprint(pair.certificate)])[fingerprint(pair.certificate)]
    assert (kept.state, kept.at, kept.reason) == ("revoked", NOW - DAY, reason)
    # A list that no longer names it (it has expired, or somebody plays games) changes nothing.
    site.routes["/ca.crl"] = Reply(encoded_list(root, this_update=NOW))
    RevocationSource.objects.update(next_at=NOW, fetched_at=NOW - 2 * DAY)
    refresh(site)
    assert (state(pair), status(pair, root, NOW + 3 * YEAR)) == ("revoked", "revoked")
    assert Withdrawn.load().has(pair.certificate, NOW)


@pytest.mark.usefixtures("trusted")
def test_a_hold_may_end(site: Site, root: Authority) -> None:
    pair = person(root, LIST)
    hold = x509.ReasonFlags.certificate_hold
    site.routes["/ca.crl"] = Reply(encoded_list(root, pair, reason=hold))
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    refresh(site)
    assert state(pair) == "revoked"
    site.routes["/ca.crl"] = Reply(encoded_list(root, this_update=NOW))
    RevocationSource.objects.update(next_at=NOW, fetched_at=NOW - 2 * DAY)
    refresh(site)
    assert state(pair) == "good"


def _damaged(content: bytes) -> bytes:
    return content[:-3] + bytes((content[-3] ^ 1,)) + content[-2:]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "body",
    [
        lambda root: b"",
        lambda root: b"<!doctype html><title>Sign in to the network</title>",
        lambda root: _damaged(encoded_list(root)),
        lambda root: encoded_list(new_root("Revocation test root", NOW)),
        lambda root: encoded_list(root, this_update=NOW - 9 * DAY, next_update=NOW - DAY),
        lambda root: encoded_list(root, this_update=NOW + DAY, next_update=NOW + 2 * DAY),
        lambda root: b"0" * (16 * 1024 * 1024 + 1),
    ],
)
def test_what_does_not_count_is_tried_again_later(site: Site, root: Authority, body) -> None:
    pair = person(root, LIST)
    site.routes["/ca.crl"] = Reply(body(root))
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    assert refresh(site) == 1
    assert state(pair) == "unknown"
    source = RevocationSource.objects.get()
    assert (source.failures, source.busy_until) == (1, None)
    assert source.problem
    first = source.next_at - timezone.now()
    assert timedelta(minutes=4) < first <= timedelta(minutes=5)
    assert refresh(site) == 0
    RevocationSource.objects.update(next_at=NOW, failures=30)
    refresh(site)
    assert RevocationSource.objects.get().next_at <= timezone.now() + DAY
    # And when it is well again, it counts.
    site.routes["/ca.crl"] = Reply(encoded_list(root))
    RevocationSource.objects.update(next_at=NOW)
    refresh(site)
    assert state(pair) == "good"
    assert RevocationSource.objects.get().failures == 0


@pytest.mark.usefixtures("trusted")
def test_a_second_certificate_of_a_list_needs_no_second_fetch(site: Site, root: Authority) -> None:
    one, two = person(root, LIST), person(root, LIST)
    site.routes["/ca.crl"] = Reply(encoded_list(root, two))
    revocation.watch_paths([path_of(one, root)], now=NOW)
    refresh(site)
    revocation.watch_paths([path_of(two, root)], now=NOW)
    refresh(site)
    assert (state(one), state(two)) == ("good", "revoked")
    assert len(site.asked) == 1


def responder(pair: KeyPair, root: Authority, **more: object) -> Reply:
    def reply(asked: Asked) -> Reply:
        from cryptography.x509 import ocsp

        question = ocsp.load_der_ocsp_request(asked.body)
        nonce = question.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        times = {"this_update": NOW - HOUR, "next_update": NOW + DAY}
        return Reply(answer(pair, root, nonce=nonce, **(times | more)), "text/html")

    return reply


@pytest.mark.usefixtures("trusted")
def test_a_responder_is_asked_where_there_is_no_list(site: Site, root: Authority) -> None:
    pair = person(root, RESPONDER)
    site.routes["/ocsp"] = responder(pair, root)
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    refresh(site)
    assert state(pair) == "good"
    (asked,) = site.asked
    assert (asked.method, asked.fields["content-type"]) == ("POST", "application/ocsp-request")


@pytest.mark.usefixtures("trusted")
def test_a_responder_is_left_alone_while_a_list_tells(site: Site, root: Authority) -> None:
    """A list does not tell the authority whose mail is read."""
    pair = person(root, BOTH)
    site.routes |= {"/ca.crl": Reply(encoded_list(root)), "/ocsp": responder(pair, root)}
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    refresh(site)
    assert [asked.path for asked in site.asked] == ["/ca.crl"]
    other = person(
        root, Locations(lists=("http://pki.test/gone.crl",), responders=RESPONDER.responders)
    )
    site.routes["/ocsp"] = responder(other, root, status="revoked", at=NOW - DAY)
    revocation.watch_paths([path_of(other, root)], now=NOW)
    refresh(site)
    assert state(other) == "revoked"


@pytest.mark.usefixtures("trusted")
def test_another_nonce_is_another_answer(site: Site, root: Authority) -> None:
    pair = person(root, RESPONDER)
    site.routes["/ocsp"] = Reply(
        answer(pair, root, nonce=b"x" * 32, this_update=NOW - HOUR, next_update=NOW + DAY)
    )
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    refresh(site)
    assert state(pair) == "unknown"
    assert "another question" in RevocationSource.objects.get().problem


@pytest.mark.usefixtures("trusted")
def test_issuers_of_trusted_paths_are_kept_for_later_ones(site: Site, root: Authority) -> None:
    """What leads to a trusted root, that is; a stranger's authority in the file is left."""
    one = new_intermediate(root, "One", NOW - YEAR)
    stranger = new_intermediate(new_root("Strange", NOW - YEAR), "Strange one", NOW - YEAR)
    pair = person(one, Locations(issuers=("http://pki.test/all.p7c",)))
    two = new_intermediate(root, "Two", NOW - YEAR)
    bundle = [each.certificate for each in (one, two, stranger, root)]
    site.routes["/all.p7c"] = Reply(pkcs7.serialize_certificates(bundle, Encoding.DER))
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    refresh(site)
    assert set(Intermediate.objects.values_list("name", flat=True)) == {"One", "Two"}


# --- time ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
def test_an_answer_that_grows_stale_is_told(
    site: Site, root: Authority, turned: list[str], django_capture_on_commit_callbacks
) -> None:
    pair = person(root, LIST)
    site.routes["/ca.crl"] = Reply(encoded_list(root))
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    refresh(site)
    site.routes.clear()
    with django_capture_on_commit_callbacks(execute=True):
        revocation.look_after(now=NOW + 6 * DAY)
    assert (state(pair), turned) == ("good", [])
    with django_capture_on_commit_callbacks(execute=True):
        revocation.look_after(now=NOW + 8 * DAY)
    assert (state(pair), turned) == ("unknown", [fingerprint(pair.certificate)])
    with django_capture_on_commit_callbacks(execute=True):
        revocation.look_after(now=NOW + 8 * DAY)
    assert len(turned) == 1


@pytest.mark.usefixtures("trusted")
def test_what_nobody_sees_is_forgotten_but_not_a_withdrawal(site: Site, root: Authority) -> None:
    good, bad = person(root, LIST), person(root, LIST)
    site.routes["/ca.crl"] = Reply(encoded_list(root, bad))
    revocation.watch_paths([path_of(good, root), path_of(bad, root)], now=NOW)
    refresh(site)
    later = NOW + 91 * DAY
    assert not revocation.due(later).exists()
    revocation.look_after(now=later)
    assert list(WatchedCertificate.objects.values_list("state", flat=True)) == ["revoked"]
    assert RevocationSource.objects.count() == 1


@pytest.mark.usefixtures("trusted")
def test_the_expired_are_asked_about_once(site: Site, root: Authority) -> None:
    pair = person(root, LIST, not_after=NOW - DAY)
    site.routes["/ca.crl"] = Reply(encoded_list(root, pair, at=NOW - 3 * DAY))
    path = find_path(
        pair.certificate, anchors=[root.certificate], others=(), moments=[NOW - 2 * DAY]
    )
    revocation.watch_paths([path], now=NOW)
    refresh(site)
    assert state(pair) == "revoked"
    assert RevocationSource.objects.get().next_at is None


@pytest.mark.usefixtures("trusted")
def test_two_workers_never_ask_the_same(site: Site, root: Authority) -> None:
    revocation.watch_paths([path_of(person(root, LIST), root)], now=NOW)
    RevocationSource.objects.update(busy_until=timezone.now() + HOUR)
    assert refresh(site) == 0
    RevocationSource.objects.update(busy_until=timezone.now() - HOUR)  # its worker died
    assert refresh(site) == 1


@pytest.mark.usefixtures("trusted")
def test_seen_again_after_long_is_asked_again(site: Site, root: Authority) -> None:
    pair = person(root, LIST)
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    WatchedCertificate.objects.update(wanted_at=NOW - 100 * DAY)
    RevocationSource.objects.update(next_at=None)
    assert refresh(site) == 0
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    assert refresh(site) == 1


@pytest.mark.usefixtures("trusted")
def test_a_damaged_row_says_nothing_yet(root: Authority) -> None:
    pair = person(root, LIST)
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    assert KeptAnswer.objects.count() == 1
    assert StoredAnswers()[fingerprint(pair.certificate)] == ()


@pytest.mark.usefixtures("trusted")
def test_an_authority_that_is_withdrawn_concerns_whom_it_certified(
    site: Site, root: Authority, turned: list[str], django_capture_on_commit_callbacks
) -> None:
    inter = new_intermediate(root, "Between", NOW - YEAR, published=LIST)
    pair = person(inter, Locations(lists=("http://pki.test/inter.crl",)))
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    site.routes["/ca.crl"] = Reply(encoded_list(root))
    with django_capture_on_commit_callbacks(execute=True):
        refresh(site)
    assert (WatchedCertificate.objects.count(), turned) == (2, [])  # it is well: nothing turns
    entry = Revocation(inter.certificate.serial_number, NOW - DAY)
    times = {"this_update": NOW, "next_update": NOW + DAY}
    site.routes["/ca.crl"] = Reply(crl(root, [entry], **times))
    RevocationSource.objects.update(next_at=NOW, fetched_at=NOW - 2 * DAY)
    with django_capture_on_commit_callbacks(execute=True):
        refresh(site)
    assert turned == [fingerprint(pair.certificate)]


# --- verdicts -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
def test_verdicts_build_on_the_answers(site: Site, root: Authority, anna: User) -> None:
    pair = person(root, LIST)
    site.routes["/ca.crl"] = Reply(encoded_list(root, pair))
    revocation.watch_paths([path_of(pair, root)], now=NOW)
    refresh(site)
    context = trust.context_for(anna, "a@partner.test", received_at=NOW, now=NOW)
    (kept,) = context.answers[fingerprint(pair.certificate)]
    assert kept.state == "revoked"
    assert not context.policy.demand_revocation
    before = trust.stamp_for(anna)
    with override_settings(DEMAND_REVOCATION=True):
        hard = trust.context_for(anna, "a@partner.test", received_at=NOW, now=NOW)
        assert hard.policy.demand_revocation
        assert trust.stamp_for(anna) != before
