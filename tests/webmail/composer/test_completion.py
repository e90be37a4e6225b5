"""Completion: counted from the mirror, one's own people alone."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from webmail.composer import completion
from webmail.composer.models import CorrespondentUse
from webmail.mailbox.models import Folder, Message, Placement, Thread
from webmail.mailbox.signals import messages_mirrored

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def mirrored(writer, sender, to=(), *, name="", role="inbox", list_id="", age=0):
    folder, _ = Folder.objects.get_or_create(
        account=writer.account, path=role, defaults={"role": role}
    )
    at = NOW - timedelta(days=age)
    message = Message.objects.create(
        account=writer.account, thread=Thread.objects.create(account=writer.account, last_date=at),
        content_key="k", internal_date=at, from_address=sender, from_name=name, list_id=list_id,
        recipients={"to": [list(person) for person in to]},
    )  # fmt: skip
    Placement.objects.create(folder=folder, message=message, internal_date=at)
    return message.pk


def learn(writer, *ids):
    messages_mirrored.send(None, account=writer.account, message_ids=ids, is_new=True)


def suggested(writer, prefix):
    return [each.address for each in completion.suggest(writer.user, prefix)]


def test_who_was_written_to_comes_before_who_wrote(alice):
    learn(
        alice,
        mirrored(alice, "bo@x.example", name="Bo Ek"),
        mirrored(alice, "bo@x.example", name="Bo Ek"),
        mirrored(alice, "alice@example.org", [("Boris Ö", "boris@x.example")], role="sent"),
    )
    assert suggested(alice, "bo") == ["boris@x.example", "bo@x.example"]
    use = CorrespondentUse.objects.get(address="bo@x.example")
    assert (use.name, use.received_count, use.sent_count, use.last_at) == ("Bo Ek", 2, 0, NOW)


@pytest.mark.parametrize("prefix", ["bo", "BO", "bo@x", "Ek", "ek", "x.ex", " bo "])
def test_prefixes(alice, prefix):
    learn(alice, mirrored(alice, "bo@x.example", name="Bo Ek"))
    assert suggested(alice, prefix) == ["bo@x.example"]


@pytest.mark.parametrize("prefix", ["", " ", "k", "%", "_", "o@", "\x00"])
def test_what_is_no_prefix(alice, prefix):
    learn(alice, mirrored(alice, "bo@x.example", name="Bo Ek"))
    assert suggested(alice, prefix) == []


def test_not_counted(alice):
    learn(
        alice,
        mirrored(alice, "spam@x.example", role="junk"),
        mirrored(alice, "list@x.example", list_id="<l.x.example>"),
        mirrored(alice, "no address"),
        mirrored(alice, ""),
        mirrored(alice, "ALICE@example.org", [("", "alice@example.org")]),
    )
    assert not CorrespondentUse.objects.exists()


def test_the_newest_name_stays(alice):
    learn(alice, mirrored(alice, "bo@x.example", name="New Name", age=1))
    learn(alice, mirrored(alice, "bo@x.example", name="Old Name", age=9))
    assert completion.suggest(alice.user, "bo")[0].name == "New Name"
    learn(alice, mirrored(alice, "bo@x.example", name="Newest", age=0))
    assert completion.suggest(alice.user, "bo")[0].name == "Newest"


def test_at_most_so_many_and_only_ones_own(alice, mallory):
    learn(alice, *(mirrored(alice, f"bo{n}@x.example") for n in range(20)))
    assert len(suggested(alice, "bo")) == 8
    assert suggested(mallory, "bo") == []


def test_a_window_is_one_upsert(alice):
    """However many people a window names, the database is asked as often."""
    counted = []
    for people in (range(3), range(40)):
        ids = [mirrored(alice, f"p{n}@x.example", name=f"P {n}") for n in people]
        with CaptureQueriesContext(connection) as queries:
            completion.learn(alice.account, ids)
        counted.append(len(queries))
    assert counted[0] == counted[1]
    use = CorrespondentUse.objects.get(address="p2@x.example")
    assert (use.received_count, use.name) == (2, "P 2")
