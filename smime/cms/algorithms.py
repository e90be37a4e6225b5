"""Object identifiers of the algorithms and what they stand for.

Sources: RFC 8551 §2, RFC 5754, RFC 4056, RFC 5753, RFC 8418, RFC 8419, RFC 5084, RFC 3565.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from asn1crypto.core import Null
from cryptography.hazmat.primitives import hashes

from smime.cms import asn1
from smime.cms.elements import EXPLICIT_0, SEQUENCE, Octets, object_identifier, wrapped
from smime.pki.composite_signatures import COMPOSITE_SIGNATURES

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
SIGNED_AND_ENVELOPED_DATA = "1.2.840.113549.1.7.4"
COMPRESSED_DATA = "1.2.840.113549.1.9.16.1.9"
AUTH_ENVELOPED_DATA = "1.2.840.113549.1.9.16.1.23"

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
SINGLE_ATTRIBUTES = frozenset(
    {
        CONTENT_TYPE,
        MESSAGE_DIGEST,
        SIGNING_TIME,
        SMIME_CAPABILITIES,
        SIGNING_CERTIFICATE,
        SIGNING_CERTIFICATE_V2,
        ALGORITHM_PROTECTION,
    }
)

RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
RSA_OAEP = "1.2.840.113549.1.1.7"
MGF1 = "1.2.840.113549.1.1.8"
P_SPECIFIED = "1.2.840.113549.1.1.9"
RSA_PSS = "1.2.840.113549.1.1.10"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
DSA_KEY = "1.2.840.10040.4.1"
ED25519 = "1.3.101.112"
ED448 = "1.3.101.113"
X25519 = "1.3.101.110"
X448 = "1.3.101.111"
ZLIB = "1.2.840.113549.1.9.16.3.8"

type HashName = Literal[
    "md2",
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3_224",
    "sha3_256",
    "sha3_384",
    "sha3_512",
    "shake256",
]

DIGESTS: dict[str, HashName] = {
    "1.2.840.113549.2.2": "md2",
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.7": "sha3_224",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
    "2.16.840.1.101.3.4.2.12": "shake256",  # 512 bits of output (RFC 8419 §2.3, RFC 8702 §3.1)
    "2.16.840.1.101.3.4.2.18": "shake256",
}
SHAKE256_SIZE = 64  # bytes
DIGEST_OIDS = {
    "shake256": "2.16.840.1.101.3.4.2.12",
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}

_HASHES: dict[HashName, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303 - read, told apart, never called good
    "sha1": hashes.SHA1(),  # noqa: S303 - the same
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_224": hashes.SHA3_224(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}

# "rsa", "rsa-pss", "ecdsa", "dsa" (their hash is said beside them), "ed25519", "ed448",
# "ml-dsa-44", "ml-dsa-65", "ml-dsa-87", or the name of a composite in lower case.
type Scheme = str

# Signature algorithm → scheme, and the hash it fixes (None: the signer's digest algorithm).
SIGNATURES: dict[str, tuple[Scheme, HashName | None]] = {
    RSA_ENCRYPTION: ("rsa", None),
    "1.2.840.113549.1.1.2": ("rsa", "md2"),
    "1.2.840.113549.1.1.4": ("rsa", "md5"),
    "1.2.840.113549.1.1.5": ("rsa", "sha1"),
    "1.3.14.3.2.29": ("rsa", "sha1"),
    "1.2.840.113549.1.1.14": ("rsa", "sha224"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "2.16.840.1.101.3.4.3.13": ("rsa", "sha3_224"),
    "2.16.840.1.101.3.4.3.14": ("rsa", "sha3_256"),
    "2.16.840.1.101.3.4.3.15": ("rsa", "sha3_384"),
    "2.16.840.1.101.3.4.3.16": ("rsa", "sha3_512"),
    RSA_PSS: ("rsa-pss", None),
    EC_PUBLIC_KEY: ("ecdsa", None),  # written by some clients in place of ecdsa-with-…
    "1.2.840.10045.4.1": ("ecdsa", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa", "sha512"),
    "2.16.840.1.101.3.4.3.9": ("ecdsa", "sha3_224"),
    "2.16.840.1.101.3.4.3.10": ("ecdsa", "sha3_256"),
    "2.16.840.1.101.3.4.3.11": ("ecdsa", "sha3_384"),
    "2.16.840.1.101.3.4.3.12": ("ecdsa", "sha3_512"),
    DSA_KEY: ("dsa", None),
    "1.2.840.10040.4.3": ("dsa", "sha1"),
    "2.16.840.1.101.3.4.3.1": ("dsa", "sha224"),
    "2.16.840.1.101.3.4.3.2": ("dsa", "sha256"),
    ED25519: ("ed25519", None),
    ED448: ("ed448", None),
    "2.16.840.1.101.3.4.3.17": ("ml-dsa-44", None),
    "2.16.840.1.101.3.4.3.18": ("ml-dsa-65", None),
    "2.16.840.1.101.3.4.3.19": ("ml-dsa-87", None),
}
SIGNATURES |= {
    composite.oid: (composite.name.lower(), composite.pre_hash)
    for composite in COMPOSITE_SIGNATURES.values()
}
ML_DSA_44, ML_DSA_65, ML_DSA_87 = (f"2.16.840.1.101.3.4.3.{last}" for last in (17, 18, 19))
# Kinds of signatures whose algorithm never has parameters (RFC 9882 §2, draft-ietf-lamps-cms-
# composite-sigs §2).
POST_QUANTUM_SIGNATURES = frozenset({ML_DSA_44, ML_DSA_65, ML_DSA_87, *COMPOSITE_SIGNATURES})

# AES key wrap → bytes of the key-encryption key (RFC 3565 §2.3.2).
KEY_WRAPS = {
    "2.16.840.1.101.3.4.1.5": 16,
    "2.16.840.1.101.3.4.1.25": 24,
    "2.16.840.1.101.3.4.1.45": 32,
}
WRAP_OIDS = {size: oid for oid, size in KEY_WRAPS.items()}

# Key agreement → derivation and its hash (RFC 5753 §7.1.4, RFC 8418 §7).
AGREEMENTS: dict[str, tuple[Literal["x963", "hkdf"], HashName]] = {
    "1.3.133.16.840.63.0.2": ("x963", "sha1"),
    "1.3.132.1.11.0": ("x963", "sha224"),
    "1.3.132.1.11.1": ("x963", "sha256"),
    "1.3.132.1.11.2": ("x963", "sha384"),
    "1.3.132.1.11.3": ("x963", "sha512"),
    # Cofactor Diffie-Hellman: the same on curves whose cofactor is one, which all of ours are.
    "1.3.133.16.840.63.0.3": ("x963", "sha1"),
    "1.3.132.1.14.0": ("x963", "sha224"),
    "1.3.132.1.14.1": ("x963", "sha256"),
    "1.3.132.1.14.2": ("x963", "sha384"),
    "1.3.132.1.14.3": ("x963", "sha512"),
    "1.2.840.113549.1.9.16.3.19": ("hkdf", "sha256"),
    "1.2.840.113549.1.9.16.3.20": ("hkdf", "sha384"),
    "1.2.840.113549.1.9.16.3.21": ("hkdf", "sha512"),
}
# Key encapsulation (RFC 9936 §3) and the derivation that goes with it (RFC 8619 §2).
KEM_RECIPIENT = "1.2.840.113549.1.9.16.13.3"
ML_KEM_512 = "2.16.840.1.101.3.4.4.1"
ML_KEM_768 = "2.16.840.1.101.3.4.4.2"
ML_KEM_1024 = "2.16.840.1.101.3.4.4.3"
HKDF_SHA256 = "1.2.840.113549.1.9.16.3.28"
HKDFS: dict[str, HashName] = {
    HKDF_SHA256: "sha256",
    "1.2.840.113549.1.9.16.3.29": "sha384",
    "1.2.840.113549.1.9.16.3.30": "sha512",
}

ECDH_X963_SHA256 = "1.3.132.1.11.1"
ECDH_HKDF_SHA256 = "1.2.840.113549.1.9.16.3.19"


@dataclass(frozen=True, slots=True)
class ContentCipher:
    """A content-encryption algorithm."""

    name: str  # as `inspect` says it
    oid: str
    mode: Literal["cbc", "gcm", "ccm", "chacha20"]
    key_size: int  # bytes
    block: Literal["aes", "3des", "rc2", ""] = "aes"

    @property
    def is_authenticated(self) -> bool:
        """A changed ciphertext is noticed."""
        return self.mode != "cbc"

    @property
    def is_obsolete(self) -> bool:
        """Historic: opened, never written (RFC 8551 App. B.3)."""
        return self.block in {"3des", "rc2"}


_NIST_AES = "2.16.840.1.101.3.4.1"
AES_128_CBC = ContentCipher("aes-128-cbc", f"{_NIST_AES}.2", "cbc", 16)
AES_192_CBC = ContentCipher("aes-192-cbc", f"{_NIST_AES}.22", "cbc", 24)
AES_256_CBC = ContentCipher("aes-256-cbc", f"{_NIST_AES}.42", "cbc", 32)
AES_128_GCM = ContentCipher("aes-128-gcm", f"{_NIST_AES}.6", "gcm", 16)
AES_192_GCM = ContentCipher("aes-192-gcm", f"{_NIST_AES}.26", "gcm", 24)
AES_256_GCM = ContentCipher("aes-256-gcm", f"{_NIST_AES}.46", "gcm", 32)
CONTENT_CIPHERS = {
    cipher.oid: cipher
    for cipher in (
        AES_128_CBC,
        AES_192_CBC,
        AES_256_CBC,
        AES_128_GCM,
        AES_192_GCM,
        AES_256_GCM,
        ContentCipher("aes-128-ccm", f"{_NIST_AES}.7", "ccm", 16),
        ContentCipher("aes-192-ccm", f"{_NIST_AES}.27", "ccm", 24),
        ContentCipher("aes-256-ccm", f"{_NIST_AES}.47", "ccm", 32),
        ContentCipher("chacha20-poly1305", "1.2.840.113549.1.9.16.3.18", "chacha20", 32, block=""),
        ContentCipher("3des-cbc", "1.2.840.113549.3.7", "cbc", 24, block="3des"),
        ContentCipher("rc2-cbc", "1.2.840.113549.3.2", "cbc", 16, block="rc2"),
    )
}
WRITABLE_CIPHERS = {
    cipher.name: cipher for cipher in (AES_256_GCM, AES_128_GCM, AES_256_CBC, AES_128_CBC)
}


def hash_algorithm(name: HashName) -> hashes.HashAlgorithm | None:
    """Give the library's hash, or None for one it does not have (MD2, SHAKE in this use)."""
    return _HASHES.get(name)


def digest(name: HashName, content: bytes) -> bytes | None:
    """Hash the content, or give None for a hash that cannot be computed here (MD2)."""
    match name:
        case "md2":
            return None
        case "shake256":
            return hashlib.shake_256(content).digest(SHAKE256_SIZE)
        case _:
            return hashlib.new(name, content, usedforsecurity=False).digest()


def algorithm(oid: str, parameters: object = None) -> asn1.Algorithm:
    """Build an AlgorithmIdentifier; `parameters` None leaves them out."""
    fields: dict[str, object] = {"algorithm": oid}
    if parameters is not None:
        fields["parameters"] = parameters
    return asn1.Algorithm(fields)


def algorithm_with_null(oid: str) -> asn1.Algorithm:
    """Build an AlgorithmIdentifier with NULL parameters, as RSA v1.5 asks (RFC 3370 §3.2)."""
    return algorithm(oid, Null())


def content_pieces(oid: str, fields: Sequence[Octets]) -> list[Octets]:
    """Build a ContentInfo (RFC 5652 §3) round a SEQUENCE of these fields, not joined."""
    explicit = wrapped(EXPLICIT_0, wrapped(SEQUENCE, fields))
    return wrapped(SEQUENCE, [object_identifier(oid), *explicit])
