"""Messages for tests, written by the code under test or by hand."""

from base64 import encodebytes

from smime.cms import AES_256_GCM, sign_opaque
from smime.pki import KeyPair
from smime.writing import protect
from tests.smime.pki.people import NOW, world
from webmail.mime import Address
from webmail.mime.write import Composition, build_entity, header_fields

TEXT = "Please pay 100 EUR to account 1."


def composition(**changes) -> Composition:
    fields = {
        "from_": Address("Alice", "alice@example.org"),
        "to": (Address("Bob", "bob@example.org"),),
        "subject": "Invoice 1",
        "date": NOW,
        "message_id": "one@example.org",
        "text": TEXT,
    }
    return Composition(**(fields | changes))


def mail(
    *,
    signer: KeyPair | None = None,
    recipients=(),
    cipher=AES_256_GCM,
    signing_time=NOW,
    protect_headers=True,
    **changes,
) -> bytes:
    made = composition(**changes)
    return protect(
        build_entity(made),
        header_fields(made),
        signer=signer or world().alice,
        recipients=recipients,
        cipher=cipher,
        signing_time=signing_time,
        protect_headers=protect_headers,
    )


HEAD = (
    b"From: Alice <alice@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Invoice 1\r\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <one@example.org>\r\n"
    b"MIME-Version: 1.0\r\n"
)
PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nPlease pay 100 EUR to account 1.\r\n"


def pkcs7(der: bytes, kind: str = "signed-data") -> bytes:
    """A MIME entity round a CMS object."""
    head = f"Content-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m\r\n"
    encoding = "Content-Transfer-Encoding: base64\r\n\r\n"
    return (head + encoding).encode() + encodebytes(der).replace(b"\n", b"\r\n")


def opaque(content: bytes = PLAIN, signer: KeyPair | None = None, *, at=NOW) -> bytes:
    """A signed entity that carries its content."""
    return pkcs7(sign_opaque(content, signer or world().alice, signed_at=at))


def clear(content: bytes, der: bytes, micalg: str = "sha-256") -> bytes:
    """A multipart/signed of exactly these bytes and that signature."""
    return (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg='
        + micalg.encode()
        + b'; boundary="sgn"\r\n\r\n--sgn\r\n'
        + content
        + b"\r\n--sgn\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + encodebytes(der).replace(b"\n", b"\r\n")
        + b"--sgn--\r\n"
    )


def mixed(*parts: bytes) -> bytes:
    """A multipart/mixed of entities."""
    body = b"".join(b"--mix\r\n" + part + b"\r\n" for part in parts)
    return b'Content-Type: multipart/mixed; boundary="mix"\r\n\r\n' + body + b"--mix--\r\n"
