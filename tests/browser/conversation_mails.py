"""A conversation of seven mails with quotes, and single mails beside it."""

from collections.abc import Iterator

from tests.browser.pane_mails import Mail
from tests.browser.reading_mails import letter
from tests.smime.pki.people import context

COUNT = 7  # messages of the conversation
QUOTE = (
    '<p>Answer {n}.</p><div class="gmail_quote"><div class="gmail_attr">Anna wrote:</div>'
    "<blockquote>Answer {before} stood here.</blockquote></div>"
)
PLAIN = "Words first.\r\n\r\n> Does Thursday suit you?\r\n>> We should meet.\r\n\r\n-- \r\nAnna\r\n"


def mails() -> Iterator[Mail]:
    """Yield them, the conversation's newest mail last and newest of all."""
    for number in range(1, COUNT + 1):
        html = QUOTE.format(n=number, before=number - 1)
        yield Mail(
            f"answer {number}",
            letter("The plan", html=html),
            context(),
            themes=("light", "dark"),
            thread="" if number == 1 else "answer 1",
            age=COUNT - number,
        )
    raw = {
        "quoted": letter("quoted", text=PLAIN),
        "files": letter("files", html="<p>Files.</p>", X_File="report.pdf"),
        "last": letter("last", text="Bye.\r\n"),
    }
    for number, (name, each) in enumerate(raw.items()):
        yield Mail(name, each, context(), themes=("light", "dark"), age=COUNT + number)
