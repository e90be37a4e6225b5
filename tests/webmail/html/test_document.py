"""The document of the frame: one shell, two themes, the parts as nh3 wrote them."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from webmail.html import ImagePolicy, SafeHtml, document, render_text, sanitise_html

DARK_MAIL = "<style>@media (prefers-color-scheme:dark){p{background:#000}}</style><p>x"


def shown(source, theme="light", **options):
    safe = sanitise_html(source, images=ImagePolicy(), theme=theme)
    return document([safe], theme=theme, language="en", title="T", **options)


def test_shell():
    whole = document([SafeHtml(body="<p>x</p>")], theme="light", language="nl-NL", title="<b>&")
    assert whole.startswith('<!DOCTYPE html>\n<html lang="nl-NL">')
    assert "<title>&lt;b&gt;&amp;</title>" in whole
    assert "<p>x</p>" in whole
    tree = LexborHTMLParser(whole)
    assert tree.css("script, link, base, meta[http-equiv], iframe") == []
    assert "url(" not in whole and "@import" not in whole


@pytest.mark.parametrize("language", [None, "", 'en"><script>', "x" * 50, "en\n"])
def test_language_is_a_tag_or_absent(language):
    assert "\n<html>\n" in document([], theme="light", language=language, title="")


def test_light_theme_is_only_light():
    whole = shown(DARK_MAIL)
    assert ":root{color-scheme:only light}" in whole
    assert "prefers-color-scheme" not in whole and "invert(" not in whole


def test_dark_theme_uses_the_dark_rules_of_the_mail():
    whole = shown(DARK_MAIL, theme="dark")
    assert "p{background:#000}" in whole
    assert "prefers-color-scheme" not in whole and "invert(" not in whole


def test_dark_theme_inverts_a_mail_without_dark_rules():
    whole = shown("<p>x", theme="dark")
    assert "html{background:#fff;filter:invert(1) hue-rotate(180deg)}" in whole
    assert "img{filter:invert(1) hue-rotate(180deg)}" in whole


def test_on_a_card_everything_is_light_with_a_margin():
    safe = sanitise_html("<p>x", images=ImagePolicy())
    whole = document([safe], theme="card", language=None, title="")
    assert "color-scheme:only light" in whole and "invert(" not in whole
    assert "@media screen{html{background:#fff;padding:16px 20px}}" in whole


def test_language_and_direction_are_those_the_mail_names():
    whole = shown("<html lang=he dir=RTL><body>x")
    assert '<div class="signet-part" dir="rtl" lang="he">x</div>' in whole
    assert 'dir="rtl"' in shown("<body dir=rtl>x")
    assert '<div class="signet-part" dir="auto">x</div>' in shown("<html lang='\"><b' dir=up>x")


def test_text_is_dark_by_itself():
    whole = document([render_text("x")], theme="dark", language=None, title="")
    assert "invert(" not in whole and "color-scheme:only dark" in whole


def test_body_attributes_of_the_mail_go_to_the_body():
    whole = shown("<body bgcolor=#eee background=https://a.example/b.png style='margin:1px'>x")
    body = LexborHTMLParser(whole).body
    assert body.attributes["style"] == "background-color:#eee;margin:1px"
    assert body.attributes["background"].startswith("data:image/gif")


def test_several_parts_keep_their_bodies_apart():
    parts = [SafeHtml(body="a", body_style="color:red"), SafeHtml(body="b"), render_text("c")]
    tree = LexborHTMLParser(document(parts, theme="light", language=None, title=""))
    assert "style" not in tree.body.attributes
    sections = tree.css("div.signet-part")
    assert [node.text() for node in sections] == ["a", "b", "c"]
    assert sections[0].attributes["style"] == "color:red"
    assert "signet-plain" in sections[2].attributes["class"]


def test_css_of_the_mail_cannot_leave_its_element():
    whole = shown("<style>p{font-family:'</style><script>alert(1)</script>'}</style><p>x")
    assert LexborHTMLParser(whole).css("script") == []


def test_print_and_phone_rules_are_there():
    whole = document([], theme="dark", language=None, title="")
    for rule in ("@media print", "@media (max-width:640px)", "overflow-x:auto", "Inter,system-ui"):
        assert rule in whole
