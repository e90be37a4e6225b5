"""CSS rebuilt from tokens: declarations, selectors, media rules, colour schemes."""

from itertools import product

import pytest
import tinycss2
from hypothesis import given
from hypothesis import strategies as st

from webmail.html import css
from webmail.html.css import FUNCTIONS, PROPERTIES, safe_declarations, safe_stylesheet
from webmail.html.limits import HtmlLimits
from webmail.html.usual_css import read_usual


def sheet(*blocks, theme="light", limits=None):
    return safe_stylesheet(blocks, theme=theme, limits=limits or HtmlLimits())


def test_lists_hold_whole_names():
    for name in PROPERTIES | FUNCTIONS:
        assert not name.startswith("-") and not name.endswith("-")
    dangerous = {"position", "top", "left", "inset", "z-index", "transform", "filter", "clip",
                 "clip-path", "mask", "content", "animation", "transition", "behavior"}  # fmt: skip
    assert not PROPERTIES & dangerous
    assert {"background-position", "list-style-position", "word-break", "cursor"} <= PROPERTIES


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ("color:red", "color:red"),
        ("COLOR : RED ! important;", "color:RED!important"),
        ("margin:-1px auto 0 2.5em", "margin:-1px auto 0 2.5em"),
        ("font:bold 12px/1.5 'A B', serif", 'font:bold 12px/1.5 "A B", serif'),
        ("background:linear-gradient(90deg, rgba(0,0,0,.5), #fff 10%)",
         "background:linear-gradient(90deg, rgba(0,0,0,.5), #fff 10%)"),
        ("width:calc(100% - (2px * 3))", "width:calc(100% - (2px * 3))"),
        ("mso-padding-alt:0 1px", "mso-padding-alt:0 1px"),
        ("cursor:pointer", "cursor:pointer"),
        ("color:/**/red/**/", "color:red"),
        ("margin:0/*a*/ auto;color:r/**/ed", "margin:0 auto;color:r ed"),
        ("background:url/**/(/logout)", ""),
        ("background:url (/logout)", ""),
        ("background:\\75rl/**/(/logout)", ""),
        ("background:image-set/**/('https://e.example' 1x)", ""),
        ("width:calc(1px + var/**/(--a))", ""),
        ("width:(1px)", ""),
        ("font:1px//**/*;color:red", "font:1px/ *;color:red"),
        ("font-family:'a<b'", 'font-family:"a\\3c b"'),
        ("co\\6cor:red", "color:red"),
        ("cursor:url(x),auto", ""),
        ("background:url(https://e.example)", ""),
        ("background:url('https://e.example')", ""),
        ("background:\\75rl(https://e.example)", ""),
        ("background:red url(", ""),
        ("background:src('https://e.example')", ""),
        ("background:image-set('https://e.example' 1x)", ""),
        ("background:element(#a)", ""),
        ("background:var(--a)", ""),
        ("--a:red", ""),
        ("width:env(x)", ""),
        ("width:expression(alert(1))", ""),
        ("color:red;position:fixed;margin:0", "color:red;margin:0"),
        ("color:@x", ""),
        ("color:[a]", ""),
        ("color:{a}", ""),
        ("color:'unterminated\n;margin:0", "margin:0"),
        ("color:red)", ""),
        ("filter:progid:DXImageTransform.Microsoft.Alpha(opacity=0)", ""),
        ("content:'x'", ""),
        ("-moz-binding:url(x)", ""),
        ("color:attr(x)", ""),
        ("width:" + "calc(" * 20 + "1px" + ")" * 20, ""),
        ("color:", ""),
        ("color", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_declarations(source, safe):
    result = safe_declarations(source)
    assert result.text == safe
    assert result.kept == (len(safe.split(";")) if safe else 0)
    assert safe_declarations(safe).text == safe


# Names and values that are read by one pattern, and their neighbours that are not.
_NAMES = (
    "color",
    "Width",
    "font-family",
    "cursor",
    "zoom",
    "-webkit-x",
    "--x",
    "*zoom",
    "co\\6cor",
)
_PIECES = (
    "red", "#fff", "#F0F000", "#-a", "0", "-0", "1px", "1.5em", "+.5rem", "1.", "1e3", "1e", "1e-3px",
    "10%", "1px1px", "1ex", "u+1", "-", "_a", "a_b", "\u00e9", "\u0130", "\u212a", "rgb(1,2,3)",
    "rgba(1, 2 ,3,.5)", "RGB(1,2,3)", "rgb( 1,2)", "url(x)", "url(", "expression(1)", "'A b'",
    '"A b"', "'a  b'", "'a<b'", "'a", "\\", "/**/", "!important", " ! IMPORTANT ", "!", "(", ")",
    "{a:b}", "{", "}", "[", "@x", "<", ":", ",", " , ", "/", " ", "  ", "\n", "\r\n", "\t", "\x0b",
    "\x1c", "\xa0", "",
)  # fmt: skip
_DECLARATION = st.tuples(
    st.sampled_from(_NAMES),
    st.sampled_from((":", ": ", " :\n", "")),
    st.sampled_from(_PIECES) | st.lists(st.sampled_from(_PIECES), max_size=4).map("".join),
    st.sampled_from((";", "; ", " ;;\n", "")),
).map("".join)


def test_every_piece_alone_is_as_the_tokeniser_writes_it():
    for name, colon, piece, end in product(_NAMES, (":", " :\n", ""), _PIECES, (";", " ;;\n", "")):
        source = name + colon + piece + end
        by_tokens = css._declarations(tinycss2.parse_blocks_contents(source))
        assert safe_declarations(source) == by_tokens, source


@given(st.lists(_DECLARATION, max_size=3).map("".join))
def test_usual_declarations_are_those_of_the_tokeniser(source):
    by_tokens = css._declarations(tinycss2.parse_blocks_contents(source))
    assert safe_declarations(source) == by_tokens


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("COLOR : red ! Important\n", ("color", "red!important")),
        ("font:bold 12px/1.5 'A B' ,\n serif", ("font", 'bold 12px/1.5 "A B" , serif')),
        ("\nmargin:0  auto", ("margin", "0 auto")),
        ("color:rgba(0, 0,0,.5)", ("color", "rgba(0, 0,0,.5)")),
        (" \n", ("", "")),
        ("", ("", "")),
        ("\x0b", None),
        ("color:", None),
        ("color:red;margin:0", None),
        ("margin:url(x)", None),
        ("color:r\\65 d", None),
        ("color:red}", None),
        ("color:/**/red", None),
        ("width:expression(1)", None),
        ("a:" + "0 " * 5000 + "\\", None),
    ],
)  # fmt: skip
def test_usual_declarations(source, found):
    assert read_usual(source) == found


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ("a{color:red}", "a{color:red}"),
        ("a,.b > #c + d ~ e *{color:red}", "a,.b > #c + d ~ e *{color:red}"),
        ("a:hover,li:nth-child(2n+1){color:red}", "a:hover,li:nth-child(2n+1){color:red}"),
        ("[class^='a'],[id=b],[class]{color:red}", '[class^="a"],[id=b],[class]{color:red}'),
        ("a::before,b{color:red}", "b{color:red}"),
        ("a:has(b),a:not(b),:host{color:red}", ""),
        ("input[value^=a]{color:red}", ""),
        ("[class='</style>']{color:red}", '[class="\\3c /style>"]{color:red}'),
        ("a{color:red;b{color:blue}}", "a{color:red}"),
        ("@media (max-width:600px){a{color:red}}", "@media (max-width:600px){a{color:red}}"),
        ("@media only screen and (min-width: 20em) and (orientation:portrait){a{color:red}}",
         "@media only screen and (min-width:20em) and (orientation:portrait){a{color:red}}"),
        ("@media print,(hover){a{color:red}}", "@media print{a{color:red}}"),
        ("@media (min-resolution:2dppx){a{color:red}}", ""),
        ("@media (width >= 600px){a{color:red}}", ""),
        ("@media all{@media print{a{color:red}}}", ""),
        ("@supports (color:red){a{color:red}}", ""),
        ("@import 'x';@namespace a 'b';@charset 'x';b{color:red}", "b{color:red}"),
        ("@font-face{font-family:a;src:url(x)}@keyframes a{from{color:red}}@page{margin:0}", ""),
        ("@layer a{b{color:red}}@container (width>1px){b{color:red}}@property --a{syntax:'*'}", ""),
        ("<!-- a{color:red} -->", "a{color:red}"),
        ("a{}", ""),
    ],
)  # fmt: skip
def test_stylesheet(source, safe):
    assert sheet(source).text.replace("\n", "") == safe


DARK = "a{color:#000}@media (prefers-color-scheme:dark){a{color:#fff;background:#000}}"
PALE = "a{color:#000}@media (prefers-color-scheme:dark){a{color:#fff;background:none}}"
DARK_SCREEN = (
    "@media screen and (prefers-color-scheme: dark) and (max-width:9px){a{background-color:#111}}"
)
LIGHT = "@media (prefers-color-scheme:light){a{color:#111}}"


@pytest.mark.parametrize(
    ("source", "theme", "safe", "has_dark"),
    [
        (DARK, "light", "a{color:#000}", True),
        (DARK, "dark", "a{color:#000}a{color:#fff;background:#000}", True),
        (PALE, "dark", "a{color:#000}", False),
        (DARK_SCREEN, "dark", "@media screen and (max-width:9px){a{background-color:#111}}", True),
        (DARK_SCREEN, "light", "", True),
        (LIGHT, "light", "a{color:#111}", False),
        (LIGHT, "dark", "a{color:#111}", False),
        (LIGHT + DARK, "dark", "a{color:#000}a{color:#fff;background:#000}", True),
        ("@media not all and (prefers-color-scheme:dark){a{color:red}}", "light", "", False),
        ("@media not all and (prefers-color-scheme:dark){a{color:red}}", "dark", "", False),
    ],
)
def test_colour_schemes_are_settled_on_the_server(source, theme, safe, has_dark):
    result = sheet(source, theme=theme)
    assert result.text.replace("\n", "") == safe
    assert result.has_dark == has_dark


def test_blocks_beyond_the_limit_are_dropped_whole():
    result = sheet("a{color:red}", "b{color:red}" * 10_000, "c{color:red}")
    assert result.text == "a{color:red}\nc{color:red}" and result.is_cut


def test_rules_beyond_the_limit_are_dropped():
    result = sheet("a{color:red}" * 10, limits=HtmlLimits(css_rules=3))
    assert result.text.count("a{") == 3 and result.is_cut
