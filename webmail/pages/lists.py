"""The list pane: one page of a folder or of a search, with its addresses.

`ListAddress` is what the address of a list says; it travels with a message's address (`in`, `q`,
`only`, `before`, `after`), so that the same list stands beside the message after a reload.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import User
from webmail.mailbox import listing
from webmail.mailbox.cursors import Cursor
from webmail.mailbox.folders import shown_name
from webmail.mailbox.models import Folder
from webmail.mailbox.protected_fields import Opener
from webmail.pages.rows import row_html, with_protected

if TYPE_CHECKING:
    from datetime import datetime

FILTERS = ("all", "unread", "starred", "attachments")
QUERY_LIMIT = 500  # characters
# Offered under search results; each narrows them by one operator of ui.md §5.
_NARROWINGS = ("is:signed", "is:encrypted", "is:unread", "has:attachment", "in:archive")
_BLOCKING_STATES = frozenset({"offline", "server-down", "auth-failed"})


class StateLike(Protocol):
    """What the list says about the connection."""

    @property
    def kind(self) -> str: ...
    @property
    def words(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAddress:
    """Which list: a folder's or a search's, its filter and where its page begins."""

    folder: str = "inbox"
    query: str = ""
    only: str = "all"
    before: str = ""
    after: str = ""

    @classmethod
    def of_folder(cls, name: str, params: Mapping[str, str]) -> "ListAddress":
        """Read `/mail/<name>?only=&before=&after=`."""
        only = params.get("only", "all")
        return cls(
            folder=name,
            only=only if only in FILTERS else "all",
            before=params.get("before", ""),
            after=params.get("after", ""),
        )

    @classmethod
    def of_search(cls, params: Mapping[str, str]) -> "ListAddress":
        """Read `/search?q=&in=&before=`."""
        return cls(
            folder=params.get("in", ""),
            query=params.get("q", "").strip()[:QUERY_LIMIT],
            before=params.get("before", ""),
        )

    @classmethod
    def beside(cls, params: Mapping[str, str]) -> "ListAddress":
        """Read the list's part of a message's address."""
        if params.get("q"):
            return cls.of_search(params)
        return cls.of_folder(params.get("in", "inbox"), params)

    @property
    def url(self) -> str:
        """The list's own page."""
        params = {"before": self.before, "after": self.after}
        if self.query:
            return _with(reverse("pages:search"), {"q": self.query, "in": self.folder, **params})
        only = "" if self.only == "all" else self.only
        path = reverse("pages:folder", args=[self.folder or "inbox"])
        return _with(path, {"only": only, **params})

    @property
    def params(self) -> str:
        """Return this list as parameters of a message's address."""
        only = "" if self.only == "all" else self.only
        named = {
            "in": self.folder,
            "q": self.query,
            "only": only,
            "before": self.before,
            "after": self.after,
        }
        return urlencode({name: value for name, value in named.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A link of a menu."""

    words: str
    url: str
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """Everything the list pane draws."""

    title: str
    url: str
    folder_url: str
    id_kind: str  # "conversation" or "message": what the rows' ids are
    query: str
    total: int
    unseen: int
    only: str
    only_words: str
    filters: tuple[Choice, ...]
    rows: tuple[SafeString, ...]
    older_url: str
    newer_url: str
    notice: str
    scope_words: str
    narrowings: tuple[Choice, ...]
    all_folders_url: str
    wider_url: str
    is_first_sync: bool


def message_url(message_id: int, address: ListAddress) -> str:
    """Return a message's page with `address` beside it."""
    return f"{_message_path(message_id)}?{address.params}"


@lru_cache(maxsize=16_384)
def _message_path(message_id: int) -> str:
    return reverse("pages:message", args=[message_id])


def folder_list(
    user: User,
    folder: Folder,
    address: ListAddress,
    *,
    opener: Opener,
    state: StateLike | None = None,
    open_thread: int | None = None,
) -> ListView:
    """Return one page of a folder; `opener` opens what stands inside encrypted mail."""
    page = listing.conversations(
        user,
        folder,
        before=Cursor.parse(address.before),
        after=Cursor.parse(address.after),
        only=cast("listing.Only", address.only),
    )
    now = timezone.now()
    start = replace(address, before="", after="")
    return ListView(
        title=shown_name(folder.path, folder.delimiter, folder.role),
        url=address.url,
        folder_url=replace(start, only="all").url,
        id_kind="conversation",
        query="",
        total=page.total,
        unseen=page.unseen,
        only=address.only,
        only_words=filter_words(address.only),
        filters=tuple(
            Choice(
                words=filter_words(name),
                url=replace(start, only=name).url,
                is_current=name == address.only,
            )
            for name in FILTERS
        ),
        rows=_rows(page, address, opener=opener, now=now, open_thread=open_thread),
        older_url=replace(start, before=page.older).url if page.older else "",
        newer_url=replace(start, after=page.newer).url if page.newer else "",
        notice=state.words if state is not None and state.kind in _BLOCKING_STATES else "",
        scope_words="",
        narrowings=(),
        all_folders_url="",
        wider_url="",
        is_first_sync=state is not None and state.kind == "syncing",
    )


def folder_named(user: User, name: str) -> Folder | None:
    """Return the folder an address names, None if it names none or nothing of this person's."""
    try:
        return listing.folder_by_name(user, name) if name else None
    except Http404:
        return None


def nothing_yet(*, state: StateLike | None) -> ListView:
    """Return the inbox of an account whose folders are not known yet."""
    address = ListAddress()
    return ListView(
        title=_("Inbox"),
        url=address.url,
        folder_url=address.url,
        id_kind="conversation",
        query="",
        total=0,
        unseen=0,
        only="all",
        only_words=filter_words("all"),
        filters=(),
        rows=(),
        older_url="",
        newer_url="",
        notice=state.words if state is not None and state.kind in _BLOCKING_STATES else "",
        scope_words="",
        narrowings=(),
        all_folders_url="",
        wider_url="",
        is_first_sync=True,
    )


def search_list(
    user: User,
    address: ListAddress,
    *,
    folder: Folder | None,
    opener: Opener,
    open_thread: int | None = None,
) -> ListView:
    """Return one page of what was searched for, inside encrypted mail by what `opener` opens."""
    page = listing.search(
        user,
        address.query,
        folder=folder,
        before=Cursor.parse(address.before),
        opener=opener,
    )
    words = address.query.split()
    start = replace(address, before="", after="")
    return ListView(
        title="",
        url=address.url,
        folder_url=start.url,
        id_kind="message",
        query=address.query,
        total=page.total,
        unseen=page.unseen,
        only="all",
        only_words="",
        filters=(),
        rows=_rows(page, address, opener=opener, now=timezone.now(), open_thread=open_thread),
        older_url=replace(start, before=page.older).url if page.older else "",
        newer_url="",
        notice="",
        scope_words=_("in {folder}").format(
            folder=shown_name(folder.path, folder.delimiter, folder.role)
        )
        if folder
        else _("in all folders"),
        narrowings=tuple(
            Choice(words=word, url=replace(start, query=f"{address.query} {word}").url)
            for word in _NARROWINGS
            if word not in words
        ),
        all_folders_url=replace(start, folder="").url if folder else "",
        wider_url=replace(start, query=" ".join(words[:-1])).url if len(words) > 1 else "",
        is_first_sync=False,
    )


def _rows(
    page: "listing.ListPage",
    address: ListAddress,
    *,
    opener: Opener,
    now: "datetime",
    open_thread: int | None,
) -> tuple[SafeString, ...]:
    searched = [word for word in address.query.split() if ":" not in word]
    params = address.params
    return tuple(
        row_html(
            row,
            url=f"{_message_path(row.message_id)}?{params}",
            now=now,
            is_open=row.thread_id == open_thread,
            searched=searched,
        )
        for row in with_protected(page.rows, opener)
    )


def filter_words(name: str) -> str:
    """Return a filter's name in words."""
    return {
        "unread": _("Unread"),
        "starred": _("Starred"),
        "attachments": _("With attachments"),
    }.get(name, _("All"))


def _with(path: str, params: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in params.items() if value})
    return f"{path}?{query}" if query else path
