"""`manage.py write`: make a message as the composer would, and print it."""

import json
import mimetypes
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, override

from cryptography import x509
from django.core.management.base import BaseCommand, CommandError

from smime.cms import WRITABLE_CIPHERS, CannotEncryptError, CannotSignError
from smime.management.files import (
    read_certificates,
    read_file,
    read_keys,
    read_passphrase,
    read_time,
)
from smime.pki.addresses import same_address
from smime.pki.certificates import DamagedCertificateError, addresses, may_encrypt
from smime.pki.pkcs12 import KeyPair
from smime.writable import allowed
from smime.writing import protect
from webmail.html import html_to_text
from webmail.mime import Address, parse_addresses, parse_message
from webmail.mime.write import (
    Attachment,
    Composition,
    build_entity,
    header_fields,
    new_message_id,
)

_USAGE = 2  # exit status of wrong usage


@dataclass(frozen=True, slots=True)
class _Variant:
    """One set of bytes and who gets it."""

    recipients: tuple[str, ...]
    certificates: tuple[x509.Certificate, ...]
    with_bcc: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Protection:
    signer: KeyPair | None
    certificates: tuple[x509.Certificate, ...]
    content: str
    headers: bool


class Command(BaseCommand):
    help = "Makes a message as the composer would and prints it."
    requires_system_checks = ()
    requires_migrations_checks = False

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        several: dict[str, Any] = {"nargs": "+", "action": "extend", "default": []}
        people = several | {"metavar": "ADDR"}
        files = several | {"metavar": "FILE"}
        parser.add_argument(
            "--from", dest="from_", required=True, metavar="ADDR", help="the author, one address"
        )
        parser.add_argument("--to", **people, help="recipients, with or without names")
        parser.add_argument("--cc", **people, help="recipients in copy")
        parser.add_argument("--bcc", **people, help="recipients that nobody else is told of")
        parser.add_argument("--subject", default="", metavar="TEXT", help="the subject")
        parser.add_argument("--text", metavar="FILE", help="file with the plain text, UTF-8")
        parser.add_argument("--html", metavar="FILE", help="file with the HTML text, UTF-8")
        parser.add_argument("--attach", **files, help="files to attach")
        parser.add_argument("--in-reply-to", metavar="FILE", help="the message that is answered")
        parser.add_argument("--sign", metavar="FILE", help=".p12, or PEM with key and certificate")
        parser.add_argument(
            "--passphrase-file", metavar="FILE", help="its first line opens the key file"
        )
        parser.add_argument(
            "--encrypt-to", **files, help="certificates of the recipients, PEM or DER; needs --sign"
        )
        parser.add_argument(
            "--content",
            choices=sorted(WRITABLE_CIPHERS),
            default="aes-256-cbc",
            help="the content cipher of encrypted mail; default: aes-256-cbc",
        )
        parser.add_argument(
            "--protect-headers",
            choices=("yes", "no"),
            default="yes",
            help="whether header fields are protected (RFC 9788); default: yes",
        )
        parser.add_argument("--date", metavar="TIME", help="the Date, RFC 3339; default: now")
        parser.add_argument("--message-id", metavar="ID", help="the Message-ID; default: a new one")
        parser.add_argument(
            "--out",
            metavar="FILE",
            help="write it here; with --bcc and --encrypt-to a directory, where deliveries.json "
            "says who gets which file",
        )

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        composition = _composition(options)
        protection = _protection(options)
        if protection.certificates and protection.signer is None:
            raise CommandError(
                "Encrypted mail is signed, too: --sign is missing.", returncode=_USAGE
            )
        if protection.certificates and composition.bcc:
            self._write_variants(composition, protection, options["out"])
            return
        everyone = (*composition.to, *composition.cc, *composition.bcc)
        readers = _readers(everyone, protection)
        content = _bytes(composition, protection, _Variant((), readers))
        if options["out"]:
            _write(Path(options["out"]), content)
        else:
            # The wrapper adds a line end to text; a message is bytes.
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()

    def _write_variants(
        self, composition: Composition, protection: _Protection, out: str | None
    ) -> None:
        if not out:
            raise CommandError(
                "With --bcc and --encrypt-to, --out names a directory.", returncode=_USAGE
            )
        directory = Path(out)
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"{out} cannot be made: {error.strerror}.") from error
        deliveries = []
        for variant in _variants(composition, protection):
            _write(directory / variant.name, _bytes(composition, protection, variant))
            deliveries.append({"file": variant.name, "recipients": list(variant.recipients)})
        listing = json.dumps({"deliveries": deliveries}, indent=1, ensure_ascii=False)
        _write(directory / "deliveries.json", listing.encode() + b"\n")


def _composition(options: dict[str, Any]) -> Composition:
    sender = _people([options["from_"]])
    if len(sender) != 1:
        raise CommandError("--from needs exactly one address.", returncode=_USAGE)
    html = _text(options["html"])
    text = _text(options["text"])
    domain = sender[0].address.rpartition("@")[2]
    composition = Composition(
        from_=sender[0],
        to=_people(options["to"]),
        cc=_people(options["cc"]),
        bcc=_people(options["bcc"]),
        subject=options["subject"],
        date=read_time(options["date"]) or datetime.now(UTC),
        message_id=options["message_id"] or new_message_id(domain),
        text=html_to_text(html) if text is None and html is not None else text,
        html=html,
        attachments=tuple(_attachment(name) for name in options["attach"]),
    )
    answered = options["in_reply_to"]
    return _answering(composition, read_file(answered)) if answered else composition


def _answering(composition: Composition, original: bytes) -> Composition:
    """Thread the message under the one it answers (RFC 5322 §3.6.4)."""
    envelope = parse_message(original).envelope
    subject = composition.subject or envelope.subject
    if not composition.subject and not subject.lower().startswith("re:"):
        subject = f"Re: {subject}"
    above = envelope.references or envelope.in_reply_to[:1]
    return replace(
        composition,
        subject=subject,
        in_reply_to=envelope.message_id or None,
        references=(*above, envelope.message_id) if envelope.message_id else above,
    )


def _people(texts: Sequence[str]) -> tuple[Address, ...]:
    people = tuple(each for text in texts for each in parse_addresses(text))
    if any(not each.address for each in people) or (texts and not people):
        raise CommandError(f"{', '.join(texts)} is no address.", returncode=_USAGE)
    return people


def _text(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return read_file(name).decode()
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not in UTF-8.") from error


def _attachment(name: str) -> Attachment:
    stated, _ = mimetypes.guess_type(name)
    return Attachment(Path(name).name, stated or "application/octet-stream", read_file(name))


def _protection(options: dict[str, Any]) -> _Protection:
    signer: KeyPair | None = None
    if options["sign"]:
        passphrase = read_passphrase(options["passphrase_file"])
        signer = _signer(read_keys(options["sign"], passphrase), options["from_"])
    certificates = tuple(
        each for name in options["encrypt_to"] for each in read_certificates(name)[:1]
    )
    return _Protection(
        signer, certificates, options["content"], options["protect_headers"] == "yes"
    )


def _signer(pairs: Sequence[KeyPair], sender: str) -> KeyPair:
    """Choose the key of the sender's address among those of the file."""
    wanted = _people([sender])[0].address
    return next((pair for pair in pairs if _names(pair.certificate, wanted)), pairs[0])


def _names(certificate: x509.Certificate, address: str) -> bool:
    try:
        named = addresses(certificate)
    except DamagedCertificateError:
        return False
    return any(name.fits(address) or same_address(name.text, address) for name in named)


def _variants(composition: Composition, protection: _Protection) -> list[_Variant]:
    """Plan the sets of bytes: To and Cc share one, each Bcc recipient has one, Sent another."""
    named = (*composition.to, *composition.cc)
    found: list[_Variant] = []
    if named:
        found.append(
            _Variant(
                tuple(each.address for each in named),
                _readers(named, protection),
                name="message.eml",
            )
        )
    for number, hidden in enumerate(composition.bcc, 1):
        certificates = _readers((hidden,), protection, for_sender=False)
        found.append(_Variant((hidden.address,), certificates, name=f"bcc-{number}.eml"))
    if protection.signer is not None:
        own = _own(protection.signer, protection)
        if not own:
            raise CommandError("There is no certificate to encrypt the sender's copy for.")
        found.append(_Variant((), own, with_bcc=True, name="sent.eml"))
    return found


def _readers(
    people: Sequence[Address], protection: _Protection, *, for_sender: bool = True
) -> tuple[x509.Certificate, ...]:
    """Find the certificate of each recipient; without --encrypt-to there are none."""
    if not protection.certificates:
        return ()
    found: list[x509.Certificate] = []
    for person in people:
        own = [each for each in protection.certificates if _names(each, person.address)]
        if not own:
            raise CommandError(f"There is no certificate for {person.address}.")
        found.extend(own)
    if for_sender and protection.signer is not None:
        found.extend(_own(protection.signer, protection))
    return tuple(dict.fromkeys(found))


def _own(signer: KeyPair, protection: _Protection) -> tuple[x509.Certificate, ...]:
    """Find what the sender's copy is encrypted to: the signer's certificate, or others of theirs.

    A key that only signs (Ed25519, ML-DSA) has an encrypting one beside it, given as a recipient's.
    """
    try:
        if may_encrypt(signer.certificate):
            return (signer.certificate,)
        named = [each.text for each in addresses(signer.certificate)]
    except DamagedCertificateError as error:
        raise CommandError("The signer's certificate is damaged.") from error
    return tuple(
        each for each in protection.certificates if any(_names(each, name) for name in named)
    )


def _bytes(composition: Composition, protection: _Protection, variant: _Variant) -> bytes:
    try:
        return protect(
            build_entity(composition),
            header_fields(composition, with_bcc=variant.with_bcc),
            signer=protection.signer,
            recipients=variant.certificates,
            cipher=protection.content,
            protect_headers=protection.headers,
            post_quantum=allowed(),
        )
    except (CannotSignError, CannotEncryptError, ValueError) as error:
        raise CommandError(f"The message cannot be made: {error}") from error


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
