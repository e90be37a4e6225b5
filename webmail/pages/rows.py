"""Rows of the conversation list: words, glyphs, markup.

A page draws fifty of them, so a row is one string made here: the template engine took four fifths
of a list page's time. Everything that came out of mail goes through `escape`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from html import escape

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from webmail.mailbox.listing import ConversationRow
from webmail.mailbox.protected_fields import Opener, ProtectedFields
from webmail.pages import times
from webmail.pages.templatetags.face import asset_url
from webmail.reader.reading import subject_words

# Seals the list draws; "none" and "" draw nothing.
LIST_SEALS = frozenset({"ok", "warn", "bad", "unknown"})

_ROW = (
    '<div role="listitem" class="row{classes}" id="c{id}" data-id="{id}" data-message="{message}"'
    '{current}><div class="row-check"><label><input type="checkbox" name="ids" value="{id}" '
    'aria-label="{select}: {subject}"></label></div><div class="row-main">'
    '<a class="row-link" href="{url}" aria-label="{label}"></a>'
    '<div class="row-body" aria-hidden="true"><span class="row-1"><span class="row-who">{people}'
    '</span>{count}<time datetime="{iso}" title="{exact}">{when}</time></span><span class="row-2">'
    '<span class="row-subject">{subject_html}</span>{glyphs}</span><span class="row-3">{flag}'
    '<span class="row-text">{preview}</span></span></div></div></div>'
)


@lru_cache(maxsize=128)
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


def with_protected(rows: Sequence[ConversationRow], opener: Opener) -> list[ConversationRow]:
    """Return rows as the person may see them now: with what stands inside encrypted mail.

    At most one query, none without encrypted mail among them; a value is opened for each such row.
    """
    encrypted = [row.message_id for row in rows if row.is_locked]
    inside = opener.open(encrypted) if encrypted else {}
    return [_told(row, inside[row.message_id]) if row.message_id in inside else row for row in rows]


def _told(row: ConversationRow, fields: ProtectedFields) -> ConversationRow:
    is_one_name = fields.sender_name is not None and row.people == fields.sender_outside
    return replace(
        row,
        subject=row.subject if fields.subject is None else fields.subject,
        people=fields.sender_name or row.people if is_one_name else row.people,
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


def row_html(
    row: ConversationRow,
    *,
    url: str,
    now: datetime,
    is_open: bool = False,
    searched: Iterable[str] = (),
) -> SafeString:
    """Draw one row; `searched` are the words to mark in the subject."""
    subject = subject_words(row.subject, is_encrypted=row.is_locked) or _("(no subject)")
    when = times.short(row.latest_at, now=now)
    classes = (
        (" is-unread" if row.is_unread else "")
        + (" is-open" if is_open else "")
        + (" is-starred" if row.is_flagged else "")
    )
    drawn = glyphs(
        is_locked=row.is_locked,
        seal=row.seal,
        has_attachment=row.has_attachment,
        is_flagged=row.is_flagged,
    )
    has_flag = row.seal_flag and row.seal in {"warn", "bad"}
    return SafeString(
        _ROW.format(
            id=row.id,
            message=row.message_id,
            classes=classes,
            current=' aria-current="true"' if is_open else "",
            select=escape(_("Select")),
            subject=escape(subject),
            url=escape(url),
            label=escape(row_label(row, subject=subject, when=when)),
            people=escape(row.people),
            count=f'<span class="row-n">{row.message_count}</span>'
            if row.message_count > 1
            else "",
            iso=row.latest_at.isoformat(timespec="minutes"),
            exact=escape(times.exact(row.latest_at)),
            when=escape(when),
            subject_html=marked(subject, searched),
            glyphs=drawn,
            flag=f'<span class="flag flag-{row.seal}">{escape(row.seal_flag)}</span>'
            if has_flag
            else "",
            preview=escape(row.preview),
        )
    )
