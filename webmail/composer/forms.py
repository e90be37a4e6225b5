"""What the composer's form posts, as one typed value; field names are in `presenting`."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict

from webmail.composer.content import DraftContent
from webmail.composer.recipients import parse

_LONGEST_SUBJECT = 998  # characters; RFC 5322 §2.1.1 has the same bound for a line
_MOST_STEPS = 2**31 - 1
_CHOICES = frozenset({"signed", "plain", "able-only", "remove-quote", "encrypt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposerPost:
    """One POST of the composer's form or of the protection panel."""

    has_content: bool  # False: only `key`, `revision` and `choice` came
    content: DraftContent
    identity_id: int | None
    sign: bool
    encrypt: bool
    revision: int
    key: uuid.UUID  # a new one if the form had none: then a repeat cannot be told
    step: int  # counts the saves of one page; 0: no script counted
    before: uuid.UUID | None  # key of the page that this one follows in its tab
    choice: str
    keeps_this: bool
    is_plain: bool | None  # written as plain text; None: no script said so
    moved_switches: bool  # Sign or Encrypt was moved by hand
    attachment_id: int | None


def read_post(post: QueryDict) -> ComposerPost:
    """Read a form; what is malformed counts as absent."""
    choice = post.get("choice", "")
    encrypt = bool(post.get("encrypt"))
    return ComposerPost(
        has_content="text" in post or "html" in post or "to" in post,
        content=DraftContent(
            to=parse(_joined(post.getlist("to"))),
            cc=parse(_joined(post.getlist("cc"))),
            bcc=parse(_joined(post.getlist("bcc"))),
            subject=post.get("subject", "")[:_LONGEST_SUBJECT],
            text=post.get("text", ""),
            html=post.get("html", ""),
            asks_receipt=bool(post.get("receipt")),
        ),
        identity_id=whole_number(post.get("from")),
        sign=bool(post.get("sign")) or encrypt,
        encrypt=encrypt,
        revision=whole_number(post.get("revision")) or 0,
        key=_uuid(post.get("key")) or uuid.uuid4(),
        step=min(whole_number(post.get("step")) or 0, _MOST_STEPS),
        before=_uuid(post.get("before")),
        choice=choice if choice in _CHOICES else "",
        keeps_this=post.get("keep") == "this",
        is_plain=None if "plain" not in post else post["plain"] == "yes",
        moved_switches=post.get("moved") == "yes",
        attachment_id=whole_number(post.get("attachment")),
    )


def whole_number(text: str | None) -> int | None:
    """Return a row id or revision from a request; None if it is none."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 18:
        return None
    return int(text)


def _joined(values: Iterable[str]) -> str:
    return ", ".join(values)


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
