"""Keys that wrap content keys: the derivation both ways of key agreement share."""

from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from smime.cms import algorithms, asn1
from smime.cms.errors import CmsError


def derive_wrapping_key(
    shared: bytes, *, scheme: str, wrap: asn1.Algorithm, ukm: bytes | None
) -> bytes:
    """Derive the key-encryption key from a shared secret (RFC 5753 §7.2, RFC 8418 §2).

    `scheme` is the key agreement's object identifier, `wrap` the key wrap as it was written.
    Raises CmsError for algorithms not known.
    """
    derivation, hash_name = algorithms.AGREEMENTS.get(scheme, (None, None))
    size = algorithms.KEY_WRAPS.get(wrap["algorithm"].dotted)
    if hash_name is None or size is None:
        raise CmsError("unknown-algorithm")
    hash_algorithm = algorithms.hash_algorithm(hash_name)
    if hash_algorithm is None:
        raise CmsError("unknown-algorithm")
    fields: dict[str, object] = {
        "key_info": wrap,
        "supp_pub_info": (size * 8).to_bytes(4),  # in bits, big-endian
    }
    if ukm is not None:
        fields["entity_u_info"] = ukm
    info = asn1.SharedInfo(fields).dump()
    if derivation == "x963":
        return X963KDF(algorithm=hash_algorithm, length=size, sharedinfo=info).derive(shared)
    return HKDF(algorithm=hash_algorithm, length=size, salt=ukm, info=info).derive(shared)
