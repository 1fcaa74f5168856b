"""Paging over a list whose rows move."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.jd.paging import Page, Pages

SIZE = 3


class MovingList:
    """Rows by oldest change; after each page that is read, the next of `moves` happens."""

    def __init__(self, count: int, moves: list[tuple[str, int]]) -> None:
        self.rows = [(name, 0) for name in range(count)]
        self.moves = list(moves)
        self.moved: set[int] = set()
        self.tick = 0
        self.fetched: list[int] = []

    def fetch(self, number: int) -> Page:
        self.fetched.append(number)
        page = [{"id": name, "change": change} for name, change in self.rows[(number - 1) * SIZE : number * SIZE]]
        total = len(self.rows)
        if self.moves and self.rows:
            kind, place = self.moves.pop(0)
            name, _ = self.rows.pop(place % len(self.rows))
            self.moved.add(name)
            self.tick += 1
            if kind == "to the end":
                self.rows.append((name, self.tick))
        return Page(page, total)


def read(rows: MovingList, short: list[tuple[int, int]]) -> list[Any]:
    pages = Pages(
        rows.fetch, size=SIZE, key=lambda row: (row["id"], row["change"]), short=lambda page, missing: short.append((page, missing))
    )
    return list(pages.rows(rows.fetch(1)))


@given(st.integers(0, 20), st.lists(st.tuples(st.sampled_from(["to the end", "out of the window"]), st.integers(0, 50)), max_size=15))
@settings(max_examples=500, deadline=None)
def test_pages_miss_no_row_that_stood_still_when_others_move(count, moves):
    rows = MovingList(count, moves)
    short: list[tuple[int, int]] = []

    seen = {row["id"] for row in read(rows, short)}

    assert seen >= set(range(count)) - rows.moved
    assert short == []


@given(st.integers(4, 20), st.integers(0, 50))
@settings(deadline=None)
def test_pages_bring_a_row_that_went_to_the_end_when_it_moves_while_paging(count, place):
    rows = MovingList(count, [("to the end", place)])

    assert {row["id"] for row in read(rows, [])} == set(range(count))


def test_pages_read_the_list_once_when_it_fits_on_one_page():
    rows = MovingList(3, [])

    assert [row["id"] for row in read(rows, [])] == [0, 1, 2]
    assert rows.fetched == [1]


def test_pages_ask_again_when_a_page_holds_less_than_it_promises():
    answers = [Page([{"id": 1}], 2), Page([{"id": 2}], 2)]
    short: list[Any] = []
    pages = Pages(lambda _number: answers.pop(0), size=SIZE, key=lambda row: row["id"], short=lambda *shortage: short.append(shortage))

    assert list(pages.rows(answers.pop(0))) == [{"id": 1}, {"id": 2}]
    assert short == []


def test_pages_go_on_and_say_so_when_a_row_stays_away():
    asked: list[int] = []
    short: list[Any] = []

    def fetch(number: int) -> Page:
        asked.append(number)
        return Page([{"id": 1}], 2)

    pages = Pages(fetch, size=SIZE, key=lambda row: row["id"], short=lambda *shortage: short.append(shortage))

    assert list(pages.rows(fetch(1))) == [{"id": 1}]
    assert (asked, short) == ([1, 1, 1, 1], [(1, 1)])
