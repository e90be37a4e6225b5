"""A person's own mail accounts."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import MailAccount, User


def accounts_for(user: User | AnonymousUser) -> QuerySet[MailAccount]:
    """Return the person's mail accounts with their servers, oldest first."""
    return MailAccount.objects.filter(user_id=user.pk or 0).select_related("server").order_by("pk")
