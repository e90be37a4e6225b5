"""An upload goes through a real crypto worker: the web process never opens the key."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from smime.pki.authority import issue, new_root, to_pkcs12
from tests.site import Site

pytestmark = pytest.mark.live

_VISIT = """
import base64
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from accounts.models import User
from smime.models import OwnKey
from smime.pki import load_pkcs12
user = User.objects.create_user("keys-live@example.test")
client = Client(headers={{"host": "127.0.0.1"}})
client.force_login(user)
file = SimpleUploadedFile("k.p12", base64.b64decode("{content}"))
shown = client.post("/keys/import", {{"file": file, "passphrase": "word"}})
print("preview", shown.status_code, OwnKey.objects.filter(user=user).count())
kept = client.post(
    "/keys/import/keep", {{"token": shown.context["held"].token, "sealing": "managed"}}
)
key = OwnKey.objects.get(user=user)
words = {{"passphrase": "another word", "repeated": "another word"}}
saved = client.post(f"/keys/{{key.pk}}/export", words)
print("kept", kept.status_code, "saved", len(load_pkcs12(saved.content, "another word")))
"""


def test_upload_preview_keep_and_export(site: Site) -> None:
    now = datetime.now(tz=UTC)
    pair = issue(
        new_root("Live CA", now),
        "keys-live@example.test",
        "Live",
        not_before=now - timedelta(hours=1),
        not_after=now + timedelta(days=3),
        key="p256",
    )
    content = base64.b64encode(to_pkcs12(pair, "word")).decode()
    said = site.python(
        "from django.test.utils import setup_test_environment\nsetup_test_environment()\n"
        + _VISIT.format(content=content)
    )
    assert said.splitlines() == ["preview 200 0", "kept 302 saved 1"]
    for service in ("web", "worker-crypto"):
        assert "another word" not in site.log(service)
