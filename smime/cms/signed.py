"""Read SignedData into plain values (RFC 5652 §5). Checking is in `verifying`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import core
from asn1crypto.cms import Time

from smime.cms import algorithms, asn1
from smime.cms.content import Content
from smime.cms.der import to_der
from smime.cms.errors import CmsError, reading
from smime.cms.identifiers import CertificateId, certificate_id

SIGNER_LIMIT = 20
CERTIFICATE_LIMIT = 100  # certificates that travel in one object
ATTRIBUTE_LIMIT = 100

_SET_TAG = b"\x31"


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An AlgorithmIdentifier: object identifier and DER of the parameters, if any."""

    oid: str
    parameters: bytes | None = None


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signature as it was written."""

    identifier: CertificateId
    digest: Algorithm
    algorithm: Algorithm
    signature: bytes
    signed: tuple[bytes, ...]  # encodings of the signed attributes to try; empty: none
    attributes: Mapping[str, tuple[tuple[bytes, ...], ...]]  # type → its occurrences → values


@dataclass(frozen=True, slots=True)
class SignedData:
    """A SignedData object: its content if it carries one, its certificates and signatures."""

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    signers: tuple[SignerInfo, ...]


def read_signed(content: Content) -> SignedData:
    """Take a SignedData apart; raises CmsError."""
    with reading():
        signed = content.value
        encapsulated = signed["encap_content_info"]
        pieces = content.octets(encapsulated["content"])
        carried = None if pieces is None else b"".join(pieces)
        certificates = signed["certificates"]
        bag = [] if isinstance(certificates, core.Void) else list(certificates)
        signers = list(signed["signer_infos"])
        if len(signers) > SIGNER_LIMIT:
            raise CmsError("damaged")
        return SignedData(
            content_type=encapsulated["content_type"].dotted,
            content=carried,
            certificates=tuple(asn1.encoded(each) for each in bag[:CERTIFICATE_LIMIT]),
            signers=tuple(_signer(each) for each in signers),
        )


def signing_time(signer: SignerInfo) -> datetime | None:
    """Give the signing-time attribute, a claim of the signer; None when absent or unreadable."""
    values = signer.attributes.get(algorithms.SIGNING_TIME, ())
    if len(values) != 1 or len(values[0]) != 1:
        return None
    try:
        moment = Time.load(values[0][0]).native
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if isinstance(moment, datetime) and moment.tzinfo is not None else None


def capabilities(signer: SignerInfo) -> tuple[bytes, ...]:
    """Give the DER of each capability in the signer's order of preference (RFC 8551 §2.5.2)."""
    values = signer.attributes.get(algorithms.SMIME_CAPABILITIES, ())
    if len(values) != 1 or len(values[0]) != 1:
        return ()
    try:
        with reading():
            listed = asn1.Capabilities.load(values[0][0])
            return tuple(asn1.encoded(each) for each in list(listed)[:ATTRIBUTE_LIMIT])
    except CmsError:
        return ()


def read_algorithm(value: Any) -> Algorithm:
    """Read an AlgorithmIdentifier as found in a structure."""
    parameters = value["parameters"]
    absent = isinstance(parameters, core.Void)
    return Algorithm(
        oid=value["algorithm"].dotted, parameters=None if absent else asn1.encoded(parameters)
    )


def _signer(info: Any) -> SignerInfo:
    raw = info["signed_attrs"]
    signed: tuple[bytes, ...] = ()
    attributes: dict[str, tuple[tuple[bytes, ...], ...]] = {}
    if not isinstance(raw, core.Void):
        signed = _encodings(raw)
        attributes = _attributes(raw)
    return SignerInfo(
        identifier=certificate_id(info["sid"]),
        digest=read_algorithm(info["digest_algorithm"]),
        algorithm=read_algorithm(info["signature_algorithm"]),
        signature=bytes(info["signature"]),
        signed=signed,
        attributes=attributes,
    )


def _encodings(raw: Any) -> tuple[bytes, ...]:
    """Give what the signature may cover: the attributes as SET OF, as sent and as DER.

    RFC 5652 §5.4: signed over the DER encoding, even where BER was sent.
    """
    as_sent = _SET_TAG + asn1.encoded(raw)[1:]
    try:
        with reading():
            ordered = to_der(as_sent)
    except CmsError:
        return (as_sent,)
    return (as_sent,) if ordered == as_sent else (as_sent, ordered)


def _attributes(raw: Any) -> dict[str, tuple[tuple[bytes, ...], ...]]:
    found: dict[str, tuple[tuple[bytes, ...], ...]] = {}
    for attribute in list(raw)[:ATTRIBUTE_LIMIT]:
        oid = attribute["type"].dotted
        values = tuple(asn1.encoded(value) for value in attribute["values"])
        found[oid] = (*found.get(oid, ()), values)
    return found
