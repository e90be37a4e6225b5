"""Browsers of administrators for the panel's tests."""

from datetime import UTC, datetime

from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User


def client_of(user: User) -> Client:
    """A browser that `user` has signed in with."""
    client = Client()
    client.force_login(user)
    session = client.session
    now = int(datetime.now(tz=UTC).timestamp())
    session.update({"started-at": now, "seen-at": now, "epoch": user.session_epoch})
    session.save()
    return client


def staff_with(*rights: str, address: str = "clerk@example.test") -> User:
    """An administrator with these rights only ("accounts.view_user")."""
    user = User.objects.create_user(address, is_staff=True)
    for right in rights:
        app, codename = right.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user
