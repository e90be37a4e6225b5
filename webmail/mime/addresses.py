"""Address lists (RFC 5322 §3.4, obsolete forms §4.4): one linear pass, no recursion.

`email.utils.getaddresses` is not used: it hides groups, takes addresses out of comments and may end
in a RecursionError. Addresses are never looked for in comments, display names or encoded-words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

import idna

from webmail.mime.charset import decode_fallback
from webmail.mime.limits import Limits
from webmail.mime.shown import has_unsafe, shown_safe
from webmail.mime.words import decode_words

type TokenKind = Literal["space", "atom", "word", "quoted", "literal", "comment", "special"]

_SPACE: Final = re.compile(r"[ \t\r\n]+")
_ATOM: Final = re.compile(r'[^ \t\r\n"()<>@,:;\[\]]+')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)("?)', re.DOTALL)
_LITERAL: Final = re.compile(r"\[[^\[\]\\ \t\r\n]{0,255}\]")
_COMMENT_MARK: Final = re.compile(r"[()\\]")
# Broken encoders leave spaces and commas in an encoded-word; what could be an address may not be.
_WORD: Final = re.compile(r'=\?[^?\s"<>@,;]{1,64}\?[bBqQ]\?[^?<>@"]{0,1000}\?=')
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_DOT_ATOM: Final = re.compile(r"[^\s\"()<>@,:;\[\]\\\x00-\x20\x7f]+")
# One mailbox without anything that could be read in two ways: most fields are such.
_SIMPLE: Final = re.compile(
    r"""(?:"([A-Za-z0-9 .,'_-]*)"|([A-Za-z0-9 '_-]*?)) ?<([A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+)>"""
)
_DEFAULT_ADDRESSES: Final = Limits().addresses


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox. `name` and `comment` are decoded and safe to show.

    `address` is "local@domain" as sent, without comments and folding; empty when it cannot be read.
    A comment serves as the name where there is no other (`ada@example.org (Ada)`).
    """

    name: str
    address: str
    comment: str = ""

    @property
    def local(self) -> str:
        """The local part as sent, quotes included."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """The domain as sent."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class AddressList:
    """An address field as read."""

    addresses: tuple[Address, ...]
    has_group: bool  # a group, empty ones too (RFC 5322 §3.4)
    is_malformed: bool  # an entry that is no mailbox, an open quote, comment or bracket
    is_cut: bool  # more than `Limits.addresses`


_NOBODY: Final = AddressList((), False, False, False)
_REMEMBERED: Final = 200  # octets or characters of a field


@dataclass(frozen=True, slots=True)
class _Token:
    kind: TokenKind
    text: str  # a quoted string and a comment without its delimiters
    is_closed: bool = True


@dataclass(slots=True)
class _Mailbox:
    """The tokens of one list entry."""

    phrase: list[_Token] = field(default_factory=list)
    angle: list[_Token] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angles: int = 0
    is_in_angle: bool = False
    is_malformed: bool = False

    def is_empty(self) -> bool:
        return not self.angles and all(token.kind == "space" for token in self.phrase)


def parse_addresses(
    value: bytes | str | None, *, limit: int = _DEFAULT_ADDRESSES
) -> tuple[Address, ...]:
    """The mailboxes of an address field, those inside groups too; at most `limit`."""
    return read_address_list(value, limit=limit).addresses


def read_address_list(value: bytes | str | None, *, limit: int = _DEFAULT_ADDRESSES) -> AddressList:
    """Parse an unfolded address field; never raises."""
    if not value:
        return _NOBODY
    # One's own address and the people one hears from come again and again.
    return (_read_list_again if len(value) <= _REMEMBERED else _read_list)(value, limit)


def _read_list(value: bytes | str, limit: int) -> AddressList:
    text = decode_fallback(value) if isinstance(value, bytes) else value
    if (simple := _SIMPLE.fullmatch(text)) is not None:
        name = " ".join((simple[1] or simple[2] or "").split())
        return AddressList((Address(name, simple[3]),), False, False, False)
    reader = _ListReader(limit)
    for token in _tokens(text):
        if reader.is_cut:
            break
        reader.feed(token)
    reader.finish_mailbox()
    return AddressList(
        tuple(reader.addresses), reader.has_group, reader.is_malformed, reader.is_cut
    )


_read_list_again = lru_cache(maxsize=2_048)(_read_list)


def ascii_domain(domain: str) -> str | None:
    """The domain in A-labels and lower case (UTS #46, non-transitional); None if it has no such
    form.
    """
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, ValueError):
        return None


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        char = text[at]
        if (found := _SPACE.match(text, at)) is not None:
            yield _Token("space", " ")
        elif char == '"':
            # An open quote takes the rest: what follows is not known to be outside it.
            found = _QUOTED.match(text, at)
            if found is None:
                return
            yield _Token("quoted", _ESCAPED.sub(r"\1", found[1]), bool(found[2]))
        elif char == "(":
            end, is_closed = _comment_end(text, at)
            yield _Token("comment", _ESCAPED.sub(r"\1", text[at + 1 : end]), is_closed)
            at = end + 1
            continue
        elif char == "[" and (found := _LITERAL.match(text, at)) is not None:
            yield _Token("literal", found[0])
        elif char == "=" and (found := _WORD.match(text, at)) is not None:
            yield _Token("word", found[0])
        elif (found := _ATOM.match(text, at)) is not None:
            yield _Token("atom", found[0])
        else:
            yield _Token("special", char)
            at += 1
            continue
        at = found.end()


def _comment_end(text: str, start: int) -> tuple[int, bool]:
    """The offset of the parenthesis that closes the comment opened at `start`."""
    depth = 0
    at = start
    while (found := _COMMENT_MARK.search(text, at)) is not None:
        at = found.end()
        if found[0] == "\\":
            at += 1
        else:
            depth += 1 if found[0] == "(" else -1
            if depth == 0:
                return found.start(), True
    return len(text), False


class _ListReader:
    """Sorts tokens into mailboxes and groups."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.addresses: list[Address] = []
        self.has_group = self.is_malformed = self.is_cut = False
        self._is_in_group = False
        self._mailbox = _Mailbox()

    def feed(self, token: _Token) -> None:
        mailbox = self._mailbox
        self.is_malformed |= not token.is_closed
        if token.kind == "comment":
            mailbox.comments.append(token.text)
            # A comment separates words, as white space does.
            (mailbox.angle if mailbox.is_in_angle else mailbox.phrase).append(_Token("space", " "))
        elif token.kind != "special":
            (mailbox.angle if mailbox.is_in_angle else mailbox.phrase).append(token)
            mailbox.is_malformed |= (
                bool(mailbox.angles) and not mailbox.is_in_angle and (token.kind != "space")
            )
        elif mailbox.is_in_angle:
            self._feed_angle(token)
        else:
            self._feed_list(token)

    def _feed_angle(self, token: _Token) -> None:
        mailbox = self._mailbox
        is_route = bool(mailbox.angle) and mailbox.angle[0].text == "@"
        if token.text == ">":
            mailbox.is_in_angle = False
        elif token.text == ":" and is_route:
            mailbox.angle.clear()  # RFC 5322 §4.4: a source route is ignored
        elif token.text in {",", ";"} and not is_route:
            mailbox.is_malformed = True
            self.finish_mailbox()
        else:
            mailbox.angle.append(token)

    def _feed_list(self, token: _Token) -> None:
        mailbox = self._mailbox
        match token.text:
            case "<":
                mailbox.angles += 1
                mailbox.is_in_angle = mailbox.angles == 1
                mailbox.is_malformed |= mailbox.angles > 1
            case ",":
                self.finish_mailbox()
            case ";":  # the end of a group; elsewhere a separator that Outlook writes
                self.finish_mailbox()
                self._is_in_group = False
            case ":" if not self._is_in_group and not mailbox.angles:
                self.has_group = self._is_in_group = True
                self._mailbox = _Mailbox()
            case _:
                mailbox.phrase.append(token)
                mailbox.is_malformed |= bool(mailbox.angles)

    def finish_mailbox(self) -> None:
        mailbox, self._mailbox = self._mailbox, _Mailbox()
        if mailbox.is_empty():
            return
        if len(self.addresses) >= self.limit:
            self.is_cut = True
            return
        mailbox.is_malformed |= mailbox.is_in_angle
        address = _address(mailbox)
        self.is_malformed |= mailbox.is_malformed or not address.address
        self.addresses.append(address)


def _address(mailbox: _Mailbox) -> Address:
    comment = shown_safe(decode_words(" ".join(mailbox.comments))[0]).strip()
    if mailbox.angles:
        name, spec = mailbox.phrase, _trim(mailbox.angle)
    else:
        name, spec = _split_bare(mailbox.phrase)
    shown = _phrase(name) or comment
    return Address(shown, _addr_spec(spec), comment)


def _split_bare(tokens: list[_Token]) -> tuple[list[_Token], list[_Token]]:
    """Without angle brackets: the words round the only `@` are the address, others are a name."""
    tokens = _trim(tokens)
    signs = [at for at, token in enumerate(tokens) if token.text == "@" and token.kind == "special"]
    if len(signs) != 1:
        return tokens, []
    low = high = signs[0]
    # RFC 5322 §4.4 allows white space at both sides of the sign itself.
    low -= 2 if low >= 2 and tokens[low - 1].kind == "space" else 1
    high += 2 if high + 2 < len(tokens) and tokens[high + 1].kind == "space" else 1
    while low > 0 and tokens[low - 1].kind != "space":
        low -= 1
    while high + 1 < len(tokens) and tokens[high + 1].kind != "space":
        high += 1
    low = max(low, 0)
    return tokens[:low] + tokens[high + 1 :], tokens[low : high + 1]


def _trim(tokens: list[_Token]) -> list[_Token]:
    low, high = 0, len(tokens)
    while low < high and tokens[low].kind == "space":
        low += 1
    while high > low and tokens[high - 1].kind == "space":
        high -= 1
    return tokens[low:high]


def _phrase(tokens: list[_Token]) -> str:
    """A display name; encoded-words are decoded inside quoted strings too, as senders expect."""
    text = "".join(token.text for token in tokens)
    return " ".join(shown_safe(decode_words(text)[0]).split())


def _addr_spec(tokens: list[_Token]) -> str:
    """The "local@domain" of tokens, or empty: exactly one `@`, something on both sides."""
    signs = [at for at, token in enumerate(tokens) if token.text == "@" and token.kind == "special"]
    if len(signs) != 1:
        return ""
    local = _trim(tokens[: signs[0]])
    domain = _trim(tokens[signs[0] + 1 :])
    local_text = _local_part(local)
    domain_text = "".join(token.text for token in domain)
    if not local_text or not domain or any(token.kind == "quoted" for token in domain):
        return ""
    if domain[0].kind == "literal":
        is_domain = len(domain) == 1
    else:
        is_domain = _DOT_ATOM.fullmatch(domain_text) is not None
    address = f"{local_text}@{domain_text}"
    return address if is_domain and not has_unsafe(address) else ""


def _local_part(tokens: list[_Token]) -> str:
    """Words and dots (RFC 5322 §3.4.1, §4.4); dots in odd places are accepted, spaces are not."""
    pieces = []
    for token in tokens:
        if token.kind == "quoted" and token.is_closed:
            escaped = token.text.replace("\\", "\\\\").replace('"', '\\"')
            pieces.append(f'"{escaped}"')
        elif token.kind in {"atom", "word"} and _DOT_ATOM.fullmatch(token.text):
            pieces.append(token.text)
        else:
            return ""
    return "".join(pieces)
