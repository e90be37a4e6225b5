import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from smime.models import OwnKey
from smime.pki import load_pkcs12
from smime.pki.authority import Authority, to_pkcs12
from tests.smime.conftest import certify

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("key", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        call_command("key", *arguments, stdout=StringIO())
    return caught.value


@pytest.fixture
def files(tmp_path: Path, anna: User, authority: Authority) -> Path:
    (tmp_path / "key.p12").write_bytes(to_pkcs12(certify(authority, anna.address), "word"))
    (tmp_path / "word").write_text("word\n")
    (tmp_path / "new-word").write_text("another word\n")
    (tmp_path / "vault").write_text("a long passphrase of mine\n")
    return tmp_path


def test_import_list_export(files: Path, anna: User) -> None:
    (kept,) = run("import", anna.address, f"{files}/key.p12", "--passphrase-file", f"{files}/word")[
        "keys"
    ]
    assert kept["addresses"] == [anna.address]
    assert run("list")["keys"] == run("list", anna.address)["keys"] == [kept]
    assert "sealed" not in json.dumps(kept).replace("sealing", "")
    out = files / "out.p12"
    run(
        "export", anna.address, kept["fingerprint"][:12],
        "--out", str(out), "--passphrase-file", f"{files}/new-word",
    )  # fmt: skip
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    (pair,) = load_pkcs12(out.read_bytes(), "another word")
    assert f"{pair.certificate.serial_number:x}" == kept["serial"]
    again = refused(
        "export", anna.address, kept["fingerprint"],
        "--out", str(out), "--passphrase-file", f"{files}/new-word",
    )  # fmt: skip
    assert "cannot be written" in str(again)


def test_personal_keys(files: Path, anna: User) -> None:
    key = ("import", anna.address, f"{files}/key.p12", "--passphrase-file", f"{files}/word")
    assert refused(*key, "--sealing", "personal").returncode == 2
    (kept,) = run(*key, "--sealing", "personal", "--vault-passphrase-file", f"{files}/vault")[
        "keys"
    ]
    export = (
        "export", anna.address, kept["fingerprint"],
        "--out", f"{files}/o.p12", "--passphrase-file", f"{files}/new-word",
    )  # fmt: skip
    assert "locked" in str(refused(*export))
    assert "not right" in str(refused(*export, "--vault-passphrase-file", f"{files}/word"))
    run(*export, "--vault-passphrase-file", f"{files}/vault")
    assert (files / "o.p12").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("import", "nobody@example.test", "{d}/key.p12"), 1),
        (("import", "no address", "{d}/key.p12"), 2),
        (("import", "anna@example.test", "{d}/key.p12", "--passphrase-file", "{d}/vault"), 1),
        (("import", "anna@example.test", "{d}/word"), 1),
        (("import", "anna@example.test", "{d}/absent"), 1),
        (("export", "anna@example.test", "00", "--out", "x", "--passphrase-file", "{d}/word"), 1),
    ],
)
def test_refusals_are_sentences(files: Path, arguments: tuple[str, ...], code: int) -> None:
    error = refused(*(each.format(d=files) for each in arguments))
    assert error.returncode == code
    assert str(error).endswith(".")
    assert not OwnKey.objects.exists()
