"""Which Python codec reads text with a charset label: an allow-list, never Python's own registry.

First the labels of the WHATWG Encoding Standard §4.2 as far as Python has the codec, then Python's
other text encodings under the names Python gives them. The registry also offers `utf-7`,
`unicode_escape`, `zlib` and other codecs that a sender must not be able to choose.
"""

import re
from encodings.aliases import aliases
from typing import Final

# Python codec → WHATWG labels. `windows-1252` answers for Latin-1 as in the standard, since mail
# that says iso-8859-1 often holds its quotation marks and dashes.
LABELS: Final[dict[str, str]] = {
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
# Labels that mail carries beside those of the standard.
_SEEN: Final[dict[str, str]] = {
    "utf-8": "utf8mb4 cp65001 unicode-2-0-utf-8",
    "gb18030": "euc-cn gb18030-2000 gb18030-2022 windows-936",
    "cp949": "uhc ks_c_5601 windows-51949",
    "cp932": "windows-932",
    "big5hkscs": "cp950 windows-950 big5-eten",
    "utf-32-le": "utf-32le utf-32 iso-10646-ucs-4 ucs-4",
    "utf-32-be": "utf-32be",
    "mac-latin2": "x-mac-ce x-mac-centraleurroman",
    "cp1252": "windows-latin1 ansi",
}
# Text encodings of Python outside the standard: DOS, EBCDIC, Macintosh, wider Japanese, UTF-32.
_OTHER_CODECS: Final = frozenset(
    """
    cp037 cp1006 cp1026 cp1125 cp1140 cp273 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855
    cp856 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp869 cp875 euc_jis_2004 euc_jisx0213
    hp_roman8 iso2022_jp_2004 iso2022_jp_3 johab koi8_t kz1048 mac_arabic mac_croatian mac_farsi
    mac_greek mac_iceland mac_latin2 mac_romanian mac_turkish ptcp154 shift_jis_2004 shift_jisx0213
    """.split()  # noqa: SIM905 - a list of words is read as one
)
# ASCII says nothing about octets above 127: such text is read like undeclared text.
ASCII_LABELS: Final = frozenset(
    {"us-ascii", "ascii", "ansi_x3.4-1968", "iso-ir-6", "iso646-us", "us", "cp367"}
)
_NOISE: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 80  # characters of a label


def _loose(label: str) -> str:
    return _NOISE.sub("", label)


def _table() -> dict[str, str]:
    """Label without its punctuation → codec; the standard's meaning wins."""
    table: dict[str, str] = {}
    for codec, labels in (*LABELS.items(), *_SEEN.items()):
        for label in labels.split():
            table.setdefault(_loose(label), codec)
    for codec in _OTHER_CODECS:
        table.setdefault(_loose(codec), codec)
    for alias, codec in aliases.items():
        if codec in _OTHER_CODECS:
            table.setdefault(_loose(alias), codec)
    return table


_CODEC_OF: Final = _table()
CODECS: Final = frozenset(_CODEC_OF.values())


def codec_for(label: str | None) -> str | None:
    """The Python codec of a charset label, or None when it is absent, unknown or plain ASCII.

    Case, punctuation, a repeated `charset=`, `x-` in front and `//translit` behind do not matter.
    """
    if not label:
        return None
    text = label[:_LONGEST].lower().partition("//")[0].partition(";")[0]
    loose = _loose(text.rpartition("charset=")[2])
    return _CODEC_OF.get(loose) or _CODEC_OF.get(loose.removeprefix("x"))


def is_ascii_label(label: str) -> bool:
    """Is the label one of the names of US-ASCII?"""
    return label.strip(" \t\"'").lower() in ASCII_LABELS
