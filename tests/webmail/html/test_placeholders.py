"""What stands for a picture that is not shown can be read, whatever colours the mail gives it."""

import pytest

from webmail.html import ImagePolicy, document, sanitise_html
from webmail.html.model import Theme

pytestmark = pytest.mark.browser
COLOURS = """() => { const drawn = getComputedStyle(document.querySelector('img'));
  return [drawn.color, drawn.backgroundColor]; }"""
MAILS = [
    '<img src="https://a.example/x.png" alt="Our hall">',
    (
        '<td bgcolor="#552288"><img src="https://a.example/x.png" alt="Our hall"'
        ' style="color:#ffffff;font-size:38px"></td>'
    ),
    (
        '<font color="#fffffe"><img src="https://a.example/x.png" alt="Our hall"'
        ' style="background:#ffffff"></font>'
    ),
    (
        "<style>img{color:#f3ede2;background-color:#f3ede2}</style>"
        '<img src="https://a.example/x.png" alt="Our hall">'
    ),
]


def luminance(colour: str) -> float:
    """Relative luminance of "rgb(r, g, b)" (WCAG 2.2)."""
    parts = [int(each) / 255 for each in colour.removeprefix("rgb(").rstrip(")").split(",")]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("source", MAILS)
def test_the_text_of_a_picture_that_is_not_shown_can_be_read(
    chromium, source: str, theme: Theme
) -> None:
    page = chromium.new_page()
    safe = sanitise_html(source, images=ImagePolicy(), theme=theme)
    page.set_content(document([safe], theme=theme, language="en", title="x"))
    dark, light = sorted(luminance(each) for each in page.evaluate(COLOURS))
    page.close()
    assert (light + 0.05) / (dark + 0.05) >= 4.5
