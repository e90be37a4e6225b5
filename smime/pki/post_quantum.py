"""Which kinds of keys mail is written with: the one rule, for signers and recipients alike.

Reading knows no such rule. "off" writes with classical keys alone; "composite" also with keys of
which a classical half keeps its promise if the post-quantum one falls; "pure" with every key.
"""

from typing import Literal, get_args

from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem

from smime.pki.composite_kems import CompositeKemPrivateKey, CompositeKemPublicKey
from smime.pki.composite_signatures import CompositePrivateKey, CompositePublicKey
from smime.pki.private_keys import PrivateKey, PublicKey

type PostQuantum = Literal["off", "composite", "pure"]

CHOICES: tuple[PostQuantum, ...] = get_args(PostQuantum.__value__)

_COMPOSITE = (
    CompositePublicKey,
    CompositePrivateKey,
    CompositeKemPublicKey,
    CompositeKemPrivateKey,
)
_PURE = (
    mldsa.MLDSA44PublicKey,
    mldsa.MLDSA65PublicKey,
    mldsa.MLDSA87PublicKey,
    mldsa.MLDSA44PrivateKey,
    mldsa.MLDSA65PrivateKey,
    mldsa.MLDSA87PrivateKey,
    mlkem.MLKEM768PublicKey,
    mlkem.MLKEM1024PublicKey,
    mlkem.MLKEM768PrivateKey,
    mlkem.MLKEM1024PrivateKey,
)


def may_be_written(key: PrivateKey | PublicKey, allowed: PostQuantum) -> bool:
    """Say whether mail is signed with this private key, or encrypted to this public key."""
    if isinstance(key, _COMPOSITE):
        return allowed != "off"
    return allowed == "pure" or not isinstance(key, _PURE)
