"""Damaged CMS objects and certificates raise the engine's own errors only, soon and small.

With test_revocation.py and test_signed.py these are more than 20,000 cases in every run;
`SIGNET_FUZZ_CASES` sets more for the long run.
"""

import os
import random
import resource
import time
import zlib

from cryptography.hazmat.primitives.serialization import Encoding

from smime.cms import AES_256_CBC, AES_256_GCM, CmsError, algorithms, encrypt, sign_opaque
from smime.cms.compressed import decompress
from smime.cms.content import open_content
from smime.cms.elements import element, integer, object_identifier, octet_string, sequence
from smime.cms.enveloped import open_enveloped, read_enveloped, recipient_identifiers
from smime.cms.signed import capabilities, read_signed, signing_time
from smime.cms.verifying import check_signature, load_certificates
from smime.pki.certificates import (
    DamagedCertificateError,
    addresses,
    key_strength,
    load_certificate,
    may_encrypt,
)
from smime.pki.paths import find_path
from smime.reading import read_message
from smime.verdict import judge
from tests.fuzz.test_revocation import damaged
from tests.smime.cms.messages import HEAD, PLAIN, mail, opaque, pkcs7
from tests.smime.pki.people import NOW, context, world

CASES = int(os.environ.get("SIGNET_FUZZ_CASES", "6000"))
FLIPS = 1000
SECONDS_EACH = 3.0
MEGABYTES = 300


def compressed() -> bytes:
    packed = octet_string(zlib.compress(PLAIN * 50))
    data = sequence(object_identifier(algorithms.DATA), element(0xA0, packed))
    value = sequence(integer(0), sequence(object_identifier(algorithms.ZLIB)), data)
    return sequence(object_identifier(algorithms.COMPRESSED_DATA), element(0xA0, value))


def read_all(der: bytes) -> None:
    """Read an object as mail is read, to the end."""
    alice, bob = world().alice, world().bob
    content = open_content(der)
    match content.kind:
        case "signed":
            signed = read_signed(content)
            candidates = (*load_certificates(signed.certificates), alice.certificate)
            for signer in signed.signers:
                signing_time(signer)
                capabilities(signer)
                shown = signed.content or PLAIN
                check = check_signature(signer, signed, content=shown, candidates=candidates)
                assert check.integrity != "good" or shown == PLAIN
        case "compressed":
            decompress(content)
        case _:
            enveloped = read_enveloped(content)
            recipient_identifiers(enveloped)
            open_enveloped(enveloped, [alice, bob])


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_damaged_objects_raise_the_engine_s_errors_only():
    readers = [world().alice.certificate, world().bob.certificate]
    seeds = [
        sign_opaque(PLAIN, world().alice, signed_at=NOW),
        sign_opaque(PLAIN, world().bob, signed_at=NOW),
        encrypt(PLAIN, readers, cipher=AES_256_GCM),
        encrypt(PLAIN, readers[1:], cipher=AES_256_CBC),
        compressed(),
    ]
    for seed in seeds:
        read_all(seed)
    chance = random.Random(21)
    before, slowest, refused = peak_megabytes(), 0.0, 0
    for number in range(CASES):
        seed = chance.choice(seeds)
        cut = chance.choice((60, 200, len(seed)))  # the structure's beginning decides most
        case = damaged(seed[:cut], chance) + seed[cut:]
        started = time.process_time()
        try:
            read_all(case)
        except CmsError:
            refused += 1
        except Exception as error:
            error.add_note(f"case {number}")
            raise
        slowest = max(slowest, time.process_time() - started)
    assert slowest < SECONDS_EACH
    assert peak_megabytes() - before < MEGABYTES
    assert CASES // 4 < refused < CASES


def test_damaged_certificates_raise_the_engine_s_error_only():
    root, inter = world().root, world().inter
    # Not the root: whoever has its name and key is the anchor, whatever else it says.
    seeds = [each.certificate for each in (world().alice, world().bob, inter)]
    chance = random.Random(22)
    before, slowest, loaded = peak_megabytes(), 0.0, 0
    for number in range(CASES // 2):
        case = damaged(chance.choice(seeds).public_bytes(Encoding.DER), chance)
        started = time.process_time()
        try:
            certificate = load_certificate(case)
            loaded += 1
            addresses(certificate)
            key_strength(certificate)
            may_encrypt(certificate)
        except DamagedCertificateError:
            pass
        else:
            path = find_path(
                certificate, anchors=[root.certificate], others=[inter.certificate], moments=[NOW]
            )
            assert path.trust not in {"trusted", "pinned"} or certificate in seeds, f"case {number}"
        slowest = max(slowest, time.process_time() - started)
    assert slowest < SECONDS_EACH
    assert peak_megabytes() - before < MEGABYTES
    assert loaded > CASES // 20


def test_a_thousand_flipped_bits_never_stay_ok():
    """One bit of what is signed, anywhere in it: in the clear, and inside the object."""
    chance = random.Random(23)
    clear = mail()
    boundary = clear.partition(b'boundary="')[2].partition(b'"')[0]
    start = clear.index(b"\r\n--" + boundary) + len(boundary) + 6
    stop = clear.index(b"\r\n--" + boundary, start)
    der = sign_opaque(PLAIN, world().alice, signed_at=NOW)
    place = der.index(PLAIN)
    judged = context()
    assert judge(read_message(clear).facts, context=judged).level == "ok"
    assert judge(read_message(HEAD + opaque()).facts, context=judged).level == "ok"
    for number in range(FLIPS):
        if number % 2:
            changed = bytearray(clear)
            changed[chance.randrange(start, stop)] ^= 1 << chance.randrange(8)
            raw = bytes(changed)
        else:
            changed = bytearray(der)
            changed[chance.randrange(place, place + len(PLAIN))] ^= 1 << chance.randrange(8)
            raw = HEAD + pkcs7(bytes(changed))
        verdict = judge(read_message(raw).facts, context=judged)
        assert verdict.level != "ok", f"case {number}"
