"""Quoted text of a reply is folded; everything the writer said stays open."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.webmail.html.inspection import problems
from webmail.html import ImagePolicy, sanitise_html


def folded(source, **options):
    safe = sanitise_html(source, images=ImagePolicy(), **options)
    assert problems(safe) == []
    return [node.text(deep=True) for node in LexborHTMLParser(safe.body).css("details")]


LABEL = "Show quoted text"


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("Hi<div class='gmail_quote'>On … wrote:<blockquote>old</blockquote></div>", ["On … wrote:old"]),
        ("Hi<div class='gmail_quote'>old</div><br><p>&nbsp;</p>", ["old"]),
        ("Hi<blockquote type='cite'>old</blockquote>", ["old"]),
        ("Hi<div class='yahoo_quoted'>old</div>", ["old"]),
        ("<table><tr><td>Hi<blockquote type=cite>old</blockquote></table>", ["old"]),
        ("<img src=x><blockquote type=cite>old</blockquote>", ["old"]),
        # answers below or between stay readable in their context
        ("Hi<blockquote type='cite'>old</blockquote>answer", []),
        ("a<blockquote type=cite>1</blockquote>b<blockquote type=cite>2</blockquote>", ["2"]),
        # a forward is all the mail there is
        ("<div class='gmail_quote'>Forwarded message</div>", []),
        (" <br><blockquote type='cite'>old</blockquote>", []),
        # a quotation of a writer is no reply
        ("Hi<blockquote>To be or not</blockquote>", []),
        ("Hi<blockquote type=evil>To be or not</blockquote>", []),
        # the second level is folded wherever it is
        ("a<blockquote>b<blockquote>c<blockquote>d</blockquote></blockquote>e</blockquote>f", ["cd"]),
        ("a<blockquote type=cite></blockquote>", []),
        ("<p class='gmail_quote", []),
    ],
)  # fmt: skip
def test_folding(source, texts):
    assert folded(source) == [LABEL + text for text in texts]
    assert folded(source, second_wash=True) == [LABEL + text for text in texts]


def test_folding_can_be_off_and_labelled():
    source = "Hi<blockquote type='cite'>old</blockquote>"
    assert folded(source, quoted_folding=False) == []
    assert folded(source, quote_label="<i>&") == ["<i>&old"]


def test_second_writing_keeps_links_images_and_styles():
    source = (
        "<p style='color:red'>Hi <a href='https://a.example/'>a</a> <a href='#b'>b</a>"
        "<img src='cid:x'></p><div class=gmail_quote style='margin:0'><a href='https://c.example/'>"
        "c</a></div>"
    )
    policy = ImagePolicy(cid=lambda cid: f"/part/{cid}")
    once = sanitise_html(source, images=policy, quoted_folding=False).body
    twice = sanitise_html(source, images=policy).body
    start = '<details class="signet-quote"><summary>Show quoted text</summary>'
    assert twice.replace(start, "").replace("</details>", "") == once
    assert twice.count('target="_blank"') == 2 and "/part/x" in twice
