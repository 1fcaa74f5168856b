"""Lists of JOS: pages, and windows of time cut so that JD accepts them and page numbers stay low."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.sdk import PluginLog, Unavailable, Window
from plugins.jd.answers import raise_for_failure
from plugins.jd.calls import Gateway
from plugins.jd.errors import AnswerUnreadable, PayloadInvalid
from plugins.jd.fields import Fields
from plugins.jd.paging import Page, Pages, Row
from plugins.jd.times import wire_time

# JD's advice: roll the window, keep page numbers low; pages far back return nothing.
_LOW_PAGES = 20
_PAGE_CAP = 100
_SECOND = timedelta(seconds=1)


class IncompleteListing(Unavailable):
    """More rows fall into one second than JD's pages can show."""

    code = "jd.listing_incomplete"


@dataclass(frozen=True, slots=True)
class Listing:
    """How one list method is asked: `business(start, end, page)` makes its parameters, times as JD writes them.

    `holder` is the key under which the result stands inside the method root, `rows` and `total` name its list and count. `longest` is
    JD's cap for one window, `key` tells two states of a row apart.
    """

    method: str
    holder: str
    rows: str
    total: str
    size: int
    longest: timedelta
    key: Callable[[Row], Hashable]
    business: Callable[[str, str, int], Mapping[str, Any]]

    def _page(self, gateway: Gateway, business: Mapping[str, Any]) -> Page:
        result = Fields(gateway.read(self.method, business)).child(self.holder)
        if not result.values:
            raise AnswerUnreadable("JD's answer lacks its result.", method=self.method)
        raise_for_failure(result.values, self.holder)
        rows = [entry.values for entry in result.children(self.rows)]
        total = result.text(self.total, "0")
        if not total.isdecimal():
            raise PayloadInvalid("A number of rows is needed here.", field=result.at(self.total))
        return Page(rows, int(total))

    def _pages(self, gateway: Gateway, log: PluginLog, start: str, end: str) -> tuple[Page, Pages]:
        def fetch(number: int) -> Page:
            return self._page(gateway, self.business(start, end, number))

        def short(number: int, missing: int) -> None:
            log.warning("jd.page_short", method=self.method, start=start, end=end, page=number, missing=missing)

        return fetch(1), Pages(fetch, size=self.size, key=self.key, short=short)

    def everything(self, gateway: Gateway, log: PluginLog) -> Iterator[Row]:
        """Every row of a list that has no window. Raises: as `over`."""
        first, pages = self._pages(gateway, log, "", "")
        yield from pages.rows(first)

    def over(self, gateway: Gateway, log: PluginLog, window: Window) -> Iterator[Row]:
        """Every row of the window, in no promised order; a row that changed meanwhile may come in both states.

        Windows with too many rows are halved until they fit on low page numbers; neighbours share their boundary second.
        Raises: IncompleteListing - one second holds more rows than JD shows; AnswerUnreadable - a result is missing; PayloadInvalid -
        list or count are of a wrong type; else as `Gateway.read`.
        """
        seen: set[Hashable] = set()
        waiting = list(reversed(_pieces(window, self.longest)))
        while waiting:
            piece = waiting.pop()
            first, pages = self._pages(gateway, log, wire_time(piece.start), wire_time(piece.end))
            halves = _halves(piece) if first.total > _LOW_PAGES * self.size else ()
            if halves:
                waiting.extend(reversed(halves))
                continue
            if first.total > _PAGE_CAP * self.size:
                raise IncompleteListing(total=first.total)
            for row in pages.rows(first):
                key = self.key(row)
                if key not in seen:
                    seen.add(key)
                    yield row


def _halves(window: Window) -> tuple[Window, ...]:
    seconds = int((window.end - window.start) / _SECOND)
    if seconds < 2:
        return ()
    middle = window.start + timedelta(seconds=seconds // 2)
    return Window(window.start, middle), Window(middle, window.end)


def _pieces(window: Window, longest: timedelta) -> list[Window]:
    pieces: list[Window] = []
    start: datetime = window.start
    while window.end - start > longest:
        pieces.append(Window(start, start + longest))
        start += longest
    return [*pieces, Window(start, window.end)]
