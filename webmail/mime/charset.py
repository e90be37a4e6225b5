"""Decoding text whose charset may be unknown, wrong or missing; never raises."""

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

from webmail.mime.charset_labels import CODECS, codec_for, is_ascii_label

__all__ = [
    "believed_codec",
    "codec_for",
    "declared_in_html",
    "decode_as",
    "decode_fallback",
    "decode_labelled",
    "detect_codec",
    "is_ascii_label",
]

_BOMS_32: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DETECTABLE: Final = [
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "koi8_r",
    "gb18030",
    "big5",
    "euc_jp",
    "shift_jis",
    "euc_kr",
    "iso2022_jp",
    "cp866",
]
_SAMPLE: Final = 4096  # octets that detection looks at; its cost grows with them
_LABEL_IN_META: Final = re.compile(
    rb"<meta\b[^<>]{0,256}?charset\s{0,8}=\s{0,8}[\"']?\s{0,8}([A-Za-z0-9_:.\-]{1,40})",
    re.IGNORECASE,
)
_UNUSABLE_CODEC: Final = "cp1252"
_EBCDIC: Final = frozenset({"cp037", "cp1026", "cp1140", "cp273", "cp424", "cp500", "cp875"})
_SINGLE_OCTET: Final = (
    frozenset(
        codec
        for codec in CODECS
        if codec.startswith(("iso8859", "koi8", "mac", "cp125", "cp8", "cp4", "cp7"))
    )
    - _EBCDIC
)


def declared_in_html(content: bytes) -> str | None:
    """The codec named by `<meta charset>` in the first 1,024 octets (HTML §13.2.3.2)."""
    found = _LABEL_IN_META.search(content, 0, 1024)
    if found is None:
        return None
    codec = codec_for(found[1].decode("ascii"))
    # A UTF-16 document could not have been read as ASCII up to here.
    return "utf-8" if codec in {"utf-16-be", "utf-16-le"} else codec


def decode_as(content: bytes, codec: str, *, final: bool = True) -> str:
    """Decode with a codec of the table; what does not fit becomes U+FFFD.

    `final=False`: the content was cut, an incomplete character at its end is dropped silently.
    """
    for mark, marked_codec in _BOMS_32 if codec.startswith("utf-32") else _BOMS:
        if content.startswith(mark) and (codec.startswith("utf-") or mark == codecs.BOM_UTF8):
            content, codec = content[len(mark) :], marked_codec
            break
    return codecs.getincrementaldecoder(codec)("replace").decode(content, final)


def decode_fallback(content: bytes) -> str:
    """Text without a usable label, as in header fields: UTF-8, else windows-1252."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def decode_labelled(content: bytes, label: str) -> str:
    """Text with a label that may be wrong, as in an encoded-word."""
    codec = codec_for(label)
    return decode_fallback(content) if codec is None else decode_as(content, codec)


def detect_codec(content: bytes, *, is_cut: bool = False) -> str:
    """The codec of undeclared text: byte order mark, valid UTF-8, else a guess on a sample."""
    for mark, codec in _BOMS:
        if content.startswith(mark):
            return codec
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(content, not is_cut)
    except UnicodeDecodeError as error:
        # The sample starts at the line that shows that it is not UTF-8.
        start = max(content.rfind(b"\n", 0, error.start) + 1, error.start - _SAMPLE // 4, 0)
        return _guess(content[start : start + _SAMPLE])
    return "utf-8"


def _guess(sample: bytes) -> str:
    """The likeliest codec; windows-1252 where nothing is likelier."""
    matches = from_bytes(sample, cp_isolation=_DETECTABLE)
    best = matches.best()
    if best is None:
        return _UNUSABLE_CODEC
    alike = {
        encoding
        for match in matches
        if (match.chaos, match.coherence) == (best.chaos, best.coherence)
        for encoding in match.could_be_from_charset
    }
    return "cp1252" if "cp1252" in alike else codec_for(best.encoding) or "cp1252"


def believed_codec(content: bytes, codec: str, *, is_cut: bool = False) -> str:
    """The codec that a label names, or a better one where the octets contradict the label.

    UTF-8 is believed before a label of one octet a character, since other text is hardly ever valid
    UTF-8 by chance; other labels only when the octets do not fit them. Damaged UTF-8 stays UTF-8.
    """
    if codec.startswith(("utf-16", "utf-32")):
        looks_wide = b"\0" in content or content.startswith(
            (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        )
        return codec if looks_wide or not _is_utf8(content, is_cut=is_cut) else "utf-8"
    if content.isascii() or codec in _EBCDIC:
        return codec
    if codec == "utf-8":
        text = content.decode("utf-8", "replace")
        broken = text.count("\ufffd")
        sound = len(text) - len(text.encode("ascii", "ignore")) - broken
        return detect_codec(content, is_cut=is_cut) if broken > sound else codec
    if codec not in _SINGLE_OCTET and _fits(content, codec, is_cut=is_cut):
        return codec
    return "utf-8" if _is_utf8(content, is_cut=is_cut) else codec


def _is_utf8(content: bytes, *, is_cut: bool) -> bool:
    return _fits(content, "utf-8", is_cut=is_cut)


def _fits(content: bytes, codec: str, *, is_cut: bool) -> bool:
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(content, not is_cut)
    except UnicodeDecodeError:
        return False
    return True
