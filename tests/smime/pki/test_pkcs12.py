"""Key files: what opens, and how the rest is refused."""

import subprocess
import time

import pytest
from asn1crypto import keys, pem, pkcs12
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization import pkcs12 as files

from smime.pki import Pkcs12Error, load_pem, load_pkcs12
from smime.pki.authority import to_pkcs12
from tests.smime.pki.people import person, world

KINDS = ["rsa2048", "p256", "p384", "ed25519"]


def pair_of(kind):
    return person(f"{kind}@example.org", f"Person {kind}", kind=kind)


def reason(content: bytes, passphrase: str | None) -> str:
    with pytest.raises(Pkcs12Error) as caught:
        load_pkcs12(content, passphrase)
    return caught.value.reason


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("passphrase", ["geheim", "schlüssel", None])
def test_opens(kind, passphrase):
    pair = pair_of(kind)
    (found,) = load_pkcs12(to_pkcs12(pair, passphrase), passphrase)
    assert found.certificate == pair.certificate
    assert found.key.public_key() == pair.key.public_key()
    assert found.chain == (world().inter.certificate, world().root.certificate)


def test_no_passphrase_may_be_given_as_an_empty_one():
    pair = pair_of("p256")
    assert load_pkcs12(to_pkcs12(pair, None), "")[0].certificate == pair.certificate


def test_armoured_opens():
    content = pem.armor("PKCS12", to_pkcs12(pair_of("p256"), "x"))
    assert len(load_pkcs12(content, "x")) == 1


def test_every_key_of_a_file_is_found():
    """The library gives one key of several; none may be lost."""
    one, other = pair_of("p256"), pair_of("rsa2048")
    first, second = (
        pkcs12.Pfx.load(to_pkcs12(pair, "x")).authenticated_safe for pair in (one, other)
    )
    merged = pkcs12.AuthenticatedSafe([*first, *second]).dump(force=True)
    content = pkcs12.Pfx(
        {"version": "v3", "auth_safe": {"content_type": "data", "content": merged}}
    ).dump()
    found = {pair.certificate for pair in load_pkcs12(content, "x")}
    assert found == {one.certificate, other.certificate}


def exported(pair, tmp_path, *options: str) -> bytes:
    """A key file that OpenSSL made; the test is skipped where it cannot."""
    (tmp_path / "key").write_bytes(
        pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "certificate").write_bytes(pair.certificate.public_bytes(Encoding.PEM))
    command = ["openssl", "pkcs12", "-export", "-inkey", tmp_path / "key"]
    command += ["-in", tmp_path / "certificate", "-passout", "pass:geheim", *options]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    if done.returncode:
        pytest.skip(done.stderr.decode())
    return done.stdout


def test_a_key_the_library_does_not_know_here_is_read(tmp_path):
    pair = pair_of("x25519")
    content = exported(pair, tmp_path)
    (found,) = load_pkcs12(content, "geheim")
    assert found.certificate == pair.certificate
    assert found.key.public_key() == pair.key.public_key()
    assert reason(content, "wrong") == "passphrase"


def _encryption(passphrase: str, rounds: int = 2048):
    return PrivateFormat.PKCS12.encryption_builder().kdf_rounds(rounds).build(passphrase.encode())


def _certificates_only() -> bytes:
    return files.serialize_key_and_certificates(
        b"x", None, None, [pair_of("p256").certificate], _encryption("x")
    )


def _foreign_certificate() -> bytes:
    return files.serialize_key_and_certificates(
        b"x", pair_of("p256").key, None, [world().bob.certificate], _encryption("x")
    )


def _slow(passphrase: str) -> bytes:
    """A file that names 2 000 000 rounds, refused before any of them is done."""
    pair = pair_of("p256")
    content = files.serialize_key_and_certificates(
        b"x", pair.key, pair.certificate, None, _encryption(passphrase, 2048)
    )
    pfx = pkcs12.Pfx.load(content)
    pfx["mac_data"]["iterations"] = 2_000_000
    return pfx.dump(force=True)


@pytest.mark.parametrize(
    ("content", "passphrase", "why"),
    [
        (lambda: to_pkcs12(pair_of("p256"), "right"), "wrong", "passphrase"),
        (lambda: to_pkcs12(pair_of("p256"), "right"), "", "passphrase"),
        (lambda: to_pkcs12(pair_of("p256"), "right"), None, "passphrase"),
        (lambda: b"", "x", "not-pkcs12"),
        (lambda: b"no key file at all", "x", "not-pkcs12"),
        (lambda: b"\x30\x80\x00\x00", "x", "not-pkcs12"),
        (lambda: to_pkcs12(pair_of("p256"), "x")[:-40], "x", "not-pkcs12"),
        (lambda: b"0" * (1024 * 1024 + 1), "x", "not-pkcs12"),
        (lambda: pair_of("p256").certificate.public_bytes(Encoding.DER), "x", "not-pkcs12"),
        (lambda: pair_of("p256").certificate.public_bytes(Encoding.PEM), "x", "not-pkcs12"),
        (_certificates_only, "x", "no-key"),
        (_foreign_certificate, "x", "no-key"),
        (lambda: _slow("x"), "x", "iterations"),
    ],
)
def test_refusals(content, passphrase, why):
    assert reason(content(), passphrase) == why


@pytest.mark.parametrize("options", [["-legacy"], [], ["-nomac"], ["-keypbe", "NONE"]])
def test_openssl_files_open(options, tmp_path):
    pair = pair_of("rsa2048")
    (found,) = load_pkcs12(exported(pair, tmp_path, *options), "geheim")
    assert found.certificate == pair.certificate


def test_pem_with_key_and_certificate():
    pair = pair_of("p256")
    certificate = pair.certificate.public_bytes(Encoding.PEM)
    plain = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = pair.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    assert load_pem(plain + certificate)[0].certificate == pair.certificate
    assert load_pem(plain + certificate, "not needed")[0].certificate == pair.certificate
    assert load_pem(locked + certificate, "x")[0].certificate == pair.certificate
    for content, passphrase, why in (
        (locked + certificate, "y", "passphrase"),
        (locked + certificate, None, "passphrase"),
        (plain, None, "not-pkcs12"),
        (plain + world().bob.certificate.public_bytes(Encoding.PEM), None, "no-key"),
    ):
        with pytest.raises(Pkcs12Error) as caught:
            load_pem(content, passphrase)
        assert caught.value.reason == why


def locked(**factors: int) -> bytes:
    """A PEM key with OpenSSL's encryption, its work factors changed, and its certificate."""
    pair = pair_of("p256")
    block = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    whole = keys.EncryptedPrivateKeyInfo.load(pem.unarmor(block)[2])
    derivation = whole["encryption_algorithm"]["parameters"]["key_derivation_func"]
    for name, value in factors.items():
        derivation["parameters"][name] = value
    key = pem.armor("ENCRYPTED PRIVATE KEY", whole.dump(force=True))
    return key + pair.certificate.public_bytes(Encoding.PEM)


def relocked(n: int, *, is_traditional: bool = False) -> bytes:
    """A key that OpenSSL locked with scrypt, or as RFC 1421 has it, and its certificate."""
    pair = pair_of("p256")
    plain = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    command = ["openssl", "pkcs8", "-topk8", "-scrypt", "-scrypt_N", str(n), "-passout", "pass:x"]
    if is_traditional:
        command = ["openssl", "ec", "-aes256", "-passout", "pass:x"]
    done = subprocess.run(command, input=plain, capture_output=True, timeout=30, check=True)
    return done.stdout + pair.certificate.public_bytes(Encoding.PEM)


def refused_in_time(content: bytes) -> str:
    start = time.process_time()
    with pytest.raises(Pkcs12Error) as caught:
        load_pem(content, "x")
    assert time.process_time() - start < 1
    return caught.value.reason


@pytest.mark.parametrize(
    "factors",
    [
        {"iteration_count": 20_000_000},
        {"iteration_count": 1_000_001},
        {"iteration_count": 10**18},
        {"key_length": 33},
        {"key_length": 1_000_000},
    ],
)
def test_pem_keys_that_take_too_long_are_refused_before_any_work(factors):
    assert refused_in_time(locked(**factors)) == "iterations"


def test_pem_keys_within_the_bounds_open():
    assert len(load_pem(locked(), "x")) == 1
    assert len(load_pem(locked(key_length=32), "x")) == 1
    assert len(load_pem(relocked(2**14), "x")) == 1
    traditional = relocked(0, is_traditional=True)
    assert b"Proc-Type: 4,ENCRYPTED" in traditional
    assert len(load_pem(traditional, "x")) == 1


def test_scrypt_has_a_bound():
    """Its block size is a factor, too: 127 instead of 8."""
    content = relocked(2**14)
    der = pem.unarmor(content)[2]
    factors = b"\x02\x02\x40\x00\x02\x01"
    assert der.count(factors + b"\x08") == 1
    costly = der.replace(factors + b"\x08", factors + b"\x7f")
    assert refused_in_time(pem.armor("ENCRYPTED PRIVATE KEY", costly)) == "iterations"


def test_many_pem_keys_share_the_bound():
    assert refused_in_time(locked(iteration_count=900_000) * 4) == "iterations"
    assert refused_in_time(locked() * 101) == "iterations"
    assert refused_in_time(b"0" * (1024 * 1024 + 1)) == "not-pkcs12"
