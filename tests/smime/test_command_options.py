"""Each option of `manage.py inspect` and `manage.py write` does what contracts.md says."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from smime import trust
from smime.management.commands import inspect as inspect_command
from smime.management.commands import write as write_command
from smime.pki.authority import Revocation, crl, to_pkcs12
from smime.reading import read_message
from tests.smime.cms.messages import mail
from tests.smime.pki.people import DAY, NOW, person, world
from webmail.mime import parse_message

pytestmark = pytest.mark.django_db
CLOCK = ("--at", "2026-11-23T12:00:00Z")
RECEIVED = ("--received", "2026-11-23T12:00:00Z")


@pytest.fixture
def path(tmp_path):
    """Write octets to a file and give its path."""

    def make(name: str, content: bytes = b"") -> str:
        if content:
            (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return make


def pem(certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def key_pem(pair) -> bytes:
    private = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + pem(pair.certificate)


def inspect(*arguments: str, errors: io.StringIO | None = None) -> dict:
    out = io.StringIO()
    call_command("inspect", *arguments, "--json", stdout=out, stderr=errors or io.StringIO())
    return json.loads(out.getvalue())


def code(*arguments: str) -> str:
    return inspect(*arguments)["security"]["signature"]["verdict"]


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        (
            inspect_command,
            {"--key", "--passphrase-file", "--trust", "--cert", "--crl", "--at", "--received",
             "--online", "--html", "--json"},
        ),
        (
            write_command,
            {"--from", "--to", "--cc", "--bcc", "--subject", "--text", "--html", "--attach",
             "--in-reply-to", "--sign", "--passphrase-file", "--encrypt-to", "--content",
             "--protect-headers", "--date", "--message-id", "--out"},
        ),
    ],
)  # fmt: skip
def test_every_option_is_there_and_explained(command, needed):
    own: BaseCommand = command.Command()
    general = {each.dest for each in BaseCommand().create_parser("manage.py", "x")._actions}
    options = [
        each for each in own.create_parser("manage.py", "x")._actions if each.dest not in general
    ]
    assert needed <= {name for each in options for name in each.option_strings}
    assert [each.dest for each in options if not each.help] == []


# --- inspect --------------------------------------------------------------------------------------


def test_key_is_repeatable_and_may_be_pem(path):
    raw = path("m.eml", mail(recipients=[world().bob.certificate]))
    keys = (path("m.pem", key_pem(world().mallory)), path("b.pem", key_pem(world().bob)))
    found = inspect(raw, "--key", keys[0], "--key", keys[1], *CLOCK)
    assert found["security"]["encryption"]["state"] == "encrypted-signed"
    only = inspect(raw, "--key", keys[0], *CLOCK)
    assert only["security"]["encryption"]["state"] == "key-missing"


def test_trust_takes_the_place_of_the_installation_s(path):
    raw = path("m.eml", mail())
    assert code(raw, *CLOCK, *RECEIVED) == "chain-incomplete"
    trust.add_anchor(pem(world().root.certificate), actor=None, reason="Ours")
    assert code(raw, *CLOCK, *RECEIVED) == "signed-not-rechecked"
    stranger = path("stranger.pem", pem(world().stranger.certificate))
    assert code(raw, "--trust", stranger, *CLOCK, *RECEIVED) == "chain-incomplete"
    root = path("root.pem", pem(world().root.certificate))
    both = ("--trust", stranger, "--trust", root)
    assert code(raw, *both, *CLOCK, *RECEIVED) == "signed-not-rechecked"


def test_without_a_database_nobody_is_trusted_and_that_is_said(path, monkeypatch):
    def broken():
        raise DatabaseError

    monkeypatch.setattr(trust, "anchors", broken)
    said = io.StringIO()
    found = inspect(path("m.eml", mail()), *CLOCK, errors=said)
    assert found["security"]["signature"]["verdict"] == "chain-incomplete"
    assert said.getvalue().strip() == "There is no database here: nobody is trusted but by --trust."


def test_cert_gives_links_and_people_known(path):
    lone = person("alice@example.org", "Alice")
    raw = mail(signer=type(lone)(key=lone.key, certificate=lone.certificate, chain=()))
    root = ("--trust", path("root.pem", pem(world().root.certificate)))
    name = path("m.eml", raw)
    assert code(name, *root, *CLOCK, *RECEIVED) == "chain-incomplete"
    link = ("--cert", path("inter.der", world().inter.certificate.public_bytes(Encoding.DER)))
    assert code(name, *root, *link, *CLOCK, *RECEIVED) == "signed-not-rechecked"
    altered = path("a.eml", raw.replace(b"100", b"900"))
    assert inspect(altered, *root, *CLOCK)["security"]["level"] == "warn"
    known = ("--cert", path("alice.pem", pem(lone.certificate)))
    assert inspect(altered, *root, *known, *CLOCK)["security"]["level"] == "bad"


def test_crl_and_received_and_at(path):
    root = ("--trust", path("root.pem", pem(world().root.certificate)))
    entry = Revocation(world().alice.certificate.serial_number, NOW - 5 * DAY)
    times = {"this_update": NOW - DAY, "next_update": NOW + DAY}
    lists = (
        *("--crl", path("s.crl", crl(world().stranger, **times))),
        *("--crl", path("i.crl", crl(world().inter, [entry], **times))),
    )
    name = path("m.eml", mail())
    assert code(name, *root, *lists, *CLOCK, *RECEIVED) == "revoked"
    before = ("--received", (NOW - 9 * DAY).isoformat())
    assert code(name, *root, *lists, *CLOCK, *before) == "revoked-later"
    later = ("--at", (NOW + 2 * DAY).isoformat())  # the list is stale by then
    assert code(name, *root, *lists, *later, *RECEIVED) == "signed-not-rechecked"
    ended = ("--at", (NOW + timedelta(days=3000)).isoformat())
    assert code(name, *root, *ended, *RECEIVED) == "signed-expired-since"


def test_every_field_is_there(path):
    raw = mail(recipients=[world().bob.certificate], html="<p>Hi</p>", cc=())
    root = ("--trust", path("root.pem", pem(world().root.certificate)))
    key = ("--key", path("b.pem", key_pem(world().bob)))
    found = inspect(path("m.eml", raw), *root, *key, *CLOCK, *RECEIVED)
    assert set(found["envelope"]) == {
        "from", "sender", "reply_to", "to", "cc", "bcc", "subject", "date", "message_id",
        "in_reply_to", "references", "protected",
    }  # fmt: skip
    assert set(found["parts"][0]) == {
        "path", "type", "charset", "filename", "disposition", "size", "layer", "cryptographic",
    }  # fmt: skip
    assert set(found["body"]) == {
        "part", "html", "text", "remote_images_blocked", "trackers", "removed", "links",
    }  # fmt: skip
    security = found["security"]
    assert set(security) == {"level", "summary", "signature", "encryption", "layers"}
    assert set(security["signature"]) == {"verdict", "notes", "signers"}
    (signer,) = security["signature"]["signers"]
    assert signer["trust"] == "trusted"
    assert signer["chain"] == ["CN=Alice", "CN=Test Issuer", "CN=Test Root"]
    assert set(signer) >= {
        "address", "name", "issuer", "serial", "fingerprint_sha256", "algorithm", "signed_at",
    }  # fmt: skip
    assert set(security["encryption"]) == {"state", "content", "recipients", "authenticated"}
    assert security["layers"][0] == {"kind": "auth-enveloped", "part": "1", "ok": True}


# --- write ----------------------------------------------------------------------------------------


def write(path, *arguments: str) -> bytes:
    out = path("out.eml")
    call_command("write", "--from", "Alice <alice@example.org>", *arguments, "--out", out)
    return Path(out).read_bytes()


def signing(path) -> tuple[str, ...]:
    file = path("alice.p12", to_pkcs12(world().alice, "geheim"))
    return ("--sign", file, "--passphrase-file", path("word", b"geheim\n"))


def test_recipients_subject_date_and_identifier(path):
    raw = write(
        path, "--to", "Bob <bob@example.org>", "b2@example.org", "--to", "b3@example.org",
        "--cc", "c@example.org", "--bcc", "d@example.org", "--subject", "Grüße", "--text",
        path("t", b"Hi\n"), "--date", "2026-11-23T12:00:00+01:00", "--message-id", "<m@x>",
    )  # fmt: skip
    envelope = parse_message(raw).envelope
    assert [each.address for each in envelope.to] == [
        "bob@example.org", "b2@example.org", "b3@example.org",
    ]  # fmt: skip
    assert [each.address for each in envelope.cc] == ["c@example.org"]
    assert b"d@example.org" not in raw
    assert (envelope.subject, envelope.message_id) == ("Grüße", "m@x")
    assert envelope.date.isoformat() == "2026-11-23T12:00:00+01:00"


def test_files_are_attached_with_their_types(path):
    files = (path("a.pdf", b"%PDF"), path("b.unknownkind", b"\0\1"))
    raw = write(path, "--to", "b@x.org", "--text", path("t", b"Hi\n"), "--attach", *files)
    found = [(part.filename, part.content_type) for part in parse_message(raw).walk()]
    assert ("a.pdf", "application/pdf") in found
    assert ("b.unknownkind", "application/octet-stream") in found


@pytest.mark.parametrize("cipher", ["aes-256-gcm", "aes-256-cbc", "aes-128-cbc"])
def test_content(path, cipher):
    raw = write(
        path, "--to", "bob@example.org", "--text", path("t", b"Hi\n"), *signing(path),
        "--encrypt-to", path("bob.pem", pem(world().bob.certificate)), "--content", cipher,
    )  # fmt: skip
    (layer, *_) = read_message(raw, keys=[world().bob]).layers
    assert layer.encryption.cipher == cipher


def test_the_sender_can_read_what_they_encrypted(path):
    raw = write(
        path, "--to", "bob@example.org", "--text", path("t", b"Hi\n"), *signing(path),
        "--encrypt-to", path("bob.pem", pem(world().bob.certificate)),
    )  # fmt: skip
    assert read_message(raw, keys=[world().alice]).is_decrypted
