"""Mail of other programs, with the verdict each must get.

Times and trust are those of the samples; no list of withdrawals comes with them, so a good
signature is `signed-not-rechecked`.
"""

import re
from base64 import b64decode
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from smime.cms.content import open_content
from smime.cms.enveloped import open_enveloped, read_enveloped
from smime.cms.signed import read_signed
from smime.cms.verifying import check_signature
from smime.pki import KeyPair, load_pkcs12
from smime.reading import read_message
from smime.verdict import Context, judge
from tests.corpora import corpora_root, corpus

pytestmark = pytest.mark.corpus

THUNDERBIRD = corpora_root() / "smime/thunderbird/mailnews/test/data"
NOW = datetime(2026, 2, 25, 14, 0, tzinfo=UTC)

# pattern of the file's name | signature | encryption | level
EXPECTED = (
    (r"alice\.dsig\.SHA1\.multipart\.eml", "weak-algorithm", None, "warn"),
    (r"alice\.dsig\.SHA(256|384|512)\.multipart\.eml", "signed-not-rechecked", None, "ok"),
    (r"alice\.dsig\.SHA\d+\.multipart\.bad\.eml", "altered", None, "warn"),
    (r"alice\.dsig\.SHA\d+\.multipart\.mismatch-econtent\.eml", "altered", None, "warn"),
    (r"alice\.(html\.)?sig\.SHA1\.opaque\.eml", "weak-algorithm", None, "warn"),
    (r"alice\.(html\.)?sig\.SHA(256|384|512)\.opaque\.eml", "signed-not-rechecked", None, "ok"),
    (r"alice\.env\.eml", "unsigned", "old-method-unsigned", "warn"),
    (
        r"alice\.(dsig|sig|html\.sig)\.SHA1\.(multipart|opaque)\.env\.eml",
        "weak-algorithm",
        "encrypted-signed",
        "warn",
    ),
    (
        r"alice\.(dsig|sig|html\.sig)\.SHA(256|384|512)\.(multipart|opaque)\.env\.eml",
        "signed-not-rechecked",
        "encrypted-signed",
        "ok",
    ),
    # Signed round the encryption; these clear signatures do not hold, and never lead.
    (r"alice\.env\.dsig\.SHA\d+\.multipart\.eml", "unsigned", "old-method-unsigned", "warn"),
    (r"alice\.env\.sig\.SHA\d+\.opaque\.eml", "signed-outside", "old-method-unsigned", "warn"),
    (r"alice\.env\..*\.dave\..*\.eml", "signed-outside", "old-method-unsigned", "warn"),
    # From Dave; Alice's signature is the inner one and leads.
    (r"alice\.plain\..*\.dave\..*\.eml", "signer-not-from", None, "warn"),
    (r"alice\.future\.dsig\.SHA256\.multipart\.eml", "signed-not-rechecked", None, "ok"),
    (
        r"alice\.dsig\.SHA256\.multipart\.env\.dsig\.eml",
        "signed-not-rechecked",
        "encrypted-signed",
        "ok",
    ),
    (r"alice\.env\.mixed\.dsig\.SHA256\.multipart\.eml", "altered", "partly-encrypted", "warn"),
    (r"outer-pgp-sig-inner-smime-enc(-sig)?\.eml", "unsigned", "key-missing", "none"),
    (
        r"outer-smime-bad-sig-inner-smime-enc-sig\.eml",
        "signed-not-rechecked",
        "encrypted-signed",
        "ok",
    ),
    (
        r"outer-smime-bad-sig-inner-smime-enc\.eml",
        "unsigned",
        "old-method-unsigned",
        "warn",
    ),
)


def _samples():
    return sorted(path for folder in ("smime", "smime-manual") for path in _eml(folder))


def _eml(folder):
    return (THUNDERBIRD / folder).glob("*.eml")


@cache
def _thunderbird_keys():
    found = {
        pair.certificate: pair
        for path in sorted(THUNDERBIRD.glob("smime*/*.p12"))
        for pair in load_pkcs12(path.read_bytes(), "nss")
    }
    return tuple(found.values())


@cache
def _thunderbird_context():
    root = x509.load_pem_x509_certificate(
        corpus(
            "smime", "thunderbird", "mailnews", "test", "data", "smime", "TestCA.pem"
        ).read_bytes()
    )
    return Context(now=NOW, received_at=NOW, anchors=(root,))


@pytest.mark.parametrize("path", _samples(), ids=lambda path: path.stem)
def test_thunderbird_sample(path):
    want = [row[1:] for row in EXPECTED if re.fullmatch(row[0], path.name)]
    assert len(want) == 1, "each sample has one written expectation"
    reading = read_message(path.read_bytes(), keys=_thunderbird_keys())
    verdict = judge(reading.facts, context=_thunderbird_context())
    encryption = verdict.encryption.code if verdict.encryption is not None else None
    assert (verdict.signature.code, encryption, verdict.level) == want[0]


@pytest.mark.parametrize(
    ("name", "cipher"),
    [
        ("fran-ec_ossl-aes128-sha256", "aes-128-cbc"),
        ("fran-ec_ossl-aes256-sha512", "aes-256-cbc"),
        ("fran-oaep-label_ossl", "aes-256-cbc"),
        ("fran-oaep-sha256hash-sha256mgf_ossl", "aes-256-cbc"),
        ("fran-oaep-sha256hash_ossl", "aes-128-cbc"),
        ("fran-oaep_ossl", "3des-cbc"),
    ],
)
def test_thunderbird_interop_sample(name, cipher):
    raw = corpus(
        "smime", "thunderbird", "mailnews", "test", "data", "smime-interop", f"{name}.env"
    ).read_bytes()
    body = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[1]
    enveloped = read_enveloped(open_content(b64decode(body)))
    opened = open_enveloped(enveloped, _thunderbird_keys())
    assert enveloped.cipher.name == cipher
    assert opened.content.strip() == b"This is a test message to Fran."


@cache
def _examples():
    folder = corpus("smime", "rfc9216-examples-cms")
    certificates = {
        path.name.split(".")[0].removeprefix("lamps-"): x509.load_pem_x509_certificate(
            path.read_bytes()
        )
        for path in (folder / "certs-and-keys").glob("*.crt")
    }
    keys = [
        KeyPair(
            load_pem_private_key(
                (folder / "certs-and-keys" / f"lamps-{name}.decrypt.p8.pem").read_bytes(), None
            ),
            certificates[name],
        )
        for name in ("bob", "dana")
    ]
    return folder, certificates, keys


@pytest.mark.parametrize(
    ("name", "cipher"),
    [
        ("authEnvelopedForBobChaCha20Poly1305", "chacha20-poly1305"),
        ("authEnvelopedForDanaX25519HKDF", "aes-128-gcm"),
        ("encryptedForBobAndDana", "aes-128-cbc"),
        ("encryptedForBobRSAOaep", "aes-128-cbc"),
    ],
)
def test_cms_example_opens(name, cipher):
    folder, _, keys = _examples()
    enveloped = read_enveloped(open_content((folder / "binary-files" / f"{name}.p7m").read_bytes()))
    assert enveloped.cipher.name == cipher
    assert open_enveloped(enveloped, keys).content == b"This is some sample content."


def test_cms_example_for_a_shared_key_has_no_reader_here():
    folder, _, keys = _examples()
    enveloped = read_enveloped(
        open_content((folder / "binary-files" / "encryptedKekri.p7m").read_bytes())
    )
    assert enveloped.recipient_count == 1
    assert open_enveloped(enveloped, keys).failure == "key-missing"


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("signedByAliceRSA", {"rsa-sha256"}),
        ("signedByAliceRSAPSS", {"rsa-pss-sha256"}),
        ("signedByCarlosEd25519", {"ed25519"}),
        ("signedByCarlosDetached", {"ed25519"}),
        ("signedByAliceAndCarlosNoCerts", {"rsa-sha256", "ed25519"}),
    ],
)
def test_cms_example_verifies(name, methods):
    folder, certificates, _ = _examples()
    signed = read_signed(open_content((folder / "binary-files" / f"{name}.p7m").read_bytes()))
    checks = [
        check_signature(
            signer,
            signed,
            content=b"This is some sample content.",
            candidates=tuple(certificates.values()),
        )
        for signer in signed.signers
    ]
    assert {check.integrity for check in checks} == {"good"}
    assert {check.method.name for check in checks} == methods


def test_mimekit_key_files_open():
    folder = corpus("smime", "mimekit", "UnitTests", "TestData", "smime")
    for path in folder.rglob("*.pfx"):
        (pair,) = load_pkcs12(path.read_bytes(), "no.secret")
        assert pair.key.public_key() == pair.certificate.public_key(), path


def test_mimekit_signed_mail():
    raw = corpus(
        "smime", "mimekit", "UnitTests", "TestData", "smime", "thunderbird-signed.txt"
    ).read_bytes()
    (layer,) = read_message(raw).layers
    (signer,) = layer.signature.signers
    assert (layer.kind, signer.check.integrity) == ("clear-signed", "good")


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("smime-onepart-signed", ["signed"]),
        ("smime-multipart-signed", ["clear-signed"]),
        ("smime-sign+enc", ["enveloped", "signed"]),
        ("smime-sign+enc+legacy-disp", ["enveloped", "signed"]),
        ("smime-enc+legacy-disp", ["enveloped"]),
    ],
)
def test_the_old_draft_of_header_protection_is_opened_and_not_believed(name, layers):
    folder = corpus("smime", "protected-headers-draft")
    keys = load_pkcs12((folder / "bob.p12").read_bytes(), "bob")
    reading = read_message((folder / f"{name}.eml").read_bytes(), keys=keys)
    assert [layer.kind for layer in reading.layers][: len(layers)] == layers
    assert all(layer.is_ok for layer in reading.layers)
    assert reading.headers.scheme is None
