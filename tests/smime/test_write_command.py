"""`manage.py write`: a message as the composer would make it."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command

from smime.pki.authority import to_pkcs12
from smime.reading import read_message
from smime.verdict import judge
from tests.smime.pki.people import context, world
from webmail.mime import parse_message


@pytest.fixture
def files(tmp_path):
    people = world()
    content = {
        "alice.p12": to_pkcs12(people.alice, "geheim"),
        "passphrase": b"geheim",
        "bob.pem": people.bob.certificate.public_bytes(Encoding.PEM),
        "mallory.pem": people.mallory.certificate.public_bytes(Encoding.PEM),
        "text": b"Hallo\nWelt",
        "html": b"<html><body><p>Hello <b>you</b></p></body></html>",
        "a.txt": b"attached",
        "original": b"From: bob@example.org\r\nSubject: Plans\r\nMessage-ID: <p@x>\r\n"
        b"References: <o@x>\r\n\r\nx",
    }
    for name, octets in content.items():
        (tmp_path / name).write_bytes(octets)
    return lambda name: str(tmp_path / name)


BASE = [
    *("--from", "Alice <alice@example.org>", "--subject", "Grüße"),
    *("--date", "2026-11-23T12:00:00Z", "--message-id", "m1@example.org"),
]


def write(files, *arguments: str) -> bytes:
    out = files("out.eml")
    call_command("write", *BASE, *arguments, "--out", out)
    return Path(out).read_bytes()


def signing(files) -> list[str]:
    return ["--sign", files("alice.p12"), "--passphrase-file", files("passphrase")]


def test_plain(files):
    raw = write(
        files, "--to", "bob@example.org", "--bcc", "carol@example.org", "--text", files("text")
    )
    envelope = parse_message(raw).envelope
    assert (envelope.subject, envelope.message_id) == ("Grüße", "m1@example.org")
    assert envelope.bcc == ()
    assert b"carol" not in raw


def test_html_has_a_text_beside_it(files):
    message = parse_message(
        write(files, "--to", "bob@example.org", "--html", files("html"), "--attach", files("a.txt"))
    )
    types = [part.content_type for part in message.walk()]
    assert types == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/plain",
    ]


def test_signed_and_encrypted(files):
    raw = write(
        files,
        *("--to", "bob@example.org", "--text", files("text"), *signing(files)),
        *("--encrypt-to", files("bob.pem"), "--content", "aes-256-gcm"),
    )
    for key in (world().bob, world().alice):  # the sender can read it, too
        reading = read_message(raw, keys=[key])
        verdict = judge(reading.facts, context=context())
        assert (verdict.signature.code, verdict.encryption.code) == ("signed", "encrypted-signed")
        assert verdict.encryption.facts.cipher == "aes-256-gcm"
    assert reading.envelope.subject == "Grüße"
    assert reading.message.envelope.subject == "[...]"


@pytest.mark.parametrize(("choice", "scheme"), [("yes", "clear"), ("no", None)])
def test_headers(files, choice, scheme):
    raw = write(
        files,
        *("--to", "bob@example.org", "--text", files("text"), *signing(files)),
        *("--protect-headers", choice),
    )
    assert read_message(raw).headers.scheme == scheme


def test_each_bcc_recipient_gets_bytes_of_their_own(files, tmp_path):
    out = tmp_path / "made"
    call_command(
        "write",
        *BASE,
        *("--to", "bob@example.org", "--bcc", "mallory@evil.example", "--text", files("text")),
        *signing(files),
        *("--encrypt-to", files("bob.pem"), files("mallory.pem"), "--out", str(out)),
    )
    deliveries = json.loads((out / "deliveries.json").read_text())["deliveries"]
    by_recipient = {
        each: (out / row["file"]).read_bytes() for row in deliveries for each in row["recipients"]
    }
    assert set(by_recipient) == {"bob@example.org", "mallory@evil.example"}
    named, hidden = by_recipient["bob@example.org"], by_recipient["mallory@evil.example"]
    assert read_message(named, keys=[world().bob]).is_shown
    assert not read_message(named, keys=[world().mallory]).is_shown
    assert read_message(hidden, keys=[world().mallory]).is_shown
    assert not read_message(hidden, keys=[world().bob]).is_shown
    for raw, key in ((named, world().bob), (hidden, world().mallory)):
        reading = read_message(raw, keys=[key])
        assert b"mallory" not in raw
        assert "mallory" not in reading.content.raw.decode()
    (sent,) = [out / row["file"] for row in deliveries if not row["recipients"]]
    copy = read_message(sent.read_bytes(), keys=[world().alice])
    assert copy.envelope.bcc[0].address == "mallory@evil.example"
    assert not read_message(sent.read_bytes(), keys=[world().bob]).is_shown


def test_an_answer_is_threaded(files):
    out = files("answer.eml")
    call_command(
        "write",
        *("--from", "alice@example.org", "--to", "bob@example.org", "--text", files("text")),
        *("--in-reply-to", files("original"), "--out", out),
    )
    envelope = parse_message(Path(out).read_bytes()).envelope
    assert envelope.subject == "Re: Plans"
    assert envelope.in_reply_to == ("p@x",)
    assert envelope.references == ("o@x", "p@x")


def test_standard_output_is_the_message_alone(files, capfdbinary):
    call_command("write", *BASE, "--to", "bob@example.org", "--text", files("text"))
    out = capfdbinary.readouterr().out
    assert out.startswith(b"From: ")
    assert parse_message(out).envelope.subject == "Grüße"


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (["--to", "nobody"], 2, "is no address"),
        (["--to", "bob@example.org", "--encrypt-to", "bob.pem"], 2, "--sign is missing"),
        (["--to", "carol@example.org", "SIGN", "--encrypt-to", "bob.pem"], 1, "no certificate"),
        (["--to", "bob@example.org", "--sign", "alice.p12"], 1, "passphrase"),
        (["--to", "bob@example.org", "--text", "missing"], 1, "cannot be read"),
        (["--to", "bob@example.org", "--text", "alice.p12"], 1, "UTF-8"),
    ],
)
def test_bad_input_is_one_sentence(files, arguments, status, why):
    given: list[str] = []
    for each in arguments:
        if each == "SIGN":
            given += signing(files)
        else:
            is_file = each.endswith((".pem", ".p12")) or each == "missing"
            given.append(files(each) if is_file else each)
    with pytest.raises(CommandError, match=why) as caught:
        write(files, *given)
    assert caught.value.returncode == status
