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


def test_the_combiner_gives_the_known_answer():
    """Numbers of the examples of draft-ietf-lamps-pq-composite-kem for MLKEM768-ECDH-P256."""
    first = bytes.fromhex("c9f935a9d9d439a532788f3cbf4eb2d995753bf8df5d4d33ce9ca4d740d382f0")
    second = bytes.fromhex("89a7f9557bde55ff147e6956c898e32624c2fb00b06c9492407ce29c67a8aea6")
    ciphertext = bytes.fromhex(
        "046f59fa2cfde7eb4eaeebbee12b8491454cce47e17ecf178211d811d3a14a7f5f"
        "00d453cf2b0b74e7e282956e584fb83cbc2fe30f27f9e28f805405b94d380b71"
    )
    key_octets = bytes.fromhex(
        "0435f7c0fd160488c9a356042ffee14c291fd6f7e12c0a52ffa2a59afc08cc09bb"
        "adbbcfceba7a16058484ff9495e10e0062beac8168e4ba3f841fd4a92451bf0a"
    )
    secret = KEMS["MLKEM768-ECDH-P256-SHA3-256"].combine((first, second), ciphertext, key_octets)
    expected = "58a35588f5fe415b5006f92e6dbc3fda78a430aef2d0060dad320105ed578d97"
    assert secret.hex() == expected
