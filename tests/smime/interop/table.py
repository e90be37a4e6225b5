"""What is tried with the other programs, and the page that tells how it went."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding

from smime.cms import WRITABLE_CIPHERS, encrypt, sign_opaque
from smime.cms.content import open_content
from smime.cms.enveloped import open_enveloped, read_enveloped
from smime.cms.signed import read_signed
from smime.cms.verifying import check_signature, load_certificates
from smime.pki import KeyPair
from smime.pki.authority import Authority, issue, new_intermediate, new_root
from tests.smime.interop.programs import CmsUtil, OpenSsl, Peer, Refused

CONTENT = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n"
YES, NOT_KNOWN = "yes", "not known there"
NOT_WRITTEN = "Signet does not write it"
COMMAND = ".venv/bin/python -m tests.smime.interop"


@dataclass(frozen=True, slots=True)
class Row:
    """One algorithm."""

    label: str
    kind: str  # of key
    cipher: str = ""  # of content; empty: a signature
    options: str = ""
    is_written: bool = True  # by Signet
    openssl: tuple[int, int] = (0, 0)  # the first that has it in its cms command


_ML_DSA, _ML_KEM = (3, 5), (3, 6)
SIGNATURES = [
    Row("RSA 2048, PKCS #1 v1.5, SHA-256", "rsa2048"),
    Row("RSA 2048, PSS, SHA-256", "rsa2048", options="pss", is_written=False),
    Row("ECDSA P-256", "p256"),
    Row("ECDSA P-384", "p384"),
    Row("ECDSA P-521", "p521"),
    Row("Ed25519", "ed25519"),
    Row("ML-DSA-44", "mldsa44", openssl=_ML_DSA),
    Row("ML-DSA-65", "mldsa65", openssl=_ML_DSA),
    Row("ML-DSA-87", "mldsa87", openssl=_ML_DSA),
    Row("ML-DSA-44 + Ed25519", "MLDSA44-Ed25519-SHA512"),
    Row("ML-DSA-65 + ECDSA P-256", "MLDSA65-ECDSA-P256-SHA512"),
    Row("ML-DSA-87 + ECDSA P-384", "MLDSA87-ECDSA-P384-SHA512"),
]
_CBC = "aes-256-cbc"
ENCRYPTION = [
    Row("RSA 2048, PKCS #1 v1.5; AES-128-CBC", "rsa2048", "aes-128-cbc"),
    Row("RSA 2048, PKCS #1 v1.5; AES-256-CBC", "rsa2048", _CBC),
    Row("RSA 2048, PKCS #1 v1.5; AES-128-GCM", "rsa2048", "aes-128-gcm"),
    Row("RSA 2048, PKCS #1 v1.5; AES-256-GCM", "rsa2048", "aes-256-gcm"),
    Row("RSA 2048, OAEP SHA-256; AES-256-CBC", "rsa2048", _CBC, "oaep"),
    Row("ECDH P-256; AES-256-CBC", "p256", _CBC),
    Row("ECDH P-384; AES-256-CBC", "p384", _CBC),
    Row("ECDH P-521; AES-256-CBC", "p521", _CBC),
    Row("ECDH P-256; AES-256-GCM", "p256", "aes-256-gcm"),
    Row("X25519; AES-256-CBC", "x25519", _CBC),
    Row("ML-KEM-768; AES-256-CBC", "mlkem768", _CBC, openssl=_ML_KEM),
    Row("ML-KEM-768; AES-256-GCM", "mlkem768", "aes-256-gcm", openssl=_ML_KEM),
    Row("ML-KEM-1024; AES-256-CBC", "mlkem1024", _CBC, openssl=_ML_KEM),
    Row("ML-KEM-768 + X25519; AES-256-CBC", "MLKEM768-X25519-SHA3-256", _CBC),
    Row("ML-KEM-768 + ECDH P-256; AES-256-CBC", "MLKEM768-ECDH-P256-SHA3-256", _CBC),
]


@cache
def _authorities() -> tuple[Authority, Authority]:
    """Of now: the programs look at the clock."""
    now = datetime.now(UTC).replace(microsecond=0)
    root = new_root("Interoperability Root", now, key="rsa2048")
    return root, new_intermediate(root, "Interoperability Issuer", now, key="rsa2048")


@cache
def pair_of(kind: str) -> KeyPair:
    """A person of that kind of key."""
    now = datetime.now(UTC).replace(microsecond=0)
    return issue(
        _authorities()[1],
        f"{kind.lower()}@example.org",
        f"Person {kind}",
        not_before=now - timedelta(days=1),
        not_after=now + timedelta(days=30),
        key=kind,
    )


def introduce(peer: Peer) -> Peer:
    """Let a program trust the authorities of the table."""
    root, inter = _authorities()
    peer.trust([each.certificate.public_bytes(Encoding.DER) for each in (inter, root)])
    return peer


def to_peer(row: Row, peer: Peer) -> str:
    """Signet writes, the program reads."""
    if not row.is_written:
        return NOT_WRITTEN
    if (reason := _too_old(row, peer)) is not None:
        return reason
    pair = pair_of(row.kind)
    if not row.cipher:
        der = sign_opaque(CONTENT, pair, signed_at=datetime.now(UTC))
        return _told(lambda: peer.verify(der, CONTENT) or CONTENT)
    cipher = WRITABLE_CIPHERS[row.cipher]
    der = encrypt(CONTENT, [pair.certificate], cipher=cipher, oaep=row.options == "oaep")
    return _told(lambda: peer.decrypt(pair, der))


def from_peer(row: Row, peer: Peer) -> str:
    """The program writes, Signet reads."""
    if (reason := _too_old(row, peer)) is not None:
        return reason
    pair = pair_of(row.kind)
    if not row.cipher:
        return _told(lambda: _verified(peer.sign(pair, CONTENT, row.options), pair))
    if isinstance(peer, CmsUtil) and row.cipher != "aes-256-cbc":
        return "chooses the cipher itself"
    if not isinstance(peer, CmsUtil) and row.cipher not in peer.ciphers:
        return NOT_KNOWN
    return _told(lambda: _opened(peer.encrypt(pair, CONTENT, row.cipher, row.options), pair))


def _verified(der: bytes, pair: KeyPair) -> bytes:
    signed = read_signed(open_content(der))
    (signer,) = signed.signers
    candidates = (*load_certificates(signed.certificates), pair.certificate)
    check = check_signature(signer, signed, content=CONTENT, candidates=candidates)
    if check.integrity != "good":
        raise AssertionError(f"Signet finds it {check.integrity} ({check.reason})")
    return CONTENT


def _opened(der: bytes, pair: KeyPair) -> bytes:
    outcome = open_enveloped(read_enveloped(open_content(der)), [pair])
    if outcome.content is None:
        raise AssertionError(f"Signet cannot open it: {outcome.failure}")
    return outcome.content


def _told(attempt: Callable[[], bytes]) -> str:
    try:
        result = attempt()
    except Refused as refused:
        return NOT_KNOWN if refused.is_not_known else f"refused: {refused}"
    if result != CONTENT:
        raise AssertionError("other content came out")
    return YES


def _too_old(row: Row, peer: Peer) -> str | None:
    if not isinstance(peer, OpenSsl) or not any(row.openssl):
        return None
    has = tuple(int(number) for number in peer.version.split("."))
    if has >= row.openssl:
        return None
    return f"no OpenSSL ≥ {'.'.join(map(str, row.openssl))} here"


def page(peers: list[Peer]) -> str:
    """The whole document."""
    names = " · ".join(f"{peer.name} {peer.version}" for peer in peers)
    heads = [head for peer in peers for head in (f"Signet → {peer.name}", f"{peer.name} → Signet")]
    lines = [
        "# Interoperability",
        "",
        "What Signet writes is read by the other program (Signet → it), and what that one writes",
        "by Signet (it → Signet). This page is made by the test run that tries it:",
        f"`{COMMAND}` writes it anew.",
        "",
        f"Programs: {names}. cmsutil is that of NSS.",
        "",
    ]
    for title, rows in (("Signatures", SIGNATURES), ("Encryption", ENCRYPTION)):
        lines += [f"## {title}", "", f"| {' | '.join(('', *heads))} |"]
        lines.append("|---" * (len(heads) + 1) + "|")
        lines += [f"| {' | '.join(_cells(row, peers))} |" for row in rows]
        lines.append("")
    return "\n".join(lines)


def _cells(row: Row, peers: list[Peer]) -> Iterator[str]:
    yield row.label
    for peer in peers:
        yield to_peer(row, peer)
        yield from_peer(row, peer)
