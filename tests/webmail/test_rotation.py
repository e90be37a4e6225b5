"""`rotate_keys` over everything the keyring seals, with an interruption in the middle."""

import json
import os
import time
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from accounts import rotation, sealing
from accounts.credentials import for_account, sealed_password_for
from accounts.models import Identity
from tests.webmail.mailbox.conftest import make_owner
from webmail.composer import content, sealed_files
from webmail.composer.content import DraftContent
from webmail.composer.models import Draft
from webmail.mailbox import blobs
from webmail.reader import store
from webmail.reader.models import Rendition
from webmail.reader.store import Documents
from webmail.reader.variants import Variant

pytestmark = pytest.mark.django_db

BODIES = 7
# Binary columns that the keyring does not seal.
UNSEALED = {
    "mailbox.Folder.raw_path",
    "smime.RevocationSource.content",  # public: what authorities publish
    "smime.Vault.salt",
    "smime.Vault.verifier",  # under the passphrase's key
    "smime.WatchedCertificate.issuer_der",
}


def run(*arguments):
    out = StringIO()
    call_command("rotate_keys", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


class Kept:
    """One of everything that is sealed, and a few bodies."""

    def __init__(self) -> None:
        self.owner = make_owner("anna@example.test")
        account = self.owner.account
        account.sealed_password = sealed_password_for(account, "correct horse")
        account.save()
        self.placements = [self.owner.place(uid=n, minutes=n) for n in range(1, BODIES + 1)]
        for placement in self.placements:
            blobs.put(account, self.body(placement), message=placement.message)
            Rendition.objects.create(
                message=placement.message,
                variant=Variant().key,
                pipeline=store.PIPELINE,
                sealed_document=self.seal(placement.message_id),
            )
        identity = Identity.objects.create(
            user=self.owner.user, account=account, address=account.address
        )
        self.draft = Draft.objects.create(
            user=self.owner.user, account=account, identity=identity, sealed_content=b""
        )
        words = content.seal_content(DraftContent(subject="Plans"), draft_id=self.draft.pk)
        Draft.objects.update(sealed_content=words)
        self.large = bytes(range(256)) * 10_000  # three pieces
        self.file, _ = sealed_files.write([self.large])

    @staticmethod
    def body(placement) -> bytes:
        return b"Subject: Letter\r\n\r\n%d" % placement.pk

    @staticmethod
    def seal(message_id: int) -> bytes:
        subject = store._subject(message_id, Variant().key)
        return sealing.seal(
            Documents((f"<p>{message_id}",)).to_json(), purpose="rendition", subject=subject
        )

    def check(self) -> None:
        """Everything opens and is what it was."""
        assert for_account(self.owner.account.__class__.objects.get()).password == "correct horse"
        for placement in self.placements:
            assert blobs.get(placement.message) == self.body(placement)
            found = store.load_documents(placement.message, Variant(), session_key=None)
            assert found == Documents((f"<p>{placement.message_id}",))
        draft = Draft.objects.get()
        opened = content.open_content(draft.sealed_content, draft_id=draft.pk)
        assert opened.subject == "Plans"
        assert sealed_files.read_all(self.file) == self.large


@pytest.fixture
def kept(settings, tmp_path) -> Kept:
    settings.BLOB_DIR = tmp_path / "blobs"
    settings.KEYRING_FILE = tmp_path / "keyring"
    return Kept()


TOTAL = 1 + BODIES + BODIES + 1 + 1


def test_everything_moves_to_the_new_key_and_the_old_one_goes(kept):
    assert sealing.keyring() is not None
    done = run("--new-key", "--drop-old")
    assert (done["renewed"], done["broken"], done["remaining"], done["dropped"]) == (TOTAL, 0, 0, 1)
    assert len(sealing.keyring().keys) == 1
    kept.check()
    assert run()["renewed"] == 0


@pytest.mark.parametrize("after", [0, 1, 5, 1 + BODIES, TOTAL - 1])
def test_a_run_that_ends_in_the_middle_is_gone_on_with(kept, monkeypatch, after):
    calls = 0

    def failing(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return sealing.seal(*args, **kwargs)

    with monkeypatch.context() as broken:
        for module in (rotation, blobs):
            broken.setattr(module, "seal", failing)
        real, marked = sealing.seal, []

        def failing_file(plain, *, purpose, subject):
            if purpose == "composer-file" and after >= TOTAL - 1:
                marked.append(subject)
                if len(marked) > 2:  # in the middle of the file
                    raise KeyboardInterrupt
            return real(plain, purpose=purpose, subject=subject)

        broken.setattr(sealed_files.sealing, "seal", failing_file)
        with pytest.raises(KeyboardInterrupt):
            run("--new-key", "--drop-old")
    assert len(sealing.keyring().keys) == 2
    kept.check()
    left = rotation.remaining()
    assert 0 < left <= TOTAL - min(after, TOTAL - 1)
    done = run("--drop-old")
    assert (done["renewed"], done["remaining"], done["dropped"]) == (left, 0, 1)
    kept.check()


def test_the_old_key_stays_while_anything_is_left(kept, settings):
    draft = Draft.objects.get()
    good = bytes(draft.sealed_content)
    damaged = good[:-1] + bytes([good[-1] ^ 1])
    Draft.objects.update(sealed_content=damaged)
    with pytest.raises(CommandError):
        run("--new-key", "--drop-old")
    assert len(sealing.keyring().keys) == 2
    assert rotation.remaining() == 1
    # Once it is repaired, the old key goes.
    Draft.objects.update(sealed_content=good)
    assert run("--drop-old")["dropped"] == 1
    kept.check()


def test_caches_that_do_not_open_do_not_keep_a_key(kept):
    first, second = kept.placements[:2]
    path = next(blobs.sealed_paths())
    path.write_bytes(path.read_bytes()[:-1])
    document = Kept.seal(second.message_id)  # belongs to another row
    Rendition.objects.filter(message=first.message).update(sealed_document=document)
    done = run("--new-key", "--drop-old")
    assert (done["broken"], done["remaining"], done["dropped"]) == (2, 0, 1)
    assert not path.exists()
    assert not Rendition.objects.filter(message=first.message).exists()


def test_what_a_crash_left_half_written_goes(kept, settings):
    stale = Path(settings.BLOB_DIR) / "aa" / "rest.part"
    young = stale.with_name("young.part")
    stale.parent.mkdir(parents=True, exist_ok=True)
    for path in (stale, young):
        path.write_bytes(sealing.seal(b"half", purpose="blob", subject="x"))
    long_ago = time.time() - 7200
    os.utime(stale, (long_ago, long_ago))
    with pytest.raises(CommandError):  # the young one may still be written
        run("--new-key", "--drop-old")
    assert not stale.exists()
    assert young.exists()


def test_a_writer_at_the_same_time_wins(kept, monkeypatch):
    opened = rotation.open_sealed

    def meanwhile(sealed, *, purpose, subject):
        if purpose == "draft":
            words = content.seal_content(DraftContent(subject="Plans"), draft_id=kept.draft.pk)
            Draft.objects.update(sealed_content=words)
        return opened(sealed, purpose=purpose, subject=subject)

    monkeypatch.setattr(rotation, "open_sealed", meanwhile)
    done = run("--new-key", "--drop-old")
    assert (done["renewed"], done["remaining"]) == (TOTAL - 1, 0)
    kept.check()


def test_only_old_values_are_read(kept, django_assert_max_num_queries):
    run("--new-key")
    with django_assert_max_num_queries(30):  # no row is fetched again
        run()


def test_every_sealed_column_is_registered():
    """A new binary column is either sealed and registered, or named above."""
    registered = {f"{model}.{column}" for model, column in rotation._columns}
    found = {
        f"{model._meta.label}.{each.name}"
        for model in apps.get_models()
        for each in model._meta.concrete_fields
        if isinstance(each, models.BinaryField) and each.name != "der"
    }
    assert registered == found - UNSEALED
