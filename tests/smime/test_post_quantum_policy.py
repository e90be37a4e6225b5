"""SIGNET_POST_QUANTUM: one rule for what is written; everything is read."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command
from django.test import override_settings

from accounts.models import User
from smime import people, vault
from smime.cms import CannotEncryptError, CannotSignError
from smime.models import OwnKey
from smime.pki import load_pkcs12
from smime.pki.authority import Authority, to_pkcs12
from smime.pki.post_quantum import CHOICES, may_be_written
from smime.reading import read_message
from smime.verdict import judge
from smime.writing import protect
from tests.smime.conftest import NOW, certify
from tests.smime.pki.people import context, person, world

COMPOSITE_SIGNER, COMPOSITE_READER = "MLDSA65-ECDSA-P256-SHA512", "MLKEM768-X25519-SHA3-256"
WRITTEN = {
    "off": {"p256", "ed25519", "x25519", "rsa2048"},
    "composite": {"p256", "ed25519", "x25519", "rsa2048", COMPOSITE_SIGNER, COMPOSITE_READER},
}
WRITTEN["pure"] = WRITTEN["composite"] | {"mldsa44", "mldsa65", "mldsa87", "mlkem768", "mlkem1024"}
ENTITY = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n"
FIELDS = [
    ("From", "alice@example.org"),
    ("To", "bob@example.org"),
    ("Subject", "Hello"),
    ("Date", "Mon, 23 Nov 2026 12:00:00 +0000"),
    ("Message-ID", "<one@example.org>"),
]


@pytest.mark.parametrize("allowed", CHOICES)
@pytest.mark.parametrize("kind", sorted(WRITTEN["pure"]))
def test_the_rule(kind, allowed):
    pair = person("a@example.org", "A", kind=kind)
    expected = kind in WRITTEN[allowed]
    assert may_be_written(pair.key, allowed) is expected
    assert may_be_written(pair.key.public_key(), allowed) is expected


@pytest.mark.parametrize("allowed", CHOICES)
@pytest.mark.parametrize("signing", ["p256", "mldsa65", COMPOSITE_SIGNER])
@pytest.mark.parametrize("reading", ["p256", "mlkem768", COMPOSITE_READER])
def test_mail_is_written_by_the_rule_and_read_always(allowed, signing, reading):
    signer = person("alice@example.org", f"Alice {signing}", kind=signing)
    reader = person("bob@example.org", f"Bob {reading}", kind=reading)

    def written(policy):
        return protect(
            ENTITY,
            FIELDS,
            signer=signer,
            recipients=[reader.certificate],
            cipher="aes-256-gcm",
            post_quantum=policy,
        )

    if signing not in WRITTEN[allowed]:
        with pytest.raises(CannotSignError, match="SIGNET_POST_QUANTUM"):
            written(allowed)
    elif reading not in WRITTEN[allowed]:
        with pytest.raises(CannotEncryptError, match="SIGNET_POST_QUANTUM"):
            written(allowed)
    else:
        written(allowed)
    found = read_message(written("pure"), keys=[reader])
    verdict = judge(found.facts, context=context())
    assert (verdict.signature.code, verdict.encryption.code) == ("signed", "encrypted-signed")
    assert verdict.level == "ok"


@pytest.mark.parametrize("signing", ["mldsa65", COMPOSITE_SIGNER])
def test_a_signature_of_a_stranger_is_not_trusted_for_being_post_quantum(signing):
    signer = person("alice@example.org", "Alice", world().stranger, kind=signing)
    raw = protect(ENTITY, FIELDS, signer=signer, recipients=(), post_quantum="pure")
    assert judge(read_message(raw).facts, context=context()).level != "ok"


def test_key_encapsulation_is_announced_where_it_is_wanted():
    for allowed in CHOICES:
        raw = protect(ENTITY, FIELDS, signer=world().alice, recipients=(), post_quantum=allowed)
        (signer,) = read_message(raw).facts.layers[0].signature.signers
        announced = bytes.fromhex("300b0609608648016503040402") in signer.capabilities
        assert announced is (allowed != "off")


@pytest.fixture
def files(tmp_path):
    signer = person("alice@example.org", "Alice", kind="mldsa65")
    content = {
        "alice.p12": to_pkcs12(signer, "geheim"),
        "passphrase": b"geheim",
        "text": b"Hello",
    }
    for name, kind in (("alice", "mlkem768"), ("bob", "mlkem1024")):
        pair = person(f"{name}@example.org", name, kind=kind)
        content[f"{name}-kem.p12"] = to_pkcs12(pair, "geheim")
        content[f"{name}-kem.pem"] = pair.certificate.public_bytes(Encoding.PEM)
    content["root.pem"] = world().root.certificate.public_bytes(Encoding.PEM)
    for name, octets in content.items():
        (tmp_path / name).write_bytes(octets)
    return lambda name: str(tmp_path / name)


def command(files) -> list[str]:
    return [
        *("--from", "alice@example.org", "--to", "bob@example.org", "--text", files("text")),
        *("--date", "2026-11-23T12:00:00Z", "--sign", files("alice.p12")),
        *("--passphrase-file", files("passphrase"), "--content", "aes-256-gcm"),
        *("--encrypt-to", files("bob-kem.pem"), files("alice-kem.pem")),
        *("--out", files("out.eml")),
    ]


def test_the_command_takes_such_keys(files, capsys):
    with override_settings(POST_QUANTUM="pure"):
        call_command("write", *command(files))
    raw = Path(files("out.eml")).read_bytes()
    for name in ("alice", "bob"):  # the sender's copy is for the certificate beside
        keys = load_pkcs12(Path(files(f"{name}-kem.p12")).read_bytes(), "geheim")
        verdict = judge(read_message(raw, keys=keys).facts, context=context())
        assert (verdict.signature.code, verdict.encryption.code) == ("signed", "encrypted-signed")
    call_command(
        "inspect",
        *(files("out.eml"), "--key", files("bob-kem.p12")),
        *("--passphrase-file", files("passphrase"), "--trust", files("root.pem")),
        *("--at", "2026-11-23T13:00:00Z", "--json"),
    )
    told = json.loads(capsys.readouterr().out)["security"]
    assert told["signature"]["signers"][0]["algorithm"] == "ml-dsa-65"
    assert told["encryption"]["recipients"] == 2


@pytest.mark.parametrize("allowed", ["off", "composite"])
def test_the_command_keeps_to_the_rule(files, allowed):
    with override_settings(POST_QUANTUM=allowed), pytest.raises(CommandError) as caught:
        call_command("write", *command(files))
    assert "SIGNET_POST_QUANTUM" in str(caught.value)
    assert not Path(files("out.eml")).exists()


@pytest.mark.django_db
class TestOwnKeys:
    def keep(self, user: User, authority: Authority, kind: str, ends: int) -> OwnKey:
        pair = certify(authority, user.address, key=kind, ends=ends, ku=None)
        content = to_pkcs12(pair, "word")
        (row,) = vault.import_keys(user, content, "word", sealing=OwnKey.Sealing.MANAGED)
        return row

    @pytest.mark.parametrize(("allowed", "signs"), [("off", 0), ("composite", 0), ("pure", 1)])
    def test_a_key_signs_where_the_site_writes_with_it(
        self, anna: User, authority: Authority, allowed: str, signs: int
    ) -> None:
        """Imported beside a classical key, it takes that one's place there and only there."""
        with override_settings(POST_QUANTUM=allowed):
            rows = [
                self.keep(anna, authority, "ed25519", 100),
                self.keep(anna, authority, "mldsa65", 200),
            ]
            assert rows[1].algorithm == "ML-DSA-65"
            chosen = vault.signing_key(anna, anna.address, vault.open_keys(anna, kek=None))
        assert chosen is not None
        assert chosen.certificate.public_bytes(Encoding.DER) == bytes(rows[signs].der)

    @pytest.mark.parametrize("kind", ["mldsa65", "mlkem768", COMPOSITE_SIGNER, COMPOSITE_READER])
    def test_it_is_given_back_as_a_file(self, anna: User, authority: Authority, kind: str) -> None:
        row = self.keep(anna, authority, kind, 100)
        (pair,) = load_pkcs12(vault.export(anna, row.pk, "another", kek=None), "another")
        assert pair.certificate.public_bytes(Encoding.DER) == bytes(row.der)

    @pytest.mark.parametrize("kind", ["mlkem768", COMPOSITE_READER])
    @pytest.mark.parametrize("allowed", CHOICES)
    def test_recipients_are_found_by_the_rule(
        self, anna: User, authority: Authority, kind: str, allowed: str
    ) -> None:
        pair = certify(authority, "petra@partner.test", key=kind, ku=None)
        with override_settings(POST_QUANTUM=allowed):
            people.import_certificate(
                anna, "petra@partner.test", pair.certificate.public_bytes(Encoding.PEM)
            )
            (found,) = people.recipient_states(anna, ["petra@partner.test"], NOW).values()
        assert (found.code == "ok") is (kind in WRITTEN[allowed])
