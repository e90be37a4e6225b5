"""How large a mail may be and how large a draft will become. Octets throughout."""

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from accounts.models import MailServer

# Header, MIME framing, a signature with its chain.
_FRAMING = 24 * 1024


def limit(server: MailServer) -> int:
    """Return the largest message that can go out through `server` (RFC 1870 SIZE, our own)."""
    own: int = settings.MESSAGE_LIMIT
    return min(own, server.submission_size_limit or own)


def transferred(files: int, text: int, *, encrypted: bool) -> int:
    """Return about how large a message with so much content is, as the server counts it.

    Base64 makes 3 octets 4 and adds a line end each 57 (RFC 2045 §6.8). Encryption makes base64 of
    all of it once more.
    """
    size = _in_base64(files) + 2 * text + _FRAMING
    return _in_base64(size) + _FRAMING if encrypted else size


def room_for_files(server: MailServer, *, attached: int) -> int:
    """Return how many octets of files a draft can take beside `attached`."""
    return max(0, (limit(server) - _FRAMING) * 57 // 78 - attached)


def words(octets: int) -> str:
    """Return a size for people."""
    return str(filesizeformat(octets))


def _in_base64(octets: int) -> int:
    return -(-octets // 57) * 78
