"""What is rendered before anyone asks: arrivals and the first page, never a whole backfill."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.webmail.mailbox.conftest import START, make_owner
from webmail.mailbox.models import Message
from webmail.mailbox.signals import messages_mirrored
from webmail.reader import listeners

pytestmark = pytest.mark.django_db


@pytest.fixture
def posted(monkeypatch) -> list[int]:
    """Row ids that were posted for rendering ahead."""
    ids: list[int] = []
    monkeypatch.setattr(
        listeners.lanes, "post_later", lambda name, pk, *, lane, **_more: ids.append(pk)
    )
    return ids


@pytest.fixture
def alice(db):
    return make_owner("alice@example.test")


def window(owner, first, count, **fields) -> list[int]:
    """Row ids of a window, newest first; a higher number is newer."""
    made = [owner.place(uid=n, minutes=n, **fields).message_id for n in range(first, first + count)]
    return made[::-1]


def tell(owner, ids, *, is_new):
    messages_mirrored.send(None, account=owner.account, message_ids=ids, is_new=is_new)


def test_the_first_window_is_read_ahead(alice, posted):
    ids = window(alice, 1, 30)
    tell(alice, ids, is_new=False)
    assert posted == ids[: listeners.AHEAD]


def test_a_window_further_down_is_not(alice, posted):
    window(alice, 1_000, 30)
    tell(alice, window(alice, 1, 30), is_new=False)
    assert posted == []


def test_arrivals_are_wherever_they_stand(alice, posted):
    window(alice, 1_000, 30)
    ids = window(alice, 1, 3)
    tell(alice, ids, is_new=True)
    assert posted == ids


def test_young_signed_mail_gets_its_seal_however_deep(alice, posted):
    window(alice, 1_000, 30)
    young, old = window(alice, 1, 2, is_secured=True)
    Message.objects.filter(pk=young).update(internal_date=timezone.now() - timedelta(days=1))
    Message.objects.filter(pk=old).update(internal_date=START - timedelta(days=400))
    tell(alice, [young, old], is_new=False)
    assert posted == [young]
