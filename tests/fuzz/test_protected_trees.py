"""Any tree that is signed and encrypted comes out as the same octets."""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smime.cms import AES_128_CBC, AES_256_CBC, AES_256_GCM, encrypt
from smime.reading import read_message
from smime.verdict import judge
from tests.fuzz.trees import TREES
from tests.smime.cms.messages import HEAD, opaque, pkcs7
from tests.smime.pki.people import context, world

CASES = int(os.environ.get("SIGNET_FUZZ_CASES", "200"))


@settings(
    max_examples=CASES,
    deadline=None,
    derandomize=CASES <= 200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    tree=TREES,
    cipher=st.sampled_from([AES_256_GCM, AES_256_CBC, AES_128_CBC]),
    reader=st.sampled_from(["alice", "bob"]),
)
def test_a_tree_comes_out_as_it_went_in(tree, cipher, reader):
    tree = tree.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    readers = [world().alice.certificate, world().bob.certificate]
    signed = opaque(tree)
    kind = "authEnveloped-data" if cipher.is_authenticated else "enveloped-data"
    raw = HEAD + pkcs7(encrypt(signed, readers, cipher=cipher), kind)
    reading = read_message(raw, keys=[getattr(world(), reader)])
    assert [each.raw for each in reading.passed[:3]] == [raw, signed, tree]
    outer, inner = reading.layers[:2]
    assert outer.encryption.state == "opened"
    assert [each.check.integrity for each in inner.signature.signers] == ["good"]
    judge(reading.facts, context=context())
