"""Private keys of every kind, composite ones included: read from PKCS #8, written to it.

`cryptography` reads and writes what it knows itself. A composite key is a OneAsymmetricKey of an
identifier the library refuses, so its encryption (PBES2, RFC 8018 §6.2) is undone and done here.
"""

import os
from hashlib import pbkdf2_hmac

from asn1crypto import algos as asn1_algos
from asn1crypto import core
from asn1crypto import keys as asn1_keys
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
)
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from smime.pki.composite_kems import (
    COMPOSITE_KEMS,
    CompositeKemPrivateKey,
    CompositeKemPublicKey,
)
from smime.pki.composite_signatures import (
    COMPOSITE_SIGNATURES,
    CompositePrivateKey,
    CompositePublicKey,
)
from smime.pki.key_info import read_private_key_info, read_public_key_info

type PrivateKey = PrivateKeyTypes | CompositePrivateKey | CompositeKemPrivateKey
type PublicKey = CertificatePublicKeyTypes | CompositePublicKey | CompositeKemPublicKey

ITERATIONS = 200_000  # of PBKDF2 with SHA-256, for keys written here
_SALT_SIZE = 16  # bytes
_BLOCK = 16  # bytes of AES
_HASHES = {"sha1", "sha224", "sha256", "sha384", "sha512"}
# What asn1crypto raises for bytes that are not what they should be.
_STRUCTURE_ERRORS = (TypeError, KeyError, IndexError, AttributeError, OverflowError)


class UnknownKeyError(UnsupportedAlgorithm):
    """A kind of key that is not known here, such as ML-KEM-512, which the library leaves out."""


def load_private_key(der: bytes, passphrase: bytes | None) -> PrivateKey:
    """Read a PKCS #8 key, encrypted if there is a passphrase. Of a stranger's file its work factor
    is checked before (`work_factors`).

    Raises ValueError for damage or a wrong passphrase, TypeError for one too many or too few,
    UnknownKeyError for a kind of key, UnsupportedAlgorithm for a cipher that is not known.
    """
    try:
        return load_der_private_key(der, passphrase)
    except UnsupportedAlgorithm:
        composite = _composite(der if passphrase is None else _decrypted(der, passphrase))
        if composite is None:
            raise UnknownKeyError("a kind of key that is not known") from None
        return composite


def load_composite_public_key(der: bytes) -> CompositePublicKey | CompositeKemPublicKey | None:
    """Read a SubjectPublicKeyInfo of a composite; None for other kinds. Raises ValueError."""
    try:
        oid, octets = read_public_key_info(der)
    except _STRUCTURE_ERRORS as error:
        raise ValueError("not a public key") from error
    if (signature := COMPOSITE_SIGNATURES.get(oid)) is not None:
        return CompositePublicKey.from_octets(signature, octets)
    if (kem := COMPOSITE_KEMS.get(oid)) is not None:
        return CompositeKemPublicKey.from_octets(kem, octets)
    return None


def encrypted(key: PrivateKey, passphrase: bytes) -> bytes:
    """Write a key as EncryptedPrivateKeyInfo: PBES2 with PBKDF2 (SHA-256) and AES-256-CBC."""
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    salt, iv = os.urandom(_SALT_SIZE), os.urandom(_BLOCK)
    secret = pbkdf2_hmac("sha256", passphrase, salt, ITERATIONS, 32)
    padder = padding.PKCS7(_BLOCK * 8).padder()
    encryptor = Cipher(AES(secret), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    derivation = {
        "algorithm": "pbkdf2",
        "parameters": {
            "salt": asn1_algos.Pbkdf2Salt("specified", core.OctetString(salt)),
            "iteration_count": ITERATIONS,
            "prf": {"algorithm": "sha256"},
        },
    }
    scheme = {"algorithm": "aes256_cbc", "parameters": iv}
    return bytes(
        asn1_keys.EncryptedPrivateKeyInfo(
            {
                "encryption_algorithm": {
                    "algorithm": "pbes2",
                    "parameters": {
                        "key_derivation_func": derivation,
                        "encryption_scheme": scheme,
                    },
                },
                "encrypted_data": ciphertext,
            }
        ).dump()
    )


def _composite(der: bytes) -> CompositePrivateKey | CompositeKemPrivateKey | None:
    try:
        oid, octets = read_private_key_info(der)
        if (signature := COMPOSITE_SIGNATURES.get(oid)) is not None:
            return CompositePrivateKey.from_octets(signature, octets)
        if (kem := COMPOSITE_KEMS.get(oid)) is not None:
            return CompositeKemPrivateKey.from_octets(kem, octets)
    except _STRUCTURE_ERRORS as error:
        raise ValueError("a damaged composite key") from error
    return None


def _decrypted(der: bytes, passphrase: bytes) -> bytes:
    """Undo PBES2 with AES-CBC; raises ValueError, UnsupportedAlgorithm for other schemes."""
    try:
        whole = asn1_keys.EncryptedPrivateKeyInfo.load(der)
        method = whole["encryption_algorithm"]
        if method["algorithm"].native != "pbes2" or method.encryption_cipher != "aes":
            raise UnsupportedAlgorithm("a composite key in an old cipher")
        if method.kdf != "pbkdf2" or method.kdf_hmac not in _HASHES:
            raise UnsupportedAlgorithm("a composite key under another derivation")
        secret = pbkdf2_hmac(
            method.kdf_hmac, passphrase, method.kdf_salt, method.kdf_iterations, method.key_length
        )
        decryptor = Cipher(AES(secret), modes.CBC(method.encryption_iv)).decryptor()
        padded = decryptor.update(bytes(whole["encrypted_data"])) + decryptor.finalize()
    except _STRUCTURE_ERRORS as error:
        raise ValueError("a damaged key") from error
    unpadder = padding.PKCS7(_BLOCK * 8).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
