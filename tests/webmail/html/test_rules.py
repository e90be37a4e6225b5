"""Rules found by one pattern are those that the tokeniser finds."""

import pytest
import tinycss2
from hypothesis import given
from hypothesis import strategies as st

from tests.webmail.html.test_css import sheet
from webmail.html import css, rules, selectors
from webmail.html.rules import read_rules

_PIECES = (
    "a{color:red}", "p , b.c > #d{margin:0 auto;;}", "a:hover{", "u+a{color:red}", "u +b{width:1px}",
    "@media (max-width:9px){", "@MEDIA print{b{color:red}}", "@media screen{}", "@media screen{/**/}",
    "@font-face{src:url(x)}", "@import 'x';", "@import url(x) screen;", "@keyframes a{from{top:0}}",
    "@charset", "@\\6dedia print{a{color:red}}", "@media_x{a{color:red}}", "@1{a{color:red}}",
    "a[class='x{']{color:red}", "a[id=b],[class]{color:red}", "a[", "]", "{", "}", "}}", "(", ")",
    "/*", "*/", "/*}*/", "/", "<!--", "-->", ";", "'", '"', "'{'", "\\", "\\{", "\n", "\r\n", " ",
    "url(", "url(a'b)", "url(a')')", "url(a(b)c)", "hsl(a(b)c)", "f(')')", "f(g(h(i)))", "f(url(a'b))", "url('')", "url( 'a)' )", "url(/*)", "b{background:url(a{b})}", "color:red", "color:",
    "b{color:/*;*/red}", "b{/**/color:red/**/}", "b{font:'A'}", "*{x:y}", "-->a{color:red}",
    "a::before,b{color:red}", "a:first-child:first-of-type{color:red}", "a:hover-x{color:red}",
    ".1a{color:red}", "a,,b{color:red}", "é{color:red}", "a--b _c,-d{color:red}", "a\x0bb{color:red}",
    "b{color:red;c{color:blue}}", "b{@media print{color:red}}", "#1{color:red}", "a>>b{color:red}",
    "A:HOVER{COLOR:RED!important}", "@media print{@media screen{a{color:red}}}", "b{width:calc((1px))}",
)  # fmt: skip


def by_tokens(source: str, monkeypatch: pytest.MonkeyPatch) -> css.SafeStylesheet:
    """Answer the sheet as tinycss2 alone reads it."""
    nodes = tinycss2.parse_stylesheet(source)
    with monkeypatch.context() as patched:
        patched.setattr(css, "read_rules", lambda given, is_sheet: list(rules._parsed(
            nodes if is_sheet else tinycss2.parse_rule_list(given)
        )))  # fmt: skip
        return sheet(source)


def test_every_piece_alone_and_every_pair(monkeypatch):
    for first in ("", *_PIECES):
        for second in _PIECES:
            source = first + second + "i{color:red}"
            assert sheet(source) == by_tokens(source, monkeypatch), source


@given(st.lists(st.sampled_from(_PIECES), min_size=3, max_size=7).map("".join))
def test_rules_are_those_of_the_tokeniser(source):
    with pytest.MonkeyPatch.context() as patch:
        assert sheet(source) == by_tokens(source, patch)


def test_plain_sheets_ask_no_tokeniser(monkeypatch):
    source = "<!-- a , b > .c{color:red}\n/* x */ @font-face{src:url(x)} p:hover{margin:0}; i{} -->"
    expected = sheet(source)
    monkeypatch.setattr(rules.tinycss2, "parse_stylesheet", None)
    assert sheet(source) == expected
    monkeypatch.setattr(selectors.tinycss2, "parse_component_value_list", None)
    assert sheet("a , b >\n.c:Hover{color:red}").text == "a,b > .c:Hover{color:red}"


@pytest.mark.parametrize(
    "source", ["a{" * 30_000, "(" * 60_000, "@a{{" * 15_000, "/*" * 30_000, "'" * 60_001, "a{}" * 21_000]
)  # fmt: skip
def test_rules_take_linear_time(source, clock):
    read_rules(source, is_sheet=True)
    assert clock() < 3
