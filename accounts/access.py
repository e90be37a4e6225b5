"""A person's own mail accounts; another's account and none at all look the same (404)."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404

from accounts.models import MailAccount, User


def accounts_for(user: User | AnonymousUser) -> QuerySet[MailAccount]:
    """Return the person's mail accounts with their servers, oldest first."""
    return MailAccount.objects.filter(user_id=user.pk or 0).select_related("server").order_by("pk")


def mail_account_for(user: User | AnonymousUser, account_id: int) -> MailAccount:
    """Return one of the person's own mail accounts; raises Http404."""
    account = accounts_for(user).filter(pk=account_id).first()
    if account is None:
        raise Http404("No such mail account.")
    return account
