"""`manage.py rotate_keys`: seal everything anew under the newest key, while the site runs."""

from argparse import ArgumentParser
from typing import Any, override

from django.core.management.base import CommandError

from accounts import audit, rotation, sealing
from accounts.management.reporting import ReportingCommand


class Command(ReportingCommand):
    help = "Seals passwords, keys and drafts anew under the keyring's newest key."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--new-key", action="store_true", help="put a fresh key in front of the keyring first"
        )
        parser.add_argument(
            "--drop-old",
            action="store_true",
            help="afterwards take the older keys out of the keyring, if nothing needs them",
        )

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        if options["new_key"]:
            sealing.add_key_to_file()
        outcome = rotation.rotate()
        dropped = 0
        if options["drop_old"] and not outcome.remaining:
            dropped = sealing.drop_old_keys_from_file()
        details = {
            "renewed": outcome.renewed,
            "broken": outcome.broken,
            "remaining": outcome.remaining,
            "dropped": dropped,
        }
        audit.record("keys-rotated", actor=None, details=details)
        line = (
            f"{outcome.renewed} values sealed anew, {outcome.broken} do not open, "
            f"{outcome.remaining} still need an older key; {dropped} keys dropped."
        )
        self.answer(details, [line], options)
        if options["drop_old"] and outcome.remaining:
            raise CommandError("The older keys are still needed, so none was dropped.")
