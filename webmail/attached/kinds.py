"""What can be shown of a file: decided by its first octets, its stated type and its name."""

from typing import Final, Literal

Kind = Literal["picture", "pdf", "text", "calendar", "contacts", "message", ""]

_TEXT_TYPES: Final = frozenset(
    {"text/plain", "text/csv", "text/markdown", "text/x-log", "text/x-patch", "text/x-diff",
     "text/tab-separated-values", "text/rfc822-headers", "application/json"}
)  # fmt: skip
_TEXT_ENDINGS: Final = frozenset(
    {"txt", "csv", "tsv", "md", "log", "json", "diff", "patch", "ini", "yaml", "yml"}
)
_PICTURE_ENDINGS: Final = frozenset(
    {"png", "gif", "jpg", "jpeg", "jpe", "webp", "avif", "bmp", "tif", "tiff"}
)
_MAGIC: Final = (
    b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*",
)  # fmt: skip
_GENERIC: Final = frozenset({"application/octet-stream", ""})


def kind_of(content_start: bytes, *, content_type: str, filename: str) -> Kind:
    """Return how the file is shown; "" for only by downloading.

    A type or name that says picture or PDF counts only if the octets (64 are enough) agree; files
    that claim to be something else are never taken for one.
    """
    ending = filename.rpartition(".")[2].lower() if "." in filename else ""
    is_generic = content_type in _GENERIC
    claims_picture = content_type.startswith("image/") and content_type != "image/svg+xml"
    if claims_picture or (is_generic and ending in _PICTURE_ENDINGS):
        return "picture" if _is_picture(content_start) else ""
    if content_type == "application/pdf" or (is_generic and ending == "pdf"):
        return "pdf" if b"%PDF-" in content_start[:1024] else ""
    if content_type in {"text/calendar", "application/ics"} or (is_generic and ending == "ics"):
        return "calendar"
    if content_type in {"text/vcard", "text/x-vcard", "text/directory"} or (
        is_generic and ending == "vcf"
    ):
        return "contacts"
    if content_type == "message/rfc822":
        return "message"
    if content_type in _TEXT_TYPES or (is_generic and ending in _TEXT_ENDINGS):
        return "" if b"\0" in content_start else "text"
    return ""


def _is_picture(start: bytes) -> bool:
    return (
        start.startswith(_MAGIC)
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or (start[4:8] == b"ftyp" and start[8:12] in {b"avif", b"avis"})
    )
