"""The base subject (RFC 5256 §2.1): what is left of a subject without reply and forward marks."""

import re
from dataclasses import dataclass

_LONGEST = 500  # characters, the column's width
# Marks as mail programs of other languages write them, beside Re, Fw and Fwd.
_MARKS = (
    "re|fw|fwd|aw|antw|antwort|wg|sv|vs|vb|vl|rv|res|enc|tr|rif|ref|i|r|odp|pd|ynt|ilt|bls|trs|"
    "回复|回覆|答复|转发|轉寄|返信|転送"
)
_LEADER = re.compile(
    rf"\s*(?:\[[^\[\]]{{0,100}}\]\s*)*(?:{_MARKS})\s*(?:\[\d+\])?\s*[:：]\s*", re.IGNORECASE
)
_BLOB = re.compile(r"\s*\[[^\[\]]{1,100}\]\s*(?=\S)")
_TRAILER = re.compile(r"\s*\(fwd?\)\s*\Z", re.IGNORECASE)
_HIDDEN = frozenset({"...", "[...]", "…"})  # stands for a protected subject (RFC 9788 §3.2.1)
_ENDS = tuple(_HIDDEN)
_OF_OTHERS = "Encrypted message"  # what some programs write instead


@dataclass(frozen=True, slots=True)
class BaseSubject:
    """base: folded for comparison; "" joins nothing. is_reply: it carried a mark."""

    base: str
    is_reply: bool


def stands_for_hidden(subject: str) -> bool:
    """Say whether a subject only stands outside in place of a protected one, answered or not."""
    found = subject.strip()
    return found == _OF_OTHERS or (not base_subject(found).base and found.rstrip().endswith(_ENDS))


def base_subject(subject: str) -> BaseSubject:
    """Return the base of a subject. Placeholders of protected subjects have none."""
    text = " ".join(subject[:998].split())
    is_reply = False
    while True:
        if (leader := _LEADER.match(text)) is not None and leader.end() > 0:
            text, is_reply = text[leader.end() :], True
        elif (trailer := _TRAILER.search(text)) is not None:
            text, is_reply = text[: trailer.start()], True
        else:
            break
    if text.strip() in _HIDDEN:
        return BaseSubject("", is_reply)
    while (blob := _BLOB.match(text)) is not None:
        text = text[blob.end() :]
    return BaseSubject(text.strip().casefold()[:_LONGEST], is_reply)
