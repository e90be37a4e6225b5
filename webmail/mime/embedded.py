"""Files that stand inside the body of a part: uuencode and yEnc in text, TNEF.

They are made into parts of their own: `Part.content` holds their octets, their offsets are those of
the part that holds them, and their path is its path, a plus sign and their number.
"""

import mimetypes
import re
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Final

from webmail.mime import uuencoded, yenc
from webmail.mime.charset import decode_fallback
from webmail.mime.filenames import is_deceptive_filename, safe_filename
from webmail.mime.headers import Headers
from webmail.mime.parts import Flag, Message, Part
from webmail.mime.tnef import LONGEST, read_tnef
from webmail.mime.transfer import decode
from webmail.mime.uuencoded import FoundFile

MOST_FILES: Final = 100  # in one part
MARK: Final = "+"  # between the path of a part and the number of a file inside it
_TNEF_TYPES: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_TNEF_NAMES: Final = frozenset({"winmail.dat", "win.dat"})
_NO_HEADERS: Final = Headers()
_TYPE: Final = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,64}")
_OPENING: Final = re.compile(
    b"|".join((uuencoded.OPENING.pattern, yenc.OPENING.pattern)), re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a part holds beside its own content."""

    files: tuple[Part, ...] = ()
    bodies: tuple[Part, ...] = ()  # the text of TNEF: plain, else HTML
    is_cut: bool = False  # more than MOST_FILES
    is_damaged: bool = False  # something could not be read to its end
    is_too_large: bool = False  # nothing was read

    @property
    def is_whole(self) -> bool:
        """Was everything taken out, so that the part itself need not be listed?"""
        return bool(self.files or self.bodies) and not self.is_cut and not self.is_damaged


_NOTHING: Final = Embedded()
_TOO_LARGE: Final = Embedded(is_too_large=True)


def may_hold_files(part: Part) -> bool:
    """Is the part text to read, so that files in it are attachments rather than its content?"""
    is_text = part.content_type == "text/plain" and part.content is None
    return is_text and part.filename is None and part.disposition in {None, "inline"}


def files_in_text(content: bytes) -> list[FoundFile]:
    """The uuencoded and yEnc files of a decoded text, in order, at most MOST_FILES."""
    found: list[FoundFile] = []
    if b"begin" not in content:
        return found
    at = 0
    while len(found) < MOST_FILES and (opening := _OPENING.search(content, at)) is not None:
        file = _read(content, opening)
        if file is not None:
            found.append(file)
        at = opening.end() if file is None else max(file.end, opening.end())
    return found


def _read(content: bytes, opening: re.Match[bytes]) -> FoundFile | None:
    if (start := yenc.OPENING.match(content, opening.start())) is not None:
        return yenc.read_yenc(content, start)
    start = uuencoded.OPENING.match(content, opening.start())
    return None if start is None else uuencoded.read_uuencoded(content, start)


def without_files(content: bytes) -> bytes:
    """A decoded text without the files in it."""
    files = files_in_text(content)
    if not files:
        return content
    pieces = []
    at = 0
    for file in files:
        pieces.append(content[at : file.start])
        at = file.end
    return b"".join([*pieces, content[at:]])


def is_tnef_part(part: Part) -> bool:
    """Does the part say that it is TNEF?"""
    if part.children or part.content is not None:
        return False
    return part.content_type in _TNEF_TYPES or (part.filename or "").lower() in _TNEF_NAMES


def embedded_in(message: Message, part: Part) -> Embedded:
    """The files inside a part; never raises. Linear in the length of its body."""
    if part.children or part.content is not None:
        return _NOTHING
    if may_hold_files(part):
        found = files_in_text(_content(message, part))
        files = tuple(
            _part(part, number, name=decode_fallback(file.name), content=file.content)
            for number, file in enumerate(found, 1)
        )
        return Embedded(
            tuple(
                replace(made, flags=made.flags | {Flag.DAMAGED_FILE}) if file.is_damaged else made
                for made, file in zip(files, found, strict=True)
            ),
            is_cut=len(found) >= MOST_FILES,
            is_damaged=any(file.is_damaged for file in found),
        )
    if not is_tnef_part(part):
        return _NOTHING
    # Base64 makes four octets of three; a longer part is not worth a decoding.
    if part.end - part.body_start > LONGEST * 3 // 2:
        return _TOO_LARGE
    content = _content(message, part)
    return _TOO_LARGE if len(content) > LONGEST else _in_tnef(part, content)


def find_part(message: Message, path: str) -> Part:
    """The part with that path, files inside parts included; KeyError when there is none."""
    holder, mark, number = path.rpartition(MARK)
    if not mark:
        return message.part(path)
    embedded = embedded_in(message, message.part(holder))
    for part in (*embedded.files, *embedded.bodies):
        if part.path == path:
            return part
    raise KeyError(number)


def _in_tnef(part: Part, content: bytes) -> Embedded:
    found = read_tnef(content)
    files = [
        _part(
            part,
            number,
            name=file.name or ("message.dat" if file.is_message else None),
            content=file.content,
            content_type="application/ms-tnef" if file.is_message else file.content_type,
            content_id=file.content_id or None,
        )
        for number, file in enumerate(found.files, 1)
    ]
    bodies: list[Part] = []
    for text, content_type in ((found.text, "text/plain"), (found.html, "text/html")):
        if text.strip() and not bodies:
            octets = text.encode("utf-8", "replace")
            body = _part(part, 0, name=None, content=octets, content_type=content_type)
            bodies.append(replace(body, parameters=MappingProxyType({"charset": "utf-8"})))
    return Embedded(tuple(files), tuple(bodies), found.is_cut, found.is_damaged)


def _part(
    holder: Part,
    number: int,
    *,
    name: str | None,
    content: bytes,
    content_type: str = "",
    content_id: str | None = None,
) -> Part:
    path = f"{holder.path}{MARK}{number}"
    filename = safe_filename(name, path=path) if name else None
    if not _TYPE.fullmatch(content_type):
        content_type = _types().guess_type(filename or "")[0] or "application/octet-stream"
    return replace(
        holder,
        path=path,
        content_type=content_type,
        parameters=MappingProxyType({}),
        headers=_NO_HEADERS,
        transfer_encoding="binary",
        disposition=None,
        disposition_parameters=MappingProxyType({}),
        content_id=content_id,
        filename=filename,
        flags=frozenset({Flag.DECEPTIVE_FILENAME} if is_deceptive_filename(name or "") else ()),
        content=content,
    )


@cache
def _types() -> mimetypes.MimeTypes:
    """The table of the standard library alone: the machine's own would differ."""
    return mimetypes.MimeTypes()


def _content(message: Message, part: Part) -> bytes:
    return decode(message.raw[part.body_start : part.end], part.transfer_encoding)
