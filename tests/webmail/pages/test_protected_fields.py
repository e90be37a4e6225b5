"""What stands only inside encrypted mail: shown once it was opened, gone while the keys are locked."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client

from smime import trust, unlocking, vault
from smime.models import OwnKey
from smime.pki.authority import issue, new_root, to_pkcs12
from smime.writing import protect
from tests.webmail.reader.conftest import Letters, letters, workers  # noqa: F401
from webmail.mailbox import conversations, search_index
from webmail.mailbox.models import Message, ProtectedFields, ThreadKey
from webmail.mailbox.threads import key_of
from webmail.mime import Address
from webmail.mime.write import Composition, build_entity, header_fields

SECRET = "The harbour at nine"
PASSPHRASE = "a passphrase of keys"
HIDDEN = "Encrypted message"


def outside(name: str, value: str) -> str | None:
    """A policy that hides threads and display names, too."""
    match name.lower():
        case "subject":
            return "[...]"
        case "from" | "to":
            return value.rpartition("<")[2].rstrip(">")
        case "references" | "in-reply-to":
            return None
    return value


@dataclass
class World:
    """Mira with a key, and mail that it opens."""

    letters: Letters
    anna: object
    mira: object

    def receive(self, subject=SECRET, **fields) -> Message:
        made = Composition(
            from_=Address("Anna Lindqvist", "anna@nordlys.example"),
            to=(Address("Mira", self.letters.mailbox.user.address),),
            subject=subject,
            date=datetime.now(UTC),
            message_id="secret@nordlys.example",
            text="Only for you.\n",
            **fields,
        )
        raw = protect(
            build_entity(made), header_fields(made), signer=self.anna,
            recipients=[self.mira.certificate], cipher="aes-256-gcm", policy=outside,
        )  # fmt: skip
        message = self.letters.put(raw, is_secured=True, is_locked=True, from_name="", preview="")
        Message.objects.filter(pk=message.pk).update(
            subject="[...]", message_id="secret@nordlys.example"
        )
        message.refresh_from_db()
        conversations.refresh({message.thread_id})
        search_index.add([message])
        return message

    def page(self, path="/mail/inbox", client=None) -> str:
        return (client or self.letters.client).get(path).content.decode()

    def subjects(self, path="/mail/inbox") -> list[str]:
        found = re.findall(r'<span class="row-subject">(.*?)</span>', self.page(path))
        return [re.sub("<.*?>", "", one) for one in found]

    def lock(self) -> None:
        assert self.letters.client.post("/keys/lock").status_code == 302

    def unlock(self) -> None:
        self.letters.client.post("/keys/unlock", {"passphrase": PASSPHRASE})


@pytest.fixture
def world(letters, settings, tmp_path):  # noqa: F811
    settings.KEYRING_FILE = tmp_path / "keyring"

    def make(sealing):
        now = datetime.now(UTC)
        root = new_root("Nordlys Root", now - timedelta(days=9))
        trust.add_anchor(root.certificate.public_bytes(Encoding.PEM), actor=None, reason="test")
        dates = {"not_before": now - timedelta(days=3), "not_after": now + timedelta(days=90)}
        anna = issue(root, "anna@nordlys.example", "Anna", key="p256", **dates)
        user = letters.mailbox.user
        mira = issue(root, user.address, "Mira", key="p256", **dates)
        vault.import_keys(
            user, to_pkcs12(mira, "word"), "word", sealing=sealing,
            vault_passphrase=PASSPHRASE if sealing == "personal" else None,
        )  # fmt: skip
        return World(letters, anna, mira)

    return make


def test_the_real_subject_stays_once_it_was_opened(world):
    there = world("managed")
    message = there.receive()
    assert there.subjects() == [HIDDEN]
    opened = there.page(f"/message/{message.pk}")
    assert f"<title>{SECRET} · " in opened
    assert there.subjects() == [SECRET]
    assert there.subjects("/search?q=harbour") == [SECRET]
    assert there.subjects("/search?q=subject:nine") == [SECRET]
    assert "<mark>harbour</mark>" in there.page("/search?q=harbour")
    assert ">Anna Lindqvist</span>" in there.page()
    assert there.subjects(f"/message/{message.pk}?in=inbox") == [SECRET]
    # Flags change, rows are rebuilt, what was decrypted leaves the cache.
    row = re.search(r'class="row[^>]*data-id="(\d+)"', there.page())[1]
    there.letters.client.post("/actions", {"action": "star", "ids": row})
    assert "is-starred" in there.page()
    conversations.refresh({Message.objects.get().thread_id})
    assert there.subjects() == [SECRET]


def test_a_personal_key_takes_the_words_along_when_it_is_locked(world):
    there = world("personal")
    message = there.receive()
    there.page(f"/message/{message.pk}")
    assert there.subjects() == [HIDDEN]
    there.unlock()
    there.page(f"/message/{message.pk}")
    assert there.subjects() == [SECRET]
    there.lock()
    for path in ("/mail/inbox", f"/message/{message.pk}", "/search?q=harbour", "/keys"):
        assert "at nine" not in there.page(path), path
    assert there.subjects() == [HIDDEN]
    assert f"<title>{HIDDEN} · " in there.page(f"/message/{message.pk}")
    assert there.subjects("/search?q=harbour") == []
    there.unlock()
    assert there.subjects() == [SECRET]
    assert there.subjects("/search?q=harbour") == [SECRET]


def test_another_session_has_to_unlock_for_itself(world):
    there = world("personal")
    message = there.receive()
    there.unlock()
    there.page(f"/message/{message.pk}")
    other = Client()
    other.force_login(there.letters.mailbox.user)
    assert SECRET not in there.page(client=other)
    there.letters.client.post("/sign-out")
    there.letters.client.force_login(there.letters.mailbox.user)
    assert there.subjects() == [HIDDEN]


def test_a_list_that_draws_itself_again_keeps_no_vault_open(world, monkeypatch):
    there = world("personal")
    message = there.receive()
    there.unlock()
    there.page(f"/message/{message.pk}")
    now = unlocking.time.time()
    for minutes in (10, 20, 29):
        monkeypatch.setattr(unlocking.time, "time", lambda m=minutes: now + m * 60)
        assert there.subjects() == [SECRET]
    monkeypatch.setattr(unlocking.time, "time", lambda: now + unlocking.IDLE_MINUTES * 60 + 2)
    assert there.subjects() == [HIDDEN]


def test_a_deleted_key_takes_the_words_along(world):
    there = world("managed")
    there.page(f"/message/{there.receive().pk}")
    assert there.subjects() == [SECRET]
    vault.delete(there.letters.mailbox.user, OwnKey.objects.get().pk)
    assert not ProtectedFields.objects.exists()
    assert there.subjects() == [HIDDEN]


@pytest.mark.parametrize("sealing", ["managed", "personal"])
def test_nothing_of_what_a_deleted_key_opened_comes_from_a_cache(world, sealing):
    there = world(sealing)
    there.unlock()
    path = f"/message/{there.receive().pk}"
    page = there.page(path)
    (frame,) = re.findall(r'src="(/m/[^"]+)"', page)
    assert "data-secret" in page
    assert "Only for you." in there.page(frame)
    other = Client()
    other.force_login(there.letters.mailbox.user)
    other.post("/keys/unlock", {"passphrase": PASSPHRASE})
    assert SECRET in there.page(path, other)
    vault.delete(there.letters.mailbox.user, OwnKey.objects.get().pk)
    for client in (there.letters.client, other):
        assert "at nine" not in there.page(path, client)
        assert "Only for you." not in there.page(frame, client)


def test_a_key_more_leaves_the_vault_open(world):
    there = world("personal")
    message = there.receive()
    there.unlock()
    there.page(f"/message/{message.pk}")
    file = to_pkcs12(there.anna, "word")
    vault.import_keys(there.letters.mailbox.user, file, "word", sealing="managed")
    assert f"<title>{SECRET} · " in there.page(f"/message/{message.pk}")


def test_a_key_that_becomes_personal_leaves_nothing_to_the_keyring(world):
    there = world("managed")
    there.page(f"/message/{there.receive().pk}")
    file = to_pkcs12(there.mira, "word")
    user = there.letters.mailbox.user
    vault.import_keys(user, file, "word", sealing="personal", vault_passphrase=PASSPHRASE)
    assert not ProtectedFields.objects.exists()


def test_it_joins_the_conversation_that_it_names_inside(world):
    there = world("managed")
    parent = there.letters.mailbox.receive("Harbour", age=2)
    ThreadKey.objects.create(
        account=parent.account, key=key_of(parent.message_id), thread=parent.thread
    )
    message = there.receive(references=(parent.message_id,), in_reply_to=parent.message_id)
    assert there.subjects() == [HIDDEN, "Harbour"]
    there.page(f"/message/{message.pk}")
    assert there.subjects() == [SECRET]
    assert '<span class="row-n">2</span>' in there.page()


def test_no_event_and_no_log_carries_the_words(
    world, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    there = world("managed")
    said = []
    monkeypatch.setattr("webmail.mailbox.changes._publish", lambda *args: said.append(args))
    with caplog.at_level("INFO"), django_capture_on_commit_callbacks(execute=True):
        message = there.receive()
        there.page(f"/message/{message.pk}")
        there.page("/mail/inbox")
    assert said
    assert "harbour" not in repr(said) + caplog.text + repr(there.letters.client.session.items())


def test_open_pages_are_told_to_draw_their_lists_again(
    world, monkeypatch, django_capture_on_commit_callbacks
):
    there = world("personal")
    told = []
    monkeypatch.setattr("webmail.mailbox.changes._publish", lambda *args: told.append(args))
    for act in (there.unlock, there.lock, OwnKey.objects.get().delete):
        with django_capture_on_commit_callbacks(execute=True):
            act()
    assert [user_id for user_id, _event in told] == [there.letters.mailbox.user.pk] * 3
