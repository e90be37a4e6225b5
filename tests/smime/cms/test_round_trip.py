"""What is written here is read here and by OpenSSL, and the other way round."""

import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from smime.cms import (
    AES_128_CBC,
    AES_128_GCM,
    AES_256_CBC,
    AES_256_GCM,
    CannotEncryptError,
    CannotSignError,
    encrypt,
    micalg,
    sign_detached,
    sign_opaque,
)
from smime.cms.content import open_content
from smime.cms.enveloped import open_enveloped, read_enveloped
from smime.cms.signed import capabilities, read_signed, signing_time
from smime.cms.verifying import check_signature, load_certificates
from smime.pki import KeyPair
from tests.smime.pki.people import NOW, person, world

CONTENT = b"Content-Type: text/plain\r\n\r\nHello\r\n"
SIGNING = ["rsa2048", "p256", "p384", "p521", "ed25519"]
READING = ["rsa2048", "p256", "p384", "p521", "x25519"]
CIPHERS = [AES_128_CBC, AES_256_CBC, AES_128_GCM, AES_256_GCM]
openssl = pytest.mark.usefixtures("openssl_program")


def run(*command, data: bytes | None = None) -> bytes:
    done = subprocess.run(command, input=data, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def files(pair: KeyPair, folder) -> tuple[str, str]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(pair.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(certificate), str(key)


def pair_of(kind: str) -> KeyPair:
    return person(f"{kind}@example.org", f"Person {kind}", kind=kind)


@pytest.mark.parametrize("kind", SIGNING)
@pytest.mark.parametrize("is_detached", [True, False])
def test_signature_verifies(kind, is_detached):
    pair = pair_of(kind)
    sign = sign_detached if is_detached else sign_opaque
    signed = read_signed(open_content(sign(CONTENT, pair, signed_at=NOW)))
    (signer,) = signed.signers
    check = check_signature(
        signer, signed, content=CONTENT, candidates=load_certificates(signed.certificates)
    )
    assert check.integrity == "good"
    assert check.certificate == pair.certificate
    assert (signed.content is None) is is_detached
    assert signing_time(signer) == NOW
    assert capabilities(signer)[0].hex() == "300b060960864801650304012e"
    # The chain travels along, the root does not.
    assert set(load_certificates(signed.certificates)) == {
        pair.certificate,
        world().inter.certificate,
    }


@openssl
@pytest.mark.parametrize("kind", [kind for kind in SIGNING if kind != "ed25519"])
@pytest.mark.parametrize("is_detached", [True, False])
def test_openssl_accepts_our_signature(kind, is_detached, tmp_path):
    pair = pair_of(kind)
    sign = sign_detached if is_detached else sign_opaque
    (tmp_path / "signed").write_bytes(sign(CONTENT, pair, signed_at=NOW))
    (tmp_path / "content").write_bytes(CONTENT)
    (tmp_path / "root").write_bytes(world().root.certificate.public_bytes(Encoding.PEM))
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER"]
    command += ["-in", tmp_path / "signed", "-CAfile", tmp_path / "root"]
    command += ["-attime", str(int(NOW.timestamp()))]
    command += ["-content", tmp_path / "content"] if is_detached else []
    assert run(*command) == CONTENT


SIGNATURES = [
    ("rsa2048", [], "sha256"),
    ("rsa2048", ["-keyopt", "rsa_padding_mode:pss"], "sha384"),
    ("rsa2048", [], "sha1"),
    ("p256", [], "sha256"),
    ("p384", [], "sha512"),
]


@openssl
@pytest.mark.parametrize(
    ("options", "kind", "keyopt", "digest"),
    [
        (options, *signature)
        for options in ([], ["-nodetach"], ["-nodetach", "-stream"], ["-noattr"])
        for signature in SIGNATURES
        if not ("-stream" in options and signature[1])  # OpenSSL cannot stream a PSS signature
    ],
)
def test_we_accept_openssl_signatures(options, kind, keyopt, digest, tmp_path):
    pair = pair_of(kind)
    certificate, key = files(pair, tmp_path)
    command = ["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", digest]
    command += ["-signer", certificate, "-inkey", key, *keyopt, *options]
    signed = read_signed(open_content(run(*command, data=CONTENT)))
    (signer,) = signed.signers
    check = check_signature(
        signer, signed, content=CONTENT, candidates=load_certificates(signed.certificates)
    )
    assert check.integrity == "good"
    assert check.method.digest == digest


@pytest.mark.parametrize("cipher", CIPHERS, ids=lambda cipher: cipher.name)
@pytest.mark.parametrize("kind", READING)
def test_encrypted_opens(kind, cipher):
    pair = pair_of(kind)
    for oaep in (False, True):
        der = encrypt(CONTENT, [pair.certificate], cipher=cipher, oaep=oaep)
        enveloped = read_enveloped(open_content(der))
        assert enveloped.cipher == cipher
        assert enveloped.authenticated is cipher.is_authenticated
        assert open_enveloped(enveloped, [pair]).content == CONTENT


def test_every_recipient_opens_one_message_and_nobody_else():
    pairs = [pair_of(kind) for kind in READING]
    der = encrypt(CONTENT, [pair.certificate for pair in pairs], cipher=AES_256_GCM)
    enveloped = read_enveloped(open_content(der))
    assert enveloped.recipient_count == len(pairs)
    assert all(open_enveloped(enveloped, [pair]).content == CONTENT for pair in pairs)
    assert open_enveloped(enveloped, [world().mallory]).failure == "key-missing"


@openssl
@pytest.mark.parametrize("cipher", [AES_256_CBC, AES_256_GCM], ids=lambda cipher: cipher.name)
@pytest.mark.parametrize("kind", [kind for kind in READING if kind != "x25519"])
def test_openssl_opens_ours(kind, cipher, tmp_path):
    pair = pair_of(kind)
    other = pair_of("p256" if kind == "rsa2048" else "rsa2048")
    certificate, key = files(pair, tmp_path)
    (tmp_path / "encrypted").write_bytes(
        encrypt(CONTENT, [other.certificate, pair.certificate], cipher=cipher)
    )
    command = ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", tmp_path / "encrypted"]
    assert run(*command, "-recip", certificate, "-inkey", key) == CONTENT


RECIPIENTS = [
    ("rsa2048", []),
    ("rsa2048", ["rsa_padding_mode:oaep"]),
    ("rsa2048", ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256"]),
    ("p256", []),
    ("p384", ["ecdh_kdf_md:sha384"]),
    ("p521", ["ecdh_kdf_md:sha256", "ecdh_cofactor_mode:1"]),
]


@openssl
@pytest.mark.parametrize(
    ("cipher", "kind", "keyopt"),
    [
        (cipher, *recipient)
        for cipher in ("aes-128-cbc", "aes-256-cbc", "aes-256-gcm", "des3")
        for recipient in RECIPIENTS
        # OpenSSL wraps a 3DES key for an elliptic curve with 3DES, which is not read.
        if cipher != "des3" or recipient[0] == "rsa2048"
    ],
)
@pytest.mark.parametrize("stream", [[], ["-stream"]])
def test_we_open_openssl_mail(cipher, kind, keyopt, stream, tmp_path):
    pair = pair_of(kind)
    certificate, _ = files(pair, tmp_path)
    command = ["openssl", "cms", "-encrypt", "-binary", "-outform", "DER", f"-{cipher}", *stream]
    command += ["-recip", certificate]
    for option in keyopt:
        command += ["-keyopt", option]
    enveloped = read_enveloped(open_content(run(*command, data=CONTENT)))
    assert open_enveloped(enveloped, [pair]).content == CONTENT


def test_keys_that_must_not_be_used_are_refused():
    signs_only = person("a@example.org", "Signs", ku={"digital_signature"})
    short = person("b@example.org", "Short", kind="rsa1024")
    edwards = pair_of("ed25519")
    for pair in (signs_only, short, edwards):
        with pytest.raises(CannotEncryptError) as caught:
            encrypt(CONTENT, [pair.certificate])
        assert caught.value.certificate == pair.certificate
    with pytest.raises(CannotSignError):
        sign_opaque(CONTENT, pair_of("x25519"), signed_at=NOW)
    with pytest.raises(ValueError, match="nobody"):
        encrypt(CONTENT, [])


@pytest.mark.parametrize(
    ("kind", "name"), [("rsa2048", "sha-256"), ("p384", "sha-384"), ("ed25519", "sha-512")]
)
def test_micalg(kind, name):
    assert micalg(pair_of(kind)) == name
