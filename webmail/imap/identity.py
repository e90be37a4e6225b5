"""ID (RFC 2971): who the server says it is, which only quirks and reports may use."""

from webmail.imap.conversation import Conversation
from webmail.imap.errors import CommandRefused
from webmail.imap.lexer import parse_values, text

MAX_FIELDS = 30


def identify(conversation: Conversation) -> dict[str, str]:
    """The server's ID fields, lower-case names; {} when it does not say."""
    if not conversation.profile.has("ID"):
        return {}
    try:
        reply = conversation.run("ID", b'("name" "Signet")')
    except CommandRefused:
        conversation.profile.refuse("ID")
        return {}
    for pieces in reply.named(b"ID"):
        match parse_values(pieces, len(b"* ID ")):
            case [list() as fields, *_]:
                pairs = zip(fields[::2], fields[1::2], strict=False)
                return {text(k).lower(): text(v)[:1024] for k, v in list(pairs)[:MAX_FIELDS]}
    return {}
