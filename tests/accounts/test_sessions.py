"""Rows of sessions do not stay for ever."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.tasks import expire_sessions

pytestmark = pytest.mark.django_db


def test_sessions_that_are_over_are_dropped_and_the_others_stay():
    now = timezone.now()
    for key, hours in (("over", -1), ("alive", 1)):
        Session.objects.create(
            session_key=key, session_data="", expire_date=now + timedelta(hours=hours)
        )
    expire_sessions()
    assert [row.session_key for row in Session.objects.all()] == ["alive"]
