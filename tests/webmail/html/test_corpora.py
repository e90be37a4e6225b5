"""Whole corpora through the pipeline: nothing raises, nothing is left, most of the layout stays."""

import json
import re

import pytest
import tinycss2
from selectolax.lexbor import LexborHTMLParser

from tests.corpora import corpus
from tests.webmail.html.inspection import problems
from webmail.html import ImagePolicy, document, html_to_text, own_html, sanitise_html
from webmail.html.css import safe_declarations

pytestmark = pytest.mark.corpus
PROXY = ImagePolicy(remote=lambda url: "/img/x", cid=lambda cid: "/part/x")


def hostile():
    for name in ("html5sec/vectors.json", "signet-own/attack-html.json"):
        path = corpus("mime") / name
        yield from json.loads(path.read_text(encoding="utf-8"))


def pages(folder):
    for path in sorted((corpus("mime") / folder).glob("*.html")):
        yield path.name, path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("second_wash", [False, True])
def test_hostile_corpora_leave_nothing(theme, second_wash):
    count = 0
    for source in hostile():
        count += 1
        safe = sanitise_html(source, images=ImagePolicy(), theme=theme, second_wash=second_wash)
        assert problems(safe) == [], source
        shown = sanitise_html(source, images=PROXY, theme=theme, second_wash=second_wash)
        assert problems(shown, images="/") == [], source
    assert count == 239


def test_hostile_corpora_in_the_composer_and_as_text():
    for source in hostile():
        own = own_html(source)
        assert not re.search(r"<(?:script|style|svg|form|iframe|object|base|meta)\b", own), source
        for node in LexborHTMLParser(own).css("*"):
            for name, value in node.attributes.items():
                assert not name.startswith("on"), source
                assert not re.match(r"\s*(?:javascript|vbscript):", value or "", re.IGNORECASE), (
                    source
                )
        html_to_text(source)


@pytest.mark.parametrize("folder", ["caniemail", "newsletters"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ordinary_pages_are_shown(folder, theme):
    count = 0
    for name, source in pages(folder):
        count += 1
        safe = sanitise_html(source, images=ImagePolicy(), theme=theme)
        assert problems(safe) == [], name
        assert not safe.text_view, name
        assert not [link for link in safe.links if link.reason == "hidden"], name
        whole = document([safe], theme=theme, language="en", title=name)
        assert "https://" not in "".join(re.findall(r"<style>.*?</style>", whole, re.DOTALL)), name
    assert count >= 5


def test_most_inline_declarations_are_kept():
    kept = total = 0
    for folder in ("caniemail", "newsletters"):
        for _, source in pages(folder):
            for node in LexborHTMLParser(source).css("[style]"):
                style = node.attributes["style"] or ""
                total += sum(
                    item.type == "declaration"
                    for item in tinycss2.parse_blocks_contents(style, skip_whitespace=True)
                )
                kept += safe_declarations(style).kept
    assert total > 3_000
    assert kept / total >= 0.90


def test_speed_on_newsletters(clock):
    """535 kB measured 0.03 to 0.1 s of processor time; ten times that fails."""
    for name, source in pages("newsletters"):
        before = clock()
        sanitise_html(source, images=ImagePolicy())
        assert clock() - before < 1.0, name


def test_words_of_newsletters_survive_as_text():
    for name, source in pages("newsletters"):
        text = html_to_text(source)
        assert "Hello" in text or len(text) > 100, name
        assert "<td" not in text and "{" not in text.split("http")[0], name
