"""The body of a request to a simulator, whatever its head claims about it. Imports nothing but the standard library."""

from __future__ import annotations

from email.message import Message
from io import BufferedIOBase

# What is too long is read and thrown away, so that the client gets to see the answer; beyond this it is not worth the time.
LONGEST_DRAINED = 512 * 1024 * 1024
_PIECE = 1024 * 1024


class BodyRefused(ValueError):
    """The body is too long, or its length cannot be told."""


def body_of(headers: Message, stream: BufferedIOBase, *, longest: int) -> bytes:
    """The body, sent with a length or in chunks, at most `longest` bytes; empty when there is none.

    Raises: BodyRefused - nothing sensible can follow on the connection then.
    """
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower():
        return _chunked(stream, longest)
    text = (headers.get("Content-Length") or "0").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BodyRefused(text[:40])
    length = int(text)
    if length > longest:
        _drain(stream, length)
        raise BodyRefused(text)
    return stream.read(length)


def _drain(stream: BufferedIOBase, length: int) -> None:
    left = length if length <= LONGEST_DRAINED else 0
    while left and (piece := stream.read(min(left, _PIECE))):
        left -= len(piece)


def _chunked(stream: BufferedIOBase, longest: int) -> bytes:
    parts: list[bytes] = []
    total = 0
    while length := _chunk_length(stream):
        total += length
        if total > longest:
            _drain(stream, length)
            raise BodyRefused(str(total))
        parts.append(stream.read(length))
        stream.readline(1024)
    # Trailers may follow the last chunk, up to the empty line.
    while stream.readline(1024).strip():
        pass
    return b"".join(parts)


def _chunk_length(stream: BufferedIOBase) -> int:
    text = stream.readline(64).split(b";")[0].strip()
    try:
        length = int(text, 16)
    except ValueError as error:
        raise BodyRefused(repr(text)) from error
    if length < 0:
        raise BodyRefused(repr(text))
    return length
