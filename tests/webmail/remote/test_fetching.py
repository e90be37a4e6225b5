"""The guarded fetch against a server of our own: redirects, rebinding, slow and endless answers."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webmail.remote.hosts import HOST, Reply, Site, serving, serving_securely
from webmail.html.addresses import RefusedUrl
from webmail.remote import Answer, Limits, NotFetched, Posted, fetch

pytestmark = pytest.mark.enable_socket
LIMITS = Limits(seconds=5, octets=1000)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with serving(monkeypatch) as made:
        yield made


def get(site: Site, path: str, **more: object) -> Answer:
    options = {"limits": LIMITS, "rules": site.rules(), "user_agent": "Signet test"} | more
    return fetch(site.url(path), **options)


def test_a_body_comes_with_its_type_and_nothing_of_us_goes(site: Site) -> None:
    site.routes["/a.crl"] = Reply(b"list", "Application/PKIX-CRL; charset=x")
    assert get(site, "/a.crl?x=1") == Answer(b"list", "application/pkix-crl")
    (asked,) = site.asked
    assert (asked.method, asked.path) == ("GET", "/a.crl?x=1")
    assert asked.fields["user-agent"] == "Signet test"
    assert not {"cookie", "referer", "range", "authorization", "from"} & asked.fields.keys()


def test_what_is_posted_arrives(site: Site) -> None:
    site.routes["/ask"] = lambda asked: Reply(asked.body, asked.fields["content-type"])
    posted = Posted(b"question", "application/ocsp-request")
    assert get(site, "/ask", posted=posted) == Answer(b"question", "application/ocsp-request")
    site.routes["/moved"] = Reply(status=307, fields={"Location": "/ask"})
    assert get(site, "/moved", posted=posted).content == b"question"
    site.routes["/dropped"] = Reply(status=302, fields={"Location": "/ask"})
    with pytest.raises(NotFetched, match="posted"):
        get(site, "/dropped", posted=posted)


def test_redirects_are_followed_three_times_and_checked_from_zero(site: Site) -> None:
    for step in range(4):
        site.routes[f"/{step}"] = Reply(status=302, fields={"Location": f"/{step + 1}"})
    site.routes["/4"] = Reply(b"here")
    assert get(site, "/1").content == b"here"
    with pytest.raises(NotFetched, match="redirects"):
        get(site, "/0")
    for place in ("http://127.0.0.1/x", "http://[::1]/", "file:///etc/passwd", "http://10.0.0.1/"):
        site.routes["/away"] = Reply(status=301, fields={"Location": place})
        with pytest.raises(RefusedUrl):
            get(site, "/away")


def test_a_redirect_to_no_address_is_no_answer(site: Site) -> None:
    site.routes["/away"] = Reply(status=302, fields={"Location": "http://["})
    with pytest.raises(NotFetched, match="no address"):
        get(site, "/away")


def test_one_private_address_of_a_name_refuses_all(site: Site) -> None:
    site.addresses = ["127.0.0.1", "192.168.1.1"]
    with pytest.raises(RefusedUrl):
        get(site, "/a")
    assert site.asked == []


def test_a_name_is_resolved_once_so_rebinding_gains_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look-up would give a private address: it never happens."""
    inner, calls = socket.getaddrinfo, []

    def once(host: str, *arguments: object, **options: object) -> object:
        calls.append(host)
        if len(calls) > 1:
            site.addresses = ["169.254.169.254"]
        return inner(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    site.routes["/a"] = Reply(b"here")
    assert get(site, "/a").content == b"here"
    # create_connection looks the *address* up, in which no name is left to rebind.
    assert calls.count("pki.test") == 1


@pytest.mark.parametrize("reply", [Reply(b"x" * 1001), Reply(is_endless=True)])
def test_more_than_the_limit_is_refused(site: Site, reply: Reply) -> None:
    site.routes["/large"] = reply
    started = time.monotonic()
    with pytest.raises(NotFetched, match="larger"):
        get(site, "/large")
    assert time.monotonic() - started < 2
    site.routes["/just"] = Reply(b"x" * 1000)
    assert len(get(site, "/just").content) == 1000


def test_a_trickle_ends_at_the_deadline(site: Site) -> None:
    site.routes["/slow"] = Reply(trickle=(b"x", 0.05))
    started = time.monotonic()
    with pytest.raises(NotFetched):
        get(site, "/slow", limits=Limits(seconds=0.4, octets=1000))
    assert time.monotonic() - started < 1.5


def test_a_resolver_that_hangs_ends_at_the_deadline(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def hang(*_: object, **__: object) -> object:
        release.wait(10)
        raise OSError("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(NotFetched, match="slow"):
        get(site, "/a", limits=Limits(seconds=0.3, octets=10))
    assert time.monotonic() - started < 1.5
    release.set()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [(Reply(status=404), "404"), (Reply(status=500), "500"), (Reply(status=304), "304")],
)
def test_only_a_200_counts(site: Site, reply: Reply, reason: str) -> None:
    site.routes["/a"] = reply
    with pytest.raises(NotFetched, match=reason):
        get(site, "/a")


def test_a_server_that_is_not_there(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        site.port = taken.getsockname()[1]
        with pytest.raises(NotFetched):
            get(site, "/a")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://[::1]/x",
        "http://localhost/x",
        "http://169.254.169.254/latest",
        "ftp://pki.example/x",
        "ldap://pki.example/cn=x",
        "http://user:word@pki.example/x",
        "http://pki.example:8080/x",
    ],
)
def test_private_and_odd_addresses_are_never_asked(url: str) -> None:
    with pytest.raises(RefusedUrl):
        fetch(url, limits=LIMITS, user_agent="Signet test")


@pytest.mark.parametrize("certified", [HOST, "other.test"])
def test_the_name_stays_the_name_though_an_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, certified: str
) -> None:
    """The certificate is checked for the name in the URL, and Host says it, too."""
    with serving_securely(monkeypatch, tmp_path / "tls", certified=certified) as site:
        site.routes["/a"] = Reply(b"here")
        if certified == HOST:
            assert get(site, "/a").content == b"here"
            assert site.asked[0].fields["host"] == f"{HOST}:{site.port}"
        else:
            with pytest.raises(NotFetched, match="SSLCertVerificationError"):
                get(site, "/a")
            assert site.asked == []
