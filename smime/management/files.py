"""Files that commands are given: keys, certificates, times. Each failure is one sentence."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from django.core.management.base import CommandError

from smime.pki.pkcs12 import KeyPair, Pkcs12Error, Pkcs12Reason, load_pem, load_pkcs12

_KEY_TROUBLE: dict[Pkcs12Reason, str] = {
    "passphrase": "the passphrase does not fit",
    "no-key": "it holds no private key with its certificate",
    "not-pkcs12": "it is no key file",
    "iterations": "opening it would take too long",
    "old-cipher": "it is locked with a method that is no longer supported",
}


def read_file(name: str) -> bytes:
    """Read a file, or raise CommandError."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error


def read_passphrase(name: str | None) -> str | None:
    """Read a passphrase: the first line of the file."""
    if name is None:
        return None
    try:
        return read_file(name).decode().split("\n", 1)[0].removesuffix("\r")
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} holds no passphrase in UTF-8.") from error


def read_keys(name: str, passphrase: str | None) -> tuple[KeyPair, ...]:
    """Read a key file: PKCS #12, or PEM with key and certificate."""
    content = read_file(name)
    is_pem = b"PRIVATE KEY-----" in content
    try:
        return load_pem(content, passphrase) if is_pem else load_pkcs12(content, passphrase)
    except Pkcs12Error as error:
        raise CommandError(f"{name} cannot be used: {_KEY_TROUBLE[error.reason]}.") from error


def read_certificates(name: str) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a PEM file, or the one of a DER file."""
    content = read_file(name)
    try:
        if b"-----BEGIN" in content:
            return tuple(x509.load_pem_x509_certificates(content))
        return (x509.load_der_x509_certificate(content),)
    except (ValueError, x509.InvalidVersion) as error:
        raise CommandError(f"{name} holds no certificate.") from error


def read_time(text: str | None) -> datetime | None:
    """Read an RFC 3339 time; without an offset it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text} is no time such as 2026-01-31T12:00:00Z.") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
