"""The guards before parsing: what they refuse, by the short way as by the long one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.html import limits as guards
from webmail.html.limits import HtmlLimits, breached

_ATTRIBUTES = " a=b" * 300
_TIGHT = HtmlLimits(nesting=4, attributes=3, reopened=40)
_PIECES = (
    "<", "</", ">", "<a ", "<b>", "</B>", "<td>", "<div", "<div>", "</div>", "=", '"', "'", " ",
    "/", "x", "<!--", "-->", "<style>", "</style>", "<svg>", "\n", '="', '">', "a='>' ", "a=b ",
)  # fmt: skip


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        (f"<p{_ATTRIBUTES}>", "attributes"),
        ("<p" + " a='>'" * 300 + ">", "attributes"),
        ("<p" + ' a= ">"' * 300, "attributes"),
        (f"x > y <!-- > --><p title='>'{_ATTRIBUTES}>", "attributes"),
        (f"<p title='{_ATTRIBUTES}'>", None),
        ("words and more of them " * 100 + "<b>x</b>", None),
        ("<div>" * 501, "nesting"),
        ("<div>" * 500, None),
        ("&" * 40_001, "entities"),
        ("é" * 40_001, None),
        ("\xa0" * 40_001, "entities"),
        ("\ud800", None),
    ],
)
def test_guards(source, limit):
    assert breached(source, HtmlLimits()) == limit


@given(st.lists(st.sampled_from(_PIECES), max_size=60).map("".join))
def test_few_tags_are_judged_as_many_are(source):
    assert breached(source, _TIGHT) == guards._breached_shape(source, _TIGHT)
