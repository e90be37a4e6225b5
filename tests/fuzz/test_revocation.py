"""Damaged lists and answers say nothing, raise nothing else, and take no time.

`SIGNET_FUZZ_CASES` sets the number of cases for the long run.
"""

import os
import random
import time
from collections.abc import Callable, Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from smime.pki.crl import load_crls, read_crl
from smime.pki.ocsp import RefusedAnswerError, read_ocsp
from smime.pki.revocation import RevocationAnswer, check_revocation
from tests.smime.pki.people import DAY, NOW, fresh_crl, world
from tests.smime.pki.responder import answer, delegate

CASES = int(os.environ.get("SIGNET_FUZZ_CASES", "20000")) // 4
SECONDS_EACH = 1.0
ALICE, INTER = world().alice, world().inter


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Flip bits, cut, repeat, or swap lengths: what transport and malice do."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(made))
        match chance.randrange(5):
            case 0:
                made[at] ^= 1 << chance.randrange(8)
            case 1:
                made[at] = chance.choice((0, 1, 0x7F, 0x80, 0x84, 0xFF, 0x30, 0x05))
            case 2:
                del made[at : at + chance.randrange(1, 9)]
            case 3:
                made[at:at] = made[at : at + chance.randrange(1, 40)]
            case _:
                made = made[: max(at, 1)]
        if not made:
            made = bytearray(b"0")
    return bytes(made)


def _wrapped(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def signed(content: bytes, algorithm: bytes) -> bytes:
    """Sign damaged content with the issuer's true key: only its own shape can stop it."""
    signature = INTER.key.sign(content, ec.ECDSA(hashes.SHA256()))
    return _wrapped(0x30, content + algorithm + _wrapped(0x03, b"\0" + signature))


def check_list(made: bytes, issuer: x509.Certificate) -> list[RevocationAnswer | None]:
    lists = load_crls([made])
    found = [read_crl(each, ALICE.certificate, issuer) for each in lists]
    check_revocation(ALICE.certificate, issuer, crls=lists, now=NOW)
    return found


def check_answer(made: bytes) -> RevocationAnswer | None:
    try:
        return read_ocsp(made, ALICE.certificate, INTER.certificate, nonce=b"n" * 32)
    except RefusedAnswerError:
        return None


def longest(work: Callable[[bytes], object], cases: Iterator[bytes]) -> float:
    """Return the seconds that the slowest case took."""
    found = 0.0
    for case in cases:
        started = time.perf_counter()
        work(case)
        found = max(found, time.perf_counter() - started)
    return found


def test_a_damaged_list_says_nothing_untrue() -> None:
    encoded = fresh_crl((ALICE, NOW - DAY, None), (world().bob, NOW - DAY, None)).public_bytes(
        Encoding.DER
    )
    chance = random.Random(1)

    def work(made: bytes) -> None:
        # What is still believed is what was signed.
        for each in check_list(made, INTER.certificate):
            assert each is None or each.state == "revoked"

    assert longest(work, (damaged(encoded, chance) for _ in range(CASES))) < SECONDS_EACH


def test_a_damaged_answer_says_nothing_untrue() -> None:
    encoded = answer(ALICE, INTER, signer=delegate(INTER), status="revoked", nonce=b"n" * 32)
    chance = random.Random(2)

    def work(made: bytes) -> None:
        found = check_answer(made)
        assert found is None or found.state == "revoked"

    assert longest(work, (damaged(encoded, chance) for _ in range(CASES))) < SECONDS_EACH


def test_damage_that_the_issuer_signed() -> None:
    crl = fresh_crl((ALICE, NOW - DAY, x509.ReasonFlags.superseded))
    response = ocsp.load_der_ocsp_response(answer(ALICE, INTER, status="revoked"))
    chance = random.Random(3)
    oid = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256
    wrapper = bytes.fromhex("06092b0601050507300101")  # id-pkix-ocsp-basic

    def lists() -> Iterator[bytes]:
        for _ in range(CASES):
            yield signed(damaged(crl.tbs_certlist_bytes, chance), oid)

    def answers() -> Iterator[bytes]:
        for _ in range(CASES):
            basic = signed(damaged(response.tbs_response_bytes, chance), oid)
            inner = _wrapped(0x30, wrapper + _wrapped(0x04, basic))
            yield _wrapped(0x30, b"\x0a\x01\x00" + _wrapped(0xA0, inner))

    assert longest(lambda made: check_list(made, INTER.certificate), lists()) < SECONDS_EACH
    assert longest(check_answer, answers()) < SECONDS_EACH
