"""Header protection on reading (RFC 9788 §4): which fields to show, and how well each is protected.

`hp` counts only at the root of the payload, HP-Outer only there and only under encryption. The
transported header is never an input to the question which fields were secret.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from smime.facts import LayerFacts
from webmail.mime import Envelope, Message, Part, is_secured, parse_message, part_source

type Scheme = Literal["clear", "cipher", "wrapped"]
type FieldState = Literal["signed-and-encrypted", "encrypted-only", "signed-only", "unprotected"]

LEGACY_DISPLAY = "hp-legacy-display"
LEGACY_CLASS = "header-protection-legacy-display"
_HP_OUTER = "hp-outer"
_SCHEMES: dict[str, Scheme] = {"clear": "clear", "cipher": "cipher"}
_LINE_END = re.compile(r"\r\n|\r|\n")
_DIV = re.compile(r"<(/?)div\b([^<>]{0,2000})>", re.IGNORECASE)
_CLASS = re.compile(
    r"""\bclass\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>/]+))""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Field:
    """A header field with the protection it has."""

    name: str
    value: bytes  # unfolded, as sent
    state: FieldState

    @property
    def is_secret(self) -> bool:
        """The author kept it, or its value, from the outside."""
        return self.state in {"signed-and-encrypted", "encrypted-only"}


@dataclass(frozen=True, slots=True)
class ProtectedHeaders:
    """The header of a message once its layers are off."""

    outer: Envelope  # as transported
    envelope: Envelope  # to show
    content: Message
    scheme: Scheme | None
    has_protected_from: bool
    is_encrypted: bool  # an encrypted layer was opened
    inner_fields: tuple[tuple[str, bytes], ...] = ()  # protected; empty without a scheme
    outer_fields: tuple[tuple[str, bytes], ...] = ()  # what the author says was visible outside

    def fields(self, *, is_signature_valid: bool) -> tuple[Field, ...]:
        """Give each protected field with its state (RFC 9788 §4.3.1)."""
        visible = {(name.lower(), value) for name, value in self.outer_fields}
        return tuple(
            Field(name, value, self._state(name, value, visible, is_signature_valid))
            for name, value in self.inner_fields
        )

    def protected_names(self, *, is_signature_valid: bool) -> tuple[str, ...]:
        """Name the fields, in lower case, that are signed or encrypted."""
        fields = self.fields(is_signature_valid=is_signature_valid)
        names = (field.name.lower() for field in fields if field.state != "unprotected")
        return tuple(dict.fromkeys(names))

    def _state(
        self, name: str, value: bytes, visible: set[tuple[str, bytes]], is_signature_valid: bool
    ) -> FieldState:
        is_hidden = (
            self.is_encrypted
            and self.scheme in {"cipher", "wrapped"}
            and (name.lower(), value) not in visible
        )
        if is_hidden:
            return "signed-and-encrypted" if is_signature_valid else "encrypted-only"
        return "signed-only" if is_signature_valid else "unprotected"


def read_protection(
    message: Message,
    payload: Message,
    *,
    outer: Envelope,
    layers: Sequence[LayerFacts],
    is_opened: bool,
) -> ProtectedHeaders:
    """Find the protected header of `payload`, what was inside the layers of `message`."""
    is_encrypted = is_opened and any(layer.is_encryption for layer in layers)
    bare = ProtectedHeaders(
        outer=outer,
        envelope=outer,
        content=payload,
        scheme=None,
        has_protected_from=False,
        is_encrypted=is_encrypted,
    )
    if not layers or not is_opened or payload is message:
        return bare
    root = payload.root
    scheme = _SCHEMES.get(root.parameters.get("hp", "").lower())
    if scheme is not None:
        return _protected(bare, payload, scheme, _hp_outer(root) if is_encrypted else ())
    wrapped = _wrapped(payload)
    if wrapped is not None:
        visible = tuple(each for each in message.root.headers.items() if not structural(each[0]))
        return _protected(bare, wrapped, "wrapped", visible if is_encrypted else ())
    return bare


def structural(name: str) -> bool:
    """Say whether a field describes structure and is not protected (RFC 9787 §1.1.1)."""
    lowered = name.lower()
    return lowered == "mime-version" or lowered.startswith("content-")


def is_legacy_display(part: Part, *, is_decrypted: bool) -> bool:
    """Say whether a text part begins with a copy of hidden fields (RFC 9788 §4.5.3.1)."""
    return (
        is_decrypted
        and part.content_type in {"text/plain", "text/html"}
        and part.parameters.get(LEGACY_DISPLAY, "").strip() == "1"
    )


def without_legacy_display(text: str, kind: Literal["plain", "html"]) -> str:
    """Drop the copy of hidden fields from a part that says it has one (RFC 9788 §4.5.3).

    To be called for parts where `is_legacy_display` says so, and before anything else looks at the
    text; HTML still has to be sanitised afterwards.
    """
    if kind == "html":
        return _without_divs(text)
    position = 0
    while (end := _LINE_END.search(text, position)) is not None:
        if end.start() == position:  # the first empty line, which goes too
            return text[end.end() :]
        position = end.end()
    return ""


def _protected(
    bare: ProtectedHeaders,
    content: Message,
    scheme: Scheme,
    outer_fields: tuple[tuple[str, bytes], ...],
) -> ProtectedHeaders:
    inner = content.envelope
    has_from = "from" in content.root.headers
    shown = (
        inner
        if has_from
        # No protected From: the sender is the transported one, unprotected.
        else replace(inner, from_=bare.outer.from_, from_malformed=bare.outer.from_malformed)
    )
    fields = tuple(
        (name, value)
        for name, value in content.root.headers.items()
        if not structural(name) and name.lower() != _HP_OUTER
    )
    return replace(
        bare,
        envelope=shown,
        content=content,
        scheme=scheme,
        has_protected_from=has_from,
        inner_fields=fields,
        outer_fields=outer_fields,
    )


def _hp_outer(root: Part) -> tuple[tuple[str, bytes], ...]:
    found: list[tuple[str, bytes]] = []
    for value in root.headers.get_all("hp-outer"):
        name, colon, rest = value.partition(b":")
        if colon:
            found.append((name.strip().decode("ascii", "replace"), rest.strip()))
    return tuple(found)


def _wrapped(payload: Message) -> Message | None:
    """Recognise the wrapping of RFC 8551 §3.1 where it cannot be a forward (RFC 9788 §4.10.1)."""
    root = payload.root
    if root.content_type != "message/rfc822" or len(root.children) != 1:
        return None
    if root.parameters.get("forwarded", "").lower() != "no":
        return None
    inner = root.children[0]
    if is_secured(inner) or "hp" in inner.parameters or "hp" in root.parameters:
        return None
    return parse_message(part_source(payload, inner))


def _has_legacy_class(attributes: str) -> bool:
    found = _CLASS.search(attributes)
    return found is not None and LEGACY_CLASS in "".join(filter(None, found.groups())).split()


def _without_divs(text: str) -> str:
    if LEGACY_CLASS not in text.lower():
        return text
    kept: list[str] = []
    position, depth = 0, 0
    for tag in _DIV.finditer(text):
        closing, attributes = tag.groups()
        if depth:
            depth += -1 if closing else 1
            if depth == 0:
                position = tag.end()
        elif not closing and _has_legacy_class(attributes):
            kept.append(text[position : tag.start()])
            depth = 1
    return "".join(kept) if depth else "".join(kept) + text[position:]
