"""`manage.py account add|sync|list`: people's mail accounts."""

from argparse import ArgumentParser
from typing import Any, override

from django.core.management.base import CommandError

from accounts import admission, lanes, mail_check
from accounts.credentials import login_name
from accounts.management.reporting import USAGE, ReportingCommand, read_secret
from accounts.models import MailAccount, MailServer
from accounts.people import canonical_address
from webmail.sasl import Credentials


class Command(ReportingCommand):
    help = "Adds, synchronises and lists mail accounts."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="add an account, or give it a new password")
        add.add_argument("address")
        add.add_argument("--password-file", required=True, help="its password: the first line")
        add.add_argument("--name", default="", help="the person's name")
        add.add_argument(
            "--no-check", action="store_true", help="do not ask the mail server for the password"
        )
        sync = verbs.add_parser("sync", help="have a worker synchronise an account now")
        sync.add_argument("address")
        listing = verbs.add_parser("list", help="list the accounts and how they are")
        for verb in (add, sync, listing):
            super().add_arguments(verb)

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        getattr(self, f"_{options['verb']}")(options)

    def _add(self, options: dict[str, Any]) -> None:
        address = _address(options["address"])
        server = MailServer.objects.filter(domain=address.rpartition("@")[2]).first()
        if server is None:
            raise CommandError(f"No mail server is known for {address}: use `mailserver add`.")
        password = read_secret(options["password_file"])
        if not options["no_check"]:
            found = mail_check.check_imap(
                server, Credentials(login_name(server, address), password)
            )
            if found.code != "ok":
                raise CommandError(found.reason)
        user, account = admission.admit(server=server, address=address, password=password)
        if not user.is_active:
            raise CommandError(f"{address} is switched off.")
        if options["name"]:
            admission.set_name(user, options["name"])
        if account is not None:
            admission.announce(account)
        words = "added" if account is not None else "changed"
        self.answer({"status": words, "address": address}, [f"{address} {words}."], options)

    def _sync(self, options: dict[str, Any]) -> None:
        address = _address(options["address"])
        accounts = list(MailAccount.objects.filter(address=address))
        if not accounts:
            raise CommandError(f"There is no account {address}.")
        for account in accounts:
            lanes.post("mailbox.sync_account", account.pk, lane="sync")
        line = f"A worker will synchronise {address}."
        self.answer({"status": "posted", "address": address}, [line], options)

    def _list(self, options: dict[str, Any]) -> None:
        accounts = list(MailAccount.objects.select_related("user", "server").order_by("address"))
        lines = [
            f"{each.address}\t{each.state}\t{each.last_sync_at or 'never'}\t{each.last_error}"
            for each in accounts
        ]
        self.answer({"accounts": [_document(each) for each in accounts]}, lines, options)


def _address(text: str) -> str:
    try:
        return canonical_address(text)
    except ValueError as error:
        raise CommandError(str(error), returncode=USAGE) from error


def _document(account: MailAccount) -> dict[str, Any]:
    return {
        "address": account.address,
        "user": account.user.address,
        "server": account.server.domain,
        "state": account.state,
        "last_sync_at": account.last_sync_at.isoformat() if account.last_sync_at else None,
        "last_error": account.last_error,
    }
