"""Mails with remote images: two verified, one that only says it is of the same sender."""

from collections.abc import Iterator

from tests.browser.pane_mails import Mail
from tests.smime.cms.messages import HEAD, opaque
from tests.smime.pki.people import context

HTML = (
    b"Content-Type: text/html\r\n\r\n<p>The hall:</p>"
    b'<img src="https://pictures.example/hall.png" alt="The turbine hall" width="120" height="80">'
    b'<img src="https://pictures.example/roof.png" alt="Its roof" width="120" height="80">\r\n'
)
COUNT = 2  # images of each mail


def mails() -> Iterator[Mail]:
    """Yield them, rendered as for whoever asks for no image, for these, or always."""
    raw = {"first": HEAD + opaque(HTML), "next": HEAD + opaque(HTML), "unsigned": HEAD + HTML}
    for name, each in raw.items():
        yield Mail(name, each, context(), loads=True)
