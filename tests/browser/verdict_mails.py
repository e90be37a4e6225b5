"""A mail for each code and note of the catalogue, and rich ones for verdicts not to rely on."""

from collections.abc import Iterator
from typing import Any

from smime.cms import sign_detached
from tests.browser.pane_mails import Mail
from tests.smime.cms.messages import HEAD, PLAIN, clear, opaque
from tests.smime.pki.people import NOW, context, person, world
from tests.smime.verdict_examples import ENCRYPTIONS, NOTES, SIGNATURES
from tests.smime.verdict_mails import forged, known, sender

RICH = (
    b'Content-Type: multipart/mixed; boundary="rich"\r\n\r\n--rich\r\n'
    b"Content-Type: text/html\r\n\r\n<p>Please <a href='https://evil.example/pay'>pay here</a>"
    b"<img src='https://evil.example/seal.png' alt='verified'></p>\r\n--rich\r\n"
    b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=bill.pdf\r\n\r\n"
    b"%PDF-1.4\r\n--rich--\r\n"
)


def rich_and_bad() -> dict[str, tuple[bytes, Any]]:
    """Each way to the class `bad` with something shown: (mail, what it is read with)."""
    proof = sign_detached(RICH, world().alice, signed_at=NOW)
    inside = RICH.replace(b"multipart/mixed;", b'multipart/mixed; hp="clear";')
    return {
        "from-malformed": (sender("Alice", opaque(RICH)), {}),
        "two-senders": (HEAD + opaque(b"From: carol@example.org\r\n" + inside), {}),
        "altered": (HEAD + clear(RICH.replace(b"1.4", b"1.5"), proof), known(world().alice)),
        "impostor": (
            sender("boss@example.org", opaque(RICH)),
            known(person("boss@example.org", "Boss")),
        ),
        "issuer-blocked": (HEAD + opaque(RICH), SIGNATURES["issuer-blocked"][1]),
        "revoked": (HEAD + opaque(RICH), SIGNATURES["revoked"][1]),
    }


def _mail(name: str, made: Any, changes: Any, folder: str) -> Mail:
    """What the example is read with, as tests.smime.test_verdict_codes.judged has it."""
    changes = dict(changes() if callable(changes) else changes)
    if isinstance(made, tuple):
        made, more = made
        changes |= more
    keys = changes.pop("keys", (world().bob,))
    return Mail(name, made, context(**changes), keys=tuple(keys), folder=folder)


def mails() -> Iterator[Mail]:
    """Named by kind and code; a folder a kind, so that a list's first page has them all."""
    for code, (make, changes, *_) in SIGNATURES.items():
        yield _mail(f"signature {code}", make(), changes, "inbox")
    for code, (make, changes, *_) in ENCRYPTIONS.items():
        yield _mail(f"encryption {code}", make(), changes, "archive")
    for note, (present, _) in NOTES.items():
        yield _mail(f"note {note}", present(), {}, "sent")
    for code, (made, changes) in rich_and_bad().items():
        yield _mail(f"bad {code}", made, changes, "archive")
    yield _mail("bad forged", forged(), known(world().alice), "archive")
    yield _mail("good", HEAD + opaque(RICH), {}, "archive")
    yield _mail("plain", HEAD + PLAIN, {}, "archive")
