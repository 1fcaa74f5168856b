"""What kind of file some bytes are, by the bytes alone: names and what a sender says are claims.

Everything that could run in a browser (HTML, SVG, scripts) counts as plain text or as unknown.
"""

from __future__ import annotations

UNKNOWN, PLAIN = "application/octet-stream", "text/plain"
#: Pictures that are a plain grid of dots: safe to show on a page.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_OFFICE: tuple[tuple[bytes, str], ...] = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_LOOK = 4096


def media_type_of(data: bytes) -> str:
    """The media type of a file's bytes; unknown ones are `application/octet-stream`."""
    known = next((kind for beginning, kind in _BEGINNINGS if data.startswith(beginning)), None)
    if known is not None:
        return known
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"PK\x03\x04"):
        return _packed(data)
    return PLAIN if _is_text(data) else UNKNOWN


def _packed(data: bytes) -> str:
    """A packed folder; office documents are such, and say in the list at their end what they hold."""
    if b"[Content_Types].xml" in data[:_LOOK] or b"[Content_Types].xml" in data[-_LOOK:]:
        return next((kind for part, kind in _OFFICE if part in data[:_LOOK] or part in data[-_LOOK:]), "application/zip")
    return "application/zip"


def _is_text(data: bytes) -> bool:
    if b"\x00" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
