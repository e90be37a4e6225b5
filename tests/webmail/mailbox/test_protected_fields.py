"""Protected header fields: sealed for one person, opened for one person, gone with what they are of."""

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import sealing
from tests.webmail.mailbox.test_mirror import row, write
from webmail.mailbox import listing, protected_fields, search_index
from webmail.mailbox.models import Conversation, Message, Thread
from webmail.mailbox.models import ProtectedFields as Row
from webmail.mailbox.protected_fields import Opener, ProtectedFields
from webmail.pages.rows import with_protected

pytestmark = pytest.mark.django_db

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
PRINT, OTHER_PRINT = "ab" * 32, "cd" * 32
INSIDE = ProtectedFields("The harbour at nine", "Ada of Nordlys", "Ada Lovelace", ("x@y.test",))


@pytest.fixture(autouse=True)
def keyring(settings, tmp_path, valkey):
    settings.KEYRING_FILE = tmp_path / "keyring"


@pytest.fixture
def secret(alice):
    """An encrypted message of Alice's."""
    placement = alice.place(uid=1, minutes=9, subject="[...]", is_locked=True)
    alice.refresh(placement)
    return placement.message


def keep(message, fields=INSIDE, *, vault_key=None, prints=(PRINT,)):
    protected_fields.keep(message, fields, opened_with=prints, vault_key=vault_key)


def opened(owner, message, *, vault_key=None):
    return Opener(owner.user.pk, vault_key).open([message.pk]).get(message.pk)


class TestSealing:
    def test_what_managed_keys_opened_opens_with_the_keyring(self, alice, secret):
        keep(secret)
        assert opened(alice, secret) == INSIDE
        assert opened(alice, secret, vault_key=KEY) == INSIDE
        secret.refresh_from_db()
        assert secret.has_hidden_subject

    def test_what_a_personal_key_opened_opens_with_the_vault_alone(self, alice, secret):
        keep(secret, vault_key=KEY)
        assert opened(alice, secret) is None
        assert opened(alice, secret, vault_key=OTHER_KEY) is None
        assert opened(alice, secret, vault_key=KEY) == INSIDE

    def test_nobody_else_opens_it(self, alice, mallory, secret):
        keep(secret)
        assert opened(mallory, secret) is None
        Row.objects.update(user=mallory.user)  # not even with the row moved to them
        assert opened(mallory, secret) is None
        Row.objects.update(user=alice.user)
        other = alice.place(uid=2, minutes=8).message
        Row.objects.update(message=other)  # nor as another message's
        assert opened(alice, other) is None

    @pytest.mark.parametrize("vault_key", [None, KEY])
    def test_nothing_stands_in_the_clear(self, secret, vault_key):
        keep(secret, vault_key=vault_key)
        with connection.cursor() as cursor:
            names = connection.introspection.table_names(cursor)
            for table in names:
                cursor.execute(f'SELECT * FROM "{table}"')
                text = repr([[bytes(v) if isinstance(v, memoryview) else v for v in row]
                             for row in cursor.fetchall()])  # fmt: skip
                for word in ("harbour", "Nordlys", "x@y.test"):
                    assert word not in text, table

    def test_it_is_not_shown_by_accident(self):
        assert "harbour" not in repr(INSIDE)
        assert "kkkk" not in repr(Opener(1, KEY))

    def test_rotation_seals_it_anew_and_lets_the_vaults_be(self, alice, secret, settings):
        keep(secret)
        other = alice.place(uid=2, minutes=8, subject="...", is_locked=True).message
        keep(other, vault_key=KEY)
        before = {row.message_id: bytes(row.sealed) for row in Row.objects.all()}
        call_command("rotate_keys", "--new-key", "--drop-old", "--json")
        assert len(sealing.keyring().keys) == 1
        after = {row.message_id: bytes(row.sealed) for row in Row.objects.all()}
        assert after[secret.pk] != before[secret.pk]
        assert after[other.pk] == before[other.pk]
        assert opened(alice, secret) == INSIDE
        assert opened(alice, other, vault_key=KEY) == INSIDE

    def test_it_goes_with_the_message_and_with_its_keys(self, alice, secret):
        keep(secret, prints=(PRINT, OTHER_PRINT))
        protected_fields.forget_opened_with(alice.user.pk, "ef" * 32)
        assert opened(alice, secret) == INSIDE
        protected_fields.forget_opened_with(alice.user.pk, OTHER_PRINT)
        assert not Row.objects.exists()
        keep(secret)
        secret.delete()
        assert not Row.objects.exists()

    def test_a_key_that_becomes_personal_takes_only_what_it_opened_as_a_managed_one(
        self, alice, secret
    ):
        keep(secret, vault_key=KEY)
        protected_fields.forget_opened_with(alice.user.pk, PRINT, only_managed=True)
        assert opened(alice, secret, vault_key=KEY) == INSIDE

    def test_the_same_is_not_written_twice(self, secret, django_assert_num_queries):
        keep(secret)
        with django_assert_num_queries(1):
            keep(secret)

    def test_mail_without_anything_inside_leaves_no_row(self, secret):
        keep(secret, ProtectedFields())
        assert not Row.objects.exists()

    def test_a_message_that_is_gone_is_let_be(self, secret):
        Message.objects.filter(pk=secret.pk).delete()
        keep(secret)
        assert not Row.objects.exists()


def test_what_the_mirror_has_already_is_not_kept(secret):
    found = protected_fields.of_message(
        secret,
        subject="[...]",
        sender_name=None,
        thread_ids=(secret.message_id, "", "a@y.test", "a@y.test"),
    )
    assert found == ProtectedFields(thread_ids=("a@y.test",))
    assert protected_fields.of_message(
        secret, subject="A\0B", sender_name=None, thread_ids=()
    ) == ProtectedFields(subject="AB")


class TestThreads:
    """Mail that names its thread only inside."""

    NAMED = ProtectedFields("The harbour at nine", thread_ids=("1@x",))

    @pytest.fixture
    def parent(self, alice):
        write(alice, row(1, "Harbour", minutes=1))
        write(alice, row(2, "[...]", minutes=2))
        return Message.objects.get(message_id="1@x")

    def rows(self, owner):
        found = Conversation.objects.filter(folder=owner.inbox).order_by("-latest_at")
        return [(row.newest.message_id, row.message_count) for row in found]

    def test_it_joins_what_is_there(self, alice, parent):
        secret = Message.objects.get(message_id="2@x")
        assert self.rows(alice) == [("2@x", 1), ("1@x", 1)]
        keep(secret, self.NAMED)
        assert self.rows(alice) == [("2@x", 2)]
        assert Thread.objects.count() == 1
        folder = alice.inbox
        folder.refresh_from_db()
        assert folder.conversation_count == 1

    def test_what_comes_later_finds_it(self, alice, parent):
        secret = Message.objects.get(message_id="2@x")
        keep(secret, ProtectedFields(thread_ids=("inner@y.test",)))
        write(alice, row(3, "Re: [...]", minutes=3, references="<inner@y.test>"), is_new=True)
        assert self.rows(alice)[0][1] == 2

    def test_it_does_not_flip_back(self, alice, parent):
        """Synchronised again, renumbered, flagged, rebuilt: thread and subject stay."""
        secret = Message.objects.get(message_id="2@x")
        keep(secret, self.NAMED)
        write(alice, row(2, "[...]", minutes=2, flags=("\\Flagged",)))
        write(alice, row(2, "[...]", minutes=2), folder="archive")
        alice.refresh(*secret.placements.all())
        assert self.rows(alice) == [("2@x", 2)]
        assert opened(alice, secret) == self.NAMED

    def test_it_joins_nothing_of_another_account(self, alice, mallory, parent):
        write(mallory, row(4, "[...]", minutes=2))
        keep(Message.objects.get(message_id="4@x"), self.NAMED)
        assert self.rows(alice) == [("2@x", 1), ("1@x", 1)]
        assert self.rows(mallory) == [("4@x", 1)]


class TestSearch:
    @pytest.fixture
    def filled(self, alice):
        rows = [
            ("[...]", "The harbour at nine", "Ada Lovelace", 9),
            ("...", "Harbour dues", "Bob", 7),
            ("[...]", None, "Eve", 5),
            ("Harbour in the clear", None, "Ada Lovelace", 8),
        ]
        for number, (outside, inside, name, minutes) in enumerate(rows):
            place = alice.place(
                uid=number + 1, minutes=minutes, subject=outside, from_name=name,
                from_address=f"{name[:3].lower()}@example.org", is_locked=outside[0] in "[.",
            )  # fmt: skip
            alice.refresh(place)
            if inside:
                keep(place.message, ProtectedFields(inside), vault_key=KEY)
        search_index.add(Message.objects.all())
        return alice

    def found(self, owner, text, *, vault_key=KEY, **place):
        opener = Opener(owner.user.pk, vault_key)
        page = listing.search(owner.user, text, opener=opener, **place)
        ids = [row.message_id for row in page.rows]
        inside = opener.open(ids)
        shown = [
            inside[row.message_id].subject if row.message_id in inside else row.subject
            for row in page.rows
        ]
        assert page.total == len(shown)
        return shown

    @pytest.mark.parametrize(
        ("typed", "subjects"),
        [
            ("harbour", ["The harbour at nine", "Harbour in the clear", "Harbour dues"]),
            ("subject:harb", ["The harbour at nine", "Harbour in the clear", "Harbour dues"]),
            ("HARBOUR ada", ["The harbour at nine", "Harbour in the clear"]),
            ('from:bob "harbour dues"', ["Harbour dues"]),
            ("harbour -dues", ["The harbour at nine", "Harbour in the clear"]),
            ("harbour -from:ada", ["Harbour dues"]),
            ("harbour is:encrypted", ["The harbour at nine", "Harbour dues"]),
            ("harbour in:archive", []),
            ("to:harbour", []),
            ("from:harbour", []),
            ("nine dues", []),
            ("-harbour", ["[...]"]),
        ],
    )
    def test_words_inside_and_outside_are_found_together(self, filled, typed, subjects):
        assert self.found(filled, typed) == subjects

    def test_not_while_locked(self, filled):
        assert self.found(filled, "harbour", vault_key=None) == ["Harbour in the clear"]

    def test_not_by_others(self, filled, mallory):
        assert self.found(mallory, "harbour") == []

    def test_the_look_is_bounded(self, alice, monkeypatch):
        thread = Thread.objects.create(account=alice.account, last_date="2026-01-01T00:00:00Z")
        made = [
            alice.place(uid=n, minutes=n, subject="[...]", thread=thread).message
            for n in range(1, 40)
        ]
        for number, message in enumerate(made):
            keep(message, ProtectedFields(f"Letter number {number}"), vault_key=KEY)
        monkeypatch.setattr(protected_fields, "MOST_SEARCHED", 30)
        found = Opener(alice.user.pk, KEY).newest()
        assert set(found) == {message.pk for message in made[-30:]}


def test_a_page_asks_one_question_more_at_most(alice, django_assert_num_queries):
    places = [alice.place(uid=n, minutes=n, subject="[...]", is_locked=True) for n in range(1, 51)]
    alice.refresh(*places)
    for place in places:
        keep(place.message, ProtectedFields(f"Letter {place.pk}"), vault_key=KEY)
    rows = listing.conversations(alice.user, alice.inbox).rows
    opener = Opener(alice.user.pk, KEY)
    with django_assert_num_queries(1):
        shown = with_protected(rows, opener)
    assert [row.subject for row in shown] == [f"Letter {place.pk}" for place in reversed(places)]


def test_a_page_without_encrypted_mail_asks_nothing_more(alice, django_assert_num_queries):
    alice.refresh(alice.place(uid=1))
    rows = listing.conversations(alice.user, alice.inbox).rows
    with django_assert_num_queries(0):
        assert with_protected(rows, Opener(alice.user.pk, KEY)) == list(rows)
