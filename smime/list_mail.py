"""Mail that a mailing list passed on: which list it names, and whether that is vouched for.

Lists change messages, and that breaks signatures. It excuses nothing but the change: only where a
trusted server found the list's own DKIM signature or seal (verdicts.md, fine point 13), because
anybody can write a List-Id.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from smime.pki.addresses import a_label_domain, canonical_address, split_address
from webmail.mime import Headers
from webmail.mime.authentication_results import AuthenticationResult, newest_seals
from webmail.mime.trace import (
    ReceivingServers,
    Trace,
    from_json,
    read_trace,
    to_json,
    trusted_results,
)

_ID: Final = re.compile(r"<\s*([^<>\s]{1,255})\s*>\s*$")
_POST: Final = re.compile(r"<\s*mailto:([^<>?\s]{1,320})", re.IGNORECASE)
_POST_LIMIT: Final = 5  # addresses of one list


@dataclass(frozen=True, slots=True)
class ListMail:
    """What the header of a list's message says, all of it outside of any signature."""

    list_id: str  # RFC 2919: a domain name, lower case; "" without one
    posts: tuple[str, ...]  # canonical addresses of List-Post (RFC 2369)
    sealers: tuple[str, ...]  # domains of the ARC seals, newest first
    trace: Trace


def read_list_mail(headers: Headers) -> ListMail | None:
    """Read what a list wrote; None for mail that names no list. Never raises."""
    if "list-id" not in headers and "list-post" not in headers:
        return None
    named = _ID.search(headers.text("list-id"))
    posts = (canonical_address(unquote(each)) for each in _POST.findall(headers.text("list-post")))
    return ListMail(
        list_id=a_label_domain(named[1]) if named is not None else "",
        posts=tuple(dict.fromkeys(filter(None, posts)))[:_POST_LIMIT],
        sealers=newest_seals(headers),
        trace=read_trace(headers),
    )


def is_vouched_for(mail: ListMail, servers: ReceivingServers) -> bool:
    """Say whether a trusted server found that the list itself sent this.

    By a DKIM signature of the list's domain, or by a chain of seals whose newest foreign one is the
    list's: an older seal says nothing of what later sealers made of the message.
    """
    found = [result for _, result in trusted_results(mail.trace, servers)]
    passed = [each for each in found if each.result == "pass"]
    if any(_is_of_list(mail, _signing_domain(each)) for each in passed if each.method == "dkim"):
        return True
    foreign = (each for each in mail.sealers if not servers.is_ours(each))
    return any(each.method == "arc" for each in passed) and _is_of_list(mail, next(foreign, ""))


def is_list_address(mail: ListMail, address: str) -> bool:
    """Say whether an address is the list's own: it did not change on the way what it signed."""
    canonical = canonical_address(address)
    local, domain = split_address(canonical)
    return canonical in mail.posts or (bool(local) and f"{local}.{domain}" == mail.list_id)


def _signing_domain(result: AuthenticationResult) -> str:
    """Return the domain of a DKIM result: header.d, else that of header.i (RFC 8601 §2.7.1)."""
    stated = result.value("header.d") or result.value("header.i").rpartition("@")[2]
    return a_label_domain(stated)


def _is_of_list(mail: ListMail, domain: str) -> bool:
    if "." not in domain:
        return False
    return any(
        name == domain or name.endswith(f".{domain}") or domain.endswith(f".{name}")
        for name in _domains(mail)
        if "." in name
    )


def _domains(mail: ListMail) -> Iterator[str]:
    if mail.list_id:
        yield mail.list_id
    yield from (split_address(each)[1] for each in mail.posts)


def kept_list_mail(mail: ListMail) -> list[Any]:
    """Return plain values that `read_kept_list_mail` reads back."""
    return [mail.list_id, mail.posts, mail.sealers, to_json(mail.trace)]


def read_kept_list_mail(kept: list[Any]) -> ListMail:
    """Read `kept_list_mail` back."""
    list_id, posts, sealers, trace = kept
    return ListMail(list_id, tuple(posts), tuple(sealers), from_json(trace))
