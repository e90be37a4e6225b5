"""`manage.py key import|list|export`: people's own keys."""

import os
from argparse import ArgumentParser
from typing import Any, override

from django.core.management.base import CommandError

from accounts.management.reporting import USAGE, ReportingCommand, read_secret
from accounts.models import User
from accounts.people import canonical_address
from smime import vault
from smime.management.files import read_file, read_passphrase
from smime.models import OwnKey, Vault
from smime.passphrases import VaultError, key_of
from smime.pki import Pkcs12Error
from smime.problems import key_file_problem


class Command(ReportingCommand):
    help = "Imports, lists and exports people's own keys."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        adding = verbs.add_parser("import", help="keep the keys of a .p12 or PEM file")
        adding.add_argument("address", help="whose keys")
        adding.add_argument("file")
        adding.add_argument("--passphrase-file", help="passphrase of the file")
        adding.add_argument("--sealing", choices=OwnKey.Sealing.values, default="managed")
        listing = verbs.add_parser("list", help="list keys")
        listing.add_argument("address", nargs="?")
        export = verbs.add_parser("export", help="write a key as .p12")
        export.add_argument("address")
        export.add_argument("fingerprint", help="SHA-256, or its beginning")
        export.add_argument("--out", required=True, metavar="FILE")
        export.add_argument("--passphrase-file", required=True, help="passphrase of the new file")
        for verb in (adding, export):
            verb.add_argument("--vault-passphrase-file", help="passphrase of personal keys")
        for verb in (adding, listing, export):
            super().add_arguments(verb)

    @override
    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except Pkcs12Error as error:
            raise CommandError(key_file_problem(error.reason)) from error
        except VaultError as error:
            raise CommandError(error.reason) from error

    def _import(self, options: dict[str, Any]) -> None:
        user = _user(options["address"])
        vault_file = options["vault_passphrase_file"]
        if options["sealing"] == OwnKey.Sealing.PERSONAL and not vault_file:
            raise CommandError("Personal keys need --vault-passphrase-file.", returncode=USAGE)
        kept = vault.import_keys(
            user,
            read_file(options["file"]),
            read_passphrase(options["passphrase_file"]),
            sealing=options["sealing"],
            vault_passphrase=read_secret(vault_file) if vault_file else None,
        )
        lines = [f"{each.fingerprint} imported for {user.address}." for each in kept]
        self.answer({"keys": [_document(each) for each in kept]}, lines, options)

    def _list(self, options: dict[str, Any]) -> None:
        keys = OwnKey.objects.select_related("user").order_by("user__address", "-not_after")
        if options["address"]:
            keys = keys.filter(user=_user(options["address"]))
        lines = [
            f"{each.fingerprint}\t{each.user.address}\t{each.not_after:%Y-%m-%d}\t{each.sealing}"
            for each in keys
        ]
        self.answer({"keys": [_document(each) for each in keys]}, lines, options)

    def _export(self, options: dict[str, Any]) -> None:
        user = _user(options["address"])
        wanted = options["fingerprint"].replace(":", "").lower()
        found = list(vault.own_keys_for(user).filter(fingerprint__startswith=wanted)[:2])
        if len(found) != 1 or len(wanted) < 8:
            raise CommandError(f"{user.address} has no single key {options['fingerprint']}.")
        content = vault.export(
            user,
            found[0].pk,
            read_secret(options["passphrase_file"]),
            kek=_kek(user, options["vault_passphrase_file"]),
        )
        _write_private(options["out"], content)
        document = {"file": options["out"], **_document(found[0])}
        self.answer(document, [f"{options['out']} written."], options)


def _user(address: str) -> User:
    try:
        canonical = canonical_address(address)
    except ValueError as error:
        raise CommandError(str(error), returncode=USAGE) from error
    user = User.objects.filter(address=canonical).first()
    if user is None:
        raise CommandError(f"{canonical} has no account here: use `account add`.")
    return user


def _kek(user: User, passphrase_file: str | None) -> bytes | None:
    if not passphrase_file:
        return None
    held = Vault.objects.filter(user=user).first()
    kek = key_of(held, read_secret(passphrase_file)) if held is not None else None
    if kek is None:
        raise CommandError("The passphrase of the personal keys is not right.")
    return kek


def _write_private(name: str, content: bytes) -> None:
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _document(key: OwnKey) -> dict[str, Any]:
    return {
        "user": key.user.address,
        "fingerprint": key.fingerprint,
        "name": key.name,
        "addresses": key.addresses,
        "issuer": key.issuer,
        "serial": key.serial,
        "not_before": key.not_before.isoformat(),
        "not_after": key.not_after.isoformat(),
        "algorithm": key.algorithm,
        "sealing": key.sealing,
        "can_sign": key.can_sign,
        "can_encrypt": key.can_encrypt,
        "in_use": key.is_current,
    }
