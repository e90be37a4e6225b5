"""How long deriving a key from a passphrase would take, read before it is done (RFC 8018).

Whoever writes a key file chooses the work of whoever reads it.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from asn1crypto import core
from asn1crypto import keys as asn1_keys
from cryptography.exceptions import UnsupportedAlgorithm

ITERATION_LIMIT = 1_000_000  # one derivation of that length costs about 0.75 s
TOTAL_ITERATION_LIMIT = 3_000_000  # of one file
KEY_LENGTH_LIMIT = 32  # bytes; each further 16 to 64 of PBKDF2 take all the iterations again
SCRYPT_LIMIT = 2**20  # N·r·p; it takes 128 times as many bytes at most: 128 MiB


class CostlyKeyError(Exception):
    """Deriving the key would take longer or more memory than is spent on a file."""


class _Scrypt(core.Sequence):  # type: ignore[misc]
    """The scrypt-params of RFC 7914 §7.1."""

    IDENTIFIER = "1.3.6.1.4.1.11591.4.11"

    _fields = [
        ("salt", core.OctetString),
        ("n", core.Integer),
        ("r", core.Integer),
        ("p", core.Integer),
        ("key_length", core.Integer, {"optional": True}),
    ]


def iterations_of_key(der: bytes) -> int:
    """Say how many iterations an EncryptedPrivateKeyInfo asks for.

    Raises as `iterations_of`.
    """
    return iterations_of(asn1_keys.EncryptedPrivateKeyInfo.load(der)["encryption_algorithm"])


def iterations_of(method: Any) -> int:
    """Say how many iterations an encryption algorithm (PBES1, PBES2, PKCS #12) asks for.

    Those of scrypt are none. Raises CostlyKeyError for other bounds that are not kept,
    UnsupportedAlgorithm for a derivation not known here, and what asn1crypto raises for damage.
    """
    name = method["algorithm"].native
    if name != "pbes2":
        if "." in name:  # asn1crypto has no name for it
            raise UnsupportedAlgorithm(name)
        return int(method.kdf_iterations)
    derivation = method["parameters"]["key_derivation_func"]
    match derivation["algorithm"].native:
        case "pbkdf2":
            parameters = derivation["parameters"]
        case _Scrypt.IDENTIFIER:
            parameters = _Scrypt.load(derivation["parameters"].dump())
        case other:
            raise UnsupportedAlgorithm(other)
    length = parameters["key_length"].native
    if length is not None and not 0 < length <= KEY_LENGTH_LIMIT:
        raise CostlyKeyError
    if not isinstance(parameters, _Scrypt):
        return int(parameters["iteration_count"].native)
    factors = [parameters[factor].native for factor in ("n", "r", "p")]
    if min(factors) < 1 or prod(factors) > SCRYPT_LIMIT:
        raise CostlyKeyError
    return 0


def are_iterations_bearable(counts: Sequence[int]) -> bool:
    """Say whether derivations of these lengths may be done for one file."""
    most = max(counts, default=0)
    return most <= ITERATION_LIMIT and sum(counts) <= TOTAL_ITERATION_LIMIT
