"""What is done with an order next, given only stored facts."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from core.domain.fulfilment.rules import LineFacts, OrderFacts, decide

TEA = UUID(int=1)


def _line(number=1, quantity=2, reserved=0, shipped=0, cancelled=0, *, is_void=False, sku=TEA):
    return LineFacts(UUID(int=number), sku, Decimal(quantity), Decimal(reserved), Decimal(shipped), Decimal(cancelled), is_void)


def _order(state, *lines, holds=(), fulfilment="none"):
    return OrderFacts(UUID(int=99), state, fulfilment, frozenset(holds), lines)


def test_stock_is_wanted_when_the_order_is_paid_and_matched():
    decision = decide(_order("paid", _line()))

    assert (decision.wants_stock, decision.holds, decision.give_back, decision.leave_outside) == (True, {}, [], [])


@pytest.mark.parametrize("state", ["placed", "approved", "allocated", "picking", "shipped", "delivered", "completed", "cancelled"])
def test_no_stock_is_wanted_when_the_order_is_anything_but_paid(state):
    assert decide(_order(state, _line())).wants_stock is False


@pytest.mark.parametrize("hold", ["channel_locked", "refund_requested", "currency_differs", "manual", "a_plugins_own"])
def test_no_stock_is_wanted_when_somebody_else_holds_the_order(hold):
    decision = decide(_order("paid", _line(), holds=[hold, "stock_short"]))

    assert (decision.wants_stock, decision.lifted) == (False, [])


def test_stock_is_wanted_again_when_only_the_ways_own_holds_stand():
    decision = decide(_order("paid", _line(), holds=["stock_short", "sku_unmatched"]))

    assert (decision.wants_stock, decision.lifted) == (True, ["sku_unmatched"])


def test_order_is_held_with_its_unmatched_lines_when_a_living_line_has_no_sku():
    living, void = _line(1, sku=None), _line(2, sku=None, is_void=True)

    decision = decide(_order("paid", living, void, _line(3)))

    assert decision.wants_stock is False
    assert [line["line"] for line in decision.holds["sku_unmatched"]["lines"]] == [str(living.id)]


def test_void_line_without_sku_holds_nothing_when_the_others_are_matched():
    decision = decide(_order("paid", _line(1, sku=None, is_void=True), _line(2)))

    assert (decision.wants_stock, decision.holds) == (True, {})


@pytest.mark.parametrize("state", ["paid", "approved", "picking"])
def test_void_line_is_given_back_when_units_of_it_are_reserved_or_open(state):
    reserved, open_line = _line(1, reserved=2, is_void=True), _line(2, is_void=True)
    settled, living = _line(3, cancelled=2, is_void=True), _line(4, reserved=2)

    decision = decide(_order(state, reserved, open_line, settled, living))

    assert decision.give_back == [reserved, open_line]


def test_no_stock_is_wanted_when_no_line_is_to_be_delivered_any_more():
    assert decide(_order("paid", _line(1, is_void=True), _line(2, is_void=True))).wants_stock is False


def test_only_reserved_lines_are_given_back_when_the_order_is_cancelled():
    reserved = _line(1, quantity=3, reserved=1, shipped=2)

    decision = decide(_order("cancelled", reserved, _line(2), holds=["stock_short", "manual"]))

    assert (decision.give_back, decision.lifted, decision.leave_outside) == ([reserved], ["stock_short"], [])


@pytest.mark.parametrize("state", ["shipped", "delivered", "completed"])
def test_lines_left_outside_are_those_not_yet_gone_when_the_channel_says_shipped(state):
    part, gone, void = _line(1, quantity=3, shipped=1, reserved=2), _line(2, shipped=1, cancelled=1), _line(3, reserved=1, is_void=True)

    decision = decide(_order(state, part, gone, void))

    assert (decision.leave_outside, decision.give_back) == ([part], [void])


def test_open_units_are_what_is_neither_reserved_nor_shipped_nor_cancelled():
    assert _line(quantity=10, reserved=3, shipped=2, cancelled=1).open == 4
