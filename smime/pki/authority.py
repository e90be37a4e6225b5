"""A small certificate authority: for tests, the demo, and a site's own people.

Keys are made fresh in memory. Times are given; there is no clock here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from asn1crypto.core import UTF8String
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smime.pki.certificates import SMTP_UTF8_MAILBOX, display_name
from smime.pki.locations import Locations, location_extensions
from smime.pki.pkcs12 import KeyPair

type KeyKind = Literal[
    "rsa1024", "rsa2048", "rsa3072", "rsa4096", "p256", "p384", "p521", "ed25519", "x25519"
]

MAIL = (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
SIGN_AND_ENCRYPT = frozenset(
    {"digital_signature", "content_commitment", "key_encipherment", "key_agreement"}
)
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_CURVES: dict[str, ec.EllipticCurve] = {
    "p256": ec.SECP256R1(),
    "p384": ec.SECP384R1(),
    "p521": ec.SECP521R1(),
}

type SigningHash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs certificates and revocation lists, with its key."""

    key: CertificateIssuerPrivateKeyTypes
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()  # issuer first, root last; empty for a root


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry of a revocation list."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags | None = None


def new_key(kind: KeyKind = "rsa2048") -> PrivateKeyTypes:
    """Make a private key."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "x25519":
        return x25519.X25519PrivateKey.generate()
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind])
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


def new_root(
    common_name: str,
    now: datetime,
    *,
    key: KeyKind = "p256",
    lifetime: timedelta | None = None,
    published: Locations | None = None,
) -> Authority:
    """Make a self-signed root, valid from a day before `now` for `lifetime` (twenty years)."""
    own = cast("CertificateIssuerPrivateKeyTypes", new_key(key))
    certificate = _signed_authority(
        common_name,
        public=own.public_key(),
        issuer_name=_name(common_name),
        issuer_key=own,
        now=now,
        lifetime=lifetime or timedelta(days=20 * 365),
        path_length=None,
        eku=None,
        published=published,
    )
    return Authority(key=own, certificate=certificate)


def new_intermediate(
    root: Authority,
    common_name: str,
    now: datetime,
    *,
    key: KeyKind = "p256",
    lifetime: timedelta | None = None,
    path_length: int | None = 0,
    eku: Sequence[x509.ObjectIdentifier] | None = None,
    published: Locations | None = None,
) -> Authority:
    """Make an authority below `root`, naming the addresses where more is published."""
    own = cast("CertificateIssuerPrivateKeyTypes", new_key(key))
    certificate = _signed_authority(
        common_name,
        public=own.public_key(),
        issuer_name=root.certificate.subject,
        issuer_key=root.key,
        now=now,
        lifetime=lifetime or timedelta(days=10 * 365),
        path_length=path_length,
        eku=eku,
        published=published,
    )
    return Authority(key=own, certificate=certificate, above=(root.certificate, *root.above))


def issue(
    root: Authority,
    address: str | None,
    name: str,
    *,
    not_before: datetime,
    not_after: datetime,
    key: KeyKind | PrivateKeyTypes = "rsa2048",
    eku: Sequence[x509.ObjectIdentifier] | None = MAIL,
    ku: Iterable[str] | None = SIGN_AND_ENCRYPT,
    hash_algorithm: SigningHash | None = None,
    published: Locations | None = None,
) -> KeyPair:
    """Issue a person's certificate and give it with its key and chain.

    `address` goes into rfc822Name, or SmtpUTF8Mailbox when its local part is not ASCII; None
    leaves it out. `eku` and `ku` None leave the extension out. `hash_algorithm` None fits the key.
    `published` says where its issuer's certificates, lists and answers are found.
    """
    own = new_key(key) if isinstance(key, str) else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(root.certificate.subject)
        .public_key(cast("CertificatePublicKeyTypes", own.public_key()))
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_id(own.public_key()), critical=False)
        .add_extension(_authority_key_id(root), critical=False)
    )
    if address is not None:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_address_name(address)]), critical=False
        )
    if eku is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), critical=False)
    if ku is not None:
        builder = builder.add_extension(_key_usage(ku), critical=True)
    for each in location_extensions(published or Locations()):
        builder = builder.add_extension(each, critical=False)
    certificate = builder.sign(root.key, hash_algorithm or _hash_for(root.key))
    return KeyPair(key=own, certificate=certificate, chain=(root.certificate, *root.above))


def crl(
    root: Authority,
    revoked: Iterable[Revocation] = (),
    *,
    this_update: datetime,
    next_update: datetime,
) -> bytes:
    """Make a revocation list of that authority, in DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(_authority_key_id(root), critical=False)
    )
    for entry in revoked:
        row = x509.RevokedCertificateBuilder().serial_number(entry.serial)
        row = row.revocation_date(entry.at)
        if entry.reason is not None:
            row = row.add_extension(x509.CRLReason(entry.reason), critical=False)
        builder = builder.add_revoked_certificate(row.build())
    return builder.sign(root.key, _hash_for(root.key)).public_bytes(Encoding.DER)


def to_pkcs12(pair: KeyPair, passphrase: str | None, *, friendly_name: str | None = None) -> bytes:
    """Write key, certificate and chain as PKCS #12; AES-256 unless `passphrase` is None."""
    encryption = (
        BestAvailableEncryption(passphrase.encode()) if passphrase is not None else NoEncryption()
    )
    name = friendly_name or display_name(pair.certificate)
    return pkcs12.serialize_key_and_certificates(
        name.encode(),
        cast("pkcs12.PKCS12PrivateKeyTypes", pair.key),
        pair.certificate,
        pair.chain,
        encryption,
    )


def _signed_authority(
    common_name: str,
    *,
    public: CertificatePublicKeyTypes,
    issuer_name: x509.Name,
    issuer_key: CertificateIssuerPrivateKeyTypes,
    now: datetime,
    lifetime: timedelta,
    path_length: int | None,
    eku: Sequence[x509.ObjectIdentifier] | None,
    published: Locations | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(issuer_name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage({"key_cert_sign", "crl_sign"}), critical=True)
        .add_extension(_key_id(public), critical=False)
    )
    if eku is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), critical=False)
    for each in location_extensions(published or Locations()):
        builder = builder.add_extension(each, critical=False)
    return builder.sign(issuer_key, _hash_for(issuer_key))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _address_name(address: str) -> x509.GeneralName:
    if address.isascii():
        return x509.RFC822Name(address)
    return x509.OtherName(SMTP_UTF8_MAILBOX, UTF8String(address).dump())


def _key_usage(names: Iterable[str]) -> x509.KeyUsage:
    wanted = set(names)
    return x509.KeyUsage(
        **{usage: usage in wanted for usage in _USAGES}, encipher_only=False, decipher_only=False
    )


def _key_id(key: object) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(cast("CertificatePublicKeyTypes", key))


def _authority_key_id(authority: Authority) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


def _hash_for(key: CertificateIssuerPrivateKeyTypes) -> SigningHash | None:
    match key:
        case ed25519.Ed25519PrivateKey():
            return None
        case ec.EllipticCurvePrivateKey() if key.key_size > 384:
            return hashes.SHA512()
        case ec.EllipticCurvePrivateKey() if key.key_size > 256:
            return hashes.SHA384()
        case _:
            return hashes.SHA256()
