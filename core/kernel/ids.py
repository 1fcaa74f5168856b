"""Identifiers: UUID version 7 (RFC 9562), ordered by the millisecond they were made in."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A new UUIDv7, strictly increasing within this process.

    Bulk inserts make their ids here so that parents and children are linked without a round trip.
    Source: RFC 9562, section 5.7, with the 12 bits of `rand_a` as a counter (method 3).
    """
    global _last
    noise = int.from_bytes(os.urandom(9))
    ticks = time.time_ns() // 1_000_000 << 12 | (noise & 0xFF) << 2
    with _lock:
        _last = max(ticks, _last + 1)
        ticks = _last
    value = (ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62
    return UUID(int=value | noise >> 8 & (1 << 62) - 1)


def parse_id(text: object) -> UUID | None:
    """The UUID that `text` spells, or None when it spells none."""
    if isinstance(text, UUID):
        return text
    try:
        return UUID(str(text))
    except ValueError:
        return None
