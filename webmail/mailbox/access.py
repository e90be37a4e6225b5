"""A person's own mail; what belongs to others and what does not exist look the same (404)."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.http import Http404

from accounts.models import User
from accounts.prepared import PreparedObjects
from webmail.mailbox.models import Folder, Message

type Person = User | AnonymousUser


def folder_for(user: Person, folder_id: int) -> Folder:
    """Return one of the person's folders with its account; raises Http404."""
    rows = Folder.objects.filter(account__user_id=_id(user), gone_at=None)
    return _one(rows.select_related("account"), folder_id)


_MESSAGE = PreparedObjects(
    lambda user, pk: Message.objects.filter(account__user_id=user, pk=pk),
    Message,
    "account__server",
)


def message_for(user: Person, message_id: int) -> Message:
    """Return one of the person's messages with its account and mail server; raises Http404."""
    found = _MESSAGE.first(_id(user), message_id)
    if found is None:
        raise Http404("No such mail.")
    return found


def _id(user: Person) -> int:
    return user.pk or 0


def _one[Row: Model](rows: QuerySet[Row], pk: int) -> Row:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404("No such mail.")
    return found
