"""Composite keys: both halves count, in signatures and in secrets, and files bring them back."""

from functools import cache

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given, settings
from hypothesis import strategies as st

from smime.pki.authority import new_key
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

SIGNATURES = {scheme.name: scheme for scheme in COMPOSITE_SIGNATURES.values()}
KEMS = {scheme.name: scheme for scheme in COMPOSITE_KEMS.values()}
MESSAGE = b"Content-Type: text/plain\r\n\r\nHello\r\n"


@cache
def key(name: str):
    return new_key(name)


def flipped(octets: bytes, at: int) -> bytes:
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_needs_both_halves(name):
    scheme, private = SIGNATURES[name], key(name)
    public = CompositePublicKey.from_octets(scheme, private.public_key().octets())
    signature = private.sign(MESSAGE)
    public.verify(signature, MESSAGE)
    size = scheme.post_quantum.signature_size
    for broken in (
        flipped(signature, 0),
        flipped(signature, len(signature) - 1),
        signature[:size],
        signature[size:],
        private.sign(b"another")[:size] + signature[size:],
        signature[:size] + private.sign(b"another")[size:],
    ):
        with pytest.raises((InvalidSignature, ValueError)):
            public.verify(broken, MESSAGE)
    with pytest.raises(InvalidSignature):
        public.verify(signature, MESSAGE + b" ")


def test_halves_of_a_composite_do_not_sign_for_themselves_or_for_another_combination():
    private = key("MLDSA65-ECDSA-P256-SHA512")
    signature = private.sign(MESSAGE)
    with pytest.raises(InvalidSignature):
        private.post_quantum.public_key().verify(signature[:3309], MESSAGE)
    other = SIGNATURES["MLDSA65-ECDSA-brainpoolP256r1-SHA512"]
    foreign = CompositePublicKey(
        other, private.post_quantum.public_key(), private.classical.public_key()
    )
    with pytest.raises(InvalidSignature):
        foreign.verify(signature, MESSAGE)


@pytest.mark.parametrize("name", KEMS)
def test_a_secret_is_bound_to_both_halves(name):
    scheme, private = KEMS[name], key(name)
    public = CompositeKemPublicKey.from_octets(scheme, private.public_key().octets())
    secret, ciphertext = public.encapsulate()
    assert private.decapsulate(ciphertext) == secret
    assert len(secret) == 32
    other_secret, other = public.encapsulate()
    size = scheme.post_quantum.ciphertext_size
    for mixed in (ciphertext[:size] + other[size:], other[:size] + ciphertext[size:]):
        assert private.decapsulate(mixed) not in {secret, other_secret}
    for misshapen in (b"", ciphertext[:-1], ciphertext + b"\0", ciphertext[:size]):
        with pytest.raises(ValueError, match=r".*"):
            private.decapsulate(misshapen)


@pytest.mark.parametrize("name", [*SIGNATURES, *KEMS])
def test_keys_come_back_from_their_octets(name):
    private = key(name)
    scheme = SIGNATURES.get(name) or KEMS[name]
    load = CompositePrivateKey if name in SIGNATURES else CompositeKemPrivateKey
    again = load.from_octets(scheme, private.octets())
    assert again.public_key().octets() == private.public_key().octets()
    assert again.octets() == private.octets()


def test_parts_of_the_wrong_kind_are_refused():
    p256 = SIGNATURES["MLDSA65-ECDSA-P256-SHA512"]
    octets = key(p256.name).public_key().octets()
    compressed = octets[:1952] + b"\x02" + octets[1953:1985]
    for public in (octets[:-1], octets[:1952], compressed):
        with pytest.raises(ValueError, match=r".*"):
            CompositePublicKey.from_octets(p256, public)
    on_p384 = key("MLDSA65-ECDSA-P384-SHA512").octets()
    with pytest.raises(ValueError, match="another curve"):
        CompositePrivateKey.from_octets(p256, on_p384)
    shorter = key("MLDSA65-RSA3072-PSS-SHA512").octets()
    with pytest.raises(ValueError, match="size"):
        CompositePrivateKey.from_octets(SIGNATURES["MLDSA65-RSA4096-PSS-SHA512"], shorter)


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_any_message_signs_and_any_octets_are_refused_as_a_signature(octets):
    private = key("MLDSA44-Ed25519-SHA512")
    private.public_key().verify(private.sign(octets), octets)
    with pytest.raises(InvalidSignature):
        private.public_key().verify(octets, MESSAGE)


@settings(max_examples=60)
@given(st.binary(max_size=80))
def test_damaged_envelopes_raise_one_kind_of_error(octets):
    for read in (read_public_key_info, read_private_key_info):
        with pytest.raises((ValueError, TypeError)):
            read(octets)
