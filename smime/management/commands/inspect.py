"""`manage.py inspect FILE`: read a message file exactly as the reader would show it."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, override

from cryptography import x509
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from smime import trust
from smime.inspection import report, show
from smime.management.files import (
    read_certificates,
    read_file,
    read_keys,
    read_passphrase,
    read_time,
)
from smime.pki.revocation import load_crls
from smime.reading import Reading, read_message
from smime.revocation_asking import ask_about
from smime.verdict import Context, Verdict, judge


class Command(BaseCommand):
    help = "Reads a message file (- for stdin) as the reader would show it."
    requires_system_checks = ()
    requires_migrations_checks = False

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        many: dict[str, Any] = {"action": "append", "default": [], "metavar": "FILE"}
        parser.add_argument("file", metavar="FILE", help="the message; - reads standard input")
        parser.add_argument(
            "--key", **many, help="a key to decrypt with: .p12, or PEM with both; repeatable"
        )
        parser.add_argument(
            "--passphrase-file", metavar="FILE", help="its first line opens the key files"
        )
        parser.add_argument(
            "--trust",
            **many,
            help="a trusted authority, PEM or DER, in place of those of this installation; "
            "repeatable",
        )
        parser.add_argument(
            "--cert",
            **many,
            help="an intermediate or the certificate of somebody known, PEM or DER; repeatable",
        )
        parser.add_argument("--crl", **many, help="a revocation list, PEM or DER; repeatable")
        parser.add_argument(
            "--at", metavar="TIME", help="the reader's clock, RFC 3339 (2026-01-31T12:00:00Z)"
        )
        parser.add_argument(
            "--received", metavar="TIME", help="when the message was first seen; else unknown"
        )
        parser.add_argument(
            "--online",
            action="store_true",
            help="ask for lists and OCSP answers of paths that end at a trusted authority",
        )
        parser.add_argument(
            "--html", metavar="OUT", help="write the document of the sandboxed frame here"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document, nothing else")

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        passphrase = read_passphrase(options["passphrase_file"])
        keys = [pair for name in options["key"] for pair in read_keys(name, passphrase)]
        known = _certificates(options["cert"])
        raw = sys.stdin.buffer.read() if options["file"] == "-" else read_file(options["file"])
        reading = read_message(raw, keys=keys, certificates=known)
        context = Context(
            now=read_time(options["at"]) or datetime.now(UTC),
            received_at=read_time(options["received"]),
            known_certificates=known,
            crls=_lists(options["crl"]),
        )
        given = _certificates(options["trust"])
        if given:
            context = replace(context, anchors=given, intermediates=known)
        else:
            context = self._configured(context, reading)
        verdict = judge(reading.facts, context=context)
        if options["online"]:
            paths = [each.path for each in verdict.signature.signers if each.path is not None]
            answers = ask_about(paths, now=context.now)
            verdict = judge(reading.facts, context=replace(context, answers=answers))
        shown = show(reading, verdict)
        if options["html"]:
            _write(options["html"], shown.document(title=reading.envelope.subject))
        if options["json"]:
            found = report(reading, verdict, shown)
            self.stdout.write(json.dumps(found, ensure_ascii=False, indent=1))
        else:
            self.stdout.write(_plain(reading.envelope.subject, verdict))

    def _configured(self, context: Context, reading: Reading) -> Context:
        """Add the trust of this installation; none, with a word, where it has no database yet."""
        sender = next((each.address for each in reading.facts.sender.from_), "")
        try:
            return trust.in_force(context, sender)
        except DatabaseError:
            self.stderr.write("There is no database here: nobody is trusted but by --trust.")
            return replace(context, intermediates=context.known_certificates)


def _lists(names: list[str]) -> tuple[x509.CertificateRevocationList, ...]:
    found: list[x509.CertificateRevocationList] = []
    for name in names:
        read = load_crls([read_file(name)])
        if not read:
            raise CommandError(f"{name} holds no revocation list.")
        found.extend(read)
    return tuple(found)


def _certificates(names: list[str]) -> tuple[x509.Certificate, ...]:
    return tuple(each for name in names for each in read_certificates(name))


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error


def _plain(subject: str, verdict: Verdict) -> str:
    senders = ", ".join(each.address or each.name for each in verdict.shown_from) or "nobody"
    lines = [
        f"From:    {senders}",
        f"Subject: {subject}",
        f"[{verdict.level}] {verdict.summary}",
        f"signature {verdict.signature.code}"
        + (f", encryption {verdict.encryption.code}" if verdict.encryption else ""),
    ]
    if verdict.signature.notes:
        lines.append("notes: " + ", ".join(verdict.signature.notes))
    return "\n".join(lines)
