"""CSS of mail, rebuilt from tokens: style attributes and style blocks.

Nothing of the source text is copied. A declaration survives when its property is listed, every
token of its value is of a listed kind and every function is listed; no token that can name a
resource is. Rules survive with the selectors of `webmail.html.selectors`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2

from webmail.html.limits import HtmlLimits
from webmail.html.model import Theme
from webmail.html.rules import Css, Rule, is_closed, read_rules
from webmail.html.selectors import media_condition, safe_selectors
from webmail.html.usual_css import read_usual
from webmail.html.words import words

PROPERTIES = words(
    """
    background background-color background-image background-position background-repeat
    background-size background-clip border border-bottom border-bottom-color
    border-bottom-left-radius border-bottom-right-radius border-bottom-style border-bottom-width
    border-collapse border-color border-left border-left-color border-left-style border-left-width
    border-radius border-right border-right-color border-right-style border-right-width
    border-spacing border-style border-top border-top-color border-top-left-radius
    border-top-right-radius border-top-style border-top-width border-width box-shadow box-sizing
    caption-side clear color direction display empty-cells float font font-family font-size
    font-size-adjust font-stretch font-style font-variant font-weight height letter-spacing
    line-height list-style list-style-position list-style-type margin margin-bottom margin-left
    margin-right margin-top max-height max-width min-height min-width opacity outline
    outline-color outline-style outline-width overflow overflow-wrap overflow-x overflow-y padding
    padding-bottom padding-left padding-right padding-top quotes tab-size table-layout text-align
    text-decoration text-decoration-color text-decoration-line text-decoration-style text-indent
    text-overflow text-shadow text-transform unicode-bidi vertical-align visibility white-space
    width word-break word-spacing word-wrap mso-hide mso-line-height-rule mso-table-lspace
    mso-table-rspace mso-padding-alt border-block border-inline gap flex flex-basis flex-direction
    flex-flow flex-grow flex-shrink flex-wrap align-content align-items align-self justify-content
    justify-items justify-self order object-fit object-position color-scheme hyphens cursor
    """
)
FUNCTIONS = words(
    """
    rgb rgba hsl hsla hwb lab lch oklab oklch calc min max clamp linear-gradient radial-gradient
    repeating-linear-gradient repeating-radial-gradient
    """
)
_PLAIN_TOKENS = frozenset({"ident", "number", "percentage", "dimension", "string", "hash"})
_LITERALS = frozenset(",/+-*")
_KEYWORDS_ONLY = frozenset({"cursor"})
_KEYWORDS = re.compile(r"-?[a-zA-Z][a-zA-Z0-9-]*+(?: -?[a-zA-Z][a-zA-Z0-9-]*+)*+(?:!important)?")
_GROUND = re.compile(r"[{;]background(?:-color)?:(?!none|transparent|inherit|initial|unset)")
_NAMES_DARK = re.compile(r"prefers-color-scheme", re.IGNORECASE)
_DEEPEST_VALUE = 8
_REMEMBERED = 128  # characters of a declaration
_DEEPEST_RULE = 2  # a rule, and a rule in a media rule


@dataclass(frozen=True, slots=True)
class SafeDeclarations:
    """Declarations joined by `;`, and how many were kept and dropped."""

    text: str
    kept: int
    dropped: int


@dataclass(frozen=True, slots=True)
class SafeStylesheet:
    """Rules for a style element of ours. `has_dark`: dark rules of the mail paint a ground."""

    text: str
    dropped: int
    has_dark: bool
    is_cut: bool


def safe_declarations(source: Css) -> SafeDeclarations:
    """Filter the value of a style attribute or a block (the caller has bounded its length)."""
    found = _by_pieces(source) if isinstance(source, str) else None
    return found or _declarations(tinycss2.parse_blocks_contents(source))


def _by_pieces(source: str) -> SafeDeclarations | None:
    """Filter declarations one by one if none holds a `;`."""
    kept: list[str] = []
    dropped = 0
    for piece in source.split(";"):
        read = _remembered(piece) if len(piece) <= _REMEMBERED else _read_piece(piece)
        if read is None:
            return None
        text, lost = read
        if text:
            kept.append(text)
        dropped += lost
    return SafeDeclarations(text=";".join(kept), kept=len(kept), dropped=dropped)


def _read_piece(source: str) -> tuple[str, int] | None:
    """Return the safe text of what stands between two `;`, and 1 if something else stood there.

    None: one of the two may stand in a string, brackets or a comment.
    """
    usual = read_usual(source)
    if usual is None:
        if not is_closed(source):
            return None
        found = _declarations(tinycss2.parse_blocks_contents(source))
        return found.text, found.dropped
    name, value = usual
    is_safe = name in PROPERTIES
    if name in _KEYWORDS_ONLY:
        is_safe = _KEYWORDS.fullmatch(value) is not None
    return (f"{name}:{value}", 0) if is_safe else ("", 1 if name else 0)


# Mails repeat their declarations. At most 4096 of 128 characters: half a MB of ASCII, and as much
# of answers.
_remembered = lru_cache(maxsize=4096)(_read_piece)


def forget_declarations() -> None:
    """Forget every remembered declaration, as in a process that has shown no mail yet."""
    _remembered.cache_clear()


def _declarations(nodes: Sequence[Any]) -> SafeDeclarations:
    kept: list[str] = []
    dropped = 0
    for node in nodes:
        if node.type in {"whitespace", "comment"}:
            continue
        text = _declaration(node) if node.type == "declaration" else None
        if text is None:
            dropped += 1
        else:
            kept.append(text)
    return SafeDeclarations(text=";".join(kept), kept=len(kept), dropped=dropped)


def _declaration(node: Any) -> str | None:
    name = str(node.lower_name)
    if name not in PROPERTIES:
        return None
    if name in _KEYWORDS_ONLY and any(
        token.type not in {"ident", "whitespace"} for token in node.value
    ):
        return None
    value = _value(node.value, _DEEPEST_VALUE)
    if not value:
        return None
    return f"{name}:{value}{'!important' if node.important else ''}"


def _value(tokens: Sequence[Any], depth: int) -> str | None:
    """Serialise the tokens of a value; None when one of them is not on the list.

    What a comment stands between stays apart: else `url/**/(x)` would be written as `url(x)`. For
    the same reason parentheses stand in a function only, and never behind a name.
    """
    if depth == 0:
        return None
    parts: list[str] = []
    previous = ""  # kind of the token before, white space and comments left out
    was_comment = False
    for token in tokens:
        kind = token.type
        if kind == "comment":
            was_comment = True
            continue
        if kind == "whitespace":
            parts.append(" ")
            was_comment = False
            continue
        if was_comment and parts and parts[-1] != " ":
            parts.append(" ")
        was_comment = False
        if kind in _PLAIN_TOKENS:
            parts.append(escape_markup(token.serialize()))
        elif kind == "literal" and token.value in _LITERALS:
            parts.append(token.value)
        elif kind == "function" and token.lower_name in FUNCTIONS:
            inner = _value(token.arguments, depth - 1)
            if inner is None:
                return None
            parts.append(f"{token.lower_name}({inner})")
        elif kind == "() block" and depth < _DEEPEST_VALUE and previous != "ident":
            inner = _value(token.content, depth - 1)
            if inner is None:
                return None
            parts.append(f"({inner})")
        else:
            return None
        previous = kind
    return "".join(parts).strip()


def escape_markup(text: str) -> str:
    """Write `<` as a CSS escape: the text can then end neither a style element nor a comment."""
    return text.replace("<", "\\3c ")


def safe_stylesheet(blocks: Sequence[str], *, theme: Theme, limits: HtmlLimits) -> SafeStylesheet:
    """Filter the style blocks of a mail for a theme.

    Scheme rules of the mail are settled here, because the frame follows the browser's scheme and
    not the reader's choice: rules of the theme are unwrapped, the others dropped. A mail whose
    dark rules paint no ground is drawn in its light ones, also in the dark theme: texts made pale
    for a ground that is not there could not be read.
    """
    accepted: list[str] = []
    room = limits.css
    for block in blocks:
        if len(block) <= room:
            accepted.append(block)
            room -= len(block)
    is_cut = len(accepted) < len(blocks)
    rules = [rule for block in accepted for rule in read_rules(block, is_sheet=True)]
    builder = _StylesheetBuilder(scheme=theme, room=limits.css_rules)
    builder.add(rules, _DEEPEST_RULE)
    paints_dark = theme == "dark" and builder.paints_dark
    if theme == "light" and _NAMES_DARK.search("".join(accepted)):
        dark = _StylesheetBuilder(scheme="dark", room=limits.css_rules)
        dark.add(rules, _DEEPEST_RULE)
        paints_dark = dark.paints_dark
    if theme == "dark" and not paints_dark:
        builder = _StylesheetBuilder(scheme="light", room=limits.css_rules)
        builder.add(rules, _DEEPEST_RULE)
    return SafeStylesheet(
        text="\n".join(builder.lines),
        dropped=builder.dropped,
        has_dark=paints_dark,
        is_cut=is_cut or builder.room < 0,
    )


class _StylesheetBuilder:
    """Collects safe rules of one colour scheme until the room for rules is used up."""

    def __init__(self, *, scheme: Theme, room: int) -> None:
        self.scheme = scheme
        self.room = room
        self.lines: list[str] = []
        self.dropped = 0
        self.paints_dark = False  # rules that ask for the scheme set a background

    def add(self, rules: Sequence[Rule], depth: int) -> bool:
        """Add the safe ones of `rules`; True when there was one."""
        before = len(self.lines)
        for rule in rules:
            if rule.kind == "style":
                self.room -= 1
                if self.room < 0:
                    self.dropped += 1
                    return len(self.lines) > before
                self._add_style_rule(rule)
            elif rule.kind == "media":
                self._add_media_rule(rule, depth)
            else:
                self.dropped += 1
        return len(self.lines) > before

    def _add_style_rule(self, rule: Rule) -> None:
        selectors = safe_selectors(rule.prelude)
        declarations = safe_declarations(rule.content)
        self.dropped += declarations.dropped
        if not selectors or not declarations.text:
            self.dropped += 1
            return
        self.lines.append(f"{escape_markup(selectors)}{{{declarations.text}}}")

    def _add_media_rule(self, rule: Rule, depth: int) -> None:
        condition = media_condition(rule.prelude, scheme=self.scheme)
        if condition is None or depth < 2:
            self.dropped += 1
            return
        inner = read_rules(rule.content, is_sheet=False)
        at = len(self.lines)
        if not self.add(inner, depth - 1):
            return
        if condition.names_scheme:
            self.paints_dark |= any(_GROUND.search(line) for line in self.lines[at:])
        if condition.text:
            body = "\n".join(self.lines[at:])
            self.lines[at:] = [f"@media {condition.text}{{{body}}}"]
