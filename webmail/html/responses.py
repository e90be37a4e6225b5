"""Header fields of the answers that carry mail: the message frame and its parts."""

import re
import unicodedata
from urllib.parse import quote

from webmail.html.rasters import raster_type

_FRAME_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; font-src 'none'; "
    "script-src 'none'; object-src 'none'; frame-src 'none'; connect-src 'none'; "
    "media-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_PART_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
OCTET_STREAM = "application/octet-stream"
INLINE_IMAGES = frozenset({"image/png", "image/gif", "image/jpeg", "image/webp", "image/avif"})
_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
# Types a browser hands to another program or draws without running anything.
ALLOWED_TYPES = INLINE_IMAGES | {
    "text/plain",
    "text/csv",
    "text/calendar",
    "text/vcard",
    "message/rfc822",
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/x-7z-compressed",
    "application/rtf",
    "application/json",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    f"{_OFFICE}wordprocessingml.document",
    f"{_OFFICE}spreadsheetml.sheet",
    f"{_OFFICE}presentationml.presentation",
    f"{_OPEN_DOCUMENT}text",
    f"{_OPEN_DOCUMENT}spreadsheet",
    f"{_OPEN_DOCUMENT}presentation",
    "application/pkcs7-mime",
    "application/pkcs7-signature",
    "application/pkix-cert",
    "application/pgp-encrypted",
    "application/pgp-keys",
    "application/pgp-signature",
    "image/bmp",
    "image/heic",
    "image/tiff",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/wav",
    "video/mp4",
    "video/mpeg",
    "video/quicktime",
    "video/webm",
}
_TYPE = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,64}")
_UNSAFE_IN_NAME = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff<>:\"/\\|?*]"
)
_LONGEST_NAME = 150  # octets of UTF-8


def frame_headers() -> dict[str, str]:
    """Header fields of the message document. The sandbox never allows scripts."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": _FRAME_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": (
            "camera=(), microphone=(), geolocation=(), clipboard-read=(), clipboard-write=()"
        ),
        "Cache-Control": "private, no-store",
        "X-DNS-Prefetch-Control": "off",
    }


def attachment_headers(
    filename: str, content_type: str, *, inline: bool = False, content_start: bytes = b""
) -> dict[str, str]:
    """Header fields of one part of a message, to be downloaded.

    With `inline` the part is shown in place, but only text/plain and images whose first octets
    (`content_start`, 32 are enough) are of the stated type; all else is still downloaded.
    """
    media_type = allowed_type(content_type)
    shown = inline and (
        media_type == "text/plain"
        or (media_type in INLINE_IMAGES and raster_type(content_start) == media_type)
    )
    disposition = "inline" if shown else "attachment"
    return {
        "Content-Type": "text/plain; charset=utf-8" if media_type == "text/plain" else media_type,
        "Content-Disposition": content_disposition(disposition, filename),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _PART_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }


def allowed_type(content_type: str) -> str:
    """The media type, without parameters, if it is on the list; else application/octet-stream."""
    media_type = content_type.partition(";")[0].strip().lower()
    if _TYPE.fullmatch(media_type) and media_type in ALLOWED_TYPES:
        return media_type
    return OCTET_STREAM


def content_disposition(disposition: str, filename: str) -> str:
    """A Content-Disposition value (RFC 6266) with an ASCII name and a UTF-8 one (RFC 8187)."""
    name = header_filename(filename)
    stem = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    ascii_name = re.sub(r"[^A-Za-z0-9 ._()+,=@-]", "_", stem).strip(" .") or "attachment"
    # RFC 8187 §3.2.1 attr-char, percent-encoded otherwise
    return f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"


def header_filename(filename: str) -> str:
    """The name made safe once more for a header: no controls, no paths, at most 150 octets."""
    name = _UNSAFE_IN_NAME.sub("_", unicodedata.normalize("NFC", filename)).strip(". ")
    if not name:
        return "attachment"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > 16:
        stem, dot, extension = name, "", ""
    room = _LONGEST_NAME - len(f"{dot}{extension}".encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + dot + extension
