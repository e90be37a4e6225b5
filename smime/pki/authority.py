"""A small certificate authority: for tests, the demo, and a site's own people.

Keys are made fresh in memory. Times are given; there is no clock here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, cast

from asn1crypto.core import UTF8String
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import (
    ec,
    ed448,
    ed25519,
    mldsa,
    mlkem,
    rsa,
    x448,
    x25519,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smime.pki.certificates import SMTP_UTF8_MAILBOX
from smime.pki.composite_kems import COMPOSITE_KEMS, CompositeKemPrivateKey
from smime.pki.composite_signatures import COMPOSITE_SIGNATURES, CompositePrivateKey
from smime.pki.issuing import IssuerKey, SigningHash, key_identifier, sign_certificate, sign_crl
from smime.pki.locations import Locations, location_extensions
from smime.pki.pkcs12 import KeyPair
from smime.pki.pkcs12_writing import to_pkcs12
from smime.pki.private_keys import PrivateKey, PublicKey

__all__ = [
    "MAIL",
    "SIGN_AND_ENCRYPT",
    "Authority",
    "KeyKind",
    "Revocation",
    "crl",
    "issue",
    "new_intermediate",
    "new_key",
    "new_root",
    "to_pkcs12",
]

# "rsa2048", "p256", "ed25519", "x448", "mldsa65", "mlkem768" and the like; a composite key by the
# draft's name of the combination, such as "MLDSA65-ECDSA-P256-SHA512".
type KeyKind = str

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

_SIGN = frozenset({"digital_signature", "content_commitment"})
_ENCIPHER = frozenset({"key_encipherment"})
_MAKERS: dict[str, Callable[[], PrivateKey]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "x25519": x25519.X25519PrivateKey.generate,
    "x448": x448.X448PrivateKey.generate,
    "mldsa44": mldsa.MLDSA44PrivateKey.generate,
    "mldsa65": mldsa.MLDSA65PrivateKey.generate,
    "mldsa87": mldsa.MLDSA87PrivateKey.generate,
    "mlkem768": mlkem.MLKEM768PrivateKey.generate,
    "mlkem1024": mlkem.MLKEM1024PrivateKey.generate,
}
_MAKERS |= {kind: partial(ec.generate_private_key, curve) for kind, curve in _CURVES.items()}
_MAKERS |= {
    scheme.name: partial(CompositePrivateKey.generate, scheme)
    for scheme in COMPOSITE_SIGNATURES.values()
}
_MAKERS |= {
    scheme.name: partial(CompositeKemPrivateKey.generate, scheme)
    for scheme in COMPOSITE_KEMS.values()
}


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs certificates and revocation lists, with its key."""

    key: IssuerKey
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()  # issuer first, root last; empty for a root


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry of a revocation list."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags | None = None


def new_key(kind: KeyKind = "rsa2048") -> PrivateKey:
    """Make a private key."""
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker()
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
    own = cast("IssuerKey", new_key(key))
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
    own = cast("IssuerKey", new_key(key))
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
    key: KeyKind | PrivateKey = "rsa2048",
    eku: Sequence[x509.ObjectIdentifier] | None = MAIL,
    ku: Iterable[str] | Literal["fitting"] | None = "fitting",
    hash_algorithm: SigningHash | None = None,
    published: Locations | None = None,
) -> KeyPair:
    """Issue a person's certificate and give it with its key and chain.

    `address` goes into rfc822Name, or SmtpUTF8Mailbox when its local part is not ASCII; None
    leaves it out. `eku` and `ku` None leave the extension out; "fitting" allows what the kind of
    key may do. `hash_algorithm` None fits the key.
    `published` says where its issuer's certificates, lists and answers are found.
    """
    own = new_key(key) if isinstance(key, str) else key
    public = cast("PublicKey", own.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(root.certificate.subject)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_identifier(public), critical=False)
        .add_extension(_authority_key_id(root), critical=False)
    )
    if address is not None:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_address_name(address)]), critical=False
        )
    if eku is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), critical=False)
    if ku is not None:
        usages = _fitting(own) if ku == "fitting" else ku
        builder = builder.add_extension(_key_usage(usages), critical=True)
    for each in location_extensions(published or Locations()):
        builder = builder.add_extension(each, critical=False)
    certificate = sign_certificate(builder, public, root.key, hash_algorithm)
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
    return sign_crl(builder, root.key).public_bytes(Encoding.DER)


def _signed_authority(
    common_name: str,
    *,
    public: PublicKey,
    issuer_name: x509.Name,
    issuer_key: IssuerKey,
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
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage({"key_cert_sign", "crl_sign"}), critical=True)
        .add_extension(key_identifier(public), critical=False)
    )
    if eku is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), critical=False)
    for each in location_extensions(published or Locations()):
        builder = builder.add_extension(each, critical=False)
    return sign_certificate(builder, public, issuer_key)


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


def _fitting(key: PrivateKey) -> frozenset[str]:
    """Choose key usages: RFC 9881 §3 and RFC 9935 §5 leave post-quantum keys one purpose."""
    match key:
        case (
            mldsa.MLDSA44PrivateKey()
            | mldsa.MLDSA65PrivateKey()
            | mldsa.MLDSA87PrivateKey()
            | CompositePrivateKey()
        ):
            return _SIGN
        case mlkem.MLKEM768PrivateKey() | mlkem.MLKEM1024PrivateKey() | CompositeKemPrivateKey():
            return _ENCIPHER
        case _:
            return SIGN_AND_ENCRYPT


def _authority_key_id(authority: Authority) -> x509.AuthorityKeyIdentifier:
    digest = key_identifier(authority.key.public_key()).digest
    return x509.AuthorityKeyIdentifier(digest, None, None)
