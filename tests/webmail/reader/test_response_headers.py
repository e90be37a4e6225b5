"""The exact header fields of every kind of answer that carries mail (rendering.md §7)."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.http.response import HttpResponseBase

from tests.webmail.attached.made import animation, pdf, picture
from webmail.reader import images

type Get = Callable[..., HttpResponseBase]

# What every answer carries: rendering.md has the first four for frames, the site for all.
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
    "Cache-Control": "private, no-store",
}
PAGE = EVERYWHERE | {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    ),
    "Referrer-Policy": "same-origin",
}
FRAME = EVERYWHERE | {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; font-src 'none'; "
        "script-src 'none'; object-src 'none'; frame-src 'none'; connect-src 'none'; "
        "media-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    ),
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), clipboard-read=(), clipboard-write=()"
    ),
    "X-DNS-Prefetch-Control": "off",
}
PART = EVERYWHERE | {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def part(content_type: str, disposition: str, name: str, **more: str) -> dict[str, str]:
    stated = f"{disposition}; filename=\"{name}\"; filename*=UTF-8''{name}"
    return PART | {"Content-Type": content_type, "Content-Disposition": stated} | more


OCTETS = "application/octet-stream"
EXPECTED = {
    "page": PAGE,
    "page-of-none": PAGE,
    "cards": PAGE,
    "source": PAGE,
    "viewer": PAGE,
    "viewer-dialog": PAGE,
    "go": PAGE,
    "forged-token": PAGE,
    "images-chosen": PAGE | {"Location": "/message/N?images=once#opened-N"},
    "frame": FRAME,
    "frame-of-forwarded": FRAME,
    "go-of-forwarded": PAGE,
    "pdf": part("application/pdf", "attachment", "a.pdf"),
    "pdf-in-place": part("application/pdf", "attachment", "a.pdf"),
    "picture": part("image/png", "attachment", "b.png"),
    "picture-in-place": part("image/png", "inline", "b.png"),
    "text-in-place": part("text/plain; charset=utf-8", "inline", "c.txt"),
    "html-in-place": part(OCTETS, "attachment", "d.html"),
    "svg-in-place": part(OCTETS, "attachment", "e.svg"),
    "script-in-place": part(OCTETS, "attachment", "f.js"),
    "inline-picture": part("image/png", "inline", "part-2.bin"),
    "drawn-page": part("image/webp", "inline", "page.webp"),
    "drawn-animation": part("image/webp", "inline", "page.webp"),
    "zip": part("application/zip", "attachment", "Attachments.zip"),
    "eml": part("message/rfc822", "attachment", "message-N.eml"),
    "remote-image": part(
        "image/png", "inline", "image", **{"Cache-Control": "private, max-age=3600"}
    ),
    "no-remote-image": PAGE,
}
# A message's number: on PostgreSQL they are not begun anew for each test.
NUMBER = re.compile(r"(?:(?<=message[-/])|(?<=opened-))\d+")
# Not said by rendering.md: how long it is, and what the language of the page depends on.
BESIDE = {"Content-Length", "Content-Language", "Vary"}
HTML = (
    b"From: Anna <anna@nordlys.example>\r\nSubject: s\r\nContent-Type: text/html\r\n\r\n"
    b"<img src=https://p.example/a.png><img src=https://p.example/none.png>"
    b"<a href='https://evil.example/'>https://bank.example/</a>"
)
RELATED = (
    b'Subject: s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/html\r\n\r\n<img src='cid:one@x'>\r\n--b\r\n"
    b"Content-Type: image/png\r\nContent-ID: <one@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
)


def found(answer: HttpResponseBase, pattern: str) -> list[str]:
    """The addresses in a page that match, each once, without "?download=1"."""
    text = answer.content.decode()
    urls = re.findall(rf'(?:href|src)="({pattern})(?:\?download=1)?"', text)
    return [unescape(url) for url in dict.fromkeys(urls)]


@pytest.fixture
def answers(letters, monkeypatch) -> dict[str, HttpResponseBase]:
    """One answer of each kind, by name."""
    import base64

    def fetch(url: str) -> bytes:
        if "none" in url:
            raise images.NoImage("status 404")
        return picture()

    monkeypatch.setattr(images, "fetch", fetch)
    get: Get = letters.client.get
    made: dict[str, HttpResponseBase] = {}
    files = letters.letter(
        ("a.pdf", "application/pdf", pdf(4)),
        ("b.png", "image/png", picture()),
        ("c.txt", "text/plain", b"text"),
        ("d.html", "text/html", b"<script>"),
        ("e.svg", "image/svg+xml", b"<svg/>"),
        ("f.js", "text/javascript", b"alert(1)"),
        ("g.gif", "image/gif", animation()),
    )
    made["page"] = get(f"/message/{files.pk}")
    made["page-of-none"] = get("/message/999")
    (frame,) = found(made["page"], r"/m/[^\"?]*")
    made["frame"] = get(frame)
    made["cards"] = get(f"/message/{files.pk}/attached", headers={"HX-Request": "true"})
    a, b, c, d, e, f, _g = found(made["cards"], r"/part/[^\"?]*")
    made |= {"pdf": get(f"{a}?download=1"), "pdf-in-place": get(a)}
    made |= {"picture": get(f"{b}?download=1"), "picture-in-place": get(b)}
    made |= {"text-in-place": get(c), "html-in-place": get(d)}
    made |= {"svg-in-place": get(e), "script-in-place": get(f)}
    (made_zip,) = found(made["cards"], r"/attached/[^\"?]*\.zip")
    made["zip"] = get(made_zip)
    views = [url for url in found(made["cards"], r"/attached/[^\"?]*") if url != made_zip]
    made["viewer"] = get(views[0])
    made["viewer-dialog"] = get(views[0], headers={"HX-Request": "true"})
    made["drawn-page"] = get(found(made["viewer"], r"/attached/[^\"?]*/page")[0])
    made["drawn-animation"] = get(found(get(views[-1]), r"/attached/[^\"?]*/page")[-1])
    made["source"] = get(f"/message/{files.pk}/source")
    made["eml"] = get(f"/message/{files.pk}/raw.eml")
    made["forged-token"] = get(f"{a}x")

    page = letters.put(HTML)
    chosen = {"choice": "once"}
    made["images-chosen"] = letters.client.post(f"/message/{page.pk}/images", chosen)
    (frame,) = found(get(f"/message/{page.pk}?images=once"), r"/m/[^\"?]*")
    document = get(frame)
    image, none = found(document, r"/img/[^\"?]*")
    made |= {"remote-image": get(image), "no-remote-image": get(none)}
    made["go"] = get(found(document, r"/go/[^\"?]*")[0])

    related = letters.put(RELATED + base64.encodebytes(picture()) + b"--b--\r\n")
    (frame,) = found(letters.client.get(f"/message/{related.pk}"), r"/m/[^\"?]*")
    made["inline-picture"] = get(found(get(frame), r"/part/[^\"?]*")[0])

    forwarded = letters.forwarded(HTML)
    cards = letters.cards(forwarded)
    view = get(unescape(re.findall(r'href="(/attached/[^"?]*)"', cards)[0]))
    made["frame-of-forwarded"] = get(found(view, r"/attached/[^\"?]*/frame")[0])
    made["go-of-forwarded"] = get(found(made["frame-of-forwarded"], r"/attached/[^\"?]*/go")[0])
    return made


def test_every_kind_of_answer_has_exactly_its_header_fields(answers) -> None:
    assert answers.keys() == EXPECTED.keys()
    for name, answer in answers.items():
        sent = {key: NUMBER.sub("N", value) for key, value in answer.items() if key not in BESIDE}
        assert sent == EXPECTED[name], name


def test_nothing_but_a_page_or_a_frame_is_ever_html(answers) -> None:
    for name, answer in answers.items():
        is_html = answer["Content-Type"].startswith("text/html")
        assert is_html == (EXPECTED[name] in (PAGE, FRAME) or "Location" in answer), name
        assert "allow-scripts" not in answer["Content-Security-Policy"], name


@pytest.mark.parametrize("kind", ["frame", "part", "img", "go", "attached", "attached-page"])
def test_every_address_of_the_reader_answers_strangers_with_no_mail(client, kind) -> None:
    """Signed out: to the sign-in page, whatever the token, with the headers of a page."""
    from django.urls import reverse

    answer = client.get(reverse(f"reader:{kind}", args=["token"]))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in")
    sent = {key: value for key, value in answer.items() if key not in BESIDE | {"Location"}}
    assert sent == PAGE
