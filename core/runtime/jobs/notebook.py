"""What a working process writes down while it works, in memory that its supervisor keeps when it dies.

Whoever takes its place reads there what was under way, and gives it back at once instead of waiting for leases to run out.
"""

from __future__ import annotations

import json
import mmap
import struct
from dataclasses import dataclass
from typing import Any

_LENGTH = struct.Struct("I")
MESSAGE_BYTES = 512 * 1024
CALL_BYTES = 64 * 1024


class Page:
    """One JSON value in memory that survives the fork. Too large a value is not kept: the page is blank then."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._memory = mmap.mmap(-1, size)

    def write(self, value: Any) -> None:
        """Replace what is written. A process that is killed while it writes leaves a blank page."""
        self.erase()
        text = json.dumps(value, separators=(",", ":")).encode()
        if len(text) + _LENGTH.size <= self._size:
            self._memory[_LENGTH.size : _LENGTH.size + len(text)] = text
            _LENGTH.pack_into(self._memory, 0, len(text))

    def erase(self) -> None:
        """Make it blank."""
        _LENGTH.pack_into(self._memory, 0, 0)

    def read(self) -> Any:
        """What is written; None when blank."""
        length = _LENGTH.unpack_from(self._memory, 0)[0]
        return json.loads(self._memory[_LENGTH.size : _LENGTH.size + length]) if length else None


@dataclass(frozen=True, slots=True)
class Remains:
    """What a working process was doing when it ended: the message it had, and the call it was in; None where there was none."""

    message: Any
    call: Any


class Notebook:
    """The two pages of one working process: the message that it works through, and the one call of somebody's code it is in."""

    def __init__(self) -> None:
        self.message = Page(MESSAGE_BYTES)
        self.call = Page(CALL_BYTES)

    def remains(self) -> Remains | None:
        """What is written, read after the process has ended; None when it was not at work."""
        found = Remains(self.message.read(), self.call.read())
        return None if found.message is None and found.call is None else found

    def clear(self) -> None:
        """Make all pages blank."""
        self.message.erase()
        self.call.erase()
