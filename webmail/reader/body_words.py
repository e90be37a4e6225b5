"""The words of a body for the search, once it was read; never those of an encrypted layer."""

from smime.reading import Reading
from webmail.html import html_to_text
from webmail.mailbox import search_index
from webmail.mailbox.models import Message
from webmail.mime import choose_body, decode_text
from webmail.reader import pipeline

_SOURCE_LIMIT = 4 * search_index.LONGEST_BODY  # octets or characters of one text


def may_be_found(reading: Reading) -> bool:
    """Say whether everybody may read the message, so that its words may lie in the index."""
    return reading.is_shown and not pipeline.holds_secrets(reading)


def index(message: Message, reading: Reading) -> None:
    """Let the message be found by what it says, if it may be."""
    if may_be_found(reading):
        search_index.add_body(message, _text_of(reading))


def _text_of(reading: Reading) -> str:
    """Return the readable text: plain text where there is both, because it costs no parsing."""
    texts: list[str] = []
    length = 0
    for block in choose_body(reading.content, prefer="plain").blocks:
        source = decode_text(reading.content, block.part, limit=_SOURCE_LIMIT).text
        text = html_to_text(source[:_SOURCE_LIMIT]) if block.kind == "html" else source
        texts.append(text)
        length += len(text)
        if length >= search_index.LONGEST_BODY:
            break
    return "\n".join(texts)
