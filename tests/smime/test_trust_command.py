import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent
from smime.models import TrustAnchor
from smime.pki.authority import Authority

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("trust", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        call_command("trust", *arguments, stdout=StringIO())
    return caught.value


@pytest.fixture
def root(tmp_path: Path, authority: Authority) -> str:
    path = tmp_path / "root.pem"
    path.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    return str(path)


def test_add_list_remove(root: str) -> None:
    (added,) = run("add", root, "--reason", "Our own")["anchors"]
    assert (added["name"], added["state"]) == ("Vault test CA", "trusted")
    assert run("list")["anchors"] == [added]
    assert run("remove", added["fingerprint"][:10])["removed"] == added
    assert run("list") == {"anchors": []}
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["trust-anchor-added", "trust-anchor-removed"]


def test_limited_to_domains(root: str) -> None:
    (added,) = run("add", root, "--state", "limited", "--domain", "A.test", "--domain", "b.test")[
        "anchors"
    ]
    assert added["domains"] == ["a.test", "b.test"]


def test_refusals(root: str, tmp_path: Path) -> None:
    assert refused("add", root, "--domain", "a.test").returncode == 2
    assert refused("add", root, "--state", "limited").returncode == 1
    (tmp_path / "x").write_text("nothing")
    for arguments in (
        ("add", f"{tmp_path}/x"),
        ("add", "/absent"),
        ("remove", "00"),
        ("crl", root),
    ):
        error = refused(*arguments)
        assert error.returncode == 1
        assert str(error).endswith(".")
    assert not TrustAnchor.objects.exists()
