"""What the reader is told about a message that met a limit, or holds less than it says.

Codes come from webmail.mime (`Message.limits_hit`, `BodyChoice.notes`) and webmail.html
(`SafeHtml.limits_hit`).
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from webmail.mime import Limits

_BOUNDS = Limits()
_WORDS_ONLY = gettext_noop(
    "This message is built so unusually that only its words are shown. Download the original."
)
_HEADER = gettext_noop(
    "The header of this message is unusually long; not all of it was read. Download the original."
)
_LOOKS = gettext_noop("Some colours and distances of this message are not shown.")
_SENTENCES = {
    "raw": gettext_noop(
        "This message is larger than {raw} MB. Only its header is shown; download the original."
    ),
    "depth": gettext_noop(
        "This message is unusually deep; parts beyond level {depth} are not shown. "
        "Download the original."
    ),
    "parts": gettext_noop(
        "This message has an unusual number of parts; parts beyond the first {parts} are not "
        "shown. Download the original."
    ),
    "addresses": gettext_noop("Only the first {addresses} addresses of each field are shown."),
    "text": gettext_noop(
        "The text is longer than {text} MB and was cut. Download the original to read on."
    ),
    "not-text": gettext_noop(
        "This part says that it is text, but it is not. Only its beginning is shown; "
        "download the original."
    ),
    "linkify": gettext_noop("Not every address in this long text was made a link."),
    "blocks": gettext_noop(
        "This message has more texts than fit on a page; the rest are attachments."
    ),
    "embedded": gettext_noop(
        "The text or an attachment holds an unusual number of files; not all of them are listed. "
        "Download the original."
    ),
    "damaged-file": gettext_noop(
        "An attachment inside the text is incomplete or damaged. The sender can send it again."
    ),
    "damaged-tnef": gettext_noop(
        "The attachment made by Outlook (winmail.dat) is damaged; not all in it could be read."
    ),
    "large-tnef": gettext_noop(
        "The attachment made by Outlook (winmail.dat) is too large to be opened here. "
        "It is listed as it came."
    ),
    "boundary": gettext_noop(
        "The mark between the parts of this message is too long; it was not taken apart. "
        "Download the original."
    ),
    "links": gettext_noop(
        "This message has more links than are checked; the others ask before they open."
    ),
    "images": gettext_noop(
        "This message has more pictures than are looked at; hidden ones may be among the rest."
    ),
    "data-images": gettext_noop(
        "A picture inside the text is too large to be shown. Download the original."
    ),
    "empty": gettext_noop("This message has no text."),
    "nothing-shown": gettext_noop(
        "Nothing in this message can be shown safely. Download the original to see what it holds."
    ),
    "external-body": gettext_noop(
        "A part of this message is kept somewhere else. Nothing was fetched from there."
    ),
    "partial": gettext_noop(
        "This is one piece of a message that was sent in several. The pieces are not joined; "
        "download each of them."
    ),
    "writer": _WORDS_ONLY,
    "error": _WORDS_ONLY,
    "html-size": _WORDS_ONLY,
    "tags": _WORDS_ONLY,
    "entities": _WORDS_ONLY,
    "attributes": _WORDS_ONLY,
    "formatting": _WORDS_ONLY,
    "nesting": _WORDS_ONLY,
    "header-block": _HEADER,
    "header-fields": _HEADER,
    "header-value": _HEADER,
    "content-value": _HEADER,
    "parameters": _HEADER,
    "encoded-words": _HEADER,
    "css": _LOOKS,
    "style-attribute": _LOOKS,
    "style-attributes": _LOOKS,
}
_OTHER = gettext_noop("A part of this message was too unusual to show. Download the original.")


def notices(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the sentences for these codes, each once, in the person's language."""
    megabyte = 1024 * 1024
    bounds = {
        "raw": _BOUNDS.raw // megabyte,
        "text": _BOUNDS.text // megabyte,
        "depth": _BOUNDS.depth,
        "parts": _BOUNDS.parts,
        "addresses": _BOUNDS.addresses,
    }
    sentences = dict.fromkeys(_SENTENCES.get(code, _OTHER) for code in codes)
    return tuple(_(sentence).format(**bounds) for sentence in sentences)
