"""Rows of the conversation list as its template draws them.

Everything a row says is worked out here once, because a page draws fifty of them: the template
only places strings.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from webmail.mailbox.listing import ConversationRow
from webmail.pages import times
from webmail.pages.templatetags.face import asset_url

# Seals the list draws; "none" and "" draw nothing.
LIST_SEALS = frozenset({"ok", "warn", "bad", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """One row: words, address, glyphs and the name read aloud."""

    id: int
    message_id: int
    url: str
    label: str
    people: str
    message_count: int
    subject: str
    subject_html: SafeString
    preview: str
    when: str
    when_iso: str
    when_exact: str
    glyphs: SafeString
    seal: str
    flag: str
    is_unread: bool
    is_flagged: bool
    is_open: bool


def glyphs(
    *, is_locked: bool, seal: str, has_attachment: bool = False, is_flagged: bool = False
) -> SafeString:
    """Draw lock, seal, clip and star, always in this order."""
    sprite = asset_url("build/sprite.svg")
    drawn = []
    if is_locked:
        drawn.append(("i", "lock"))
    if seal in LIST_SEALS:
        drawn.append((f"seal seal-{seal}", f"seal-{seal}"))
    if has_attachment:
        drawn.append(("i", "paperclip"))
    if is_flagged:
        drawn.append(("star", "star-full"))
    if not drawn:
        return SafeString("")
    return format_html(
        '<span class="glyphs">{}</span>',
        format_html_join(
            "",
            '<svg class="{}"><use href="{}#{}"/></svg>',
            ((look, sprite, symbol) for look, symbol in drawn),
        ),
    )


def marked(text: str, words: Iterable[str]) -> SafeString:
    """Return `text` escaped, with the words that were searched for in <mark>."""
    pattern = "|".join(re.escape(word) for word in words if word)
    if not pattern:
        return SafeString(escape(text))
    pieces = re.split(f"({pattern})", text, flags=re.IGNORECASE)
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<mark>{}</mark>", piece) if number % 2 else piece,)
            for number, piece in enumerate(pieces)
        ),
    )


def row_label(row: ConversationRow, *, subject: str, when: str) -> str:
    """Return the row's accessible name: unread, flag word, sender, subject, time, protection."""
    parts = [
        _("unread") if row.is_unread else "",
        row.seal_flag,
        row.people,
        subject,
        when,
        _("signed") if row.seal == "ok" else "",
        _("encrypted") if row.is_locked else "",
        _("attachment") if row.has_attachment else "",
        _("starred") if row.is_flagged else "",
    ]
    return ", ".join(part for part in parts if part)


def row_view(
    row: ConversationRow,
    *,
    url: str,
    now: datetime,
    is_open: bool = False,
    searched: Iterable[str] = (),
) -> RowView:
    """Make one row; `searched` are the words to mark in the subject."""
    subject = row.subject or _("(no subject)")
    when = times.short(row.latest_at, now=now)
    return RowView(
        id=row.id,
        message_id=row.message_id,
        url=url,
        label=row_label(row, subject=subject, when=when),
        people=row.people,
        message_count=row.message_count,
        subject=subject,
        subject_html=marked(subject, searched),
        preview=row.preview,
        when=when,
        when_iso=row.latest_at.isoformat(timespec="minutes"),
        when_exact=times.exact(row.latest_at),
        glyphs=glyphs(
            is_locked=row.is_locked,
            seal=row.seal,
            has_attachment=row.has_attachment,
            is_flagged=row.is_flagged,
        ),
        seal=row.seal,
        flag=row.seal_flag if row.seal in {"warn", "bad"} else "",
        is_unread=row.is_unread,
        is_flagged=row.is_flagged,
        is_open=is_open,
    )
