"""The grey line under a subject: the first words of a message, fetched 2 kB a message at most."""

import logging
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from accounts.models import MailAccount
from webmail.html import html_to_text
from webmail.imap import CommandRefused, Session
from webmail.mailbox import conversations, search_index
from webmail.mailbox.changes import announce
from webmail.mailbox.facts import storable
from webmail.mailbox.locking import mirror_lock
from webmail.mailbox.models import Folder, Message, Placement
from webmail.mime import decode_text, parse_message, shown_safe

logger = logging.getLogger(__name__)

LONGEST = 200  # characters
OCTETS = 2_048  # of the text part
HTML_OCTETS = 8_192  # HTML begins with a head
AT_ONCE = 250
_FILLERS = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\ufeff]+"
)
_RULER = re.compile(r"[-=_*~.]{4,}")
_LINK = re.compile(r"<https?:[^<>]*>|https?://\S+")


@dataclass(frozen=True, slots=True)
class TextPart:
    """The part whose beginning is shown."""

    section: str
    content_type: str
    encoding: str
    charset: str


def text_part(structure: list[list[object]]) -> TextPart | None:
    """Choose the first readable part that is no attachment: plain text before HTML."""
    found: TextPart | None = None
    for row in structure:
        path, kind, encoding, _size, _filename, disposition = (str(one) for one in row[:6])
        if kind.startswith("message/"):
            break  # what follows belongs to a forwarded message
        if disposition == "attachment" or kind not in {"text/plain", "text/html"}:
            continue
        charset = str(row[7]) if len(row) > 7 else ""
        if kind == "text/plain":
            return TextPart(path, kind, encoding, charset)
        found = found or TextPart(path, kind, encoding, charset)
    return found


def preview_of(part: TextPart, beginning: bytes) -> str:
    """Return the first words of a part from its first octets; never raises."""
    header = f'Content-Type: {part.content_type}; charset="{part.charset}"\r\n'
    header += f"Content-Transfer-Encoding: {part.encoding}\r\n\r\n"
    message = parse_message(header.encode("ascii", "replace") + beginning)
    text = decode_text(message, message.root).text.rstrip("\ufffd")
    if part.content_type == "text/html":
        text = html_to_text(text)
    return first_words(text)


def first_words(text: str) -> str:
    """Return one line of at most 200 characters: without quotes, links and invisible fillers."""
    lines = (line for line in text.splitlines()[:200] if not line.lstrip().startswith(">"))
    line = _FILLERS.sub("", shown_safe(" ".join(lines)))
    line = " ".join(_RULER.sub(" ", _LINK.sub(" ", line)).split())
    return storable(line, LONGEST)


def fill(
    account: MailAccount, folder: Folder, session: Session, message_ids: Collection[int]
) -> None:
    """Fetch the previews of these messages, which `session` has selected the folder of."""
    wanted: dict[tuple[str, int], dict[int, tuple[int, TextPart]]] = defaultdict(dict)
    rows = Placement.objects.filter(
        folder=folder, generation=folder.generation, uid__isnull=False, gone_at=None,
        message_id__in=list(message_ids), message__preview="",
    ).values_list("uid", "message_id", "message__structure")  # fmt: skip
    for uid, message_id, structure in rows:
        part = text_part(structure)
        if part is not None and uid is not None:
            octets = HTML_OCTETS if part.content_type == "text/html" else OCTETS
            wanted[part.section, octets][uid] = (message_id, part)
    found: dict[int, str] = {}
    for (section, octets), parts in wanted.items():
        try:
            beginnings = session.beginnings(parts, section, octets=octets)
        except CommandRefused:  # a preview is a courtesy: some servers refuse odd sections
            logger.info("event=preview-refused account=%d folder=%d", account.pk, folder.pk)
            continue
        for uid, beginning in beginnings.items():
            if uid in parts:
                message_id, part = parts[uid]
                found[message_id] = preview_of(part, beginning)
    write(account, {pk: preview for pk, preview in found.items() if preview})


def write(account: MailAccount, previews: dict[int, str]) -> None:
    """Set previews by message row id, in messages and in rows of the list."""
    if not previews:
        return
    with mirror_lock(account.pk):
        messages = list(Message.objects.filter(pk__in=list(previews)))
        for message in messages:
            message.preview = previews[message.pk]
        Message.objects.bulk_update(messages, ["preview"], batch_size=500)
        search_index.add(messages)
        touched = conversations.refresh({message.thread_id for message in messages})
        announce(account, folder_ids=touched, kind="folder")
