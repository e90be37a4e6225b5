"""A person's folders as the sidebar shows them, and how a page's address names one."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.prepared import PreparedObjects
from webmail.mailbox.access import Person, folder_for
from webmail.mailbox.models import Folder

# The order of the sidebar; folders without a role follow by name.
ROLE_ORDER = (
    Folder.Role.INBOX,
    Folder.Role.FLAGGED,
    Folder.Role.DRAFTS,
    Folder.Role.SENT,
    Folder.Role.ARCHIVE,
    Folder.Role.ALL,
    Folder.Role.JUNK,
    Folder.Role.TRASH,
)
_RANK = {role.value: rank for rank, role in enumerate(ROLE_ORDER)}
_ROLE_NAMES = {role.value: role.label for role in ROLE_ORDER}
_MOST = 5_000  # folders shown; a site with more has a broken server, not a sidebar


@dataclass(frozen=True, slots=True)
class FolderItem:
    """A folder in the sidebar. depth: 0 at the top. url_name: what /mail/<name> takes."""

    id: int
    name: str
    role: str
    path: str
    depth: int
    unseen: int
    total: int
    url_name: str
    account_id: int
    account_address: str
    is_selectable: bool = True


_SHOWN = PreparedObjects(lambda user: _folders_of(user)[:_MOST], Folder, "account")
_WITH_ROLE = PreparedObjects(
    lambda user, role: _folders_of(user).filter(role=role).order_by("account_id")[:100],
    Folder,
    "account",
)


def folders(user: Person) -> tuple[FolderItem, ...]:
    """Return the person's folders, account by account: roles in the interface's order, then names.

    One query.
    """
    rows = _SHOWN.all(user.pk or 0)
    rows.sort(key=_place)
    named: set[str] = set()
    items = []
    for row in rows:
        # Two accounts have two inboxes: only the first is /mail/inbox, which is also its old name.
        url_name = row.role if row.role and row.role not in named else str(row.pk)
        named.add(row.role)
        items.append(_item(row, url_name))
    return tuple(items)


def folder_by_name(user: Person, name: str) -> Folder:
    """Return the folder that an address names: a role's word or an id; raises Http404."""
    if name in _RANK:
        first = min(_WITH_ROLE.all(user.pk or 0, name), key=_place, default=None)
        if first is not None:
            return first
    elif name.isascii() and name.isdigit() and len(name) < 19:
        return folder_for(user, int(name))
    raise Http404("No such folder.")


def shown_name(path: str, delimiter: str, role: str) -> str:
    """Return what people call a folder: its role's word, else the last part of its path."""
    if role:
        return str(_ROLE_NAMES.get(role, path))
    name = path.rsplit(delimiter, 1)[-1] if delimiter else path
    return name or str(_("Folder"))


def _folders_of(user_id: int) -> QuerySet[Folder]:
    return Folder.objects.filter(account__user_id=user_id, gone_at=None)


def _item(row: Folder, url_name: str) -> FolderItem:
    return FolderItem(
        id=row.pk,
        name=shown_name(row.path, row.delimiter, row.role),
        role=row.role,
        path=row.path,
        depth=0 if row.role else len(_levels(row.path, row.delimiter)) - 1,
        unseen=row.unseen_count,
        total=row.total_count,
        url_name=url_name,
        account_id=row.account_id,
        account_address=row.account.address,
        is_selectable=row.is_selectable,
    )


def _levels(path: str, delimiter: str) -> list[str]:
    """Return the names from the top down; a server's personal prefix "INBOX." is no level."""
    levels = path.split(delimiter) if delimiter else [path]
    return levels[1:] if len(levels) > 1 and levels[0].upper() == "INBOX" else levels


def _place(row: Folder) -> tuple[int, int, list[str], int]:
    rank = _RANK.get(row.role, len(_RANK))
    return (
        row.account_id,
        rank,
        [name.casefold() for name in _levels(row.path, row.delimiter)],
        row.pk,
    )
