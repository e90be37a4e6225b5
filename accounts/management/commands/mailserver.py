"""`manage.py mailserver add|list|test`: where the people of a mail domain have their mail."""

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, override

from django.core.management.base import CommandError

from accounts import mail_check
from accounts.credentials import login_name
from accounts.mail_servers import (
    NotAServer,
    ServerDescription,
    canonical_domain,
    save_server,
    split_endpoint,
)
from accounts.management.reporting import USAGE, ReportingCommand, read_secret
from accounts.models import MailServer, Security
from webmail.sasl import Credentials

_PORTS = {("imap", "tls"): 993, ("imap", "starttls"): 143}
_PORTS |= {("submission", "tls"): 465, ("submission", "starttls"): 587}


class Command(ReportingCommand):
    help = "Adds, lists and tests mail domains and their servers."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="add a domain, or change its servers")
        add.add_argument("domain")
        for kind, security in (("imap", "tls"), ("submission", "starttls")):
            add.add_argument(f"--{kind}", required=True, metavar="HOST:PORT")
            add.add_argument(f"--{kind}-security", choices=Security.values, default=security)
        add.add_argument("--ca-file", metavar="PEM", help="who signs the servers' certificates")
        add.add_argument("--sieve", default="", metavar="HOST:PORT")
        add.add_argument("--pop", default="", metavar="HOST:PORT")
        add.add_argument(
            "--login",
            choices=("address", "local-part"),
            default="address",
            help="what people sign in to the server as",
        )
        add.add_argument(
            "--authserv-id",
            action="append",
            default=[],
            metavar="NAME",
            help="the name under which the server that receives the domain's mail, often the IMAP "
            "host, begins its Authentication-Results fields; may be given again. The server must "
            "remove forged fields of its own name from mail that comes in (RFC 8601 §5), above all "
            "if it writes its own below its Received field, where a stranger's may stand, too. "
            "Without it nothing is said about SPF, DKIM and DMARC",
        )
        add.add_argument("--reason", default="", help="kept in the audit log")
        listing = verbs.add_parser("list", help="list the domains")
        test = verbs.add_parser("test", help="connect to a domain's servers")
        test.add_argument("domain")
        test.add_argument("--user", help="an address to sign in with")
        test.add_argument("--password-file", help="its password: the first line")
        for verb in (add, listing, test):
            super().add_arguments(verb)

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except NotAServer as error:
            raise CommandError(str(error), returncode=USAGE) from error

    def _add(self, options: dict[str, Any]) -> None:
        imap = split_endpoint(options["imap"], default_port=_port("imap", options))
        submission = split_endpoint(
            options["submission"], default_port=_port("submission", options)
        )
        for name in ("sieve", "pop"):
            if options[name]:
                split_endpoint(options[name], default_port=4190)
        description = ServerDescription(
            imap_host=imap[0],
            imap_port=imap[1],
            imap_security=options["imap_security"],
            submission_host=submission[0],
            submission_port=submission[1],
            submission_security=options["submission_security"],
            ca_pem=_pem(options["ca_file"]),
            sieve=options["sieve"],
            pop=options["pop"],
            login_is_local_part=options["login"] == "local-part",
            authserv_ids=" ".join(options["authserv_id"]),
        )
        server, is_new = save_server(
            options["domain"], description, actor=None, reason=options["reason"]
        )
        words = "added" if is_new else "changed"
        line = f"{server.domain} {words}: people sign in with address and password."
        self.answer({"status": words, **_document(server)}, [line], options)

    def _list(self, options: dict[str, Any]) -> None:
        servers = list(MailServer.objects.all())
        lines = [
            f"{each.domain}\t{each.imap_host}:{each.imap_port}\t"
            f"{each.submission_host}:{each.submission_port}"
            for each in servers
        ]
        self.answer({"servers": [_document(each) for each in servers]}, lines, options)

    def _test(self, options: dict[str, Any]) -> None:
        server = MailServer.objects.filter(domain=canonical_domain(options["domain"])).first()
        if server is None:
            raise CommandError(f"No mail server is known for {options['domain']}.")
        if bool(options["user"]) != bool(options["password_file"]):
            raise CommandError("--user and --password-file belong together.", returncode=USAGE)
        findings = _findings(server, options)
        lines = [
            f"{'ok' if each['ok'] else 'fail'}\t{each['service']}\t{each['reason'] or 'answers'}"
            for each in findings
        ]
        self.answer({"domain": server.domain, "findings": findings}, lines, options)
        if not all(each["ok"] for each in findings):
            raise CommandError(f"The servers of {server.domain} cannot be used.")


def _findings(server: MailServer, options: dict[str, Any]) -> list[dict[str, Any]]:
    if options["user"]:
        name = login_name(server, options["user"])
        credentials = Credentials(name, read_secret(options["password_file"]))
    else:  # a name nobody has: being refused proves that the server answers under TLS
        credentials = Credentials(f"signet-test-{secrets.token_hex(4)}", secrets.token_urlsafe(12))
    found = []
    checks = {"imap": mail_check.check_imap, "submission": mail_check.check_submission}
    for service, check in checks.items():
        result = check(server, credentials)
        is_expected = result.code == "wrong-credentials" and not options["user"]
        found.append(
            {
                "service": service,
                "ok": result.code == "ok" or is_expected,
                "code": "ok" if is_expected else result.code,
                "reason": "" if is_expected else result.reason,
            }
        )
    return found


def _port(kind: str, options: dict[str, Any]) -> int:
    return _PORTS[kind, options[f"{kind}_security"]]


def _pem(name: str | None) -> str:
    if not name:
        return ""
    try:
        return Path(name).read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{name} cannot be read as PEM.") from error


def _document(server: MailServer) -> dict[str, Any]:
    return {
        "domain": server.domain,
        "imap": f"{server.imap_host}:{server.imap_port}",
        "imap_security": server.imap_security,
        "submission": f"{server.submission_host}:{server.submission_port}",
        "submission_security": server.submission_security,
        "has_ca": bool(server.ca_pem),
        "sieve": server.sieve,
        "pop": server.pop,
        "login": "local-part" if server.login_is_local_part else "address",
        "authserv_ids": server.authserv_ids.split(),
        "enabled": server.is_enabled,
    }
