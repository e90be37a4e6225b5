"""Answers and forwards: whom they go to, what they are called, how they quote. Pure.

`Original` holds protected fields only (RFC 9788 §4.4.4, §6.2): whoever added an outer Cc must not
get the answer. What came encrypted is remembered line by line, so that it can be taken out again
and is never sent in the clear (§6.1).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import escape

from django.utils.translation import gettext as _

from webmail.composer.content import DraftContent
from webmail.composer.outward import Hidden
from webmail.composer.recipients import Recipient, comparable, without_repeats

# What mail programs write before the subject of an answer or a forward.
_ANSWERED = re.compile(r"\s*(re|aw|sv|antw|vs|ref)\s*(\[\d+\]|\(\d+\))?\s*:", re.IGNORECASE)
_FORWARDED = re.compile(r"\s*(fwd?|wg|vb|tr|rv)\s*:", re.IGNORECASE)
_MOST_REFERENCES = 30
_SHORTEST_SECRET = 3  # characters: shorter lines ("Hi", "--") tell nothing
_SHORTEST_TRACE = 16  # characters of a secret line found within other text
_LONGEST_QUOTE = 200_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What is answered or forwarded, as its protected fields and its readable body say."""

    from_: tuple[Recipient, ...]
    reply_to: tuple[Recipient, ...]
    to: tuple[Recipient, ...]
    cc: tuple[Recipient, ...]
    subject: str
    date: datetime | None  # in the reader's time zone
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    text: str
    html: str  # a washed fragment; "" when there is text only
    is_encrypted: bool
    bcc: tuple[Recipient, ...] = ()  # of a draft: mail that arrives has none
    shown_sender: str = ""  # the address the reader showed, if another than `from_`
    signer: str = ""  # the signer's address, if another than the sender's
    hidden: Hidden = field(default_factory=Hidden)  # what its fields kept from the outside


def answer(
    original: Original, *, own: Collection[str], to_all: bool, signature_html: str = ""
) -> DraftContent:
    """Return the content of a reply. `own` are the person's addresses."""
    to, cc = _answered_people(original, own=own, to_all=to_all)
    introduction = _introduction(original)
    text = original.text[:_LONGEST_QUOTE].rstrip()
    quoted = "\n".join(
        f">{line}" if line.startswith(">") else f"> {line}" for line in text.split("\n")
    )
    quoted_html = (
        f"<p>{escape(introduction)}</p>"
        f'<blockquote type="cite">{original.html or _paragraphs(text)}</blockquote>'
    )
    return replace(
        _related(original, framing=[introduction]),
        to=to,
        cc=cc,
        subject=answered_subject(original.subject),
        text=f"\n\n{introduction}\n{quoted}\n",
        html=f"<p><br></p>{signature_html}{quoted_html}",
        notices=_notices(original, to),
    )


def forward(original: Original, *, signature_html: str = "") -> DraftContent:
    """Return the content of a forward; its files are attached apart."""
    rows = [
        (_("From"), ", ".join(map(str, original.from_))),
        (_("Date"), f"{original.date:%d %b %Y, %H:%M}" if original.date else ""),
        (_("Subject"), original.subject),
        (_("To"), ", ".join(map(str, original.to))),
        (_("Cc"), ", ".join(map(str, original.cc))),
    ]
    head = [f"{name}: {value}" for name, value in rows if value]
    line = _("Forwarded message")
    text = original.text[:_LONGEST_QUOTE].rstrip()
    plain_head = "\n".join(head)
    html_head = "<br>".join(escape(row) for row in head)
    content = replace(
        _related(original, framing=[f"-------- {line} --------", *head]),
        subject=forwarded_subject(original.subject),
        text=f"\n\n-------- {line} --------\n{plain_head}\n\n{text}\n",
        html=(
            f"<p><br></p>{signature_html}<p>-------- {escape(line)} --------<br>{html_head}</p>"
            f"<div>{original.html or _paragraphs(text)}</div>"
        ),
    )
    # A forward starts a conversation of its own for its new readers, but refers to the original.
    return replace(content, in_reply_to="")


def continued(original: Original) -> DraftContent:
    """Return the content of a draft that another program began; its files are attached apart."""
    return replace(
        _related(original, framing=[]),
        to=original.to,
        cc=original.cc,
        bcc=original.bcc,
        subject=original.subject,
        text=f"{original.text.rstrip()}\n",
        html=original.html,
        # It is no answer to itself, but to what it was begun as an answer to.
        in_reply_to=next(iter(original.in_reply_to), ""),
        references=original.references,
    )


def answered_subject(subject: str) -> str:
    """Return "Re: …", once."""
    return subject if _ANSWERED.match(subject) else f"Re: {subject}".rstrip()


def forwarded_subject(subject: str) -> str:
    """Return "Fwd: …", once."""
    return subject if _FORWARDED.match(subject) else f"Fwd: {subject}".rstrip()


def references_of(original: Original) -> tuple[str, ...]:
    """Return the References of an answer (RFC 5322 §3.6.4), the oldest and the newest kept."""
    known = original.references or original.in_reply_to[:1]
    chain = [*known, original.message_id] if original.message_id else list(known)
    if len(chain) > _MOST_REFERENCES:
        chain = [chain[0], *chain[-(_MOST_REFERENCES - 1) :]]
    return tuple(dict.fromkeys(chain))


def without_secrets(content: DraftContent) -> DraftContent:
    """Return a draft without what it quotes from an encrypted original, as plain text.

    Every line that the original had goes, quoted or not; so does its subject. What the person
    wrote around it stays, without its formatting.
    """
    secrets = set(content.secret_lines)
    kept = [
        line
        for line in content.text.split("\n")
        if not line.startswith(">") and _bare(line) not in secrets
    ]
    hidden = content.secret_subject
    subject = "" if hidden and hidden in content.subject else content.subject
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).rstrip() + "\n"
    return replace(content, html="", text=text, subject=subject)


def leaks(content: DraftContent) -> bool:
    """Whether a draft still holds words of the encrypted original that it quoted."""
    if content.secret_subject and content.secret_subject in content.subject:
        return True
    lines = {_bare(line) for line in content.text.split("\n")}
    running = " ".join(content.text.replace(">", " ").split())
    return any(
        secret in lines or (len(secret) >= _SHORTEST_TRACE and secret in running)
        for secret in content.secret_lines
    )


def _related(original: Original, *, framing: Sequence[str]) -> DraftContent:
    """Return the part of the content that ties it to the original.

    `framing`: the lines that introduce the quote; they leave with it.
    """
    secret_lines: tuple[str, ...] = ()
    if original.is_encrypted:
        bare = (_bare(line) for line in [*original.text.split("\n"), *framing])
        secret_lines = tuple(dict.fromkeys(line for line in bare if len(line) >= _SHORTEST_SECRET))
    return DraftContent(
        in_reply_to=original.message_id,
        references=references_of(original),
        secret_lines=secret_lines,
        secret_subject=_bare_subject(original.subject) if original.is_encrypted else "",
        hidden_people=original.hidden.people,
        hidden_ids=original.hidden.message_ids,
    )


def _answered_people(
    original: Original, *, own: Collection[str], to_all: bool
) -> tuple[tuple[Recipient, ...], tuple[Recipient, ...]]:
    mine = {comparable(address) for address in own}
    is_mine = bool(original.from_) and all(comparable(p.address) in mine for p in original.from_)
    # Answering one's own mail means writing to the same people again.
    sources = original.to if is_mine else (original.reply_to or original.from_)
    seen: set[str] = set()
    to = without_repeats(sources, seen=seen)
    if not to_all:
        return to, ()
    others = original.cc if is_mine else original.to + original.cc
    cc = without_repeats((p for p in others if comparable(p.address) not in mine), seen=seen)
    return to, cc


def _notices(original: Original, to: Sequence[Recipient]) -> tuple[str, ...]:
    if not to:
        return ()
    address = to[0].address
    if original.shown_sender and comparable(original.shown_sender) != comparable(address):
        return (_("Replies go to %s, the address inside the protected message.") % address,)
    if original.signer and comparable(original.signer) != comparable(address):
        return (_("Replies go to %s, not to the signer.") % address,)
    return ()


def _introduction(original: Original) -> str:
    author = original.from_[0].name or original.from_[0].address if original.from_ else ""
    author = author or _("The sender")
    if original.date is None:
        return _("%(author)s wrote:") % {"author": author}
    when = f"{original.date:%d %b %Y, %H:%M}"
    return _("On %(when)s %(author)s wrote:") % {"when": when, "author": author}


def _paragraphs(text: str) -> str:
    """Return plain text as HTML, line for line."""
    blocks = re.split(r"\n{2,}", text)
    return "".join(f"<p>{escape(block).replace(chr(10), '<br>')}</p>" for block in blocks)


def _bare(line: str) -> str:
    """Return a line without quote marks and with single spaces."""
    return " ".join(line.lstrip("> \t").split())


def _bare_subject(subject: str) -> str:
    while (prefix := _ANSWERED.match(subject) or _FORWARDED.match(subject)) is not None:
        subject = subject[prefix.end() :]
    return " ".join(subject.split())
