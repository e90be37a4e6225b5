"""What the person's own mail server found out about a message's sender, in plain words.

SPF, DKIM and DMARC as results of trusted servers tell (`webmail.mime.trace.trusted_results`);
without a trusted server nothing is said. Sentences name who checked: it is their word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from smime.pki.addresses import a_label_domain
from webmail.mime.authentication_results import AuthenticationResult
from webmail.mime.trace import ReceivingServers, Trace, trusted_results

type Glyph = Literal["yes", "caution", "unknown"]
type Finding = tuple[str, AuthenticationResult]  # who found it, what

_ORDER = ("dmarc", "dkim", "spf")
_MOST = 4  # sentences about one method
type _Said = tuple[Glyph, Promise | str]

_UNFINISHED: _Said = (
    "unknown",
    gettext_lazy("{server} could not finish checking this message ({method})."),
)
_NO_POLICY = gettext_lazy("{domain} does not say how its mail is to be checked (DMARC).")
_NOT_SAID = gettext_lazy("{domain} does not say which servers may send for it (SPF).")
_NOT_ALLOWED = gettext_lazy(
    "{server} found that the sending server may not send for {domain} (SPF)."
)
_BROKEN = gettext_lazy("{server} could not confirm the signature of {domain} (DKIM).")
_WORDS: dict[tuple[str, str], _Said] = {
    ("dmarc", "pass"): (
        "yes",
        gettext_lazy("{server} confirmed that this message comes from {domain} (DMARC)."),
    ),
    ("dmarc", "fail"): (
        "caution",
        gettext_lazy("{server} could not confirm that this message comes from {domain} (DMARC)."),
    ),
    ("dmarc", "none"): ("unknown", _NO_POLICY),
    ("dkim", "pass"): (
        "yes",
        gettext_lazy("{server} found the signature of {domain} intact (DKIM)."),
    ),
    ("dkim", "fail"): ("caution", _BROKEN),
    ("dkim", "policy"): ("caution", _BROKEN),
    ("dkim", "neutral"): ("unknown", _BROKEN),
    ("dkim", "none"): (
        "unknown",
        gettext_lazy("{server} found no signature of a mail server (DKIM)."),
    ),
    ("spf", "pass"): (
        "yes",
        gettext_lazy("{server} confirmed that the sending server may send for {domain} (SPF)."),
    ),
    ("spf", "fail"): ("caution", _NOT_ALLOWED),
    ("spf", "softfail"): ("caution", _NOT_ALLOWED),
    ("spf", "neutral"): ("unknown", _NOT_SAID),
    ("spf", "none"): ("unknown", _NOT_SAID),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """One thing a server found, and whether it speaks for the sender."""

    glyph: Glyph
    sentence: str


def findings(trace: Trace, servers: ReceivingServers) -> tuple[Finding, ...]:
    """Return what trusted servers found, of the methods that are put into words."""
    found = trusted_results(trace, servers)
    return tuple(each for each in found if each[1].method in _ORDER)


def check_views(found: Sequence[Finding]) -> tuple[CheckView, ...]:
    """Put findings into words, the weightiest method first."""
    return tuple(
        view
        for method in _ORDER
        for view in _views([each for each in found if each[1].method == method])
    )


def failed_dmarc(found: Sequence[Finding], sender: str) -> tuple[str, str] | None:
    """Return who found that mail of the sender's domain is not from there, and that domain.

    None unless the finding is about the very domain that is shown.
    """
    domain = a_label_domain(sender.rpartition("@")[2])
    for server, result in found:
        if result.method == "dmarc" and result.result == "fail" and domain:
            stated = _domain(result)
            if stated in {"", domain}:
                return server, domain
    return None


def _views(found: Sequence[Finding]) -> Iterator[CheckView]:
    said: dict[str, Glyph] = {}
    for server, result in found:
        glyph, words = _WORDS.get((result.method, result.result), _UNFINISHED)
        domain = _domain(result)
        if "{domain}" in str(words) and not domain:
            continue
        sentence = str(words).format(server=server, domain=domain, method=result.method.upper())
        said.setdefault(sentence, glyph)
    for sentence, glyph in list(said.items())[:_MOST]:
        yield CheckView(glyph=glyph, sentence=sentence)


def _domain(result: AuthenticationResult) -> str:
    """Return the domain that a result is about (RFC 8601 §2.7) as A-labels, or ""."""
    names = {
        "dmarc": ("header.from",),
        "dkim": ("header.d", "header.i"),
        "spf": ("smtp.mailfrom", "smtp.helo"),
    }[result.method]
    stated = next(filter(None, (result.value(name).strip("<>") for name in names)), "")
    return a_label_domain(stated.rpartition("@")[2])
