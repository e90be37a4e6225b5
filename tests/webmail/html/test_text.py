"""Plain text: escaping, links, flowed lines, quotes, signatures, bombs."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.webmail.html.inspection import problems
from webmail.html import LinkPolicy, render_text
from webmail.html.lines import Line, LineReader


def test_markup_is_text():
    safe = render_text("<script>alert(1)</script> & <img src=x onerror=alert(1)> \"'")
    assert problems(safe) == []
    assert LexborHTMLParser(safe.body).css("script, img") == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;img" in safe.body


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("see https://a.com/x?a=1&b=2.", "https://a.com/x?a=1&b=2"),
        ("(www.a.com/x)", "http://www.a.com/x"),
        ("write to a@b.com, please", "mailto:a@b.com"),
        ("mailto:a@b.com?bcc=c@d.com", "mailto:a@b.com"),
        ("javascript://a.com/%0aalert(1)", "http://a.com/%0aalert(1)"),
        ("data://x/x", None),
        ("ftp://x/x", None),
        ("[<script>alert(1)</script>](https://x.y)", None),
        ("no link here. None", None),
    ],
)
def test_links(text, href):
    """Row 12: linkify sees escaped text, nh3 sees what linkify made."""
    safe = render_text(text)
    assert problems(safe) == []
    links = [node.attributes for node in LexborHTMLParser(safe.body).css("a[href]")]
    assert [link["href"] for link in links] == ([href] if href else [])
    for link in links:
        assert link["rel"] == "noopener noreferrer nofollow" and link["target"] == "_blank"


@pytest.mark.parametrize(
    "text",
    [
        'https://a.com/"onmouseover=alert(1)//',
        "https://a.com/'onmouseover='alert(1)",
        "https://a.com/<img src=x onerror=alert(1)>",
        "http://a.com/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
        "[a]: javascript:alert(1)\n[1]:<script>alert(1)</script>",
        "https://a.com/?x=[<a href=javascript:alert(1)>]",
        "a\x00b\x1bc\u202ed\u2066e",
    ],
)
def test_hostile_links(text):
    safe = render_text(text)
    assert problems(safe) == []
    assert LexborHTMLParser(safe.body).css("[onmouseover], script, img") == []
    assert not set(safe.body) & set("\x00\x1b\u202e\u2066")


def test_disguised_host_in_text_leads_to_the_confirm_page():
    rule = LinkPolicy(deceptive=lambda url: "/go/x")
    safe = render_text("https://b\u0430nk.com/x", links=rule)
    assert safe.links[0].reason == "mixed-scripts" and 'href="/go/x"' in safe.body
    assert "@evil.com" not in "".join(
        link.href for link in render_text("https://bank.com@evil.com/", links=rule).links
    )


@pytest.mark.parametrize(
    ("text", "flowed", "delsp", "lines"),
    [
        ("a \nb", False, False, [(0, "a "), (0, "b")]),
        ("a \nb", True, False, [(0, "a b")]),
        ("a \r\nb \r\nc", True, True, [(0, "abc")]),
        ("> a \n> b\nc", True, False, [(1, "a b"), (0, "c")]),
        ("> a \n>> b", True, False, [(1, "a "), (2, "b")]),
        (" From x\n  y", True, False, [(0, "From x"), (0, " y")]),
        (" >x", True, False, [(0, ">x")]),
        ("a \n-- \nsig", True, False, [(0, "a "), (0, "-- "), (0, "sig")]),
        ("-- \nb", True, False, [(0, "-- "), (0, "b")]),
        ("> > a\n>b\n>  c", False, False, [(2, "a"), (1, "b"), (1, " c")]),
        (">" * 50 + "x", False, False, [(20, "x")]),
        ("a\rb", False, False, [(0, "a\rb")]),
        ("", False, False, [(0, "")]),
    ],
)
def test_lines(text, flowed, delsp, lines):
    found = list(LineReader(flowed=flowed, delsp=delsp).read(text))
    assert found == [Line(*line) for line in lines]


def test_quotes_and_signature_are_folded():
    body = render_text("Hi\n> one\n>> two\n> one\nBye\n-- \nAnn\n> odd").body
    tree = LexborHTMLParser(body)
    assert [node.text(deep=False) for node in tree.css("summary")] == [
        "Show quoted text",
        "Show signature",
    ]
    quote, signature = tree.css("details")
    assert "two" in quote.text() and "one" not in quote.text()
    assert "Ann" in signature.text() and "Bye" not in signature.text()
    assert all("open" not in node.attributes for node in (quote, signature))
    assert tree.css("details details") == []


def test_labels_are_text():
    body = render_text(">> x", quote_label="<b>&").body
    assert "<summary>&lt;b&gt;&amp;</summary>" in body


BOMBS = {
    "200,000 a": "a" * 200_000,
    "50,000 a.": "a." * 50_000,
    "20,000 brackets": "(" * 20_000 + ")" * 20_000,
    "1,000 characters, linkable": ("www." + "-a" * 490 + "\n") * 2_000,
    "brackets in links": ("http://((((((((((" + "a" * 900 + "\n") * 2_000,
    "addresses": ("a" * 990 + "@b\n") * 2_000,
    "quote marks": ">" * 100_000,
    "quote stairs": "".join(">" * (i % 21) + " x\n" for i in range(100_000)),
    "ampersands": "&" * 1_000_000,
    "ampersands in words": ("x" * 20 + "&") * 100_000,
    "no-break spaces": "\xa0" * 2_000_000,
    "quotation marks": "\xab " * 1_000_000,
    "one flowed paragraph": "a \n" * 700_000,
    "quotes and none": ">a\nb\n" * 400_000,
    "empty lines": "\n" * 2_000_000,
    "tags": "<" * 1_000_000,
    "lines": "word word\n" * 250_000,
    "links": "https://a.com/x\n" * 10_000,
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("flowed", [False, True])
def test_bomb_is_shown_in_time(name, flowed, clock):
    safe = render_text(BOMBS[name], flowed=flowed)
    assert clock() < 4
    assert safe.body


def test_long_lines_and_many_lines_stay_unlinked():
    assert "<a " not in render_text("https://a.com/" + "x" * 1_000).body
    safe = render_text("https://a.com/x\n" * 2_100)
    assert safe.body.count("<a ") == 2_000 and "linkify" in safe.limits_hit


def test_text_is_cut_at_the_limit():
    safe = render_text("x" * (2 * 1024 * 1024 + 5))
    assert safe.limits_hit == ("text",)
    assert len(LexborHTMLParser(safe.body).text()) == 2 * 1024 * 1024


def test_lines_beyond_the_limit_are_cut_and_said():
    assert "text" in render_text("x\n" * 40_001).limits_hit
    assert render_text("x\n" * 39_999).limits_hit == ()


def test_quotes_beyond_the_limit_keep_their_marks():
    body = render_text(">a\nb\n" * 3_000).body
    assert body.count("<blockquote>") == 2_500 and "&gt;a\nb" in body


def test_what_is_no_text_is_cut_early_and_said():
    safe = render_text(bytes(range(256)).decode("latin-1") * 8_000)
    assert safe.limits_hit == ("not-text",)
    assert len(safe.body) < 40_000
    assert render_text("\x1b[31mcoloured\x1b[0m\n" * 5_000).limits_hit == ()


def test_long_blocks_lose_no_line():
    text = "\n".join(f"line {number} \xab&\xbb" for number in range(5_000))
    tree = LexborHTMLParser(render_text(text).body)
    assert "\n".join(node.text() for node in tree.css("div.signet-text")) == text
    long = "&\xa0" * 20_000
    assert LexborHTMLParser(render_text(long).body).css_first("div.signet-text").text() == long


def test_no_links_where_nothing_is_to_be_relied_on():
    safe = render_text("pay at https://a.example/ or write to b@a.example", linked=False)
    assert safe.links == ()
    assert LexborHTMLParser(safe.body).css("a") == []
    assert "https://a.example/" in safe.body
