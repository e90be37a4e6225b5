"""The server's list of folders, mirrored: new ones, roles, and those that are gone."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import MailAccount
from webmail.imap import FolderStatus, ListedFolder, Session
from webmail.mailbox.changes import announce
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import Folder
from webmail.mailbox.roles import roles_of

MOST_FOLDERS = 10_000
# A folder that is not listed any more keeps its mirror so long: a server may come back half up.
GRACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """A folder's row with the counters that came with the list; None without them."""

    row: Folder
    status: FolderStatus | None


def refresh(
    account: MailAccount, session: Session, *, with_status: bool = True
) -> list[KnownFolder]:
    """Mirror the list of folders; returns the selectable ones, INBOX and roles first.

    A list without INBOX counts as incomplete (RFC 9051 §5.1: it always exists): nothing is taken
    for gone by it.
    """
    listed = [
        one for one in session.folders(with_status=with_status)[:MOST_FOLDERS]
        if len(one.path) <= 1000 and "\0" not in one.path and "\\NonExistent" not in one.attributes
    ]  # fmt: skip
    roles = roles_of(listed)
    statuses = {_canonical(one.path): one.status for one in listed}
    with mirror_lock(account.pk):
        rows = {row.path: row for row in Folder.objects.filter(account=account)}
        was_changed = False
        for one in listed:
            was_changed |= _write(account, rows, one, roles.get(one.path, Folder.Role.NONE))
        if "INBOX" in statuses:
            was_changed |= _note_gone([row for path, row in rows.items() if path not in statuses])
        if was_changed:
            announce(account, kind="folder")
    found = [
        KnownFolder(row, statuses[path])
        for path, row in rows.items()
        if path in statuses and row.is_selectable
    ]
    return sorted(found, key=lambda one: (one.row.role != "inbox", not one.row.role, one.row.path))


def _canonical(path: str) -> str:
    return "INBOX" if path.upper() == "INBOX" else path


def _write(
    account: MailAccount, rows: dict[str, Folder], listed: ListedFolder, role: Folder.Role
) -> bool:
    """Make or update one row; True when something people see changed."""
    path = _canonical(listed.path)
    delimiter = (listed.delimiter or "")[:1]
    row = rows.get(path)
    if row is None:
        rows[path] = Folder.objects.create(
            account=account,
            path=path,
            raw_path=listed.raw,
            delimiter=delimiter,
            role=role,
            is_selectable=listed.is_selectable,
        )
        return True
    values = (bytes(row.raw_path), row.delimiter, row.role, row.is_selectable, row.gone_at)
    wanted = (listed.raw, delimiter, role.value, listed.is_selectable, None)
    if values == wanted:
        return False
    row.raw_path, row.delimiter, row.role, row.is_selectable, row.gone_at = wanted
    row.save(update_fields=["raw_path", "delimiter", "role", "is_selectable", "gone_at"])
    return True


def _note_gone(rows: list[Folder]) -> bool:
    now = timezone.now()
    was_changed = False
    for row in rows:
        if row.gone_at is None:
            row.gone_at = now
            row.save(update_fields=["gone_at"])
            was_changed = True
        elif row.gone_at < now - GRACE:
            row.placements.filter(gone_at=None).update(gone_at=now)
            if not row.placements.exists():
                row.delete()
    return was_changed
