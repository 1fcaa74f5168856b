"""Reading long lists that change while they are read, without losing a row.

Taobao lists newest first, so a row that changes while the pages are read jumps to the front, or out of the window, and all
others move. Reading from the last page to the first turns most losses into repetitions (shared reference marketplaces §2.8,
point 6). What it does not cure, rows that come in at the front and pages that are delivered short, is noticed by counting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from plugins.taobao.errors import PlatformFault
from plugins.taobao.wire import Node, rows

# What the platform advises for rows in full, and its most for anything.
PAGE_SIZE, LARGEST_PAGE = 50, 100
# Two passes settle a window that holds still; one that is unsettled after so many is read again later.
LONGEST_PASSES = 8
_MAX_PAGE = 100_000


class Fetch(Protocol):
    """Asks for one page, numbered from 1, and returns the content of the answer."""

    def __call__(self, page_no: int, *, use_has_next: bool) -> Mapping[str, Any]:
        """The answer holds has_next when `use_has_next`, else total_results."""
        ...


@dataclass
class _Pass:
    """What one pass met. `head` are the first page's revisions at its start, `newest` the sort moment of the first row."""

    expected: int
    newest: str
    head: set[tuple[str, str]]
    met: set[str] = field(default_factory=set)
    found_new: bool = False
    is_disturbed: bool = False

    @property
    def is_complete(self) -> bool:
        """As many rows were met as there were at the start, and none came in at the front meanwhile."""
        return len(self.met) >= self.expected and not self.is_disturbed


@dataclass(frozen=True)
class Listing:
    """One list of the platform: `item` is the rows' name in the answer, `key` their id, `sorted_by` what it is sorted by.

    `page_size` is the size of the pages that `fetch` asks for.
    """

    fetch: Fetch
    item: str
    key: str
    sorted_by: str = "modified"
    page_size: int = PAGE_SIZE

    def rows(self) -> Iterator[Node]:
        """Every row that stands in the list throughout, each revision (id and `modified`) once, in no particular order.

        Passes are made until one met all rows, or one after the first brought nothing new (the platform's count is then wrong).
        Raises: PlatformFault - the list did not settle in LONGEST_PASSES; the rows handed out so far are good.
        """
        seen: set[tuple[str, str]] = set()
        for number in range(LONGEST_PASSES):
            one = self._begin()
            for row in self._backward(-(-one.expected // self.page_size)) if one.expected else ():
                revision = self._revision(row)
                one.met.add(revision[0])
                if revision not in seen:
                    seen.add(revision)
                    one.found_new = True
                    one.is_disturbed |= row.text(self.sorted_by) >= one.newest and revision not in one.head
                    yield row
            if one.is_complete or (number and seen and not one.found_new):
                return
        raise PlatformFault(detail="The list kept changing while it was read.")

    def _begin(self) -> _Pass:
        page = self.fetch(1, use_has_next=False)
        first = page_rows(page, self.item)
        newest = max((row.text(self.sorted_by) for row in first), default="")
        return _Pass(Node(page).whole("total_results") or 0, newest, {self._revision(row) for row in first})

    def _backward(self, last: int) -> Iterator[Node]:
        """The rows from the last page to the first; pages that grew beyond the last one since the count come first of all."""
        page = self.fetch(last, use_has_next=True)
        beyond, follow = last, page
        while Node(follow).flag("has_next") and beyond < _MAX_PAGE:
            beyond += 1
            follow = self.fetch(beyond, use_has_next=True)
            yield from page_rows(follow, self.item)
        yield from page_rows(page, self.item)
        for number in range(last - 1, 0, -1):
            yield from page_rows(self.fetch(number, use_has_next=True), self.item)

    def _revision(self, row: Node) -> tuple[str, str]:
        return row.number(f"{self.key}_str", self.key), row.text("modified")


def page_rows(page: Mapping[str, Any], item: str) -> list[Node]:
    """The rows of one page, named `item`; an empty page may leave its list out."""
    return rows({f"{item}s": page.get(f"{item}s")}, item, "")
