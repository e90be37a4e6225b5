"""`manage.py trust add|list|remove|crl`: whom the installation trusts for mail; with --user, whom
a person does.
"""

from argparse import ArgumentParser
from typing import Any, override

from django.core.management.base import CommandError

from accounts.management.reporting import USAGE, ReportingCommand
from accounts.models import User
from smime import deciding_anchors, trust
from smime.certificate_rows import CertificateFileError
from smime.management.files import read_file
from smime.models import PersonAnchor, TrustAnchor
from smime.pki.addresses import canonical_address


class Command(ReportingCommand):
    help = "Adds, lists and removes trust anchors for mail."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="trust, limit or block the authorities of a file")
        add.add_argument("file", help="PEM, DER or .p7b")
        add.add_argument("--state", choices=TrustAnchor.State.values, default="trusted")
        add.add_argument("--domain", action="append", default=[], help="of a limited authority")
        listing = verbs.add_parser("list", help="list the anchors")
        remove = verbs.add_parser("remove", help="forget an anchor")
        remove.add_argument("fingerprint", help="SHA-256, or its beginning")
        crl = verbs.add_parser("crl", help="keep a revocation list")
        crl.add_argument("file", help="PEM or DER")
        for verb in (listing, remove):
            verb.add_argument("--user", metavar="ADDRESS", help="this person's own anchors")
        for verb in (add, remove, crl):
            verb.add_argument("--reason", default="By command", help="kept in the audit log")
        for verb in (add, listing, remove, crl):
            super().add_arguments(verb)

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        if options.get("domain") and options["state"] != TrustAnchor.State.LIMITED:
            raise CommandError("--domain goes with --state limited.", returncode=USAGE)
        try:
            getattr(self, f"_{options['verb']}")(options)
        except CertificateFileError as error:
            raise CommandError(error.reason) from error

    def _add(self, options: dict[str, Any]) -> None:
        rows = trust.add_anchor(
            read_file(options["file"]),
            actor=None,
            reason=options["reason"],
            state=options["state"],
            domains=options["domain"],
        )
        lines = [f"{each.fingerprint} {each.name}: {each.state}." for each in rows]
        self.answer({"anchors": [_document(each) for each in rows]}, lines, options)

    def _list(self, options: dict[str, Any]) -> None:
        if options["user"]:
            self._list_of(_person(options["user"]), options)
            return
        rows = list(TrustAnchor.objects.order_by("name", "fingerprint"))
        lines = [
            f"{each.fingerprint}\t{each.state}\t{each.not_after:%Y-%m-%d}\t{each.name}"
            for each in rows
        ]
        self.answer({"anchors": [_document(each) for each in rows]}, lines, options)

    def _list_of(self, user: User, options: dict[str, Any]) -> None:
        rows = deciding_anchors.anchors_of(user)
        lines = [
            f"{each.fingerprint}\t{deciding_anchors.standing_of(each)}\t{each.not_after:%Y-%m-%d}"
            f"\t{each.name}\t{', '.join(each.domains)}"
            for each in rows
        ]
        self.answer({"anchors": [_document_of(each) for each in rows]}, lines, options)

    def _remove(self, options: dict[str, Any]) -> None:
        if options["user"]:
            self._remove_of(_person(options["user"]), options)
            return
        anchor = trust.find_anchor(options["fingerprint"])
        if anchor is None:
            raise CommandError(f"There is no single anchor {options['fingerprint']}.")
        document = _document(anchor)
        trust.remove_anchor(anchor, actor=None, reason=options["reason"])
        self.answer({"removed": document}, [f"{anchor.name} removed."], options)

    def _remove_of(self, user: User, options: dict[str, Any]) -> None:
        anchor = deciding_anchors.find_anchor(user, options["fingerprint"])
        if anchor is None:
            raise CommandError(f"{user.address} has no single anchor {options['fingerprint']}.")
        document = _document_of(anchor)
        deciding_anchors.remove(anchor, actor=None, reason=options["reason"])
        self.answer({"removed": document}, [f"{anchor.name} removed."], options)

    def _crl(self, options: dict[str, Any]) -> None:
        row = trust.add_crl(read_file(options["file"]), actor=None, reason=options["reason"])
        document = {"issuer": row.issuer, "this_update": row.this_update.isoformat()}
        self.answer(document, [f"Revocation list of {row.issuer} kept."], options)


def _person(address: str) -> User:
    user = User.objects.filter(address=canonical_address(address)).first()
    if user is None:
        raise CommandError(f"There is no user {address}.")
    return user


def _document_of(anchor: PersonAnchor) -> dict[str, Any]:
    return {
        "fingerprint": anchor.fingerprint,
        "name": anchor.name,
        "subject": anchor.subject,
        "standing": deciding_anchors.standing_of(anchor),
        "domains": anchor.domains,
        "not_after": anchor.not_after.isoformat(),
        "user": anchor.user.address,
    }


def _document(anchor: TrustAnchor) -> dict[str, Any]:
    return {
        "fingerprint": anchor.fingerprint,
        "name": anchor.name,
        "subject": anchor.subject,
        "state": anchor.state,
        "domains": anchor.domains,
        "not_after": anchor.not_after.isoformat(),
        "reason": anchor.reason,
    }
