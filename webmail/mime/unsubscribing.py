"""How to leave a list: List-Unsubscribe (RFC 2369 §3.2) and its one-click form (RFC 8058)."""

import re
from dataclasses import dataclass
from typing import Final

from webmail.mime.charset import decode_fallback
from webmail.mime.headers import Headers
from webmail.mime.shown import shown_safe
from webmail.mime.words import decode_header_value

FIELD: Final = "list-unsubscribe"
POST_FIELD: Final = "list-unsubscribe-post"
ONE_CLICK: Final = b"List-Unsubscribe=One-Click"  # the value of the field, and what is posted
_MOST_URIS: Final = 10
_LONGEST_URI: Final = 4096  # characters
_LONGEST_FIELD: Final = 64 * 1024  # octets looked at
_URI: Final = re.compile(r"<([^<>]*)>")
_SCHEME: Final = re.compile(r"(https?|mailto):[!-~]+", re.IGNORECASE)
_LIST_ID: Final = re.compile(r"<([^<>\s]{1,255})>\s*$")
_BULK: Final = frozenset({b"bulk", b"list", b"junk"})
_LIST_FIELDS: Final = ("list-id", FIELD, "list-post", "list-help", "mailing-list")


@dataclass(frozen=True, slots=True)
class ListUnsubscribe:
    """The ways out of a list, in the list's order of preference."""

    web: tuple[str, ...]  # http and https
    mail: tuple[str, ...]  # mailto
    one_click: str  # the https URI to post to, when the fields ask for that; else empty

    @property
    def is_empty(self) -> bool:
        """Whether there is no way."""
        return not self.web and not self.mail


def read_unsubscribe(headers: Headers) -> ListUnsubscribe:
    """Return what the fields offer; never raises.

    One-click takes one List-Unsubscribe whose only web address is https, and one
    List-Unsubscribe-Post of exactly the value (RFC 8058 §3.1). A DKIM signature over both is still
    to be checked.
    """
    fields = headers.get_all(FIELD)
    uris = [uri for value in fields[:_MOST_URIS] for uri in _uris(value)][:_MOST_URIS]
    web = tuple(uri for uri in uris if uri.lower().startswith("http"))
    mail = tuple(uri for uri in uris if uri.lower().startswith("mailto"))
    may_post = (
        len(fields) == 1
        and headers.get_all(POST_FIELD) == [ONE_CLICK]
        and len(web) == 1
        and web[0].lower().startswith("https:")
    )
    return ListUnsubscribe(web, mail, web[0] if may_post else "")


def _uris(value: bytes) -> list[str]:
    text = decode_fallback(value[:_LONGEST_FIELD])
    found = _URI.findall(text) or text.split(",")  # some leave the brackets out
    bare = ("".join(each.split()) for each in found)  # RFC 2369 §2: white space is ignored
    return [uri for uri in bare if len(uri) <= _LONGEST_URI and _SCHEME.fullmatch(uri)]


def read_list_id(headers: Headers) -> tuple[str, str]:
    """Return (identifier in lower case, name to show) of List-Id (RFC 2919); empty if unknown."""
    value = headers.get("list-id")
    text = shown_safe(decode_header_value(value[:2000])) if value else ""
    found = _LIST_ID.search(text)
    if found is None:
        return "", ""
    return found[1].lower(), " ".join(text[: found.start()].replace('"', "").split())[:100]


def is_list_mail(headers: Headers) -> bool:
    """Whether the mail says that it went to many: a list, a newsletter, bulk."""
    precedence = (headers.get("precedence") or b"").strip().lower()
    return precedence in _BULK or any(name in headers for name in _LIST_FIELDS)


def is_aligned(domain: str, named: str) -> bool:
    """Whether a signer's domain may speak for a domain that is named in the mail: one is the other
    or lies below it. Both are A-labels; neither is a top level.
    """
    domain, named = domain.lower(), named.lower()
    if "." not in domain or "." not in named:
        return False
    return domain == named or named.endswith(f".{domain}") or domain.endswith(f".{named}")
