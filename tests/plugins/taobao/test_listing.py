from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sdk import Unavailable
from plugins.taobao.listing import PAGE_SIZE, Listing
from tests.plugins.taobao.conftest import connected, last_day


class ChangingList:
    """A list of the platform, newest first, that `change` may alter after each page; `number` counts the calls."""

    def __init__(self, count: int, change: Callable[[ChangingList, int], None] = lambda _list, _number: None) -> None:
        self.entries = [(f"2026-11-10 {place // 3600:02d}:{place // 60 % 60:02d}:{place % 60:02d}", place + 1) for place in range(count)]
        self.change, self.number = change, 0

    def fetch(self, page_no: int, *, use_has_next: bool) -> dict[str, Any]:
        rows = [{"tid": tid, "modified": moment} for moment, tid in sorted(self.entries, reverse=True)]
        start = (page_no - 1) * PAGE_SIZE
        page: dict[str, Any] = {"trades": {"trade": rows[start : start + PAGE_SIZE]}} if rows[start : start + PAGE_SIZE] else {}
        page |= {"has_next": start + PAGE_SIZE < len(rows)} if use_has_next else {"total_results": len(rows)}
        self.number += 1
        self.change(self, self.number)
        return page

    def leaves(self, place: int) -> None:
        """The row at `place` changes after the window's end, and so leaves it."""
        del self.entries[place]

    def comes_again(self, place: int) -> None:
        """The row at `place` changes within the window, and so jumps to the front."""
        _, tid = self.entries.pop(place)
        self.entries.append((f"2026-11-11 00:00:{self.number % 60:02d}", tid))

    def listing(self) -> Listing:
        return Listing(self.fetch, "trade", "tid")


def met(listing: Listing) -> list[int]:
    return [int(row.number("tid")) for row in listing.rows()]


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 4 * PAGE_SIZE])
def test_rows_come_once_each_when_the_list_holds_still(count):
    changing = ChangingList(count)

    rows = met(changing.listing())

    assert sorted(rows) == list(range(1, count + 1))
    assert changing.number == 1 + -(-count // PAGE_SIZE)


def test_no_row_is_lost_when_others_leave_the_window_while_pages_are_read():
    changing = ChangingList(6 * PAGE_SIZE, lambda one, number: one.leaves(-1) if number < 30 else None)
    stay = {tid for _, tid in changing.entries[:-30]}

    assert set(met(changing.listing())) >= stay


def test_no_row_is_lost_when_old_rows_jump_to_the_front_while_pages_are_read():
    changing = ChangingList(6 * PAGE_SIZE, lambda one, number: one.comes_again(0) if number < 12 else None)

    assert set(met(changing.listing())) == set(range(1, 6 * PAGE_SIZE + 1))


def test_a_row_is_found_when_one_page_of_one_pass_leaves_it_out():
    changing = ChangingList(4 * PAGE_SIZE)
    whole = changing.fetch

    def short(page_no: int, *, use_has_next: bool) -> dict[str, Any]:
        page = whole(page_no, use_has_next=use_has_next)
        if changing.number == 3:
            page["trades"]["trade"].pop(7)
        return page

    assert sorted(met(Listing(short, "trade", "tid"))) == list(range(1, 4 * PAGE_SIZE + 1))


def test_reading_ends_when_the_platform_counts_more_rows_than_it_shows():
    changing = ChangingList(PAGE_SIZE)
    whole = changing.fetch

    def boasting(page_no: int, *, use_has_next: bool) -> dict[str, Any]:
        page = whole(page_no, use_has_next=use_has_next)
        return page | ({} if use_has_next else {"total_results": PAGE_SIZE + 3})

    assert len(met(Listing(boasting, "trade", "tid"))) == PAGE_SIZE
    assert changing.number < 10


def test_reading_fails_for_later_when_the_list_never_settles():
    changing = ChangingList(2 * PAGE_SIZE, lambda one, _number: one.comes_again(0))

    with pytest.raises(Unavailable) as caught:
        met(changing.listing())

    assert caught.value.code == "taobao.platform_fault"


def test_a_changed_row_comes_again_when_it_changed_between_two_pages():
    changing = ChangingList(3 * PAGE_SIZE, lambda one, number: one.comes_again(2) if number == 2 else None)

    rows = met(changing.listing())

    assert sorted(set(rows)) == list(range(1, 3 * PAGE_SIZE + 1))
    assert rows.count(3) == 2


@settings(max_examples=150, deadline=None)
@given(
    count=st.integers(1, 5 * PAGE_SIZE),
    changes=st.lists(st.tuples(st.integers(1, 25), st.sampled_from(["leaves", "comes_again"]), st.integers(0, 10_000)), max_size=15),
)
def test_no_row_that_stays_is_lost_when_rows_move_at_any_time(count, changes):
    touched: set[int] = set()

    def change(one: ChangingList, number: int) -> None:
        for _, action, anywhere in (entry for entry in changes if entry[0] == number):
            if one.entries:
                place = anywhere % len(one.entries)
                if action == "leaves":
                    touched.add(one.entries[place][1])
                getattr(one, action)(place)

    changing = ChangingList(count, change)

    rows = set(met(changing.listing()))

    assert rows >= set(range(1, count + 1)) - touched


def test_orders_are_complete_when_the_simulators_orders_move_while_pages_are_read(simulate):
    simulator = simulate(orders=300, faults={"moving-rows": 0.4, "missing-rows": 0.5, "duplicate-rows": 0.5, "reordered-rows": 0.7})
    window = last_day(simulator)
    simulator.shop.clock.advance(timedelta(seconds=1))
    before = {str(tid) for tid in simulator.shop.trades}

    found = {doc.external_id for doc in connected(simulator).changed_orders(window)}
    moved = {str(tid) for tid, trade in simulator.shop.trades.items() if trade["modified"] > "2026-11-11 12:00:00"}

    assert found >= before - moved
    assert moved
    assert simulator.faults.struck["moving-rows"] > 0
    assert simulator.faults.struck["missing-rows"] > 0
