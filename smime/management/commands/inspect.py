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

from smime.inspection import report, show
from smime.management.files import (
    read_certificates,
    read_file,
    read_keys,
    read_passphrase,
    read_time,
)
from smime.pki.revocation import load_crls
from smime.reading import read_message
from smime.revocation_asking import ask_about
from smime.verdict import Context, Verdict, judge


class Command(BaseCommand):
    help = "Reads a message file (- for stdin) as the reader would show it."
    requires_system_checks = ()
    requires_migrations_checks = False

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the message; - reads standard input")
        parser.add_argument("--key", action="append", default=[], help=".p12, or PEM with both")
        parser.add_argument("--passphrase-file", help="passphrase of the key files")
        parser.add_argument("--trust", action="append", default=[], help="PEM; repeatable")
        parser.add_argument("--cert", action="append", default=[], help="PEM or DER; repeatable")
        parser.add_argument("--crl", action="append", default=[], help="PEM or DER; repeatable")
        parser.add_argument("--at", help="the reader's clock, RFC 3339; default: now")
        parser.add_argument("--received", help="when the message was first seen, RFC 3339")
        parser.add_argument(
            "--online", action="store_true", help="ask for lists and OCSP answers of trusted paths"
        )
        parser.add_argument("--html", help="write the document of the sandboxed frame here")
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
            anchors=_certificates(options["trust"]),
            known_certificates=known,
            intermediates=known,
            crls=load_crls([read_file(name) for name in options["crl"]]),
        )
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
