"""A mail judged with the tests' own trust and clock."""

from smime.reading import read_message
from smime.verdict import judge
from tests.smime.pki.people import context


def verdict_of(raw, *, keys=(), **changes):
    known = changes.get("known_certificates", ())
    reading = read_message(raw, keys=keys, certificates=known)
    return judge(reading.facts, context=context(**changes))


def codes(raw, **changes):
    verdict = verdict_of(raw, **changes)
    encryption = verdict.encryption.code if verdict.encryption else None
    return verdict.signature.code, encryption, verdict.level


def head(**fields) -> bytes:
    """The usual header with other fields; None leaves one out."""
    usual = {
        "From": "Alice <alice@example.org>",
        "To": "Bob <bob@example.org>",
        "Subject": "Invoice 1",
        "Date": "Mon, 23 Nov 2026 12:00:00 +0000",
        "MIME-Version": "1.0",
    }
    fields = usual | {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}\r\n" for name, value in fields.items() if value is not None]
    return "".join(lines).encode()
