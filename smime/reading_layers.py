"""Peel the layers that wrap a whole body: check signatures, decrypt, unpack."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography import x509

from smime.cms.compressed import CONTENT_LIMIT, ContentTooLargeError, decompress
from smime.cms.content import Content, Kind, likely_kind, open_content
from smime.cms.enveloped import Enveloped, open_enveloped, read_enveloped, recipient_identifiers
from smime.cms.errors import CmsError, Reason
from smime.cms.signed import SignedData, capabilities, read_signed, signing_time
from smime.cms.verifying import check_signature, load_certificates
from smime.facts import EncryptionFacts, LayerFacts, LayerKind, SignatureFacts, SignerFacts
from smime.pki.addresses import canonical_address
from smime.pki.certificates import DamagedCertificateError, addresses
from smime.pki.pkcs12 import KeyPair
from webmail.mime import Message, Part, decode_body, is_secured, parse_message, part_source

_BARE_LINE_END = re.compile(rb"(?<!\r)\n")
_UNENCODED = frozenset({"7bit", "8bit", "binary"})
_ENCRYPTED_TYPES = frozenset({"enveloped-data", "authenveloped-data"})


@dataclass(slots=True)
class Budget:
    """Work one message may ask for, all its framed parts together."""

    frames: int = 20  # framed parts that are opened; further ones stay closed
    unpacked: int = CONTENT_LIMIT  # bytes out of compressed layers


@dataclass(frozen=True, slots=True)
class Peeled:
    """What is left when the layers are off."""

    layers: tuple[LayerFacts, ...]
    content: Message  # innermost that could be reached
    messages: tuple[Message, ...]  # every message passed on the way, the transported one first
    is_opened: bool  # the content is what the innermost layer held


def peel(
    message: Message,
    *,
    keys: Sequence[KeyPair],
    certificates: Sequence[x509.Certificate],
    limit: int,
    budget: Budget,
) -> Peeled:
    """Take off at most `limit` layers round the whole body. Never raises."""
    layers: list[LayerFacts] = []
    passed = [message]
    current = message
    is_opened = True
    while is_secured(current.root) and current.root.content_type != "multipart/encrypted":
        if len(layers) >= limit:
            layers.append(_too_nested(current))
            is_opened = False
            break
        layer, inside = _peel_one(current, keys, certificates, budget)
        layers.append(layer)
        if inside is None:
            is_opened = layer.encryption is None or layer.encryption.state == "opened"
            break
        current = parse_message(inside)
        passed.append(current)
    return Peeled(tuple(layers), current, tuple(passed), is_opened)


def peek_kind(message: Message, part: Part) -> Literal["signed", "encrypted"] | None:
    """Say what a secured part is, without opening it."""
    if part.content_type == "multipart/signed":
        return "signed"
    kind = likely_kind(decode_body(message, part, limit=64))
    if kind == "signed":
        return "signed"
    return "encrypted" if kind in {"enveloped", "auth-enveloped"} else None


def _peel_one(
    message: Message,
    keys: Sequence[KeyPair],
    certificates: Sequence[x509.Certificate],
    budget: Budget,
) -> tuple[LayerFacts, bytes | None]:
    """Take one layer off; the second value is None when there is nothing to go on with."""
    part = message.root
    if part.content_type == "multipart/signed":
        return _clear_signed(message, part, certificates)
    der = _cms_bytes(message, part)
    try:
        content = open_content(der)
    except CmsError as error:
        return _unreadable(part, der, error.reason), None
    match content.kind:
        case "signed":
            return _opaque_signed(part, content, certificates)
        case "compressed":
            return _compressed(part, content, budget)
        case _:
            return _encrypted(part, content, keys)


def _cms_bytes(message: Message, part: Part) -> bytes:
    der = decode_body(message, part)
    # Without base64 the line end before the next delimiter, or the file's last, is not the CMS's.
    return der.removesuffix(b"\n").removesuffix(b"\r") if _is_raw(part, der) else der


def _is_raw(part: Part, der: bytes) -> bool:
    if part.transfer_encoding not in _UNENCODED or not der.endswith(b"\n"):
        return False
    try:
        open_content(der)
    except CmsError as error:
        return error.reason == "trailing-bytes"
    return False


def _unreadable(part: Part, der: bytes, reason: Reason) -> LayerFacts:
    """Make facts of an object that cannot be read: what it begins with says what it was."""
    kind = likely_kind(der)
    stated = part.parameters.get("smime-type", "").lower()
    if kind is None and stated in _ENCRYPTED_TYPES:
        kind = "enveloped"
    if kind is not None and kind != "signed":
        return LayerFacts(_layer_kind(kind), part.path, encryption=EncryptionFacts("damaged"))
    return LayerFacts("signed", part.path, signature=SignatureFacts((), reason=reason))


def _layer_kind(kind: Kind) -> LayerKind:
    return "enveloped" if kind == "signed-and-enveloped" else kind


def _clear_signed(
    message: Message, part: Part, certificates: Sequence[x509.Certificate]
) -> tuple[LayerFacts, bytes | None]:
    if len(part.children) != 2:
        return _uncheckable(part, "structure"), None
    body, proof = part.children
    shown = part_source(message, body)
    if proof.content_type == "application/pgp-signature":
        return _uncheckable(part, "unknown-algorithm"), shown
    der = _cms_bytes(message, proof)
    try:
        content = open_content(der)
        if content.kind != "signed":
            return _uncheckable(part, "structure"), shown
        signed = read_signed(content)
    except CmsError as error:
        is_cms = likely_kind(der) is not None
        return _uncheckable(part, error.reason if is_cms else "structure"), shown
    signature = _signature(signed, shown, certificates)
    if _failed(signature) and _BARE_LINE_END.search(shown):
        # Stored with bare line feeds; what was signed had CRLF (RFC 8551 §3.1.1).
        restored = _BARE_LINE_END.sub(b"\r\n", shown)
        retried = _signature(signed, restored, certificates)
        if not _failed(retried):
            signature, shown = retried, restored
    stated = part.parameters.get("micalg", "")
    differs = bool(signature.signers) and not _micalg_fits(stated, signature)
    facts = SignatureFacts(signature.signers, signature.certificates, micalg_differs=differs)
    return LayerFacts("clear-signed", part.path, signature=facts), shown


def _uncheckable(part: Part, reason: Reason) -> LayerFacts:
    return LayerFacts("clear-signed", part.path, signature=SignatureFacts((), reason=reason))


def _opaque_signed(
    part: Part, content: Content, certificates: Sequence[x509.Certificate]
) -> tuple[LayerFacts, bytes | None]:
    try:
        signed = read_signed(content)
    except CmsError as error:
        facts = SignatureFacts((), reason=error.reason)
        return LayerFacts("signed", part.path, signature=facts), None
    if signed.content is None:
        reason: Reason | None = "damaged" if signed.signers else None
        facts = SignatureFacts((), load_certificates(signed.certificates), reason)
        return LayerFacts("signed", part.path, signature=facts), None
    facts = _signature(signed, signed.content, certificates)
    return LayerFacts("signed", part.path, signature=facts), signed.content


def _signature(
    signed: SignedData, content: bytes, certificates: Sequence[x509.Certificate]
) -> SignatureFacts:
    travelling = load_certificates(signed.certificates)
    candidates = tuple(dict.fromkeys((*travelling, *certificates)))
    signers = tuple(
        SignerFacts(
            check=check_signature(signer, signed, content=content, candidates=candidates),
            identifier=signer.identifier,
            signed_at=signing_time(signer),
            has_attributes=bool(signer.signed),
            capabilities=capabilities(signer),
        )
        for signer in signed.signers
    )
    return SignatureFacts(signers, travelling)


def _failed(signature: SignatureFacts) -> bool:
    return any(signer.check.integrity != "good" for signer in signature.signers)


def _micalg_fits(stated: str, signature: SignatureFacts) -> bool:
    """Compare `micalg`, a hint that decides nothing (RFC 8551 §3.5.3.2), with the digests used."""
    names = {name.strip().lower().replace("-", "") for name in stated.split(",")}
    used = {
        signer.check.method.digest.replace("_", "").replace("-", "")
        for signer in signature.signers
        if signer.check.method is not None
    }
    return not used or bool(used & {name.replace("_", "") for name in names})


def _compressed(part: Part, content: Content, budget: Budget) -> tuple[LayerFacts, bytes | None]:
    try:
        inside = decompress(content, limit=budget.unpacked)
    except ContentTooLargeError:
        return LayerFacts("compressed", part.path, encryption=EncryptionFacts("too-large")), None
    except CmsError:
        return LayerFacts("compressed", part.path, encryption=EncryptionFacts("damaged")), None
    budget.unpacked -= len(inside)
    return LayerFacts("compressed", part.path, encryption=EncryptionFacts("opened")), inside


def _encrypted(
    part: Part, content: Content, keys: Sequence[KeyPair]
) -> tuple[LayerFacts, bytes | None]:
    kind = _layer_kind(content.kind)
    try:
        enveloped = read_enveloped(content)
    except CmsError:
        return LayerFacts(kind, part.path, encryption=EncryptionFacts("damaged")), None
    opened = open_enveloped(enveloped, keys)
    facts = EncryptionFacts(
        state=opened.failure or "opened",
        cipher=enveloped.cipher.name if enveloped.cipher else "",
        is_authenticated=enveloped.authenticated,
        is_obsolete=_is_obsolete(enveloped),
        recipient_count=enveloped.recipient_count,
        recipients=recipient_identifiers(enveloped),
        opened_by=opened.key.certificate if opened.key else None,
        is_former_key=opened.key is not None and is_former(opened.key, keys),
    )
    return LayerFacts(kind, part.path, encryption=facts), opened.content


def _is_obsolete(enveloped: Enveloped) -> bool:
    return enveloped.cipher is not None and enveloped.cipher.is_obsolete


def is_former(key: KeyPair, keys: Sequence[KeyPair]) -> bool:
    """Say whether a key is no longer the one in use: so marked, or another of the same address
    ends later.
    """
    if key.is_former:
        return True
    own = _address_set(key)
    return any(
        other.certificate.not_valid_after_utc > key.certificate.not_valid_after_utc
        and other.certificate.not_valid_before_utc >= key.certificate.not_valid_before_utc
        and own & _address_set(other)
        for other in keys
    )


def _address_set(key: KeyPair) -> set[str]:
    try:
        return {canonical_address(address.text) for address in addresses(key.certificate)}
    except DamagedCertificateError:
        return set()


def _too_nested(message: Message) -> LayerFacts:
    part = message.root
    kind: LayerKind = "enveloped"
    if part.content_type == "multipart/signed":
        kind = "clear-signed"
    elif (found := likely_kind(decode_body(message, part, limit=64))) is not None:
        kind = _layer_kind(found)
    return LayerFacts(kind, part.path, encryption=EncryptionFacts("too-nested"))
