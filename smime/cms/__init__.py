"""Cryptographic Message Syntax: read and write the objects that S/MIME mail carries."""

from smime.cms.algorithms import (
    AES_128_CBC,
    AES_128_GCM,
    AES_256_CBC,
    AES_256_GCM,
    WRITABLE_CIPHERS,
    ContentCipher,
)
from smime.cms.encrypting import CannotEncryptError, encrypt
from smime.cms.errors import CmsError
from smime.cms.signing import CannotSignError, micalg, sign_detached, sign_opaque

__all__ = [
    "AES_128_CBC",
    "AES_128_GCM",
    "AES_256_CBC",
    "AES_256_GCM",
    "WRITABLE_CIPHERS",
    "CannotEncryptError",
    "CannotSignError",
    "CmsError",
    "ContentCipher",
    "encrypt",
    "micalg",
    "sign_detached",
    "sign_opaque",
]
