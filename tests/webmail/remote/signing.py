"""Mail signed with DKIM by a domain of our own."""

import base64

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

LIST_MAIL = (
    b"From: Fjell Nytt <news@fjell.example>\r\n"
    b"To: mira@nordlys.example\r\n"
    b"Subject: The week\r\n"
    b"Date: Mon, 02 Nov 2026 09:00:00 +0100\r\n"
    b"Message-ID: <week@fjell.example>\r\n"
    b'List-Id: "The week at Fjell" <week.fjell.example>\r\n'
    b"List-Unsubscribe: <mailto:leave@fjell.example?subject=leave>,\r\n"
    b" <https://out.fjell.example/u/7f3a?list=week>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"\r\n"
    b"News.  \r\nMore news.\r\n\r\n\r\n"
)
FIELDS = ("from", "subject", "list-id", "list-unsubscribe", "list-unsubscribe-post")


def new_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def record(key: rsa.RSAPrivateKey, *, more: str = "") -> str:
    """The TXT record of a key."""
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return f"v=DKIM1; k=rsa; {more}p={base64.b64encode(der).decode()}"


def signed(
    raw: bytes,
    key: rsa.RSAPrivateKey,
    *,
    domain: str = "fjell.example",
    selector: str = "s1",
    fields: tuple[str, ...] = FIELDS,
    algorithm: str = "rsa-sha256",
    ways: str = "relaxed/relaxed",
    length: bool = False,
) -> bytes:
    """Put a DKIM-Signature over these fields in front of a mail."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    header, body = ways.encode().split(b"/")
    signature = dkim.DKIM(raw).sign(
        selector.encode(), domain.encode(), pem, signature_algorithm=algorithm.encode(),
        canonicalize=(header, body), include_headers=[f.encode() for f in fields], length=length,
    )  # fmt: skip
    return signature + raw
