"""Facts as bytes: what a message's verdict is judged from again, without the message.

Everything `smime.verdict` and its questions look at, of the message and of its framed parts; never
the subject and never text. Certificates and names are kept once, as DER, behind the JSON:

    version (1) | length of the JSON (4) | JSON | length (4) | octets | length (4) | octets | …
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from smime.cms.identifiers import CertificateId
from smime.cms.verifying import Method, SignatureCheck
from smime.facts import (
    EncryptionFacts,
    Facts,
    LayerFacts,
    SenderFacts,
    SignatureFacts,
    SignerFacts,
)
from smime.list_mail import kept_list_mail, read_kept_list_mail
from smime.pki.certificates import load_certificate
from smime.reading import Reading
from webmail.mime import Address

VERSION = 2
_READABLE = (bytes([1]), bytes([VERSION]))  # 1: without `Facts.list_mail`
RECIPIENTS_LIMIT = 200  # kept of one layer; only the sender's own copy is looked for among them
_LENGTH = struct.Struct(">I")


class OtherVersionError(Exception):
    """The facts were kept by another version: the message has to be read again."""


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """What is kept of one message."""

    facts: Facts
    frames: tuple[Facts, ...] = ()  # of `Reading.framed`, shown or not
    # Names of header fields, in lower case, that count as protected with a valid signature and
    # without one (RFC 9788 §4.3.1).
    protected: tuple[str, ...] = ()
    protected_anyway: tuple[str, ...] = ()

    @property
    def has_signers(self) -> bool:
        """Trust and clock may turn it: somebody signed the message or a part of it."""
        return any(
            layer.signature is not None and layer.signature.signers
            for facts in (self.facts, *self.frames)
            for layer in facts.layers
        )


def keep(reading: Reading) -> KeptFacts:
    """Return what is kept of a reading."""
    return KeptFacts(
        facts=_without_subject(reading.facts),
        frames=tuple(_without_subject(framed.facts) for framed in reading.framed),
        protected=reading.headers.protected_names(is_signature_valid=True),
        protected_anyway=reading.headers.protected_names(is_signature_valid=False),
    )


def encode(kept: KeptFacts) -> bytes:
    """Return the bytes."""
    pool = _Pool()
    content = json.dumps(
        [
            [_facts(each, pool) for each in (kept.facts, *kept.frames)],
            kept.protected,
            kept.protected_anyway,
        ],
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode("utf-8", "surrogatepass")
    pieces = [bytes([VERSION])]
    for octets in (content, *pool.octets):
        pieces += [_LENGTH.pack(len(octets)), octets]
    return b"".join(pieces)


def decode(encoded: bytes) -> KeptFacts:
    """Read `encode` back; raises OtherVersionError."""
    if encoded[:1] not in _READABLE:
        raise OtherVersionError
    pieces: list[bytes] = []
    at = 1
    while at < len(encoded):
        (length,) = _LENGTH.unpack_from(encoded, at)
        at += _LENGTH.size
        pieces.append(encoded[at : at + length])
        at += length
    found, protected, anyway = json.loads(pieces[0].decode("utf-8", "surrogatepass"))
    octets = pieces[1:]
    facts, *frames = (_read_facts(each, octets) for each in found)
    return KeptFacts(facts, tuple(frames), tuple(protected), tuple(anyway))


def _without_subject(facts: Facts) -> Facts:
    return replace(facts, sender=replace(facts.sender, subject=""))


class _Pool:
    """Octet strings, each once."""

    def __init__(self) -> None:
        self.octets: list[bytes] = []
        self._places: dict[bytes, int] = {}

    def place(self, octets: bytes) -> int:
        if octets not in self._places:
            self._places[octets] = len(self.octets)
            self.octets.append(octets)
        return self._places[octets]

    def certificate(self, certificate: x509.Certificate | None) -> int | None:
        if certificate is None:
            return None
        return self.place(certificate.public_bytes(Encoding.DER))


@lru_cache(maxsize=4096)
def _certificate(der: bytes) -> x509.Certificate:
    """Load a certificate; the same object for the same octets while it is remembered."""
    return load_certificate(der)


# --- writing --------------------------------------------------------------------------------------


def _facts(facts: Facts, pool: _Pool) -> list[Any]:
    return [
        [_layer(each, pool) for each in facts.layers],
        _sender(facts.sender),
        facts.header_protection,
        [
            facts.framed_signed,
            facts.framed_encrypted,
            facts.nested_signed,
            facts.nested_encrypted,
            facts.is_structure_unusual,
            facts.has_own_keys,
            facts.is_list_mail,
            facts.has_text,
        ],
        facts.attachment_count,
        facts.limits_hit,
        _optional(facts.list_mail, kept_list_mail),
    ]


def _layer(layer: LayerFacts, pool: _Pool) -> list[Any]:
    return [
        layer.kind,
        layer.part,
        _optional(layer.signature, lambda each: _signature(each, pool)),
        _optional(layer.encryption, lambda each: _encryption(each, pool)),
    ]


def _signature(signature: SignatureFacts, pool: _Pool) -> list[Any]:
    return [
        [_signer(each, pool) for each in signature.signers],
        [pool.certificate(each) for each in signature.certificates],
        signature.reason,
        signature.micalg_differs,
    ]


def _signer(signer: SignerFacts, pool: _Pool) -> list[Any]:
    check = signer.check
    method = check.method
    return [
        check.integrity,
        check.reason,
        None if method is None else [method.scheme, method.digest, method.hash],
        pool.certificate(check.certificate),
        _identifier(signer.identifier, pool),
        _moment(signer.signed_at),
        signer.has_attributes,
        [pool.place(each) for each in signer.capabilities],
    ]


def _encryption(encryption: EncryptionFacts, pool: _Pool) -> list[Any]:
    return [
        encryption.state,
        encryption.cipher,
        encryption.is_authenticated,
        encryption.is_obsolete,
        encryption.recipient_count,
        [_identifier(each, pool) for each in encryption.recipients[:RECIPIENTS_LIMIT]],
        pool.certificate(encryption.opened_by),
        encryption.is_former_key,
    ]


def _identifier(identifier: CertificateId, pool: _Pool) -> list[Any]:
    return [
        pool.place(identifier.issuer),
        str(identifier.serial),  # of 20 octets: more than a JSON number
        _optional(identifier.key_id, pool.place),
    ]


def _sender(sender: SenderFacts) -> list[Any]:
    return [
        [_address(each) for each in sender.from_],
        [_address(each) for each in sender.sender],
        [_address(each) for each in sender.outer_from],
        sender.is_malformed,
        sender.is_protected,
        _moment(sender.date),
    ]


def _address(address: Address) -> list[str]:
    return [address.name, address.address, address.comment]


def _moment(moment: datetime | None) -> str | None:
    return _optional(moment, datetime.isoformat)


def _optional[T, R](value: T | None, write: Callable[[T], R]) -> R | None:
    return None if value is None else write(value)


# --- reading --------------------------------------------------------------------------------------


def _read_facts(kept: list[Any], octets: list[bytes]) -> Facts:
    layers, sender, protection, flags, attachments, limits, *more = kept
    (
        framed_signed,
        framed_encrypted,
        nested_signed,
        nested_encrypted,
        is_structure_unusual,
        has_own_keys,
        is_list_mail,
        has_text,
    ) = flags
    return Facts(
        layers=tuple(_read_layer(each, octets) for each in layers),
        sender=_read_sender(sender),
        header_protection=protection,
        framed_signed=framed_signed,
        framed_encrypted=framed_encrypted,
        nested_signed=nested_signed,
        nested_encrypted=nested_encrypted,
        is_structure_unusual=is_structure_unusual,
        has_own_keys=has_own_keys,
        is_list_mail=is_list_mail,
        attachment_count=attachments,
        has_text=has_text,
        limits_hit=tuple(limits),
        list_mail=_optional(more[0], read_kept_list_mail) if more else None,
    )


def _read_layer(kept: list[Any], octets: list[bytes]) -> LayerFacts:
    kind, part, signature, encryption = kept
    return LayerFacts(
        kind,
        part,
        signature=None if signature is None else _read_signature(signature, octets),
        encryption=None if encryption is None else _read_encryption(encryption, octets),
    )


def _read_signature(kept: list[Any], octets: list[bytes]) -> SignatureFacts:
    signers, certificates, reason, micalg_differs = kept
    return SignatureFacts(
        tuple(_read_signer(each, octets) for each in signers),
        tuple(_certificate(octets[place]) for place in certificates),
        reason,
        micalg_differs,
    )


def _read_signer(kept: list[Any], octets: list[bytes]) -> SignerFacts:
    integrity, reason, method, certificate, identifier, signed_at, has_attributes, able = kept
    return SignerFacts(
        check=SignatureCheck(
            integrity,
            reason,
            None if method is None else Method(*method),
            None if certificate is None else _certificate(octets[certificate]),
        ),
        identifier=_read_identifier(identifier, octets),
        signed_at=_read_moment(signed_at),
        has_attributes=has_attributes,
        capabilities=tuple(octets[place] for place in able),
    )


def _read_encryption(kept: list[Any], octets: list[bytes]) -> EncryptionFacts:
    state, cipher, is_authenticated, is_obsolete, count, recipients, opened_by, is_former = kept
    return EncryptionFacts(
        state=state,
        cipher=cipher,
        is_authenticated=is_authenticated,
        is_obsolete=is_obsolete,
        recipient_count=count,
        recipients=tuple(_read_identifier(each, octets) for each in recipients),
        opened_by=None if opened_by is None else _certificate(octets[opened_by]),
        is_former_key=is_former,
    )


def _read_identifier(kept: list[Any], octets: list[bytes]) -> CertificateId:
    issuer, serial, key_id = kept
    return CertificateId(octets[issuer], int(serial), None if key_id is None else octets[key_id])


def _read_sender(kept: list[Any]) -> SenderFacts:
    from_, sender, outer_from, is_malformed, is_protected, date = kept
    return SenderFacts(
        from_=tuple(Address(*each) for each in from_),
        sender=tuple(Address(*each) for each in sender),
        outer_from=tuple(Address(*each) for each in outer_from),
        is_malformed=is_malformed,
        is_protected=is_protected,
        date=_read_moment(date),
    )


def _read_moment(kept: str | None) -> datetime | None:
    return None if kept is None else datetime.fromisoformat(kept)
