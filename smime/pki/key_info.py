"""Public and private keys in their DER envelopes: the identifier of the kind, and octets.

SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) and OneAsymmetricKey (RFC 5958 §2) of kinds whose
parameters are absent and whose octets stand without further encoding: all post-quantum ones.
"""

# mypy: disable-error-code="misc"
# asn1crypto has no types, so its classes look like Any to subclass.

from asn1crypto import core


class _Algorithm(core.Sequence):
    _fields = [
        ("algorithm", core.ObjectIdentifier),
        ("parameters", core.Any, {"optional": True}),
    ]


class _PublicKeyInfo(core.Sequence):
    _fields = [("algorithm", _Algorithm), ("public_key", core.OctetBitString)]


class _PrivateKeyInfo(core.Sequence):
    _fields = [
        ("version", core.Integer),
        ("algorithm", _Algorithm),
        ("private_key", core.OctetString),
        ("attributes", core.Any, {"implicit": 0, "optional": True}),
        ("public_key", core.Any, {"implicit": 1, "optional": True}),
    ]


def public_key_info(oid: str, octets: bytes) -> bytes:
    """Give the DER of a SubjectPublicKeyInfo."""
    return bytes(
        _PublicKeyInfo(
            {"algorithm": {"algorithm": oid}, "public_key": core.OctetBitString(octets)}
        ).dump()
    )


def private_key_info(oid: str, octets: bytes) -> bytes:
    """Give the DER of a OneAsymmetricKey of version 1, without attributes or public key."""
    return bytes(
        _PrivateKeyInfo(
            {"version": 0, "algorithm": {"algorithm": oid}, "private_key": octets}
        ).dump()
    )


def read_public_key_info(der: bytes) -> tuple[str, bytes]:
    """Give kind and octets of a SubjectPublicKeyInfo; raises ValueError."""
    whole = _PublicKeyInfo.load(der)
    return _kind(whole), bytes(whole["public_key"])


def read_private_key_info(der: bytes) -> tuple[str, bytes]:
    """Give kind and octets of a OneAsymmetricKey; raises ValueError."""
    whole = _PrivateKeyInfo.load(der)
    return _kind(whole), bytes(whole["private_key"])


def _kind(whole: core.Sequence) -> str:
    return str(whole["algorithm"]["algorithm"].dotted)
