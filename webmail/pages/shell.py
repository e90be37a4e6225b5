"""What surrounds every page: folders, the connection line, the person's choices.

Everything is worked out when a template first asks for it, so a page without a sidebar costs
nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import session_keys
from accounts.models import User
from smime import unlocking
from webmail.mailbox import listing, notices
from webmail.mailbox.models import Folder
from webmail.pages import lists
from webmail.reader.reading import opener_for

KEYBOARD_COOKIE = "signet-keyboard"  # "off" switches single keys off in this browser
DENSITY_COOKIE = "signet-density"
DENSITIES = ("comfortable", "cosy", "compact")

_ICONS = {
    Folder.Role.INBOX: "inbox",
    Folder.Role.DRAFTS: "file-pen",
    Folder.Role.SENT: "send",
    Folder.Role.ARCHIVE: "archive",
    Folder.Role.JUNK: "circle-alert",
    Folder.Role.TRASH: "trash-2",
    Folder.Role.ALL: "mail",
    Folder.Role.FLAGGED: "star",
}
# Roles whose count is how many there are, not how many are unread.
_COUNTED_IN_ALL = frozenset({Folder.Role.DRAFTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLink:
    """One line of the sidebar. `id` is 0 for a view that is no folder of the server."""

    id: int
    key: str  # what `section` holds when this line is current and no folder is
    name: str
    role: str
    icon: str
    url: str
    depth: int
    count: int
    count_is_unread: bool
    is_target: bool  # mail can be moved here


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The connection line."""

    kind: str
    words: str
    at: datetime | None


class Shell:
    """The frame of one person's pages."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._user: Any = request.user

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a person at all."""
        return isinstance(self._user, User) and self._user.is_authenticated

    @property
    def theme(self) -> str:
        """The person's theme; the system's before sign-in."""
        return str(self._user.theme) if self.is_signed_in else User.Theme.SYSTEM.value

    @property
    def name(self) -> str:
        """The person's name, else the address."""
        return str(self._user.get_full_name()) if self.is_signed_in else ""

    @property
    def address(self) -> str:
        """The address they signed in with."""
        return str(self._user.address) if self.is_signed_in else ""

    @property
    def is_staff(self) -> bool:
        """Whether the admin panel is offered."""
        return self.is_signed_in and bool(self._user.is_staff)

    @property
    def session(self) -> str:
        """The session's key when the page was made, as a stamp."""
        return session_keys.stamp_of(self._request.session)

    @property
    def keys(self) -> str:
        """The person's own keys when the page was made, as a stamp."""
        return unlocking.keys_stamp(self._user.pk)

    @property
    def keyboard(self) -> bool:
        """Whether single keys act in this browser."""
        return self._request.COOKIES.get(KEYBOARD_COOKIE) != "off"

    @property
    def density(self) -> str:
        """How tall the list's rows are in this browser."""
        chosen = self._request.COOKIES.get(DENSITY_COOKIE, "")
        return chosen if chosen in DENSITIES else DENSITIES[0]

    @property
    def undo_seconds(self) -> int:
        """How long sending can be undone."""
        return int(settings.UNDO_SEND_SECONDS)

    @cached_property
    def folders(self) -> tuple[FolderLink, ...]:
        """The sidebar's lines, folders with a role first."""
        if not self.is_signed_in:
            return ()
        links: list[FolderLink] = []
        items = listing.folders(self._user)
        has_starred = any(item.role == Folder.Role.FLAGGED for item in items)
        for item in items:
            links.append(_link(item))
            if item.role == Folder.Role.INBOX and not has_starred:
                links.append(_starred())
        return tuple(links)

    @cached_property
    def move_options(self) -> SafeString:
        """The folders that mail can be moved to, as choices of a menu."""
        targets = ((link.id, link.name) for link in self.folders if link.is_target)
        return format_html_join("", '<option value="{}">{}</option>', targets)

    @cached_property
    def state(self) -> Connection | None:
        """What the workers last heard of the mail server."""
        if not self.is_signed_in:
            return None
        found = notices.account_state(self._user)
        return Connection(kind=found.kind, words=found.words, at=found.at)

    @property
    def archive_url(self) -> str:
        """Where archived mail is, if there is such a folder."""
        return next((link.url for link in self.folders if link.role == Folder.Role.ARCHIVE), "")

    @cached_property
    def list_folder(self) -> Folder | None:
        """The folder whose list stands beside a page that brings none: the inbox."""
        return lists.folder_named(self._user, "inbox") if self.is_signed_in else None

    @cached_property
    def list_page(self) -> "lists.ListView | None":
        """The list beside a page that brings none."""
        if self.list_folder is None:
            return None
        return lists.folder_list(
            self._user,
            self.list_folder,
            lists.ListAddress(folder="inbox"),
            opener=opener_for(self._request),
            state=self.state,
        )


def _link(item: "listing.FolderItem") -> FolderLink:
    in_all = item.role in _COUNTED_IN_ALL
    is_drafts = item.role == Folder.Role.DRAFTS
    return FolderLink(
        id=item.id,
        key="drafts" if is_drafts else item.url_name,
        name=item.name,
        role=item.role,
        icon=_ICONS.get(Folder.Role(item.role), "folder"),
        url=reverse("composer:drafts")
        if is_drafts
        else reverse("pages:folder", args=[item.url_name]),
        depth=min(item.depth, 3),
        count=item.total if in_all else item.unseen,
        count_is_unread=not in_all,
        is_target=item.is_selectable and not is_drafts,
    )


def _starred() -> FolderLink:
    return FolderLink(
        id=0,
        key="starred",
        name=_("Starred"),
        role=Folder.Role.FLAGGED.value,
        icon="star",
        url=reverse("pages:folder", args=["inbox"]) + "?only=starred",
        depth=0,
        count=0,
        count_is_unread=False,
        is_target=False,
    )
