"""Which targets survive, which deceive, and where deceptive ones lead."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from webmail.html import HtmlLimits, ImagePolicy, LinkPolicy, links, sanitise_html
from webmail.html.links import read_target, safe_mailto
from webmail.html.reading import read_html

POLICY = LinkPolicy(own_hosts=frozenset({"webmail.example"}))


def clean(source, **options):
    return sanitise_html(source, images=ImagePolicy(), **options)


@pytest.mark.parametrize(
    ("raw", "href"),
    [
        ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
        ("HTTPS://A.example/X", "https://A.example/X"),
        (" \t\nhttps://a.example ", "https://a.example"),
        ("\u200bhttps://a.example", "https://a.example"),
        ("ht\ntps://a.example/b c", "https://a.example/b%20c"),
        ("https:a.example/x", "https://a.example/x"),
        ("https:\\\\a.example/x", "https://a.example/x"),
        ("https:////a.example/x", "https://a.example/x"),
        ('https://a.example/"><b>', "https://a.example/%22%3E%3Cb%3E"),
        ("https://a.example\\@b.example\\c?d\\e", "https://a.example/@b.example/c?d\\e"),
        ("#part-2", "#part-2"),
        ('#a"b', "#a%22b"),
        ("tel:+31 20 123", "tel:+3120123"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("https://bücher.example/", "https://bücher.example/"),
    ],
)
def test_target_is_kept(raw, href):
    target = read_target(raw, POLICY)
    assert target is not None and target.href == href


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "x",
        "/x",
        "?x",
        "//evil.example/x",
        "\\\\evil.example",
        "https://",
        "https:///",
        "https://[",
        "https://a b/",
        "http://<script>/",
        "javascript:alert(1)",
        "JAVA\tSCRIPT:alert(1)",
        "java\u200bscript:alert(1)",
        "java\u00adscript:alert(1)",
        "\u2066javascript:alert(1)",
        "data:text/html,x",
        "blob:https://a.example/1",
        "file:///etc/passwd",
        "view-source:https://a.example",
        "ftp://a.example/",
        "about:blank",
        "cid:x",
        "tel:javascript:alert(1)//" + "1" * 70,
        "https://webmail.example/logout",
        "https://WEBMAIL.example./logout",
        "https://user@webmail.example/",
        "https://\uff57ebmail.example/",
        "https://a.example/" + "x" * 9000,
    ],
)
def test_target_is_removed(raw):
    assert read_target(raw, POLICY) is None


@pytest.mark.parametrize(
    ("href", "text", "reason"),
    [
        ("https://bank.example/a", "bank.example", ""),
        ("https://www.bank.example/a", "https://bank.example/login", ""),
        ("https://bank.example/a", "www.bank.example", ""),
        ("https://login.bank.example/a", "Go to bank.example", ""),
        ("https://bank.example/a", "Click here", ""),
        ("https://bank.example/a", "Read report.pdf and index.html", ""),
        ("https://bank.example/a", "https://bank.example/file.zip?next=evil.example", ""),
        ("mailto:a@bank.example", "a@bank.example", ""),
        ("https://bücher.example", "bücher.example", ""),
        ("https://xn--bcher-kva.example", "bücher.example", ""),
        ("https://例え.jp/", "例え.jp", ""),
        ("https://evil.example/a", "bank.example", "text"),
        ("https://evil.example/bank.example", "https://bank.example", "text"),
        ("https://bank.example.evil.example/", "bank.example", "text"),
        ("https://notbank.example/", "bank.example", "text"),
        ("https://evil.example/", "BANK.example", "text"),
        ("https://evil.example/", "b\u200bank.example", "text"),
        ("https://evil.example/", "bank\uff0eexample", "text"),
        ("https://evil.example/", "Your account at bank.example is closed", "text"),
        ("https://evil.example/", "bank.example evil.example", "text"),
        ("https://evil.co.uk/", "co.uk", "text"),
        ("https://evil.example/", "www.bank.example", "text"),
        ("https://evil.example/", "security@bank.example", "text"),
        ("mailto:thief@evil.example", "ceo@bank.example", "text"),
        ("https://bank.example@evil.example/", "Click", "userinfo"),
        ("https://bank.example:443@evil.example/", "evil.example", "userinfo"),
        ("https://bank.example\\@evil.example/", "bank.example", ""),
        ("https://b\u0430nk.example/", "Click", "mixed-scripts"),
        ("https://xn--bnk-5cd.example/", "Click", "mixed-scripts"),
        ("https://\u0430\u0440\u0440\u04cf\u0435.example/", "Click", "mixed-scripts"),
        ("https://\u0440\u0430\u0443.example/", "Click", "mixed-scripts"),
        ("https://ev%69l.example/", "Click", "mixed-scripts"),
        ("https://2130706433/", "bank.example", "text"),
    ],
)
def test_deceptive_link_is_marked(href, text, reason):
    safe = clean(f'<a href="{href}">{text}</a>')
    assert [link.reason for link in safe.links] == [reason]
    assert safe.links[0].deceptive == bool(reason)
    assert ("href=" in safe.body) == (not reason)


def test_deceptive_link_leads_to_the_confirm_page():
    safe = clean(
        "<a href='https://evil.example/a'>bank.example</a><a href='https://ok.example/'>ok</a>",
        deceptive_href=lambda url: f"/go/{len(url)}",
    )
    hrefs = [node.attributes["href"] for node in LexborHTMLParser(safe.body).css("a")]
    assert hrefs == ["/go/22", "https://ok.example/"]
    assert safe.links[0].href == "https://evil.example/a" and safe.links[0].host == "evil.example"


def test_worst_text_decides_for_a_target():
    """One honest text does not clear the same target under a false one, in either order."""
    for texts in (("here", "bank.example"), ("bank.example", "here")):
        links = "".join(f"<a href='https://evil.example/'>{text}</a>" for text in texts)
        assert "evil.example" not in clean(links).body


def test_picture_text_counts():
    safe = clean("<a href='https://evil.example/'><img alt='bank.example' src=cid:x></a>")
    assert safe.links[0].deceptive


def test_unread_links_are_confirmed():
    """Beyond the limit nobody compared the texts: those links lead to the confirm page."""
    source = "".join(f"<a href='https://a.example/{i}'>x</a>" for i in range(5_010))
    safe = clean(source, deceptive_href=lambda url: "/go/x")
    assert "links" in safe.limits_hit
    assert safe.body.count('href="/go/x"') == 10


def test_windows_and_rel():
    tree = LexborHTMLParser(
        clean(
            "<a href='https://a.example' target=_top rel=opener ping=x>a</a><a href='#b'>b</a>"
            "<a name=c>c</a><a href='javascript:x'>d</a>"
            "<map name=m><area href='https://a.example' rel=opener></map>"
        ).body
    )
    away, fragment, name, dead = (node.attributes for node in tree.css("a"))
    assert away["target"] == "_blank" and away["rel"] == "noopener noreferrer nofollow"
    assert "ping" not in away
    assert "target" not in fragment and "target" not in name and "target" not in dead
    assert tree.css_first("area").attributes["rel"] == "noopener noreferrer nofollow"


@pytest.mark.parametrize(
    ("rest", "url"),
    [
        ("a@b.example", "mailto:a@b.example"),
        (
            "a@b.example?subject=Hi%20you&body=x%0D%0Ay",
            "mailto:a@b.example?subject=Hi%20you&body=x%0D%0Ay",
        ),
        ("a@b.example?bcc=c@d.example&attach=/etc/passwd&in-reply-to=x", "mailto:a@b.example"),
        ("?to=a@b.example&cc=c@d.example", "mailto:a@b.example?cc=c@d.example"),
        (
            "a@b.example?subject=x%0D%0ABcc:%20c@d.example",
            "mailto:a@b.example?subject=xBcc%3A%20c@d.example",
        ),
        ("a+b@c.example?subject=1+1", "mailto:a+b@c.example?subject=1%2B1"),
        ('a"<b>@c.example', "mailto:a%22%3Cb%3E@c.example"),
        ("?" + "&".join(f"cc=a{i}@b.example" for i in range(500)), None),
    ],
)
def test_mailto_is_rebuilt(rest, url):
    rebuilt = safe_mailto(rest)
    assert rebuilt == url if url else len(rebuilt) < 1000


_PIECES = (
    "http", "HTTPS", "https://", "http://", ":", "//", "/", "\\", "a.b", "own.example", "OWN.example",
    "x", "..", ".", "xn--", "XN--e1afmkfd", "@", "?", "#", "%2e", "%", "&", "{", "|", "^", "\u200b",
    "\xa0", " ", "\n", ":80", "é", "www.", "[::1]", "127.0.0.1", "_", "-", "~", "'", '"', "<", "[", "]",
)  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=8).map("".join), st.booleans())
def test_usual_targets_are_read_as_any_other(rest, has_scheme):
    policy = LinkPolicy(own_hosts=frozenset({"own.example"}))
    raw = f"https://{rest}" if has_scheme else rest
    found = read_target(raw, policy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "_USUAL", re.compile("(?!)"))
        assert read_target(raw, policy) == found


def test_links_are_noted_in_the_order_of_the_document():
    source = "<a href=#a>1</a><map><area href=#b></map><a>2</a><a href>3</a><a href=https://c.example>4</a>"
    assert [link.href for link in read_html(source, HtmlLimits()).links] == [
        "#a", "#b", "", "https://c.example",
    ]  # fmt: skip
    without_area = source.replace("area", "img")
    assert [link.href for link in read_html(without_area, HtmlLimits()).links] == [
        "#a", "", "https://c.example",
    ]  # fmt: skip
