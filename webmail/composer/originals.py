"""Reads the message that is answered or forwarded: protected fields, readable body, files.

Pure. Parts with layers of their own (a decrypted part inside readable mail) are never quoted: they
would leave with text that others wrote (EFAIL). Legacy display elements are dropped (RFC 9788
§4.5.3).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from smime.pki import KeyPair
from smime.pki.addresses import same_address
from smime.pki.certificates import addresses
from smime.reading import Reading, read_message
from smime.reading_headers import is_legacy_display, without_legacy_display
from webmail.composer.outward import hidden_in
from webmail.composer.quoting import Original
from webmail.composer.recipients import Recipient
from webmail.html import html_to_text, own_html
from webmail.mime import Address, BodyBlock, choose_body, decode_body, decode_text

_MOST_FILES = 100


class NotReadableError(Exception):
    """The message is encrypted and could not be opened with the keys at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalFile:
    """A file of a forwarded message."""

    filename: str
    content_type: str
    content: bytes


def read_original(raw: bytes, *, keys: Sequence[KeyPair], zone: tzinfo) -> tuple[Original, Reading]:
    """Return what an answer needs, and the reading it came from. Raises NotReadableError."""
    reading = read_message(raw, keys=keys)
    if not reading.is_shown:
        raise NotReadableError
    envelope = reading.envelope
    text, html = _body(reading)
    outer = reading.headers.outer.from_
    original = Original(
        from_=_people(envelope.from_),
        reply_to=_people(envelope.reply_to),
        to=_people(envelope.to),
        cc=_people(envelope.cc),
        bcc=_people(envelope.bcc),
        subject=envelope.subject,
        date=envelope.date.astimezone(zone) if envelope.date else None,
        message_id=envelope.message_id,
        in_reply_to=envelope.in_reply_to,
        references=envelope.references,
        text=text,
        html=html,
        is_encrypted=reading.is_decrypted,
        shown_sender=outer[0].address if outer else "",
        signer=_other_signer(reading),
        hidden=hidden_in(reading.headers),
    )
    return original, reading


def files_of(reading: Reading) -> Iterator[OriginalFile]:
    """Yield the files of a message, forwarded messages among them; secured parts stay out."""
    for attached in choose_body(reading.content).attachments[:_MOST_FILES]:
        yield OriginalFile(
            filename=attached.filename,
            content_type=attached.content_type,
            content=decode_body(reading.content, attached.part),
        )


def _body(reading: Reading) -> tuple[str, str]:
    """Return the body as plain text and as a washed HTML fragment ("" if it has no HTML)."""
    texts: list[str] = []
    htmls: list[str] = []
    blocks = choose_body(reading.content).blocks
    for block in blocks:
        source = _source(reading, block)
        texts.append(html_to_text(source) if block.kind == "html" else source)
        htmls.append(own_html(source) if block.kind == "html" else "")
    has_html = bool(blocks) and all(block.kind == "html" for block in blocks)
    return "\n\n".join(texts), "".join(htmls) if has_html else ""


def _source(reading: Reading, block: BodyBlock) -> str:
    text = decode_text(reading.content, block.part).text
    if is_legacy_display(block.part, is_decrypted=reading.is_decrypted):
        text = without_legacy_display(text, block.kind)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _people(named: Sequence[Address]) -> tuple[Recipient, ...]:
    return tuple(Recipient(name=each.name, address=each.address) for each in named if each.address)


def _other_signer(reading: Reading) -> str:
    """Return the address in the signer's certificate if none of them is the sender's."""
    senders = [each.address for each in reading.envelope.from_]
    for layer in reversed(reading.layers):
        for signer in layer.signature.signers if layer.signature else ():
            certificate = signer.check.certificate
            if certificate is None or signer.check.integrity != "good":
                continue
            named = [each.text for each in addresses(certificate)]
            if not named or any(same_address(one, other) for one in named for other in senders):
                return ""
            return named[0]
    return ""
