"""Prepared queries answer what the ORM answers, and make their SQL once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db.models import Exists

from accounts.models import AuditEvent, Identity, MailAccount, MailServer, User
from accounts.prepared import Prepared, PreparedObjects
from accounts.sessions import SessionStore

NOON = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def anna(server: MailServer) -> User:
    user = User.objects.create_user("anna@example.test", "a long passphrase")
    account = MailAccount.objects.create(
        user=user,
        server=server,
        address="anna@example.test",
        login_name="anna",
        sealed_password=b"\x00sealed",
        capabilities=["IDLE", "QRESYNC"],
        last_sync_at=NOON,
    )
    Identity.objects.create(user=user, account=account, address="anna@example.test")
    Identity.objects.create(user=user, account=account, address="100%'\"ä@example.test")
    return user


def test_rows_are_those_of_the_orm(anna: User) -> None:
    """Times, JSON, octets, truths and missing values are what the columns hold."""
    columns = ("address", "capabilities", "last_sync_at", "last_error_at", "sealed_password")

    def asked(user, since):
        return MailAccount.objects.filter(user_id=user, last_sync_at__gte=since).values_list(
            *columns, Exists(Identity.objects.filter(user_id=user, is_default=True))
        )

    prepared = Prepared(asked)
    for since in (NOON, NOON + timedelta(microseconds=1), NOON - timedelta(days=1)):
        for pk in (anna.pk, 0):
            expected = [
                tuple(bytes(each) if isinstance(each, memoryview) else each for each in row)
                for row in asked(pk, since)
            ]
            found = [
                tuple(bytes(each) if isinstance(each, memoryview) else each for each in row)
                for row in prepared.rows(pk, since)
            ]
            assert found == expected
    ((_, capabilities, at, never, _, is_default),) = prepared.rows(anna.pk, NOON)
    assert (capabilities, at, never, is_default) == (["IDLE", "QRESYNC"], NOON, None, False)
    assert prepared.first(0, NOON) is None


def test_a_text_is_a_value_whatever_it_holds(anna: User) -> None:
    found = Prepared(
        lambda address: Identity.objects.filter(address=address).values_list("address")
    )
    assert found.first("100%'\"ä@example.test") == ("100%'\"ä@example.test",)
    assert found.first("' OR 1=1 --") is None
    assert found.first("%s") is None


def test_unions_and_lists_of_values(anna: User) -> None:
    both = Prepared(
        lambda user, one, other: (
            Identity.objects.filter(user_id=user, address__in=(one, other))
            .values_list("address")
            .union(User.objects.order_by().filter(pk=user).values_list("address"))
        )
    )
    assert both.rows(anna.pk, "x", "y") == [("anna@example.test",)]
    assert len(both.rows(anna.pk, "100%'\"ä@example.test", "y")) == 2


def test_objects_bring_what_they_are_related_to(anna: User, django_assert_num_queries) -> None:
    query = PreparedObjects(
        lambda user: Identity.objects.filter(user_id=user).order_by("pk"),
        Identity,
        "account__server",
        "user",
    )
    with django_assert_num_queries(1):
        found = query.all(anna.pk)
        seen = [
            (each.address, each.account.capabilities, each.account.server.domain, each.user)
            for each in found
        ]
    expected = Identity.objects.filter(user=anna).order_by("pk")
    assert found == list(expected)
    assert [each.account for each in found] == [each.account for each in expected]
    assert seen[0] == ("anna@example.test", ["IDLE", "QRESYNC"], "example.test", anna)
    found[0].name = "Anna"
    found[0].save()
    assert Identity.objects.get(pk=found[0].pk).name == "Anna"


def test_sql_is_made_once_in_each_thread(anna: User) -> None:
    made = []

    def asked(pk):
        made.append(threading.get_ident())
        return AuditEvent.objects.filter(pk=pk).values_list("pk")

    query = Prepared(asked)
    for _ in range(3):
        assert query.rows(-1) == []
    assert len(made) == 1


def test_sessions_end_with_their_time(db: None) -> None:
    """The store of sessions is Django's but for how it looks for one."""
    session = SessionStore()
    session["word"] = "kept"
    session.save()
    assert SessionStore(session.session_key).get("word") == "kept"
    Session.objects.update(expire_date=NOON - timedelta(days=10_000))
    gone = SessionStore(session.session_key)
    assert gone.get("word") is None
    assert gone.session_key is None
    assert SessionStore("a-key-of-nobody").get("word") is None
