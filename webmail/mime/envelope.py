"""The envelope of a message from its header fields."""

import re
from collections.abc import Callable
from itertools import islice
from typing import Final

from webmail.mime.addresses import AddressList, read_address_list
from webmail.mime.charset import decode_fallback
from webmail.mime.dates import parse_date
from webmail.mime.headers import Headers
from webmail.mime.limits import Limits
from webmail.mime.parts import Envelope
from webmail.mime.shown import shown_safe
from webmail.mime.words import decode_words

_MESSAGE_ID: Final = re.compile(r"<([^<>]+)>")
_MOST_IDS: Final = 1_000
_DEFAULTS: Final = Limits()


def read_envelope(
    headers: Headers,
    *,
    limits: Limits = _DEFAULTS,
    on_limit: Callable[[str], None] = lambda _name: None,
) -> Envelope:
    """Decode the fields that lists and the reader show; never raises."""

    def read(name: str) -> AddressList:
        found = read_address_list(headers.get(name), limit=limits.addresses)
        if found.is_cut:
            on_limit("addresses")
        return found

    authors = read("from")
    subject, is_cut = decode_words(
        decode_fallback(headers.get("subject") or b""), limit=limits.encoded_words
    )
    if is_cut:
        on_limit("encoded-words")
    return Envelope(
        from_=authors.addresses,
        sender=read("sender").addresses,
        reply_to=read("reply-to").addresses,
        to=read("to").addresses,
        cc=read("cc").addresses,
        bcc=read("bcc").addresses,
        subject=shown_safe(subject),
        date=parse_date(headers.get("date")),
        message_id=next(iter(_message_ids(headers.get("message-id"))), ""),
        in_reply_to=_message_ids(headers.get("in-reply-to")),
        references=_message_ids(headers.get("references")),
        from_malformed=_is_from_malformed(headers, authors),
    )


def _is_from_malformed(headers: Headers, authors: AddressList) -> bool:
    """Can nobody say whose message this should be?"""
    if len(headers.get_all("from")) != 1 or not authors.addresses:
        return True
    return authors.is_malformed or authors.has_group or authors.is_cut


def _message_ids(value: bytes | None) -> tuple[str, ...]:
    """The identifiers of a field (RFC 5322 §3.6.4); folding inside one is removed."""
    if not value:
        return ()
    text = shown_safe(decode_fallback(value))
    matches = islice(_MESSAGE_ID.finditer(text), _MOST_IDS)
    found = ["".join(match[1].split()) for match in matches]
    if not found and "<" not in text and (bare := text.split()):
        found = bare[:1]  # broken senders leave out the brackets
    return tuple(identifier for identifier in found if identifier)
