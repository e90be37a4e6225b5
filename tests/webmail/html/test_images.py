"""Images: blocked, proxied, in the mail, and the ones that only count."""

import base64

import pytest
from selectolax.lexbor import LexborHTMLParser

from webmail.html import (
    NO_PICTURE,
    PLACEHOLDER,
    HtmlLimits,
    ImagePolicy,
    raster_type,
    sanitise_html,
)
from webmail.html.rasters import data_image
from webmail.html.reading import is_counter_url

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)
BLOCK = ImagePolicy()
PROXY = ImagePolicy(remote=lambda url: f"/img/{len(url)}", cid=lambda cid: f"/part/{cid}")


def sources(safe):
    return [node.attributes.get("src") for node in LexborHTMLParser(safe.body).css("img")]


def test_blocked_images_are_counted_once_each_in_order():
    html = "".join(f"<img src=http://a.example/{name}.png>" for name in "xyx")
    safe = sanitise_html(html, images=BLOCK)
    assert sources(safe) == [PLACEHOLDER] * 3
    assert safe.remote_images == ("http://a.example/x.png", "http://a.example/y.png")
    assert safe.loaded_images == ()


def test_a_blocked_image_leaves_room_for_its_text():
    """A browser draws the text of an image that is none; a spacer stays an empty pixel."""
    safe = sanitise_html(
        "<img src=https://a.example/hall.png alt='The hall'><img src=cid:lost alt=Plan>"
        "<img src=https://a.example/gap.png alt=' '><img src=https://a.example/open.gif alt=x>",
        images=BLOCK,
    )
    assert sources(safe) == [NO_PICTURE, NO_PICTURE, PLACEHOLDER, PLACEHOLDER]
    assert safe.trackers == 1


def test_allowed_images_come_from_the_rule():
    safe = sanitise_html(
        "<img src='//a.example/x.png'><img src=' HTTPS://a.example/y z.png'><img src='cid:%3Ca@b%3E'>"
        "<table background='https://a.example/t.png'><tr><td>x</table><body background=https://b.example/c.png>",
        images=PROXY,
    )
    assert sources(safe) == ["/img/23", "/img/27", "/part/a@b"]
    assert 'background="/img/23"' in safe.body
    assert safe.loaded_images == (
        "https://b.example/c.png",
        "https://a.example/x.png",
        "HTTPS://a.example/y%20z.png",
        "https://a.example/t.png",
    )
    assert safe.body_background == "/img/23"
    assert safe.remote_images == ()


@pytest.mark.parametrize(
    "source",
    ["cid:none", "x.png", "/logout", "file:///etc/passwd", "javascript:alert(1)", "ftp://a/b", "",
     "https://a.example/" + "x" * 5000, "blob:https://a.example/1"],
)  # fmt: skip
def test_everything_else_loads_nothing(source):
    safe = sanitise_html(f"<img src='{source}'>", images=BLOCK)
    assert sources(safe) in ([PLACEHOLDER], [None])
    assert safe.remote_images == ()


@pytest.mark.parametrize(
    "image",
    [
        "<img src='https://t.example/a' width=1 height=1>",
        "<img src='https://t.example/a' width='1px' height='0'>",
        "<img src='https://t.example/a' style='display:none'>",
        "<img src='https://t.example/a' style='width:1px;height:1px'>",
        "<img src='https://t.example/a' style='color:red;max-height: 0 !important'>",
        "<img src='https://t.example/a' style='opacity:0'>",
        "<img src='https://t.example/a' style='visibility : hidden'>",
        "<img src='https://t.example/a' hidden>",
        "<div style='display:none'><p><img src='https://t.example/a'></p></div>",
        "<img src='https://t.example/wf/open?upn=x'>",
        "<img src='https://t.example/track/open.php?u=1'>",
        "<img src='https://t.example/o/pixel.gif?x'>",
        "<img src='https://t.example/beacon'>",
    ],
)
def test_tracker_is_named_and_never_loaded(image):
    safe = sanitise_html(image, images=PROXY)
    assert sources(safe) == [PLACEHOLDER]
    assert safe.trackers == 1 and safe.tracker_hosts == ("t.example",)
    assert safe.remote_images == () == safe.loaded_images


@pytest.mark.parametrize(
    "url",
    [
        "/open", "/opened?", "/e/OPENTRACK", "/openlog", "/tracking-pixel", "/track.gif", "/q/pixel.php",
        "/beacon.png", "/spacer_track", "/p/1x1.png", "/BLANK.GIF??", "/clear.gif?", "/trace.gif",
        "/o.gif", "/ss/t.gif#", "/x?emailopen=1", "/x?open_id=2", "/x?a&utm_emailopen=", "/x?tracker_id=1",
        "/x?trackingpixel=", "/x?TRACKID=", "/x?tr\u212acking&trac\u212a_id=1",
    ],
)  # fmt: skip
def test_every_shape_of_a_counter_is_one(url):
    assert is_counter_url(f"https://t.example{url}")


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/logo.png",
        "https://a.example/images/opening-hours.png",
        "https://a.example/trackpants/1.jpg",
        "https://cdn.example/e/images/hero.gif",
    ],
)
def test_ordinary_images_are_no_trackers(url):
    assert not is_counter_url(url)
    safe = sanitise_html(f"<img src='{url}' width=600 height=1>", images=BLOCK)
    assert safe.trackers == 0 and safe.remote_images == (url,)


def test_data_images_are_rebuilt_and_limited():
    encoded = base64.b64encode(PNG).decode()
    assert data_image(f"data:image/jpeg;base64,{encoded[:8]} {encoded[8:]}", largest=999) == (
        f"data:image/png;base64,{encoded}",
        len(PNG),
    )
    for bad in ("data:image/svg+xml;base64,PHN2Zz4=", "data:image/png,abc", "data:image/png;base64,@@",
                "data:image/png;base64,PHN2Zz4=", f"data:text/html;base64,{encoded}"):  # fmt: skip
        assert data_image(bad, largest=999) is None
    assert data_image(f"data:image/png;base64,{encoded}", largest=len(PNG) - 1) is None


def test_data_images_have_a_common_limit():
    one = base64.b64encode(PNG + bytes(100 * 1024)).decode()
    safe = sanitise_html(f"<img src='data:image/png;base64,{one}'>" * 7, images=BLOCK)
    assert len(safe.body) > 700 * 1024
    limits = HtmlLimits(data_images=250 * 1024)
    safe = sanitise_html(
        f"<img src='data:image/png;base64,{one}'>" * 7, images=BLOCK, limits=limits
    )
    assert sources(safe).count(PLACEHOLDER) == 5


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (PNG, "image/png"),
        (b"GIF89a....", "image/gif"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x20ftypavif....", "image/avif"),
        (b"<svg xmlns=", None),
        (b"%PDF-1.7", None),
        (b"", None),
        (b"RIFF\0\0\0\0WAVE", None),
    ],
)
def test_magic_numbers(start, kind):
    assert raster_type(start) == kind
