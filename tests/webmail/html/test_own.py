"""The composer's own HTML: kept as written, made safe as if it were not (row 19)."""

import pytest

from tests.webmail.html.inspection import problems
from webmail.html import PLACEHOLDER, own_html
from webmail.html.model import SafeHtml

PNG = "data:image/png;base64,iVBORw0KGgoAAAAAAAAAAA=="


def test_what_the_writer_made_is_kept():
    source = (
        '<p style="color:red">Hi <b>Ann</b>, see <a href="https://a.example/x">bank.example</a>'
        f'</p><ul><li>one</li></ul><img src="cid:a@b" alt="x"><img src="{PNG}"><blockquote'
        ' type="cite">old</blockquote>'
    )
    own = own_html(source)
    for part in ("color:red", "<b>Ann</b>", 'href="https://a.example/x"', "<li>one</li>",
                 'src="cid:a@b"', "data:image/png", '<blockquote type="cite">old'):  # fmt: skip
        assert part in own


@pytest.mark.parametrize("padding", ["", "x" * 60_000])
def test_pasted_and_quoted_html_is_made_safe(padding):
    own = own_html(
        "<style>p{color:red}</style><script>alert(1)</script><p onclick=x style='position:fixed;"
        "background:url(https://e.example)'>Hi</p><img src='https://t.example/a'>"
        "<a href='javascript:alert(1)'>x</a><form><input></form><svg onload=x></svg>" + padding
    )
    assert problems(SafeHtml(body=own)) == []
    assert "t.example" not in own and PLACEHOLDER in own and "color:red" not in own


def test_text_enriched_is_text():
    own = own_html("<bold>x</bold><x-color><param>red</param>y</x-color>")
    assert own == "xredy" or own == "xy"


def test_bomb_comes_back_as_text():
    own = own_html("<div>" * 1_000 + "Hello")
    assert "Hello" in own and own.count("<div") == 1
