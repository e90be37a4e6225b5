"""What `manage.py inspect` says of a message: the reader's own findings as one JSON document."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smime.facts import Facts, LayerFacts
from smime.pki.certificates import issuer_name
from smime.reading import Reading
from smime.reading_headers import is_legacy_display, without_legacy_display
from smime.verdict import Standing, Verdict
from webmail.html import (
    ImagePolicy,
    SafeHtml,
    document,
    html_to_text,
    render_text,
    sanitise_html,
)
from webmail.mime import (
    Address,
    AttachmentPart,
    BodyBlock,
    BodyChoice,
    Envelope,
    Message,
    Part,
    choose_body,
    decode_body,
    decode_text,
)

_NEVER_SHOWN = re.compile(
    r"<(script|iframe|frame|object|embed|applet|form|input|button|meta|base|link|svg|math"
    r"|audio|video|template|noscript)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """One block of the body as it is shown."""

    part: Part
    kind: str
    text: str  # readable plain text
    safe: SafeHtml
    removed: Mapping[str, int]  # what the safe form leaves out, by kind


@dataclass(frozen=True, slots=True)
class Shown:
    """The body as it is shown; empty when nothing may be shown."""

    blocks: tuple[ShownBlock, ...]
    attachments: tuple[AttachmentPart, ...]

    def document(self, *, title: str) -> str:
        """Give the document of the sandboxed frame."""
        return document(
            [block.safe for block in self.blocks], theme="light", language=None, title=title
        )


def show(reading: Reading, verdict: Verdict) -> Shown:
    """Choose and render the body: text only where the verdict warns of the content itself."""
    if not reading.is_shown:
        return Shown((), ())
    is_doubtful = verdict.level == "bad" or (
        verdict.encryption is not None and verdict.encryption.code == "old-method-unsigned"
    )
    choice: BodyChoice = choose_body(reading.content, prefer="plain" if is_doubtful else "html")
    return Shown(
        tuple(_block(reading, block, as_text=is_doubtful) for block in choice.blocks),
        choice.attachments,
    )


def report(reading: Reading, verdict: Verdict, shown: Shown) -> dict[str, Any]:
    """Make the document that contracts.md describes."""
    limits = dict.fromkeys(
        (
            *reading.message.limits_hit,
            *reading.content.limits_hit,
            *(hit for block in shown.blocks for hit in block.safe.limits_hit),
        )
    )
    return {
        "envelope": _envelope(reading, verdict),
        "parts": _parts(reading),
        "body": _body(shown),
        "attachments": [_attachment(reading.content, each) for each in shown.attachments],
        "security": _security(reading.facts, verdict),
        "limits_hit": list(limits),
    }


def _block(reading: Reading, block: BodyBlock, *, as_text: bool) -> ShownBlock:
    text = decode_text(reading.content, block.part).text
    if is_legacy_display(block.part, is_decrypted=reading.is_decrypted):
        text = without_legacy_display(text, block.kind)
    parameters = block.part.parameters
    if block.kind == "html":
        plain = html_to_text(text)
        safe = render_text(plain) if as_text else sanitise_html(text, images=ImagePolicy())
    else:
        plain = text
        safe = render_text(
            text,
            flowed=parameters.get("format", "").lower() == "flowed",
            delsp=parameters.get("delsp", "").lower() == "yes",
        )
    removed = Counter(safe.removed) + _elements_left_out(text if block.kind == "html" else "", safe)
    return ShownBlock(block.part, block.kind, plain, safe, removed)


def _elements_left_out(source: str, safe: SafeHtml) -> Counter[str]:
    """Count the elements of a kind that is never shown."""
    named = Counter(found.lower() for found in _NEVER_SHOWN.findall(source))
    return named - Counter(found.lower() for found in _NEVER_SHOWN.findall(safe.body))


def _envelope(reading: Reading, verdict: Verdict) -> dict[str, Any]:
    envelope: Envelope = reading.envelope
    protected = reading.headers.protected_names(is_signature_valid=verdict.is_signature_valid)
    return {
        "from": _addresses(verdict.shown_from),
        "sender": _addresses(envelope.sender),
        "reply_to": _addresses(envelope.reply_to),
        "to": _addresses(envelope.to),
        "cc": _addresses(envelope.cc),
        "bcc": _addresses(envelope.bcc),
        "subject": envelope.subject,
        "date": _time(envelope.date),
        "message_id": envelope.message_id,
        "in_reply_to": list(envelope.in_reply_to),
        "references": list(envelope.references),
        "protected": list(protected),
    }


def _addresses(addresses: Sequence[Address]) -> list[dict[str, str]]:
    return [{"name": each.name, "address": each.address} for each in addresses]


def _parts(reading: Reading) -> list[dict[str, Any]]:
    messages = list(reading.passed)
    if reading.content is not messages[-1]:
        messages.append(reading.content)
    rows: list[dict[str, Any]] = []
    for depth, message in enumerate(messages):
        wrapping = [_protection(layer) for layer in reading.layers[:depth]]
        rows.extend(_part(part, depth, wrapping) for part in message.walk())
    return rows


def _part(part: Part, depth: int, wrapping: Sequence[str]) -> dict[str, Any]:
    return {
        "path": part.path,
        "type": part.content_type,
        "charset": part.parameters.get("charset"),
        "filename": part.filename,
        "disposition": part.disposition,
        "size": part.end - part.body_start,
        "layer": depth,
        "cryptographic": [each for each in wrapping if each],
    }


def _protection(layer: LayerFacts) -> str:
    if layer.is_encryption:
        return "encrypted"
    return "signed" if layer.signature is not None else ""


def _body(shown: Shown) -> dict[str, Any]:
    first = shown.blocks[0] if shown.blocks else None
    removed: Counter[str] = Counter()
    for block in shown.blocks:
        removed.update(block.removed)
    return {
        "part": first.part.path if first else None,
        "html": first.safe.body if first and first.kind == "html" else None,
        "text": "\n".join(block.text for block in shown.blocks) if first else None,
        "remote_images_blocked": sum(len(block.safe.remote_images) for block in shown.blocks),
        "trackers": sum(block.safe.trackers for block in shown.blocks),
        "removed": dict(removed),
        "links": [
            {"text": link.text, "href": link.href, "deceptive": link.deceptive}
            for block in shown.blocks
            for link in block.safe.links
        ],
    }


def _attachment(content: Message, attachment: AttachmentPart) -> dict[str, Any]:
    octets = decode_body(content, attachment.part)
    return {
        "path": attachment.path,
        "filename": attachment.filename,
        "type": attachment.content_type,
        "size": len(octets),
        "sha256": hashlib.sha256(octets).hexdigest(),
    }


def _security(facts: Facts, verdict: Verdict) -> dict[str, Any]:
    encryption = verdict.encryption
    found = encryption.facts if encryption is not None else None
    return {
        "level": verdict.level,
        "summary": verdict.summary,
        "signature": {
            "verdict": verdict.signature.code,
            "notes": list(verdict.signature.notes),
            "signers": [_signer(each) for each in verdict.signature.signers],
        },
        "encryption": None
        if encryption is None
        else {
            "state": encryption.code,
            "content": found.cipher or None if found is not None else None,
            "recipients": found.recipient_count if found is not None else 0,
            "authenticated": found.is_authenticated if found is not None else False,
        },
        "layers": [
            {"kind": layer.kind, "part": layer.part, "ok": layer.is_ok} for layer in facts.layers
        ],
    }


def _signer(standing: Standing) -> dict[str, Any]:
    certificate, method = standing.certificate, standing.facts.check.method
    path = standing.path
    return {
        "address": standing.address,
        "name": standing.name,
        "issuer": issuer_name(certificate) if certificate is not None else "",
        "serial": f"{certificate.serial_number:x}" if certificate is not None else "",
        "fingerprint_sha256": standing.fingerprint,
        "algorithm": method.name if method is not None else "",
        "integrity": standing.facts.check.integrity,
        "signed_at": _time(standing.facts.signed_at),
        "trust": path.trust if path is not None else "unknown",
        "chain": [each.subject.rfc4514_string() for each in path.certificates] if path else [],
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
