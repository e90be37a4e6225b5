"""Read a message: peel its cryptographic layers one by one and gather the facts.

The layers that wrap the whole body, from the root inwards, are the message's own. What is signed or
encrypted further down is *framed*: read by itself, never joined with the rest (EFAIL).

    raw ─► parse ─► layer at the root? ─yes─► check or open ─► parse what is inside ─► again (≤ 8)
                         │no
                         ▼
                    the content to show

Pure: no clock, no network, no trust. Nothing here raises on any input.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cryptography import x509

from smime.facts import Facts, LayerFacts, SenderFacts
from smime.list_mail import read_list_mail
from smime.pki.pkcs12 import KeyPair
from smime.reading_headers import ProtectedHeaders, read_protection
from smime.reading_layers import Budget, Peeled, peek_kind, peel
from webmail.mime import (
    STRUCTURE_UNUSUAL,
    Envelope,
    Message,
    Part,
    choose_body,
    is_secured,
    parse_message,
    part_source,
)

LAYER_LIMIT = 8
_MESSAGE_TYPES = frozenset({"message/rfc822", "message/global"})


@dataclass(frozen=True, slots=True)
class Frame:
    """A signed or encrypted part below the root, with a verdict of its own."""

    path: str  # of the part in the content it was found in
    reading: "Reading"


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as read."""

    message: Message  # as transported
    layers: tuple[LayerFacts, ...]  # round the whole body, outermost first
    content: Message  # innermost: what to show; the message itself when nothing could be opened
    headers: ProtectedHeaders
    facts: Facts
    frames: tuple[Frame, ...] = ()
    passed: tuple[Message, ...] = ()  # what each layer held, the transported message first

    def chains(self) -> Iterator[tuple["Reading", ...]]:
        """Give this reading and all framed ones, each behind those it is in, outermost first.

        Depth first, in the order of the message; the position is the *layer* that addresses of
        parts begin with.
        """
        yield (self,)
        for frame in self.frames:
            for chain in frame.reading.chains():
                yield (self, *chain)

    @property
    def framed(self) -> tuple["Reading", ...]:
        """The parts with layers of their own, those inside of such parts, too: layers 1, 2, …"""
        return tuple(chain[-1] for chain in self.chains())[1:]

    @property
    def envelope(self) -> Envelope:
        """The header fields to show: the protected ones where there are any.

        Whose name stands as sender is the verdict's decision (`verdict.shown_from`).
        """
        return self.headers.envelope

    @property
    def is_shown(self) -> bool:
        """There is content to show: nothing encrypted, damaged or too large is in the way."""
        return self.facts.is_opened

    @property
    def is_decrypted(self) -> bool:
        """The content came out of an encrypted layer."""
        return self.facts.is_opened and any(layer.is_encryption for layer in self.layers)


def read_message(
    raw: bytes | Message,
    *,
    keys: Sequence[KeyPair] = (),
    certificates: Sequence[x509.Certificate] = (),
) -> Reading:
    """Read a message with the reader's own `keys`.

    `certificates` are those at hand for signatures that come without their certificate. Never
    raises.
    """
    message = parse_message(raw) if isinstance(raw, bytes) else raw
    return _read(message, keys, certificates, outer=None, limit=LAYER_LIMIT, budget=Budget())


def _read(
    message: Message,
    keys: Sequence[KeyPair],
    certificates: Sequence[x509.Certificate],
    *,
    outer: Envelope | None,  # of the message a framed part is in; None for the message itself
    limit: int,
    budget: Budget,
) -> Reading:
    peeled = peel(message, keys=keys, certificates=certificates, limit=limit, budget=budget)
    headers = read_protection(
        message,
        peeled.content,
        outer=outer or message.envelope,
        # A framed part is not the payload: hp means nothing there (RFC 9788 §4.1).
        layers=peeled.layers if outer is None else (),
        is_opened=peeled.is_opened,
    )
    content = headers.content
    frames: tuple[Frame, ...] = ()
    nested_signed = nested_encrypted = False
    if peeled.is_opened:
        room = limit - len(peeled.layers)
        frames = _frames(
            content, keys, certificates, outer=headers.envelope, limit=room, budget=budget
        )
        nested_signed, nested_encrypted = _nested(content)
    facts = _facts(message, peeled, headers, frames, has_own_keys=bool(keys))
    facts = replace(facts, nested_signed=nested_signed, nested_encrypted=nested_encrypted)
    return Reading(message, peeled.layers, content, headers, facts, frames, peeled.messages)


def _facts(
    message: Message,
    peeled: Peeled,
    headers: ProtectedHeaders,
    frames: Sequence[Frame],
    *,
    has_own_keys: bool,
) -> Facts:
    shown = headers.envelope
    framed = [layer for frame in frames for layer in frame.reading.layers]
    choice = choose_body(headers.content)
    return Facts(
        layers=peeled.layers,
        sender=SenderFacts(
            from_=shown.from_,
            sender=shown.sender,
            outer_from=headers.outer.from_,
            is_malformed=shown.from_malformed or headers.outer.from_malformed,
            is_protected=headers.has_protected_from,
            date=shown.date or headers.outer.date,
            subject=shown.subject,
        ),
        header_protection=headers.scheme,
        framed_signed=any(
            layer.signature is not None and (layer.signature.signers or layer.signature.reason)
            for layer in framed
        ),
        framed_encrypted=any(layer.is_encryption for layer in framed),
        is_structure_unusual=any(
            STRUCTURE_UNUSUAL & each.flags for each in (*peeled.messages, headers.content)
        ),
        has_own_keys=has_own_keys,
        list_mail=read_list_mail(message.root.headers) if _has_signature(peeled) else None,
        is_list_mail="list-id" in message.root.headers or "list-post" in message.root.headers,
        attachment_count=len(choice.attachments),
        has_text=bool(choice.blocks),
        limits_hit=message.limits_hit,
    )


def _has_signature(peeled: Peeled) -> bool:
    return any(layer.signature is not None for layer in peeled.layers)


def _frames(
    content: Message,
    keys: Sequence[KeyPair],
    certificates: Sequence[x509.Certificate],
    *,
    outer: Envelope,
    limit: int,
    budget: Budget,
) -> tuple[Frame, ...]:
    """Read the secured parts below the root, each as a message of its own."""
    frames: list[Frame] = []
    for part in _secured(content.root, is_root=True):
        if budget.frames <= 0:
            break
        budget.frames -= 1
        piece = parse_message(part_source(content, part))
        reading = _read(piece, keys, certificates, outer=outer, limit=max(limit, 0), budget=budget)
        frames.append(Frame(part.path, reading))
    return tuple(frames)


def _secured(part: Part, *, is_root: bool = False) -> list[Part]:
    """Find the outermost signed or encrypted parts, not those of forwarded messages."""
    if not is_root and is_secured(part):
        return [part]
    if part.content_type in _MESSAGE_TYPES:
        return []
    return [found for child in part.children for found in _secured(child)]


def _nested(content: Message) -> tuple[bool, bool]:
    """Say whether a forwarded message inside is signed, and whether one is encrypted."""
    signed = encrypted = False
    for part in content.walk():
        if part.content_type not in _MESSAGE_TYPES:
            continue
        for inner in part.walk():
            if inner is part or not is_secured(inner):
                continue
            kind = peek_kind(content, inner)
            signed = signed or kind == "signed"
            encrypted = encrypted or kind == "encrypted"
    return signed, encrypted
