"""Leaving the content out before parsing changes nothing of what an object says."""

import random
import time

import pytest
from asn1crypto import core, parser

from smime.cms import (
    AES_256_CBC,
    AES_256_GCM,
    asn1,
    carving,
    counting,
    encrypt,
    sign_detached,
    sign_opaque,
)
from smime.cms.carving import carve
from smime.cms.content import open_content
from smime.cms.elements import element
from smime.cms.enveloped import open_enveloped, read_enveloped
from smime.cms.errors import CmsError
from smime.cms.identifiers import certificate_id
from smime.cms.signed import read_algorithm, read_signed
from smime.cms.transports import read_transport
from tests.fuzz.test_revocation import damaged
from tests.smime.cms.messages import PLAIN
from tests.smime.pki.people import NOW, world

CONTENT = PLAIN * 40
HOLDERS = ("encap_content_info", "encrypted_content_info", "auth_encrypted_content_info")
CONTENTS = ("content", "encrypted_content")
REFUSED = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def in_pieces(content: bytes, tag: int, size: int = 100) -> bytes:
    """An OCTET STRING of indefinite length."""
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    return bytes((tag, 0x80)) + b"".join(element(4, each) for each in pieces) + b"\0\0"


def as_ber(der: bytes, depth: int) -> bytes:
    """Write the outer `depth` levels with indefinite lengths, long strings in pieces."""
    class_, method, tag, _, contents, _ = parser.parse(der)
    first = class_ << 6 | method << 5 | tag
    if len(contents) > 500 and first in {0x04, 0x80}:
        return in_pieces(contents, first | 0x20)
    if not method or not depth:
        return der
    children = []
    while contents:
        length = parser.peek(contents)
        children.append(as_ber(contents[:length], depth - 1))
        contents = contents[length:]
    return bytes((first, 0x80)) + b"".join(children) + b"\0\0"


def objects() -> list[bytes]:
    alice, bob = world().alice, world().bob
    made = [
        sign_opaque(CONTENT, alice, signed_at=NOW),
        sign_detached(CONTENT, alice, signed_at=NOW),
        encrypt(CONTENT, [bob.certificate, alice.certificate], cipher=AES_256_GCM),
        encrypt(CONTENT, [alice.certificate], cipher=AES_256_CBC),
    ]
    return [*made, *(as_ber(each, depth) for each in made for depth in (2, 6))]


def said(info, pieces) -> tuple:
    """Everything an object says, its content apart from the rest."""
    value = info["content"]
    content, rest = None, [type(value).__name__]
    for name, *_spec in getattr(value, "_fields", ()):
        if name not in HOLDERS:
            rest.append(asn1.encoded(value[name]))
            continue
        for inner, *_rest in value[name]._fields:
            field = value[name][inner]
            if inner not in CONTENTS:
                rest.append(asn1.encoded(field))
            elif not isinstance(field, core.Void):
                content = b"".join(pieces) if pieces is not None else bytes(field)
    return content, rest


def whole(encoded: bytes) -> tuple | None:
    try:
        is_all = parser.peek(encoded) == len(encoded)
        return is_all, said(asn1.ContentInfo.load(encoded), None)
    except REFUSED:
        return None


def carved(encoded: bytes) -> tuple | None:
    found = carve(encoded)
    try:
        is_all = parser.peek(found.skeleton) == len(found.skeleton)
        return is_all, said(asn1.ContentInfo.load(found.skeleton), found.pieces)
    except REFUSED:
        return None


@pytest.mark.parametrize("number", range(12))
def test_an_object_says_the_same(number):
    encoded = objects()[number]
    assert carved(encoded) == whole(encoded) is not None


def test_a_content_is_found_and_left_out():
    for number, encoded in enumerate(objects()):
        is_detached = number in {1, 6, 7}
        found = carve(encoded)
        assert (found.pieces is None) == is_detached, number
        if not is_detached:
            assert len(found.skeleton) <= len(encoded) - len(CONTENT), number


def test_recipients_are_the_same_however_lengths_are_written():
    alice, bob = world().alice, world().bob
    der = encrypt(CONTENT, [alice.certificate, bob.certificate], cipher=AES_256_GCM)
    read = read_enveloped(open_content(der)).recipients
    assert len(read) == 2
    for depth in range(3, 9):
        assert as_ber(der, depth) != der
        again = read_enveloped(open_content(as_ber(der, depth)))
        assert set(again.recipients) == set(read), depth
        assert open_enveloped(again, [alice]).content == CONTENT
        assert open_enveloped(again, [bob]).content == CONTENT


def test_damage_to_a_recipient_says_the_same():
    der = encrypt(CONTENT, [world().alice.certificate])
    (info,) = open_content(der).value["recipient_infos"]
    seed = asn1.encoded(info.chosen)
    chance = random.Random(8)
    readable = 0
    for number in range(3000):
        encoded = damaged(seed, chance)
        found = read_transport(encoded)
        if found is None:
            continue
        chosen = asn1.RecipientInfo.load(encoded).chosen
        assert found.identifier == certificate_id(chosen["rid"]), f"case {number}"
        algorithm = read_algorithm(chosen["key_encryption_algorithm"])
        assert found.algorithm == algorithm, f"case {number}"
        assert found.encrypted_key == bytes(chosen["encrypted_key"]), f"case {number}"
        readable += 1
    assert readable > 500


def test_damage_says_the_same():
    chance = random.Random(7)
    seeds = objects()
    readable = 0
    for number in range(3000):
        seed = chance.choice(seeds)
        # What stands before the content decides where it is found.
        cut = 120 if number % 2 else len(seed)
        encoded = damaged(seed[:cut], chance) + seed[cut:]
        found = carved(encoded)
        assert found == whole(encoded), f"case {number}"
        readable += found is not None
    assert readable > 500


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x80" * 1000,
        b"\x30\xff" + b"\xff" * 200,
        b"\x30\x80\x06\x09*\x86H\x86\xf7\r\x01\x07\x02\xa0\x80\x30\x80" + b"\x30\x80" * 5000,
        b"\x30\x80\x06\x09*\x86H\x86\xf7\r\x01\x07\x02\xa0\x80\x30\x80" + b"\x05\0" * 5000,
    ],
)
def test_what_is_no_such_object_is_left_to_the_parser(encoded):
    found = carve(encoded)
    assert (found.skeleton, found.pieces) == (encoded, None)


SIGNED = b"\x06\x09*\x86H\x86\xf7\r\x01\x07\x02"
MAIL = b"\x06\x09*\x86H\x86\xf7\r\x01\x07\x01"
SHA_256 = element(0x30, b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01")
TEXT = element(0x30, MAIL, element(0xA0, b"\x04\x01a"))


def made(*fields: bytes) -> bytes:
    """A SignedData without digest algorithms."""
    return element(0x30, SIGNED, element(0xA0, element(0x30, b"\x02\x01\x01\x31\0", *fields)))


def opaque(*content: bytes) -> bytes:
    return made(element(0x30, MAIL, element(0xA0, *content)), b"\x31\0")


def signer(attributes: bytes = b"", signature: bytes = b"\x04\x01a") -> bytes:
    name = element(0x80, b"somebody")
    whole = element(0x30, b"\x02\x01\x01", name, SHA_256, attributes, SHA_256, signature)
    return element(0x31, whole)


def attributes(count: int, *values: bytes) -> bytes:
    return element(0xA0, element(0x30, b"\x06\x01\x2a", element(0x31, *values)) * count)


LONG = b"\x04\x81\xff" + b"a" * 255
COSTLY = {
    "pieces": lambda: opaque(b"\x24\x80", b"\x04\0" * 600_000, b"\0\0"),
    "pieces too deep": lambda: opaque(b"\x24\x80" * 9, LONG * 90_000, b"\0\0" * 9),
    "pieces of a signature": lambda: made(
        TEXT, signer(signature=b"\x24\x80" + LONG * 90_000 + b"\0\0")
    ),
    "values of an attribute": lambda: made(TEXT, signer(attributes(1, LONG * 90_000))),
    "attributes": lambda: made(TEXT, signer(attributes(100_000))),
    "certificates": lambda: made(TEXT, element(0xA0, b"\x30\0" * 2_000_000), b"\x31\0"),
    "a long tag": lambda: element(0x30, b"\x3f" + b"\xff" * 200_000 + b"\x01\0"),
    "a long identifier": lambda: element(0x30, element(0x06, b"\xff" * 200_000 + b"\x01")),
    "attributes behind damage": lambda: made(
        TEXT,
        element(0xA1, b"\x30\x80\x04\x84\x01\0\0\0"),
        signer(attributes(100_000)),
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_would_take_too_long_is_refused_at_once(name):
    encoded = COSTLY[name]()
    start = time.process_time()
    with pytest.raises(CmsError, match="damaged"):
        read_signed(open_content(encoded))
    assert time.process_time() - start < 3


def test_the_most_pieces_are_read_in_time():
    encoded = opaque(b"\x24\x80", b"\x04\x01a" * (carving.ELEMENT_LIMIT - 20), b"\0\0")
    start = time.process_time()
    assert len(read_signed(open_content(encoded)).content) == carving.ELEMENT_LIMIT - 20
    assert time.process_time() - start < 3


def test_the_most_attributes_are_read_in_time():
    most = attributes((counting.ELEMENT_LIMIT - 60) // 3)
    start = time.process_time()
    (found,) = read_signed(open_content(made(TEXT, signer(most)))).signers
    assert time.process_time() - start < 3
    assert "1.2" in found.attributes


def test_the_largest_mail_in_pieces_of_one_kilobyte_is_read():
    mail = bytes(25_000_000)
    encoded = opaque(in_pieces(mail, 0x24, 1024))
    assert read_signed(open_content(encoded)).content == mail


def test_revocation_lists_are_not_counted_entry_by_entry():
    entries = element(0x30, b"\x30\0" * 500_000)
    assert read_signed(open_content(made(TEXT, element(0xA1, entries), b"\x31\0"))).content == b"a"
