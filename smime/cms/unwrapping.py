"""Get the content key out of one recipient's entry with that recipient's private key."""

import warnings
from dataclasses import dataclass

from asn1crypto.core import OctetString
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from smime.cms import algorithms, asn1
from smime.cms.errors import CmsError, reading
from smime.cms.identifiers import CertificateId
from smime.cms.kem import Encapsulation, open_encapsulation
from smime.cms.keys import derive_wrapping_key
from smime.cms.signed import Algorithm
from smime.cms.verifying import hash_of, mask_hash_of
from smime.pki.pkcs12 import KeyPair


@dataclass(frozen=True, slots=True)
class Transport:
    """A content key encrypted with a recipient's RSA key (RFC 5652 §6.2.1)."""

    identifier: CertificateId
    algorithm: Algorithm
    encrypted_key: bytes


@dataclass(frozen=True, slots=True)
class Agreement:
    """A content key wrapped by key agreement with an ephemeral key (RFC 5652 §6.2.2)."""

    identifier: CertificateId
    algorithm: Algorithm
    originator: bytes  # the ephemeral public key; empty when it is named otherwise
    originator_algorithm: Algorithm
    ukm: bytes | None
    encrypted_key: bytes


type Recipient = Transport | Agreement | Encapsulation


def unwrap(recipient: Recipient, pair: KeyPair, key_size: int) -> bytes | None:
    """Give the content key of `key_size` bytes, or None whatever went wrong."""
    try:
        match recipient:
            case Transport():
                secret = _transport(recipient, pair)
            case Agreement():
                secret = _agreement(recipient, pair)
            case Encapsulation():
                secret = open_encapsulation(recipient, pair.key)
    except (CmsError, InvalidUnwrap, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return secret if len(secret) == key_size else None


def _transport(recipient: Transport, pair: KeyPair) -> bytes:
    if not isinstance(pair.key, rsa.RSAPrivateKey):
        raise CmsError("damaged")
    match recipient.algorithm.oid:
        case algorithms.RSA_ENCRYPTION:
            return pair.key.decrypt(recipient.encrypted_key, rsa_padding.PKCS1v15())
        case algorithms.RSA_OAEP:
            return pair.key.decrypt(recipient.encrypted_key, _oaep(recipient.algorithm))
        case _:
            raise CmsError("unknown-algorithm")


def _oaep(algorithm: Algorithm) -> rsa_padding.OAEP:
    """Read OAEP parameters (RFC 4055 §4.1); SHA-1 and an empty label where they say nothing."""
    with reading("unknown-algorithm"):
        parameters = asn1.OaepParameters.load(algorithm.parameters or b"\x30\x00", strict=True)
        hash_name, mask_name = hash_of(parameters["hash"]), mask_hash_of(parameters["mask"])
        source = parameters["source"]
        label = b""
        if source.native is not None:
            if source["algorithm"].dotted != algorithms.P_SPECIFIED:
                raise CmsError("unknown-algorithm")
            label = bytes(source["parameters"].parse(OctetString))
    used, mask = algorithms.hash_algorithm(hash_name), algorithms.hash_algorithm(mask_name)
    if used is None or mask is None:
        raise CmsError("unknown-algorithm")
    return rsa_padding.OAEP(rsa_padding.MGF1(mask), used, label or None)


def _agreement(recipient: Agreement, pair: KeyPair) -> bytes:
    parameters = recipient.algorithm.parameters
    if parameters is None:
        raise CmsError("unknown-algorithm")
    with reading("unknown-algorithm"):
        wrap = asn1.Algorithm.load(parameters, strict=True)
    secret = derive_wrapping_key(
        _shared(recipient, pair), scheme=recipient.algorithm.oid, wrap=wrap, ukm=recipient.ukm
    )
    return aes_key_unwrap(secret, recipient.encrypted_key)


def _shared(recipient: Agreement, pair: KeyPair) -> bytes:
    match pair.key:
        case ec.EllipticCurvePrivateKey() as key:
            with warnings.catch_warnings():
                # Compressed points and small curves are the sender's choice, not ours to print.
                warnings.simplefilter("ignore")
                point = ec.EllipticCurvePublicKey.from_encoded_point(
                    key.curve, recipient.originator
                )
            return key.exchange(ec.ECDH(), point)
        case x25519.X25519PrivateKey() as key:
            # RFC 8418 §2: an all-zero secret aborts; the library raises ValueError for it.
            return key.exchange(x25519.X25519PublicKey.from_public_bytes(recipient.originator))
        case x448.X448PrivateKey() as key:
            return key.exchange(x448.X448PublicKey.from_public_bytes(recipient.originator))
        case _:
            raise CmsError("unknown-algorithm")
