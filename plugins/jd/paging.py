"""Reading a paged list while its rows move, without losing one.

The list is asked for oldest change first. While it is read, orders change: they leave their place (those behind them move up by
one) and come back at the end or drop out of the window. Pages are therefore read from the last to the first: what moves up moves
towards the pages that are still to be read, so a row can be met twice but not be jumped over. What came back at the end is met by
reading the end once more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

_TRIES = 4
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Page:
    """One page as JD gave it: its rows, and how many rows the whole list had at that moment."""

    rows: list[Row]
    total: int


class Pages:
    """A list read in pages of `size`; `fetch(n)` gets page n, from 1; `key` tells two states of a row apart."""

    def __init__(
        self, fetch: Callable[[int], Page], *, size: int, key: Callable[[Row], Hashable], short: Callable[[int, int], None]
    ) -> None:
        self._fetch = fetch
        self._size = size
        self._key = key
        self._short = short
        self._seen: set[Hashable] = set()
        self._total = 0

    def _last(self) -> int:
        return -(-self._total // self._size)

    def _complete(self, number: int, first: Page | None) -> list[Row]:
        """The rows of one page, asked for again while it holds fewer than its own total promises."""
        rows: dict[Hashable, Row] = {}
        for attempt in range(_TRIES):
            page = first if first is not None and attempt == 0 else self._fetch(number)
            rows.update((self._key(row), row) for row in page.rows)
            self._total = page.total
            promised = min(self._size, max(0, page.total - (number - 1) * self._size))
            if len(rows) >= promised:
                break
        else:
            # A count that stays wrong is the vendor's; the reconciliation by creation day looks again.
            self._short(number, promised - len(rows))
        return list(rows.values())

    def _new(self, number: int, first: Page | None = None) -> list[Row]:
        fresh = []
        for row in self._complete(number, first):
            key = self._key(row)
            if key not in self._seen:
                self._seen.add(key)
                fresh.append(row)
        return fresh

    def rows(self, first: Page) -> Iterator[Row]:
        """Every row, once per state; `first` is page 1 as already read, to learn the total."""
        self._total = first.total
        last = self._last()
        if last <= 1:
            yield from self._new(1, first)
            return
        for number in range(last, 0, -1):
            yield from self._new(number)
        for _ in range(_ROUNDS):
            number, moved = self._last(), False
            while number >= 1 and (fresh := self._new(number)):
                moved = True
                yield from fresh
                number -= 1
            if not moved:
                return
