"""Decrypt content with its content key. Nothing leaves before an authentication tag is checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from asn1crypto.core import OctetString
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import RC2, TripleDES
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import (
    BlockCipherAlgorithm,
    Cipher,
    CipherContext,
    modes,
)
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from smime.cms import asn1
from smime.cms.algorithms import ContentCipher
from smime.cms.elements import Octets, in_portions
from smime.cms.errors import CmsError, reading

# RFC 5084 §3.1, §3.2: what the tag's length may be. CCM allows less; too little to rely on (ours).
_GCM_TAGS = range(12, 17)
_CCM_TAGS = (12, 14, 16)
_CHACHA_TAG = 16
_AT_ONCE = 256 * 1024  # bytes
_RC2_128_BITS = 58  # RFC 2268 §6: the parameter that stands for 128 effective bits


@dataclass(frozen=True, slots=True)
class SealedContent:
    """Ciphertext with what is needed to open it besides the key."""

    cipher: ContentCipher | None
    parameters: bytes | None
    ciphertext: Sequence[Octets]  # in pieces
    tag: bytes | None  # of AuthEnvelopedData
    associated: bytes  # authenticated, not encrypted


def unseal(sealed: SealedContent, key: bytes) -> bytes | Literal["damaged", "tampered", "obsolete"]:
    """Give the plaintext, or which kind of failure it is. Never raises."""
    cipher = sealed.cipher
    if cipher is None:
        return "damaged"
    try:
        match cipher.mode:
            case "cbc":
                return _cbc(sealed, cipher, key)
            case "gcm":
                return _gcm(sealed, key)
            case "ccm":
                return _ccm(sealed, key)
            case "chacha20":
                return _chacha(sealed, key)
    except InvalidTag:
        return "tampered"
    except UnsupportedAlgorithm:
        return "obsolete"
    except (CmsError, ValueError, TypeError, OverflowError):
        return "damaged"


def _cbc(sealed: SealedContent, cipher: ContentCipher, key: bytes) -> bytes:
    algorithm: BlockCipherAlgorithm
    parameters = sealed.parameters or b""
    if cipher.block == "rc2":
        with reading():
            stated = asn1.Rc2Parameters.load(parameters, strict=True)
            version, iv = stated["version"].native, bytes(stated["iv"])
        if version != _RC2_128_BITS:
            raise UnsupportedAlgorithm("RC2 with a short key")
        algorithm = RC2(key)
    else:
        with reading():
            iv = bytes(OctetString.load(parameters, strict=True))
        algorithm = TripleDES(key) if cipher.block == "3des" else AES(key)
    decryptor = Cipher(algorithm, modes.CBC(iv)).decryptor()
    plain = _decrypted(decryptor, sealed.ciphertext)
    # Only the last block is looked at: unpadding the whole would be a copy of it.
    size = algorithm.block_size // 8
    ending = bytes(plain.getbuffer()[-size:])
    unpadder = padding.PKCS7(algorithm.block_size).unpadder()
    rest = unpadder.update(ending) + unpadder.finalize()
    plain.truncate(plain.tell() - len(ending) + len(rest))
    return plain.getvalue()


def _decrypted(decryptor: CipherContext, pieces: Sequence[Octets]) -> BytesIO:
    """Decrypt piece by piece into a buffer that gives its bytes away uncopied."""
    plain = BytesIO()
    for piece in in_portions(pieces, _AT_ONCE):
        plain.write(decryptor.update(piece))
    plain.write(decryptor.finalize())
    return plain


def _nonce_and_tag(sealed: SealedContent, allowed: range | tuple[int, ...]) -> tuple[bytes, bytes]:
    """Read RFC 5084 parameters; the stated tag length must be the tag's own (RFC 5084 §3)."""
    with reading():
        stated = asn1.GcmParameters.load(sealed.parameters or b"", strict=True)
        nonce, length = bytes(stated["nonce"]), stated["icv_length"].native
    tag = sealed.tag or b""
    if length != len(tag) or length not in allowed:
        raise CmsError("damaged")
    return nonce, tag


def _gcm(sealed: SealedContent, key: bytes) -> bytes:
    nonce, tag = _nonce_and_tag(sealed, _GCM_TAGS)
    mode = modes.GCM(nonce, tag, min_tag_length=_GCM_TAGS.start)
    decryptor = Cipher(AES(key), mode).decryptor()
    decryptor.authenticate_additional_data(sealed.associated)
    return _decrypted(decryptor, sealed.ciphertext).getvalue()


def _ccm(sealed: SealedContent, key: bytes) -> bytes:
    nonce, tag = _nonce_and_tag(sealed, _CCM_TAGS)
    return AESCCM(key, tag_length=len(tag)).decrypt(
        nonce, b"".join((*sealed.ciphertext, tag)), sealed.associated
    )


def _chacha(sealed: SealedContent, key: bytes) -> bytes:
    with reading():
        nonce = bytes(OctetString.load(sealed.parameters or b"", strict=True))
    tag = sealed.tag or b""
    if len(tag) != _CHACHA_TAG:
        raise CmsError("damaged")
    return ChaCha20Poly1305(key).decrypt(
        nonce, b"".join((*sealed.ciphertext, tag)), sealed.associated
    )
