"""Facts that were kept are judged exactly as the message was."""

import json
import struct
from dataclasses import replace

import pytest

from smime import facts_kept
from smime.cms import AES_256_CBC, AES_256_GCM, encrypt, sign_detached
from smime.facts_kept import OtherVersionError, decode, encode, keep
from smime.reading import read_message
from smime.verdict import History, judge
from smime.verdict_questions import questions
from tests.corpora import corpora_root
from tests.smime.cms.messages import HEAD, PLAIN, clear, mail, mixed, opaque, pkcs7
from tests.smime.pki.people import NOW, context, person, world

BOB = (world().bob,)


def _encrypted(entity, cipher=AES_256_GCM):
    der = encrypt(entity, [world().bob.certificate], cipher=cipher)
    return pkcs7(der, "authEnveloped-data" if cipher.is_authenticated else "enveloped-data")


MESSAGES = {
    "unsigned": lambda: HEAD + PLAIN,
    "signed": mail,
    "without protected headers": lambda: mail(protect_headers=False),
    "encrypted": lambda: mail(recipients=[world().bob.certificate]),
    "cbc": lambda: HEAD + _encrypted(PLAIN, AES_256_CBC),
    "opaque": lambda: HEAD + opaque(),
    "altered": lambda: (
        HEAD + clear(PLAIN.replace(b"1", b"9"), sign_detached(PLAIN, world().alice, signed_at=NOW))
    ),
    "a stranger": lambda: HEAD + opaque(signer=person("alice@example.org", "A", world().stranger)),
    "two signatures": lambda: HEAD + opaque(opaque(), world().mallory),
    "signed outside": lambda: HEAD + opaque(_encrypted(PLAIN)),
    "framed": lambda: HEAD + mixed(PLAIN, opaque(), _encrypted(opaque())),
    "damaged": lambda: HEAD + pkcs7(b"\x30\x80nothing"),
    "odd sender": lambda: HEAD.replace(b"Alice <", b'"x@y.example" <') + opaque(),
    "through a list": lambda: (
        b"Authentication-Results: mx.ours.example; dkim=pass header.d=l.example\r\n"
        b"Received: from a by mx.ours.example; Mon, 23 Nov 2026 12:00:00 +0000\r\n"
        b"ARC-Seal: i=1; d=l.example\r\nList-Id: <x.l.example>\r\n" + HEAD + opaque()
    ),
    "no sender": lambda: HEAD.replace(b"From: Alice <alice@example.org>", b"From: x:;") + opaque(),
}


def check(raw, keys=BOB, **changes):
    reading = read_message(raw, keys=keys)
    kept = keep(reading)
    found = decode(encode(kept))
    assert found == kept
    around = context(**changes)
    verdict = judge(reading.facts, context=around)
    again = judge(found.facts, context=around)
    assert again == verdict
    for frame, facts in zip(reading.frames, found.frames, strict=True):
        assert judge(facts, context=around) == judge(frame.reading.facts, context=around)
    is_valid = verdict.is_signature_valid
    names = reading.headers.protected_names(is_signature_valid=is_valid)
    assert names == (found.protected if is_valid else found.protected_anyway)
    assert questions(again, found.facts, protected=names) == questions(
        verdict, reading.facts, protected=names
    )
    return found


@pytest.mark.parametrize("name", MESSAGES)
def test_the_verdict_is_the_same(name):
    check(MESSAGES[name]())
    check(MESSAGES[name](), keys=(), anchors=(), history=History())


def test_the_subject_is_not_kept():
    encoded = encode(keep(read_message(mail(recipients=[world().bob.certificate]), keys=BOB)))
    assert b"Invoice" not in encoded


def test_each_certificate_is_kept_once():
    encoded = encode(keep(read_message(mail())))
    subject = world().alice.certificate.subject.public_bytes()
    assert encoded.count(subject) == 1


def test_who_signed_anything():
    assert check(mail()).has_signers
    assert check(MESSAGES["framed"]()).has_signers
    assert not check(HEAD + PLAIN).has_signers


def test_facts_of_another_version_are_not_read():
    encoded = encode(keep(read_message(mail())))
    with pytest.raises(OtherVersionError):
        decode(b"\x00" + encoded[1:])


def test_facts_from_before_lists_were_kept_are_read():
    encoded = encode(keep(read_message(mail())))
    (length,) = struct.unpack_from(">I", encoded, 1)
    found, *others = json.loads(encoded[5 : 5 + length])
    assert [each.pop() for each in found] == [None]
    older = json.dumps([found, *others]).encode()
    kept = decode(b"\x01" + struct.pack(">I", len(older)) + older + encoded[5 + length :])
    assert kept == keep(read_message(mail()))


def test_a_crowd_of_recipients_is_cut():
    reading = read_message(HEAD + _encrypted(PLAIN), keys=BOB)
    (layer,) = reading.facts.layers
    many = replace(layer.encryption, recipients=layer.encryption.recipients * 1000)
    crowd = replace(reading.facts, layers=(replace(layer, encryption=many),))
    kept = decode(encode(replace(keep(reading), facts=crowd)))
    assert len(kept.facts.layers[0].encryption.recipients) == facts_kept.RECIPIENTS_LIMIT


@pytest.mark.corpus
@pytest.mark.parametrize(
    "path", sorted((corpora_root() / "smime").rglob("*.eml")), ids=lambda path: path.stem
)
def test_samples(path):
    check(path.read_bytes())
