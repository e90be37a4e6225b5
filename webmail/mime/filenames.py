"""File names that a message states, made safe to store, to send in a header and to show."""

import re
import unicodedata
from typing import Final

_LONGEST: Final = 150  # UTF-8 octets
_LONGEST_EXTENSION: Final = 20  # UTF-8 octets, with the dot
# Controls, surrogates, line separators, bidirectional marks and controls, Windows' own characters.
_REPLACED: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"
    '<>:"/\\\\|?*]'
)
_BIDI: Final = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_SEPARATORS: Final = re.compile(r"[/\\:]")
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)", re.IGNORECASE
)
_DOUBLE_EXTENSION: Final = re.compile(r"\.[^.\s]{1,10}\s*\.([A-Za-z0-9_\-]{1,12})$")
_ENDINGS: Final = """
    ade adp apk app appref-ms bat chm cmd com command cpl desktop dll dmg exe gadget hta htm
    html img inf ins iso jar js jse jnlp lnk mde msc msi msp mst msix pif ps1 ps2 reg scf scr
    sct sh shb svg sys url vb vbe vbs vhd vhdx ws wsc wsf wsh xll
"""
_EXECUTABLE: Final = frozenset(_ENDINGS.split())


def safe_filename(name: str | None, *, path: str = "1") -> str:
    """A base name for a stated file name; `part-<path>.bin` when nothing is left of it.

    At most 150 UTF-8 octets with the extension kept; no directories, controls, bidirectional marks
    or characters special to a file system; never hidden, never a Windows device.
    """
    last = _SEPARATORS.split(name or "")[-1]
    clean = _REPLACED.sub("_", unicodedata.normalize("NFC", last))
    clean = _trim(clean)
    if _RESERVED.match(clean):
        clean = f"_{clean}"
    clean = _trim(_shorten(clean))
    if clean.strip("_. ") == "":
        return f"part-{path or '0'}.bin"
    return clean


def is_deceptive_filename(name: str) -> bool:
    """Does the stated name hide what the file is: bidirectional marks, or `.pdf.exe`?"""
    if _BIDI.search(name):
        return True
    found = _DOUBLE_EXTENSION.search(name.rstrip(" ."))
    return found is not None and found[1].lower() in _EXECUTABLE


def _trim(name: str) -> str:
    return name.strip(" ").lstrip(". ").rstrip(". ")


def _shorten(name: str) -> str:
    if len(name.encode()) <= _LONGEST:
        return name
    stem, dot, extension = name.rpartition(".")
    tail = f".{extension}" if dot else ""
    if not stem or len(tail.encode()) > _LONGEST_EXTENSION:
        stem, tail = name, ""
    room = _LONGEST - len(tail.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + tail
