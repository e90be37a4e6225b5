"""Where a mail service listens, and the TLS rules for talking to it."""

import ssl
from dataclasses import dataclass
from typing import Literal

from webmail.sasl.errors import TlsRefused

_CERTIFICATE_REASONS = {  # OpenSSL's X509_V_ERR_* numbers (openssl/x509_vfy.h)
    10: "has expired",
    9: "is not valid yet",
    18: "is self-signed",
    19: "was issued by an unknown authority",
    20: "was issued by an unknown authority",
    21: "was issued by an unknown authority",
    23: "was revoked",
    26: "is not meant for servers",
    62: "belongs to another name",
    64: "belongs to another address",
}


@dataclass(frozen=True, slots=True, kw_only=False)
class Endpoint:
    """One mail service.

    host: the name the certificate must be for. port: 1..65535. security: "tls" wraps the
    connection at once (RFC 8314), "starttls" upgrades it before anything else and never goes on
    without. ca_pem: when given, only these authorities are trusted; None trusts the system's.
    address: an already checked IP address to dial instead of resolving `host` again, so that a
    name cannot point elsewhere between check and use.
    """

    host: str
    port: int
    security: Literal["starttls", "tls"]
    ca_pem: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError("port must be 1..65535")
        if self.security not in ("starttls", "tls"):
            raise ValueError("security must be starttls or tls")
        if not self.host or any(ord(c) <= 32 or ord(c) == 127 for c in self.host):
            raise ValueError("host must be a name or an address")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """A verifying client context: TLS 1.2 or newer, host name checked (RFC 8314 §3).

    Raises TlsRefused when `ca_pem` holds no certificate.
    """
    try:
        context = ssl.create_default_context(cadata=endpoint.ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise TlsRefused(
            f"The certificate authority configured for {endpoint.host} cannot be read."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def tls_refusal(host: str, error: ssl.SSLError) -> TlsRefused:
    """The error a person should read for a failed handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _CERTIFICATE_REASONS.get(error.verify_code, "could not be verified")
        return TlsRefused(f"The certificate of {host} {why}.")
    if error.reason in {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"}:
        return TlsRefused(f"{host} only speaks a version of TLS that is no longer safe.")
    if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return TlsRefused(f"{host} answered in clear text where TLS was expected.")
    return TlsRefused(f"{host} and this client could not agree on a secure connection.")
