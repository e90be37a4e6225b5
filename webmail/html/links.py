"""Links of mail: which targets are kept, and which deceive about where they lead."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from webmail.html.hosts import INVISIBLE, covers, http_host, named_hosts
from webmail.html.model import LinkPolicy

LONGEST_HREF = 8192
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# An http(s) URL that is kept as it is written: nothing in it hides, is escaped or is put right.
_USUAL = re.compile(
    r"https?://(?P<host>[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)*+)(?::[0-9]*+)?"
    r"(?:[/?#][!#-;=?-\[\]_a-z~]*+)?"
)
_TEL = re.compile(r"tel:\+?[0-9().\-*#;=a-zA-Z%]{1,64}", re.IGNORECASE)
_UNSAFE_IN_URL = re.compile(r"[\"<>`{}|^]")
_MAILTO_FIELDS = ("to", "cc", "subject", "body")
_CONTROLS_BUT_LINES = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Target:
    """A link target that may be kept: absolute URL or `#fragment`, with the real host."""

    href: str
    host: str = ""
    reason: str = ""  # "" or why the URL alone deceives

    @property
    def is_fragment(self) -> bool:
        return self.href.startswith("#")


def read_target(raw: str, policy: LinkPolicy) -> Target | None:
    """Normalise the value of a href, or None when the link loses its target.

    Absolute http, https, mailto and tel are kept, judged after everything invisible is removed.
    """
    if len(raw) > LONGEST_HREF:
        return None
    if (usual := _USUAL.fullmatch(raw)) is not None:
        host = usual["host"].lower()
        if "xn--" not in host:
            return None if host in policy.own_hosts else Target(href=raw, host=host)
    visible = INVISIBLE.sub("", raw.replace("\xa0", " ")).strip()
    if visible.startswith("#"):
        return Target(href="#" + quote(visible[1:], safe="!$&'()*+,-./:;=?@_~%"))
    compact = re.sub(r"\s+", "", visible)
    scheme = _SCHEME.match(compact)
    match scheme and scheme[0].lower():
        case "http:" | "https:":
            return _http_target(visible, compact, policy)
        case "mailto:":
            return Target(href=safe_mailto(visible.partition(":")[2]))
        case "tel:" if _TEL.fullmatch(compact):
            return Target(href=compact)
    return None


def _http_target(visible: str, compact: str, policy: LinkPolicy) -> Target | None:
    text = visible if _SCHEME.match(visible) else compact
    scheme, _, rest = text.partition(":")
    rest = rest.lstrip("\\/ ")
    if not rest:
        return None
    # A browser reads a backslash before the query as a slash (URL Standard §4.4).
    before_query = re.match(r"[^?#]*", rest)
    end = before_query.end() if before_query else 0
    url = f"{scheme.lower()}://{rest[:end].replace('\\', '/')}{rest[end:]}"
    host = http_host(url)
    if host is None or not host.name or host.name in policy.own_hosts:
        return None
    url = _UNSAFE_IN_URL.sub(lambda match: quote(match[0]), re.sub(r"\s", "%20", url))
    reason = ""
    if host.has_userinfo:
        reason = "userinfo"
    elif host.is_disguised:
        reason = "mixed-scripts"
    return Target(href=url, host=host.name, reason=reason)


def safe_mailto(rest: str) -> str:
    """Rebuild a mailto URL (RFC 6068) with to, cc, subject and body only."""
    addresses, _, query = rest.partition("?")
    fields: dict[str, str] = {"to": unquote(addresses)}
    for name, value in parse_qsl(query.replace("+", "%2B"), max_num_fields=None, separator="&")[
        :20
    ]:
        key = name.lower()
        if key not in _MAILTO_FIELDS:
            continue
        both = f"{fields[key]},{value}" if key in {"to", "cc"} and fields.get(key) else value
        fields[key] = both
    cleaned = {
        name: _CONTROLS_BUT_LINES.sub("", value)
        if name == "body"
        else re.sub(r"[\x00-\x1f\x7f]", "", value)
        for name, value in fields.items()
    }
    to = quote(cleaned.pop("to").strip(), safe="@,+.-_~")
    rebuilt = "&".join(
        f"{name}={quote(value, safe='@,')}" for name, value in cleaned.items() if value
    )
    return f"mailto:{to}{'?' if rebuilt else ''}{rebuilt}"


def deceit(target: Target, text: str) -> str:
    """Why a link with this visible text deceives: "", "text", or what the URL itself shows."""
    if target.reason:
        return target.reason
    if target.is_fragment or target.href.startswith("tel:"):
        return ""
    named = named_hosts(text)
    if not named:
        return ""
    if target.host:
        real = {target.host}
    else:
        real = named_hosts(unquote(target.href.removeprefix("mailto:").partition("?")[0]))
    return "" if all(any(covers(name, host) for host in real) for name in named) else "text"
