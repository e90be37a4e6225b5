"""HTML to text: the words in the order and shape a reader would see."""

import pytest

from webmail.html import html_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>Hello <b>you</b></p><p>Bye</p>", "Hello you\n\nBye"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("  a \n\t b  ", "a b"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>d", "- a\n- b\n  - c\n\nd"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("x<blockquote>a<blockquote>b</blockquote></blockquote>y", "x\n\n> a\n>\n> > b\n>\n\ny"),
        ("<a href='https://a.example/x'>here</a>", "here <https://a.example/x>"),
        ("<a href='https://a.example/'>a.example</a>", "a.example"),
        ("<a href='javascript:alert(1)'>here</a>", "here"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<img alt='Logo' src=x> text", "Logo text"),
        ("<h1>T</h1>x<hr>y", "T\n\nx\n" + "-" * 40 + "\ny"),
        ("<style>p{}</style><script>x</script><title>t</title>a<!-- c -->", "a"),
        ("<div style='display:none'>hidden</div><p hidden>h</p>shown", "shown"),
        ("a&nbsp;&amp;&lt;b&gt;", "a &<b>"),
        ("x\u200c\u00ad\u034f y", "x y"),
        ("", ""),
        ("<", "<"),
        ("a\x00b", "a\ufffdb"),
    ],
)  # fmt: skip
def test_text(source, text):
    assert html_to_text(source) == text


BOMBS = {
    "nested": "<div>" * 200_000 + "end",
    "unclosed comments": "<!--" * 100_000,
    "unclosed tags": "<a" * 500_000,
    "styles": "<style>" * 100_000,
    "ampersands": "&" * 1_000_000,
    "lists": "<ul><li>" * 200 + "x",
    "quotes": "<blockquote>x" * 400,
    "breaks": "<br>" * 39_000,
    "table": "<td>x" * 30_000,
    "text": "word " * 200_000,
    "padding": "\u034f \u00ad" * 300_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_in_time(name, clock):
    assert isinstance(html_to_text(BOMBS[name]), str)
    assert clock() < 3
