"""Putting whole messages into folders: sent copies and drafts.

A lost reply to APPEND leaves it open whether the message was filed: so its Message-ID is looked for
before every APPEND, and a repeat never makes a second copy.
"""

import time

from accounts.models import MailAccount
from webmail.imap import CommandRefused, Session
from webmail.mailbox import flags as flag_names
from webmail.mailbox import folder_list, sync, visiting
from webmail.mailbox.models import Folder
from webmail.mailbox.sessions import imap_session

# Servers that put a copy of submitted mail into Sent themselves: asked again after these seconds.
SELF_FILING_WAITS = (0.0, 1.0, 2.0, 4.0)
_NAMES = {
    Folder.Role.DRAFTS: "Drafts",
    Folder.Role.SENT: "Sent",
    Folder.Role.ARCHIVE: "Archive",
    Folder.Role.JUNK: "Junk",
    Folder.Role.TRASH: "Trash",
}


def append_now(
    account: MailAccount, role: Folder.Role | str, content: bytes, *, flags: int, message_id: str
) -> int | None:
    r"""File a message in the folder of that role; its UID when the server says.

    flags: bits (webmail.mailbox.models.Flag). message_id: without <>, looked for first. The folder
    is made when there is none. Raises ImapError, sessions.AccountUnusable. Workers only.
    """
    with imap_session(account) as session:
        folder = folder_of_role(account, session, Folder.Role(role))
        uid = append(session, folder, content, flags=flags, message_id=message_id)
    sync.wake_and_post(folder)
    return uid


def append(
    session: Session, folder: Folder, content: bytes, *, flags: int, message_id: str
) -> int | None:
    """File a message unless the folder holds its Message-ID already."""
    path = visiting.path_of(folder)
    is_self_filing = folder.role == Folder.Role.SENT and session.has("X-GM-EXT-1")
    if message_id:
        for pause in SELF_FILING_WAITS if is_self_filing else (0.0,):
            time.sleep(pause)
            session.select(path)
            if found := session.find_message_id(message_id):
                return max(found)
    return session.append(path, content, flags=flag_names.names_of(flags))


def folder_of_role(account: MailAccount, session: Session, role: Folder.Role) -> Folder:
    """Return the account's folder of a role, made on the server when there is none."""
    found = Folder.objects.filter(account=account, role=role, gone_at=None).first()
    if found is not None:
        return found
    known = folder_list.refresh(account, session, with_status=False)
    of_role = [one.row for one in known if one.row.role == role]
    if of_role:
        return of_role[0]
    name = _NAMES[role]
    try:
        session.create(name)
    except CommandRefused:  # servers that keep everything below INBOX
        delimiter = next((one.row.delimiter for one in known if one.row.role == "inbox"), "") or "."
        session.create(f"INBOX{delimiter}{name}")
    known = folder_list.refresh(account, session, with_status=False)
    return next(one.row for one in known if one.row.role == role)
