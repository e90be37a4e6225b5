"""Key files: PKCS #12 (RFC 7292) and PEM, read into key pairs.

`cryptography` reads one key from a PKCS #12 file and stops at kinds of keys it cannot write
there, so shrouded key bags are read one by one and the certificates apart from them.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from asn1crypto import pem as asn1_pem
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from smime.pki.certificates import DamagedCertificateError, public_key
from smime.pki.private_keys import PrivateKey, UnknownKeyError, load_private_key
from smime.pki.work_factors import (
    CostlyKeyError,
    are_iterations_bearable,
    iterations_of,
    iterations_of_key,
)

FILE_LIMIT = 1024 * 1024  # bytes
BAG_LIMIT = 100

_PRIVATE_KEY_BLOCK = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL
)
_ENCRYPTED_KEY = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
# What asn1crypto raises for bytes that are not what they should be.
_STRUCTURE_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError)

type Pkcs12Reason = Literal[
    "passphrase", "no-key", "not-pkcs12", "iterations", "old-cipher", "unknown-key"
]


class Pkcs12Error(Exception):
    """The key file cannot be used; `reason` says why, in a code to choose words by."""

    def __init__(self, reason: Pkcs12Reason) -> None:
        super().__init__(reason)
        self.reason: Pkcs12Reason = reason


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its certificate and the certificates found above it."""

    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()  # issuer first; may or may not reach a root
    is_former: bool = False  # kept to read old mail, no longer given to correspondents


def load_pkcs12(content: bytes, passphrase: str | None) -> tuple[KeyPair, ...]:
    """Read every key of a PKCS #12 file (DER, BER or PEM-armoured) that has its certificate.

    Raises Pkcs12Error: "not-pkcs12", "iterations" (above the bounds here), "passphrase",
    "old-cipher" (a cipher the library does not know), "unknown-key" (a kind of key), "no-key".
    """
    if len(content) > FILE_LIMIT:
        raise Pkcs12Error("not-pkcs12")
    der = _without_armour(content)
    safes = _authenticated_safe(der)
    _check_iterations(der, safes)
    failure: Pkcs12Error | None = None
    for secret in _secrets(passphrase):
        try:
            keys, certificates = _open(der, safes, secret)
        except Pkcs12Error as error:
            failure = error
            continue
        return _pairs(keys, certificates)
    raise failure or Pkcs12Error("passphrase")


def load_pem(content: bytes, passphrase: str | None = None) -> tuple[KeyPair, ...]:
    """Read a PEM file with a private key and certificates; raises Pkcs12Error as above."""
    if len(content) > FILE_LIMIT:
        raise Pkcs12Error("not-pkcs12")
    secret = passphrase.encode() if passphrase else None
    blocks = _PRIVATE_KEY_BLOCK.findall(content)
    _check_iterations_of_blocks(blocks)
    try:
        keys = [_load_pem_key(block, _secret_for(block, secret)) for block in blocks]
        certificates = x509.load_pem_x509_certificates(content)
    except UnknownKeyError as error:
        raise Pkcs12Error("unknown-key") from error
    except UnsupportedAlgorithm as error:
        raise Pkcs12Error("old-cipher") from error
    except TypeError as error:  # encrypted, and no passphrase given
        raise Pkcs12Error("passphrase") from error
    except (ValueError, x509.InvalidVersion) as error:
        reason: Pkcs12Reason = "passphrase" if b"ENCRYPTED" in content else "not-pkcs12"
        raise Pkcs12Error(reason) from error
    return _pairs(keys, certificates)


@contextmanager
def _bearable() -> Iterator[list[int]]:
    """Collect work factors, before any derivation is done; raises Pkcs12Error for too much work."""
    counts: list[int] = []
    try:
        yield counts
    except CostlyKeyError as error:
        raise Pkcs12Error("iterations") from error
    except UnsupportedAlgorithm as error:
        raise Pkcs12Error("old-cipher") from error
    except _STRUCTURE_ERRORS as error:
        raise Pkcs12Error("not-pkcs12") from error
    if len(counts) > BAG_LIMIT or not are_iterations_bearable(counts):
        raise Pkcs12Error("iterations")


def _check_iterations_of_blocks(blocks: Sequence[bytes]) -> None:
    """Refuse PKCS #8 keys whose derivation would take too long.

    RFC 1421's own encryption ("Proc-Type: 4,ENCRYPTED") derives by one round of MD5.
    """
    if len(blocks) > BAG_LIMIT:
        raise Pkcs12Error("iterations")
    with _bearable() as counts:
        counts.extend(
            iterations_of_key(bytes(asn1_pem.unarmor(block)[2]))
            for block in blocks
            if _ENCRYPTED_KEY in block
        )


def _load_pem_key(block: bytes, secret: bytes | None) -> PrivateKey:
    try:
        return load_pem_private_key(block, secret)
    except UnsupportedAlgorithm:
        _, _, der = asn1_pem.unarmor(block)
        return load_private_key(bytes(der), secret)


def _secret_for(block: bytes, secret: bytes | None) -> bytes | None:
    return secret if b"ENCRYPTED" in block else None


def _without_armour(content: bytes) -> bytes:
    if not asn1_pem.detect(content):
        return content
    try:
        _, _, der = asn1_pem.unarmor(content)
    except ValueError as error:
        raise Pkcs12Error("not-pkcs12") from error
    return bytes(der)


def _authenticated_safe(der: bytes) -> list[Any]:
    try:
        pfx = asn1_pkcs12.Pfx.load(der)
        if pfx["version"].native != "v3":
            raise Pkcs12Error("not-pkcs12")
        return list(pfx.authenticated_safe)
    except _STRUCTURE_ERRORS as error:
        raise Pkcs12Error("not-pkcs12") from error


def _check_iterations(der: bytes, safes: Sequence[Any]) -> None:
    """Refuse work factors chosen to stall the reader, before any derivation is done."""
    with _bearable() as counts:
        mac = asn1_pkcs12.Pfx.load(der)["mac_data"]
        if mac.native is not None:
            counts.append(mac["iterations"].native)
        for safe in safes:
            if safe["content_type"].native == "encrypted_data":
                algorithm = safe["content"]["encrypted_content_info"][
                    "content_encryption_algorithm"
                ]
                counts.append(iterations_of(algorithm))
        counts.extend(
            iterations_of(bag["bag_value"]["encryption_algorithm"]) for bag in _key_bags(safes)
        )


def _key_bags(safes: Sequence[Any]) -> Iterator[Any]:
    """Give the shrouded key bags of the safes that are not encrypted themselves."""
    for safe in safes:
        if safe["content_type"].native != "data":
            continue
        for bag in asn1_pkcs12.SafeContents.load(bytes(safe["content"])):
            if bag["bag_id"].native == "pkcs8_shrouded_key_bag":
                yield bag


def _secrets(passphrase: str | None) -> tuple[bytes | None, ...]:
    # An empty passphrase may have been written as none at all, or as an empty string.
    return (passphrase.encode(),) if passphrase else (None, b"")


def _open(
    der: bytes, safes: Sequence[Any], secret: bytes | None
) -> tuple[list[PrivateKey], list[x509.Certificate]]:
    keys: list[PrivateKey] = []
    try:
        key, certificates = _load(der, secret)
    except (TypeError, UnsupportedAlgorithm, Pkcs12Error) as error:
        # A key of a kind that the library does not read there: X25519, ML-DSA, composites.
        if isinstance(error, Pkcs12Error) and not _opens_any(safes, secret):
            raise
        try:
            key, certificates = _load(_without_keys(safes), secret)
        except UnsupportedAlgorithm as unknown:
            raise Pkcs12Error("old-cipher") from unknown
    if key is not None:
        keys.append(key)
    for bag in _key_bags(safes):
        try:
            keys.append(load_private_key(bag["bag_value"].untag().dump(), secret or b""))
        except UnknownKeyError as error:
            raise Pkcs12Error("unknown-key") from error
        except UnsupportedAlgorithm as error:
            raise Pkcs12Error("old-cipher") from error
        except (ValueError, TypeError):
            # RC2 and other PKCS #12 schemes that only the whole-file loader knows; it gave one.
            if not keys:
                raise Pkcs12Error("passphrase") from None
    return keys, certificates


def _opens_any(safes: Sequence[Any], secret: bytes | None) -> bool:
    for bag in _key_bags(safes):
        try:
            load_private_key(bag["bag_value"].untag().dump(), secret or b"")
        except UnknownKeyError:
            return True  # the passphrase is right
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        return True
    return False


def _load(der: bytes, secret: bytes | None) -> tuple[PrivateKey | None, list[x509.Certificate]]:
    try:
        with warnings.catch_warnings():
            # NSS writes BER; the library reads it and says it may stop doing so.
            warnings.simplefilter("ignore")
            found = pkcs12.load_pkcs12(der, secret)
    except x509.InvalidVersion as error:
        raise Pkcs12Error("not-pkcs12") from error
    except ValueError as error:
        raise Pkcs12Error("passphrase") from error
    bags = [found.cert, *found.additional_certs]
    return found.key, [bag.certificate for bag in bags if bag is not None]


def _without_keys(safes: Sequence[Any]) -> bytes:
    """Write the file again without its key bags and without MAC, to read the certificates."""
    kept = []
    for safe in safes:
        if safe["content_type"].native == "data" and any(_key_bags([safe])):
            continue
        kept.append(safe)
    contents = asn1_pkcs12.AuthenticatedSafe(kept).dump(force=True)
    return bytes(
        asn1_pkcs12.Pfx(
            {
                "version": "v3",
                "auth_safe": {"content_type": "data", "content": contents},
            }
        ).dump()
    )


def _pairs(
    keys: Sequence[PrivateKey], certificates: Sequence[x509.Certificate]
) -> tuple[KeyPair, ...]:
    by_key: dict[bytes, x509.Certificate] = {}
    for certificate in certificates:
        try:
            by_key.setdefault(_spki(public_key(certificate)), certificate)
        except DamagedCertificateError:
            continue  # a certificate of the chain whose key we cannot use pairs with nothing
    pairs: dict[bytes, KeyPair] = {}
    for key in keys:
        spki = _spki(key.public_key())
        if (own := by_key.get(spki)) is not None and spki not in pairs:
            pairs[spki] = KeyPair(key=key, certificate=own, chain=chain_of(own, certificates))
    if not pairs:
        raise Pkcs12Error("no-key")
    return tuple(pairs.values())


def _spki(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def chain_of(
    certificate: x509.Certificate, others: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Order those of `others` that lead upwards from `certificate`, by names alone."""
    chain: list[x509.Certificate] = []
    current = certificate
    while current.issuer != current.subject:
        above = [
            other
            for other in others
            if other.subject == current.issuer and other not in chain and other != certificate
        ]
        if not above:
            break
        current = above[0]
        chain.append(current)
    return tuple(chain)
