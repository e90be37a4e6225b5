"""Two sign-ins of one person at once: a double click is no error page."""

import pytest
from django.db import connection

from accounts import admission, throttle
from accounts.models import AuditEvent, MailServer, SignInThrottle, User

pytestmark = pytest.mark.django_db


def test_a_first_sign_in_that_another_overtakes_finds_its_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = MailServer.objects.create(
        domain="example.test", imap_host="localhost", submission_host="localhost"
    )
    first, account = admission.admit(server=server, address="a@example.test", password="right")
    assert account is not None
    # What the second read before the first committed.
    monkeypatch.setattr(User.objects, "filter", lambda **_: User.objects.none())
    second, again = admission.admit(server=server, address="a@example.test", password="right")
    assert (second.pk, again) == (first.pk, None)
    assert AuditEvent.objects.filter(action="user-made").count() == 1


def test_an_attempt_is_counted_although_a_right_one_just_forgot_its_row() -> None:
    throttle.begin(address="a@b.test", network="n")
    forgotten = []

    def forget(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        done = execute(sql, params, many, context)
        if "SELECT" in sql and "signinthrottle" in sql and not forgotten:
            forgotten.append(True)
            SignInThrottle.objects.all().delete()
        return done

    with connection.execute_wrapper(forget):
        assert throttle.begin(address="a@b.test", network="n").is_allowed
    assert forgotten
