"""`manage.py inspect`: one document, no traceback."""

import io
import json
import sys

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command

from smime import revocation_asking
from smime.pki.authority import Revocation, crl, new_intermediate, to_pkcs12
from smime.pki.locations import Locations
from tests.smime.cms.messages import TEXT, mail
from tests.smime.pki.people import DAY, NOW, person, world
from tests.webmail.remote.hosts import Reply, serving
from webmail.mime.write import Attachment
from webmail.remote import fetch

pytestmark = pytest.mark.django_db  # the anchors of the installation count without --trust


@pytest.fixture
def files(tmp_path):
    """Paths of everything a reader has at hand."""
    people = world()
    content = {
        "root.pem": people.root.certificate.public_bytes(Encoding.PEM),
        "alice.der": people.alice.certificate.public_bytes(Encoding.DER),
        "bob.p12": to_pkcs12(people.bob, "geheim"),
        "passphrase": b"geheim\n",
        "wrong": b"falsch\n",
        "list.crl": crl(people.inter, this_update=NOW - DAY, next_update=NOW + DAY),
        "mail.eml": mail(
            recipients=[people.bob.certificate],
            html="<p>Hi <script>x()</script><a href='https://evil.example/'>https://bank.example</a></p>",
            attachments=(Attachment("a.txt", "text/plain", b"text"),),
        ),
        "plain.eml": b"From: a@b.example\r\nSubject: x\r\n\r\nHello\r\n",
    }
    for name, octets in content.items():
        (tmp_path / name).write_bytes(octets)
    return lambda name: str(tmp_path / name)


def inspect(*arguments: str) -> str:
    out = io.StringIO()
    call_command("inspect", *arguments, stdout=out)
    return out.getvalue()


def usual(files) -> list[str]:
    return [
        *("--trust", files("root.pem")),
        *("--crl", files("list.crl")),
        *("--at", "2026-11-23T12:00:00Z"),
        *("--received", "2026-11-23T12:00:00Z"),
    ]


def test_json(files):
    key = ["--key", files("bob.p12"), "--passphrase-file", files("passphrase")]
    found = json.loads(inspect(files("mail.eml"), "--json", *key, *usual(files)))
    assert set(found) == {"envelope", "parts", "body", "attachments", "security", "limits_hit"}
    assert found["envelope"]["subject"] == "Invoice 1"
    assert set(found["envelope"]["protected"]) >= {"subject", "from", "to", "date"}
    security = found["security"]
    assert (security["level"], security["signature"]["verdict"]) == ("ok", "signed")
    assert security["encryption"] == {
        "state": "encrypted-signed",
        "content": "aes-256-gcm",
        "recipients": 1,
        "authenticated": True,
    }
    assert [layer["kind"] for layer in security["layers"]] == ["auth-enveloped", "signed"]
    assert security["signature"]["signers"][0]["address"] == "alice@example.org"
    assert security["summary"].startswith("Signed by Alice. ")
    assert "<script" not in found["body"]["html"]
    assert found["body"]["removed"].get("script") == 1
    assert found["body"]["links"][0]["deceptive"] is True
    (attachment,) = found["attachments"]
    assert (attachment["filename"], attachment["size"]) == ("a.txt", 4)
    inner = [part for part in found["parts"] if part["type"] == "text/html"]
    assert inner[0]["cryptographic"] == ["encrypted", "signed"]
    assert inner[0]["layer"] == 2


def test_without_the_key(files):
    found = json.loads(inspect(files("mail.eml"), "--json", *usual(files)))
    assert found["security"]["encryption"]["state"] == "no-own-key"
    assert found["body"] == {
        "part": None,
        "html": None,
        "text": None,
        "remote_images_blocked": 0,
        "trackers": 0,
        "removed": {},
        "links": [],
    }
    assert found["attachments"] == []


def test_words_and_document(files, tmp_path):
    out = tmp_path / "frame.html"
    text = inspect(files("plain.eml"), "--html", str(out))
    assert "Not signed, not encrypted" in text
    assert "Hello" in out.read_text()


def test_a_known_person_by_der(files):
    text = inspect(files("plain.eml"), "--cert", files("alice.der"))
    assert "unsigned" in text


def test_standard_input(files, monkeypatch):
    class Input:
        buffer = io.BytesIO(b"Subject: from a pipe\r\n\r\nx")

    monkeypatch.setattr(sys, "stdin", Input())
    assert "from a pipe" in inspect("-")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["missing.eml"], "cannot be read"),
        (["mail.eml", "--key", "bob.p12", "--passphrase-file", "wrong"], "passphrase"),
        (["mail.eml", "--key", "mail.eml"], "no key file"),
        (["mail.eml", "--trust", "mail.eml"], "holds no certificate"),
        (["mail.eml", "--passphrase-file", "bob.p12"], "no passphrase"),
        (["mail.eml", "--at", "yesterday"], "is no time"),
        (["mail.eml", "--received", "2026-13-01"], "is no time"),
        (["mail.eml", "--cert", "mail.eml"], "holds no certificate"),
        (["mail.eml", "--crl", "mail.eml"], "holds no revocation list"),
    ],
)
def test_bad_input_is_one_sentence(files, arguments, why):
    known = ("eml", "p12", "wrong")
    given = [files(each) if each.endswith(known) else each for each in arguments]
    with pytest.raises(CommandError, match=why) as caught:
        inspect(*given)
    assert caught.value.returncode == 1
    assert "\n" not in str(caught.value)


def test_garbage_is_a_message_too(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(range(256)) * 20)
    found = json.loads(inspect(str(path), "--json"))
    assert found["security"]["level"] == "none"
    assert TEXT not in json.dumps(found)


@pytest.mark.enable_socket
def test_online_asks_for_what_trusted_paths_name(files, tmp_path, monkeypatch):
    """The leaf's list and the intermediate's; a stranger's path makes no call."""
    site_rules = None
    monkeypatch.setattr(
        revocation_asking, "fetch", lambda *a, **more: fetch(*a, **(more | {"rules": site_rules}))
    )
    with serving(monkeypatch) as site:
        site_rules = site.rules()
        named = Locations(lists=(site.url("/leaf.crl"),))
        inter = new_intermediate(world().root, "Online", NOW - DAY, published=named)
        signer = person("alice@example.org", "Alice", inter, published=named)
        (tmp_path / "online.eml").write_bytes(mail(signer=signer))
        revoked = [Revocation(signer.certificate.serial_number, NOW - DAY)]
        times = {"this_update": NOW - DAY, "next_update": NOW + DAY}

        def verdict(*more: str) -> str:
            asked = [files("online.eml"), "--json", *more, "--at", "2026-11-23T12:00:00Z"]
            received = ["--received", "2026-11-23T12:00:00Z"]
            found = json.loads(inspect(*asked, *received))
            return found["security"]["signature"]["verdict"]

        trust = ("--trust", files("root.pem"))
        assert verdict(*trust) == "signed-not-rechecked"
        assert verdict("--online") != "signed"
        assert site.asked == []
        assert verdict("--online", *trust) == "signed-not-rechecked"  # nothing is there
        assert {each.path for each in site.asked} == {"/leaf.crl"}
        site.routes["/leaf.crl"] = Reply(crl(inter, **times))
        assert verdict("--online", *trust) == "signed"
        site.routes["/leaf.crl"] = Reply(crl(inter, revoked, **times))
        assert verdict("--online", *trust) == "revoked"
