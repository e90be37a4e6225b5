"""How long a failure to decrypt takes, and how much is done, tells nothing of what failed.

An attacker who sends variants of an old message and sees answers or times must not learn whether the
padding of the content key was right (Bleichenbacher, RFC 3218; verdicts.md ground rule 9).
"""

import gc
import os
import random
import statistics
import time
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from smime.cms import AES_256_CBC, AES_256_GCM, asn1, encrypt, enveloped
from smime.cms.content import open_content
from smime.cms.enveloped import open_enveloped, read_enveloped
from tests.smime.pki.people import world

CONTENT = bytes(range(256)) * 1024  # 256 KiB: deciphering them is a visible part of the work
TRIES = 10_000
KINDS = ("padding", "length", "other key", "content", "padding again")
ROUNDS = TRIES // (2 * len(KINDS))
SHARE = 0.02  # what two kinds may differ by where the machine is quieter than that
SHORTCUT = 0.1  # what leaving out the content saves, at the least (measured: a fifth and more)


def damaged(der: bytes, kind: str, source: random.Random) -> bytes:
    """The message with an entry that does not open it, or with other content than was written."""
    pair = world().alice
    public = pair.certificate.public_key()
    info = asn1.ContentInfo.load(der)
    (recipient,) = info["content"]["recipient_infos"]
    match kind:
        case "content":
            true = pair.key.decrypt(bytes(recipient.chosen["encrypted_key"]), padding.PKCS1v15())
            secret = public.encrypt(true, padding.PKCS1v15())
        case "length":
            secret = public.encrypt(source.randbytes(24), padding.PKCS1v15())
        case "other key":
            secret = public.encrypt(source.randbytes(32), padding.PKCS1v15())
        case _:
            secret = b"\0" + source.randbytes(255)  # below the modulus, and no padding
    recipient.chosen["encrypted_key"] = secret
    changed = bytearray(info.dump(force=True))
    # The last octet but one block of CBC, so that the padding is wrong; of GCM, the tag.
    changed[-1 if isinstance(info["content"], asn1.AuthEnvelopedData) else -17] ^= (
        1 << source.randrange(3, 8)
    )
    return bytes(changed)


def took(message, pair) -> tuple[int, str | None]:
    started = time.thread_time_ns()
    opened = open_enveloped(message, [pair])
    return time.thread_time_ns() - started, opened.failure


def usual(times: list[int]) -> float:
    """The lower quartile: what else the machine does only ever adds to a time."""
    return statistics.quantiles(times, n=4)[0]


def noise(times: list[int], source: random.Random) -> float:
    """How far `usual` strays from sample to sample of the same kind (bootstrap, 3 sigma)."""
    strays = [usual(source.choices(times, k=len(times))) for _ in range(100)]
    return 3 * statistics.stdev(strays)


@pytest.mark.slow
@pytest.mark.parametrize("cipher", [AES_256_GCM, AES_256_CBC], ids=lambda each: each.name)
def test_ten_thousand_failures_take_the_same_time(cipher):
    source = random.Random(11)
    pair = world().alice
    der = encrypt(CONTENT, [pair.certificate], cipher=cipher)
    times: dict[str, list[int]] = {kind: [] for kind in KINDS}
    said: dict[str, set[str | None]] = {kind: set() for kind in KINDS}
    order = list(KINDS)
    gc.disable()
    try:
        for _ in range(ROUNDS):
            source.shuffle(order)
            for kind in order:
                message = read_enveloped(open_content(damaged(der, kind, source)))
                nanoseconds, failure = took(message, pair)
                times[kind].append(nanoseconds)
                said[kind].add(failure)
    finally:
        gc.enable()
    # A wrong key ends well by chance once in 256 times under CBC; under GCM never.
    expected = {"tampered"} if cipher is AES_256_GCM else {"damaged", None}
    assert all(found <= expected for found in said.values()), said
    found = {kind: usual(each) for kind, each in times.items()}
    strays = {kind: noise(each, source) for kind, each in times.items()}
    for one, other in combinations(KINDS, 2):
        apart = abs(found[one] - found[other])
        bound = max(SHARE * found[one], strays[one] + strays[other])
        said_apart = f"{one}, {other}: {apart / 1e3:.0f} of {found[one] / 1e3:.0f} µs"
        assert apart <= bound, f"{said_apart}, the same again {bound / 1e3:.0f}"
        # The noise must not hide what is looked for.
        assert bound < SHORTCUT * found[one], f"{said_apart}: too noisy to tell"


@pytest.mark.parametrize("cipher", [AES_256_GCM, AES_256_CBC], ids=lambda each: each.name)
@pytest.mark.parametrize("kind", ["padding", "length", "other key"])
def test_a_second_entry_is_reached_by_the_same_work(cipher, kind, monkeypatch):
    """Two entries for one reader: the first is the attacker's question, the second opens."""
    source = random.Random(12)
    pair = world().alice
    der = encrypt(CONTENT, [pair.certificate], cipher=cipher)
    sound = read_enveloped(open_content(der))
    (asked,) = read_enveloped(open_content(damaged(der, kind, source))).recipients
    (true,) = sound.recipients
    both = enveloped.Enveloped(
        authenticated=sound.authenticated,
        cipher=sound.cipher,
        recipients=(asked, true),
        recipient_count=2,
        sealed=sound.sealed,
    )
    work: list[str] = []
    unseal, urandom = enveloped.unseal, os.urandom
    monkeypatch.setattr(
        enveloped, "unseal", lambda *given: (work.append("unseal"), unseal(*given))[1]
    )
    monkeypatch.setattr(
        enveloped.os, "urandom", lambda size: (work.append("random"), urandom(size))[1]
    )
    opened = open_enveloped(both, [pair])
    assert work == ["random", "unseal"] * 2
    assert opened.content == CONTENT or (cipher is AES_256_CBC and kind == "other key")
