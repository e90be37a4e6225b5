"""Which OCSP answers count, and at which time."""

import subprocess
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from smime.pki import KeyPair
from smime.pki.authority import Revocation, crl, new_intermediate
from smime.pki.ocsp import RefusedAnswerError, question, read_ocsp
from smime.pki.revocation import check_revocation, counts_at, load_crls
from tests.smime.pki.people import DAY, NOW, YEAR, fresh_crl, person, world
from tests.smime.pki.responder import HOUR, answer, delegate

ALICE = world().alice
INTER = world().inter


def read(encoded, **more):
    return read_ocsp(encoded, ALICE.certificate, INTER.certificate, **more)


def refused(encoded, **more) -> str:
    with pytest.raises(RefusedAnswerError) as caught:
        read(encoded, **more)
    return str(caught.value)


def test_the_question_names_the_certificate_and_carries_the_nonce():
    asked = ocsp.load_der_ocsp_request(
        question(ALICE.certificate, INTER.certificate, nonce=b"n" * 32)
    )
    assert asked.serial_number == ALICE.certificate.serial_number
    assert asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32


@pytest.mark.parametrize("by", list(ocsp.OCSPResponderEncoding))
@pytest.mark.parametrize("cert_hash", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384()])
def test_the_issuer_may_answer(by, cert_hash):
    found = read(answer(ALICE, INTER, by=by, cert_hash=cert_hash))
    assert (found.state, found.issued, found.until, found.is_weak) == (
        "good",
        NOW - HOUR,
        NOW + DAY,
        False,
    )


def test_a_withdrawal_has_its_time_and_reason():
    reason = x509.ReasonFlags.key_compromise
    found = read(answer(ALICE, INTER, status="revoked", at=NOW - 3 * DAY, reason=reason))
    assert (found.state, found.at, found.reason, found.is_final) == (
        "revoked",
        NOW - 3 * DAY,
        reason,
        True,
    )
    held = read(answer(ALICE, INTER, status="revoked", reason=x509.ReasonFlags.certificate_hold))
    assert not held.is_final


@pytest.mark.parametrize("by", list(ocsp.OCSPResponderEncoding))
@pytest.mark.parametrize("key", ["p256", "rsa2048", "ed25519"])
def test_a_delegate_may_answer(by, key):
    assert read(answer(ALICE, INTER, signer=delegate(INTER, key=key), by=by)).state == "good"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"eku": (ExtendedKeyUsageOID.EMAIL_PROTECTION,)}, "may not answer"),
        ({"eku": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)}, "may not answer"),
        ({"eku": None}, "may not answer"),
        ({"ku": frozenset({"key_encipherment"}), "key": "rsa2048"}, "may not sign"),
        ({"not_before": NOW - YEAR, "not_after": NOW - DAY}, "not valid then"),
        ({"not_before": NOW + 40 * YEAR}, "not valid then"),
        ({"no_check": False}, "might be withdrawn"),
    ],
)
def test_not_everybody_the_issuer_certified_may_answer(changes, why):
    assert why in refused(answer(ALICE, INTER, signer=delegate(INTER, **changes)))


@pytest.mark.parametrize("kind", ["mldsa65", "MLDSA65-ECDSA-P256-SHA512"])
def test_a_post_quantum_issuer_may_answer(kind):
    issuer = new_intermediate(world().root, "Post-quantum", NOW - YEAR, key=kind)
    pair = person("a@example.org", "A", issuer)
    encoded = answer(pair, issuer)
    found = read_ocsp(encoded, pair.certificate, issuer.certificate)
    assert (found.state, found.is_weak) == ("good", False)
    for at in (-1, -3000):  # in a composite's halves
        broken = bytearray(encoded)
        broken[at] ^= 1
        with pytest.raises(RefusedAnswerError, match="signature is wrong"):
            read_ocsp(bytes(broken), pair.certificate, issuer.certificate)


def list_of_today(*revoked: Revocation):
    """The library stamps answers with the clock of the machine: a list must be good then, too."""
    today = datetime.now(UTC)
    encoded = crl(INTER, revoked, this_update=today - DAY, next_update=today + DAY)
    return load_crls([encoded])[0]


def test_a_delegate_without_nocheck_counts_when_a_list_clears_it():
    plain = delegate(INTER, no_check=False)
    encoded = answer(ALICE, INTER, signer=plain)
    assert read(encoded, crls=[list_of_today()]).state == "good"
    withdrawn = list_of_today(Revocation(plain.certificate.serial_number, NOW - DAY))
    assert "withdrawn" in refused(encoded, crls=[withdrawn])
    assert "withdrawn" in refused(encoded, crls=[list_of_today(), withdrawn])


def test_a_delegate_of_another_authority_may_not_answer():
    other = new_intermediate(world().root, "Another", NOW - YEAR)
    assert "not the issuer's" in refused(answer(ALICE, INTER, signer=delegate(other)))
    assert "nobody" in refused(answer(ALICE, INTER, signer=delegate(INTER), carries=False))
    # Even the root above the issuer is not whom the issuer named.
    assert refused(answer(ALICE, INTER, signer=delegate(world().root)))


def test_an_answer_about_somebody_else_says_nothing():
    assert "another certificate" in refused(answer(world().bob, INTER))
    twin = new_intermediate(world().root, "Another", NOW - YEAR)
    assert refused(answer(ALICE, twin))


def test_the_nonce_is_compared():
    assert read(answer(ALICE, INTER, nonce=b"a" * 32), nonce=b"a" * 32).state == "good"
    assert "another question" in refused(answer(ALICE, INTER, nonce=b"a" * 32), nonce=b"b" * 32)
    assert read(answer(ALICE, INTER), nonce=b"b" * 32).state == "good"  # prepared beforehand


def test_a_signature_that_is_wrong():
    encoded = bytearray(answer(ALICE, INTER))
    encoded[-1] ^= 1
    assert refused(bytes(encoded))


def test_a_critical_extension_that_is_not_known():
    odd = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    assert "critical" in refused(answer(ALICE, INTER, extra=odd))


@pytest.mark.parametrize("status", list(ocsp.OCSPResponseStatus))
def test_a_refusal_says_nothing(status):
    if status is ocsp.OCSPResponseStatus.SUCCESSFUL:
        return
    made = ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
    assert "responder says" in refused(made)


def test_unknown_says_nothing():
    assert "does not know" in refused(answer(ALICE, INTER, status="unknown"))


@pytest.mark.parametrize("content", [b"", b"0", b"<html>", b"0\x03\x0a\x01\x00", b"\x30\x80" * 500])
def test_what_is_no_answer(content):
    assert refused(content)


def _status(encoded, now):
    found = read(encoded)
    return check_revocation(ALICE.certificate, INTER.certificate, answers=[found], now=now).state


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (NOW - 2 * HOUR, "unknown"),  # the answer is from the future
        (NOW - HOUR, "good"),
        (NOW, "good"),
        (NOW + DAY, "good"),
        (NOW + DAY + HOUR, "unknown"),  # stale
    ],
)
def test_an_answer_counts_while_it_is_fresh(now, state):
    assert _status(answer(ALICE, INTER), now) == state


def test_an_answer_without_an_end_counts_for_a_while():
    encoded = answer(ALICE, INTER, next_update=None)
    assert _status(encoded, NOW + 10 * HOUR) == "good"
    assert _status(encoded, NOW + 12 * HOUR) == "unknown"


def test_of_the_expired_only_what_was_said_before_praises():
    """After its end a certificate may be dropped from lists: not named means nothing then."""
    ended = NOW - 10 * DAY
    old = person("a@example.org", "Old", not_before=NOW - YEAR, not_after=ended)

    def state(status, this_update, next_update):
        encoded = answer(
            old, INTER, status=status, this_update=this_update, next_update=next_update
        )
        found = read_ocsp(encoded, old.certificate, INTER.certificate)
        return check_revocation(old.certificate, INTER.certificate, answers=[found], now=NOW).state

    assert state("good", NOW - HOUR, NOW + DAY) == "unknown"
    assert state("revoked", NOW - HOUR, NOW + DAY) == "revoked"
    assert state("good", ended - DAY, ended + DAY) == "good"
    assert state("good", ended - 3 * DAY, ended - 2 * DAY) == "unknown"


def test_a_kept_final_withdrawal_needs_no_repetition():
    from dataclasses import replace

    late = NOW + 3 * YEAR
    found = read(answer(ALICE, INTER, status="revoked"))
    assert not counts_at(found, ALICE.certificate, late)
    kept = replace(found, is_kept=True)
    assert counts_at(kept, ALICE.certificate, late)
    hold = replace(kept, reason=x509.ReasonFlags.certificate_hold)
    assert not counts_at(hold, ALICE.certificate, late)


def test_a_withdrawal_wins_over_a_good_answer():
    good, bad = read(answer(ALICE, INTER)), read(answer(ALICE, INTER, status="revoked"))
    for answers in ([good, bad], [bad, good]):
        found = check_revocation(
            ALICE.certificate, INTER.certificate, answers=answers, crls=[fresh_crl()], now=NOW
        )
        assert found.state == "revoked"


def _pem_key(authority) -> bytes:
    return authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def openssl_responder(tmp_path: Path, request: pytest.FixtureRequest):
    """`openssl ocsp` answering for the intermediate, through a delegate."""
    options, kind = getattr(request, "param", ((), "p256"))
    helper = delegate(INTER, key=kind)
    (tmp_path / "ca.pem").write_bytes(INTER.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "signer.pem").write_bytes(helper.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "signer.key").write_bytes(_pem_key(helper))
    bob = f"{world().bob.certificate.serial_number:X}"
    rows = [
        f"V\t{NOW + YEAR:%y%m%d%H%M%SZ}\t\t{ALICE.certificate.serial_number:X}\tunknown\t/CN=Alice",
        f"R\t{NOW + YEAR:%y%m%d%H%M%SZ}\t{NOW - DAY:%y%m%d%H%M%SZ},keyCompromise\t{bob}\tunknown\t/CN=Bob",
    ]
    (tmp_path / "index.txt").write_text("\n".join(rows) + "\n")
    command = [
        "openssl", "ocsp", "-index", "index.txt", "-port", "0", "-CA", "ca.pem",
        "-rsigner", "signer.pem", "-rkey", "signer.key", "-nmin", "60",
        *options,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    accepting = process.stdout.readline()  # "ACCEPT [::]:34567 PID=…"
    yield f"http://127.0.0.1:{accepting.split()[1].rpartition(':')[2]}/"
    process.terminate()
    process.wait(10)
    process.stdout.close()


def ask(url: str, pair: KeyPair, nonce: bytes) -> bytes:
    asked = question(pair.certificate, INTER.certificate, nonce=nonce)
    request = urllib.request.Request(url, asked, {"Content-Type": "application/ocsp-request"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.read()


@pytest.mark.enable_socket
def test_openssl_answers(openssl_responder: str):
    nonce = b"q" * 32
    encoded = ask(openssl_responder, ALICE, nonce)
    assert read(encoded, nonce=nonce).state == "good"
    assert load_crls([encoded]) == ()
    assert "another question" in refused(encoded, nonce=b"r" * 32)
    bob = world().bob
    encoded = ask(openssl_responder, bob, nonce)
    found = read_ocsp(encoded, bob.certificate, INTER.certificate, nonce=nonce)
    assert (found.state, found.at) == ("revoked", NOW - DAY)
    assert found.reason is x509.ReasonFlags.key_compromise
    stranger = person("x@example.org", "Not in the index")
    encoded = ask(openssl_responder, stranger, nonce)
    with pytest.raises(RefusedAnswerError, match="does not know"):
        read_ocsp(encoded, stranger.certificate, INTER.certificate, nonce=nonce)


@pytest.mark.enable_socket
@pytest.mark.parametrize("openssl_responder", [(("-rmd", "sha1"), "p256")], indirect=True)
def test_an_answer_signed_over_sha1_is_weak(openssl_responder: str):
    found = read(ask(openssl_responder, ALICE, b"q" * 32))
    assert (found.state, found.is_weak) == ("good", True)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "openssl_responder",
    [(("-rmd", "sha384", "-rsigopt", "rsa_padding_mode:pss"), "rsa2048")],
    indirect=True,
)
def test_an_answer_signed_with_pss(openssl_responder: str):
    encoded = ask(openssl_responder, ALICE, b"q" * 32)
    assert read(encoded).is_weak is False
    broken = bytearray(encoded)
    at = encoded.index(ocsp.load_der_ocsp_response(encoded).signature)
    broken[at + 9] ^= 1
    assert "signature is wrong" in refused(bytes(broken))
