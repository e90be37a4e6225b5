"""Posting once, by https alone: what arrives, what does not, and what nobody can know."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webmail.remote.hosts import HOST, Reply, Site, serving_securely
from webmail.html.addresses import RefusedUrl
from webmail.remote import HostRefused, NotFetched, NoWord, Posted, deliver

pytestmark = pytest.mark.enable_socket
POSTED = Posted(b"List-Unsubscribe=One-Click", "text/plain")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    with serving_securely(monkeypatch, tmp_path / "tls") as made:
        yield made


def post(site: Site, path: str, **more: object) -> None:
    options = {"posted": POSTED, "seconds": 5.0, "user_agent": "Signet", "rules": site.rules()}
    deliver(site.url(path), **(options | more))


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_2xx_is_enough_and_nothing_of_us_goes(site: Site, status: int) -> None:
    site.routes["/u/1"] = Reply(status=status)
    post(site, "/u/1?a=b")
    (asked,) = site.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/u/1?a=b", POSTED.content)
    assert set(asked.fields) == {
        "host", "user-agent", "accept", "accept-encoding", "content-type", "content-length",
    }  # fmt: skip


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_refusal_and_is_not_followed(site: Site, status: int) -> None:
    site.routes["/u/1"] = Reply(status=status, fields={"Location": "/u/2"})
    site.routes["/u/2"] = Reply()
    with pytest.raises(HostRefused, match=str(status)):
        post(site, "/u/1")
    assert [asked.path for asked in site.asked] == ["/u/1"]


@pytest.mark.parametrize("status", [400, 404, 405, 500])
def test_a_host_that_refuses(site: Site, status: int) -> None:
    site.routes["/u/1"] = Reply(status=status)
    with pytest.raises(HostRefused, match=str(status)):
        post(site, "/u/1")


def test_an_endless_answer_is_left_unread(site: Site) -> None:
    site.routes["/u/1"] = Reply(is_endless=True)
    started = time.monotonic()
    post(site, "/u/1")
    assert time.monotonic() - started < 2


def test_no_answer_in_time_may_still_have_worked(site: Site) -> None:
    def slow(_asked: object) -> Reply:
        site.stopped.wait(10)
        return Reply()

    site.routes["/u/1"] = slow
    started = time.monotonic()
    with pytest.raises(NoWord):
        post(site, "/u/1", seconds=0.7)
    assert time.monotonic() - started < 2


def test_a_certificate_for_another_name_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving_securely(monkeypatch, tmp_path / "tls", certified="other.test") as site:
        site.routes["/u/1"] = Reply()
        with pytest.raises(NotFetched, match="SSLCertVerificationError") as caught:
            post(site, "/u/1")
        assert type(caught.value) is NotFetched  # nothing got there
        assert site.asked == []


def test_an_authority_nobody_trusts_gets_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(NotFetched, match="SSLCertVerificationError"):
        post(site, "/u/1")
    assert site.asked == []


@pytest.mark.parametrize("address", ["192.168.1.1", "10.0.0.1", "::1", "169.254.169.254"])
def test_private_addresses_are_refused(site: Site, address: str) -> None:
    site.addresses = ["127.0.0.1", address]
    with pytest.raises(RefusedUrl):
        post(site, "/u/1")
    assert site.asked == []


@pytest.mark.parametrize(
    "url", [f"http://{HOST}/u/1", "https://127.0.0.1/u", "https://u:p@list.example/", "ftp://x.y/"]
)
def test_only_https_to_public_hosts(site: Site, url: str) -> None:
    with pytest.raises(RefusedUrl):
        deliver(url, posted=POSTED, seconds=1, user_agent="Signet", rules=site.rules())
    assert site.asked == []
