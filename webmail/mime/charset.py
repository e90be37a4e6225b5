"""Charset labels to Python codecs, by an allow-list, and decoding that never raises.

Labels follow the WHATWG Encoding Standard §4.2 as far as Python has the codec. Anything that is not
in the table is unknown: Python's own registry is never asked, because it also offers `utf-7`,
`unicode_escape`, `zlib` and other codecs that a sender must not be able to choose.
"""

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

# Python codec → WHATWG labels. `windows-1252` answers for Latin-1 as in the standard, since mail
# that says iso-8859-1 often holds its quotation marks and dashes.
_LABELS: Final[dict[str, str]] = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    "cp866": "ibm866 866 cp866 csibm866",
    "iso8859-2": "iso-8859-2 csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987"
    " l2 latin2",
    "iso8859-3": "iso-8859-3 csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988"
    " l3 latin3",
    "iso8859-4": "iso-8859-4 csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988"
    " l4 latin4",
    "iso8859-5": "iso-8859-5 csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5"
    " iso_8859-5:1988",
    "iso8859-6": "iso-8859-6 arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114"
    " iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso8859-7": "iso-8859-7 csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7"
    " iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek",
    "iso8859-8": "iso-8859-8 csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8"
    " iso88598 iso_8859-8 iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical",
    "iso8859-10": "iso-8859-10 csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859-15": "iso-8859-15 csisolatin9 iso8859-15 iso885915 iso_8859-15 l9 latin9",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "koi8-r cskoi8r koi koi8 koi8_r",
    "koi8-u": "koi8-u koi8-ru",
    "mac-roman": "macintosh csmacintosh mac x-mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "cp874": "windows-874 dos-874 iso-8859-11 iso8859-11 iso885911 tis-620",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251",
    "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso88591 iso_8859-1"
    " iso_8859-1:1987 iso-ir-100 csisolatin1 l1 latin1 cp819 ibm819",
    "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 iso_8859-9"
    " iso_8859-9:1989 iso-ir-148 csisolatin5 l5 latin5",
    "cp1255": "windows-1255 cp1255 x-cp1255",
    "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257",
    "cp1258": "windows-1258 cp1258 x-cp1258",
    "gb18030": "gb18030 gbk gb2312 gb_2312 gb_2312-80 chinese csgb2312 csiso58gb231280 iso-ir-58"
    " x-gbk cp936",
    "hz": "hz-gb-2312",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc_jp": "euc-jp cseucpkdfmtjapanese x-euc-jp",
    "iso2022_jp_ext": "iso-2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-2",
    "cp932": "shift_jis shift-jis sjis x-sjis csshiftjis ms932 ms_kanji windows-31j cp932",
    "cp949": "euc-kr cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601"
    " ksc_5601 windows-949 cp949",
    "iso2022_kr": "iso-2022-kr csiso2022kr",
    "utf-16-be": "utf-16be unicodefffe",
    "utf-16-le": "utf-16le utf-16 csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff",
}
_CODEC_OF: Final = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
# ASCII says nothing about octets above 127: such text is read like undeclared text.
_ASCII_LABELS: Final = frozenset(
    {"us-ascii", "ascii", "ansi_x3.4-1968", "iso-ir-6", "iso646-us", "us", "cp367"}
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


def codec_for(label: str | None) -> str | None:
    """The Python codec of a charset label, or None when it is absent, unknown or plain ASCII."""
    if not label:
        return None
    return _CODEC_OF.get(label.strip(" \t\r\n\f\"'").lower())


def is_ascii_label(label: str) -> bool:
    """Is the label one of the names of US-ASCII?"""
    return label.strip(" \t\"'").lower() in _ASCII_LABELS


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
    for mark, marked_codec in _BOMS:
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
        best = from_bytes(content[start : start + _SAMPLE], cp_isolation=_DETECTABLE).best()
        if best is None:
            return _UNUSABLE_CODEC
        return codec_for(best.encoding.replace("_", "-")) or codec_for(best.encoding) or "cp1252"
    return "utf-8"
