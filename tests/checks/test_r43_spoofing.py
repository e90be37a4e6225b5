"""Check 43, row 29: mail that is not verified is never shown as if it were.

The crafted mails of the corpus (wrong From, two From, partly signed, expired, withdrawn, wrong
usage, self-made, …), and parts that are signed beside others that are not.
"""

from datetime import datetime

import pytest

from smime.pki.revocation import load_crls
from smime.verdict import Context
from tests.browser.rendering_site import MODES, Shown, Watched
from tests.smime.cms.messages import HEAD, PLAIN, mixed, opaque, pkcs7
from tests.smime.pki.people import context
from tests.smime.test_signet_made import ROOT, _cases, _certificate, _keys, _spec
from webmail.reader.framing import frame_views

pytestmark = pytest.mark.browser
CASES = dict(_cases())
SPOOFED = [name for name, want in CASES.items() if want["level"] != "ok"]
LOOSE = b"Content-Type: text/html\r\n\r\n<h1>\xf0\x9f\x94\x92 Signed by bank.example</h1>\r\n"


def shown(tab: Watched, name: str) -> Shown:
    """A crafted mail with its own clock, trust and keys."""
    want, spec = CASES[name], _spec()
    known = tuple(_certificate(each) for each in want.get("cert", ()))
    read_with = Context(
        now=datetime.fromisoformat(spec["clock"]),
        received_at=datetime.fromisoformat(want["received"]),
        anchors=tuple(_certificate(each) for each in spec["trust"]),
        known_certificates=known,
        intermediates=known,
        crls=load_crls([(ROOT / spec["crl"]).read_bytes()]),
    )
    raw = (ROOT / f"{want['file']}.eml").read_bytes()
    return tab.site.show(raw, keys=_keys(), context=read_with)


@pytest.mark.corpus
@pytest.mark.parametrize("name", SPOOFED)
def test_r43_what_is_not_verified_is_not_shown_as_verified(name: str, tab: Watched) -> None:
    """The line above the frames never praises; nothing runs or loads."""
    message = shown(tab, name)
    bare = [what for url in message.alone for what in tab.open(url)]
    assert (tab.open_framed(message), bare) == ([], [])
    assert message.made.verdict.level == CASES[name]["level"] != "ok"
    assert message.made.page["verdict"]["level"] != "ok"


@pytest.mark.parametrize(
    ("parts", "signed_at"),
    [
        ((LOOSE, opaque), 1),
        ((opaque, LOOSE), 0),
        ((LOOSE, opaque, LOOSE), 1),
    ],
    ids=["behind", "before", "between"],
)
@pytest.mark.parametrize("mode", MODES)
def test_r43_the_status_of_a_signed_part_stands_at_that_part(
    parts: tuple[object, ...], signed_at: int, mode: str, tab: Watched
) -> None:
    """Signature wrapping: a sound signature beside unsigned HTML speaks for its own frame only."""
    entities = [each() if callable(each) else each for each in parts]
    raw = HEAD + mixed(*entities)
    assert tab.problems(raw, mode, context=context()) == []
    made = tab.site.show(raw, context=context()).made
    assert made.verdict.signature.code == "partly-signed"
    for number, box in enumerate(frame_views(made.page, address=str, title="")):
        (frame,) = box.items
        document = made.documents.frames[int(frame.url)]
        assert (box.level, "bank.example" in document) == (
            ("ok", False) if number == signed_at else ("", True)
        )


def test_r43_a_signed_file_does_not_pose_as_the_body(tab: Watched) -> None:
    """A signed message that travels as an attachment is a file; its signer is not the sender's."""
    inner = b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"
    raw = HEAD + mixed(PLAIN, inner + HEAD + opaque())
    message = tab.site.show(raw, context=context())
    assert tab.open_framed(message) == []
    assert message.made.verdict.signature.code == "unsigned"
    assert "nested-signed" in message.made.verdict.signature.notes
    assert len(message.made.documents.frames) == len(message.made.page["attachments"]) == 1


def test_r43_a_signature_that_is_none_is_no_frame_of_praise(tab: Watched) -> None:
    raw = HEAD + mixed(LOOSE, pkcs7(b"0\x03\x02\x01\x00"))
    message = tab.site.show(raw, context=context())
    assert tab.open_framed(message) == []
    lines = tab.page.locator(".part-line").all_inner_texts()
    assert lines and not any(line.startswith("Signed") for line in lines)
