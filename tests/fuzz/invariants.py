"""What must hold for every message, however damaged."""

import time

from tests.webmail.html.inspection import problems
from tests.webmail.mime.test_hostile import read_everything
from webmail.html import ImagePolicy, html_to_text, render_text, sanitise_html
from webmail.mime import Message, choose_body, decode_body, decode_text, find_part, part_source

SECONDS = 2.0  # of processor time for one message; the usual one takes a few milliseconds
SHOWN = 20_000  # characters: a longer block is washed only now and then, in the long run
_FORBIDDEN = set("\r\n\0\u202e\u2066")


def check_message(raw: bytes, *, most: int = SHOWN) -> Message:
    """Read, choose and wash a message; AssertionError when a promise is broken."""
    start = time.process_time()
    message = read_everything(raw)
    for part in message.walk():
        assert part_source(message, part) == raw[part.header_start : part.end]
        assert part.filename is None or not _FORBIDDEN & set(part.filename)
        assert not _FORBIDDEN & set(part.content_type)
    choice = choose_body(message)
    paths = [one.path for one in choice.attachments]
    assert len(paths) == len(set(paths)), "a file is listed twice"
    for attachment in choice.attachments:
        found = find_part(message, attachment.path)
        assert decode_body(message, found) == decode_body(message, attachment.part)
        assert not _FORBIDDEN & set(attachment.filename)
    for block in choice.blocks:
        text = decode_text(message, block.part).text
        assert "\0" not in text
        if len(text) <= most:
            check_body(text, is_html=block.kind == "html")
    for one in (*message.envelope.from_, *message.envelope.to):
        assert not _FORBIDDEN & set(one.name + one.address)
    assert not _FORBIDDEN & set(message.envelope.subject)
    assert time.process_time() - start < SECONDS, "too slow"
    return message


def check_body(text: str, *, is_html: bool) -> None:
    """Wash a body both ways; what comes out can neither run nor load."""
    if is_html:
        safe = sanitise_html(text, images=ImagePolicy())
        html_to_text(text)
    else:
        safe = render_text(text, flowed=True, delsp=True)
    assert problems(safe) == []
    assert "error" not in safe.limits_hit, "an exception was caught"
