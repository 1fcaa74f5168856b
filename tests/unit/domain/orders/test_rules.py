"""What intake refuses, what a channel's state means, and how two versions of an order merge."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.orders.normalised import ChannelState, RefundState
from core.domain.orders.rules import (
    MAX_LINES,
    Standing,
    holds_from_channel,
    line_is_void,
    merged,
    newest_of,
    refund_after,
    refusal_of,
    standing_of,
)
from tests.factories.orders import NOON, line, order

STATES = ["placed", "paid", "approved", "allocated", "picking", "shipped", "delivered", "completed", "cancelled"]
FULFILMENTS = ["none", "reserved", "shipped_partly", "shipped", "delivered"]
PAYMENTS = ["unpaid", "deposit", "on_delivery", "paid", "partly_refunded", "refunded"]
CENTS = st.integers(0, 10_000_000).map(lambda cents: Decimal(cents) / 100)
standings = st.builds(Standing, st.sampled_from(STATES), st.sampled_from(PAYMENTS), st.sampled_from(FULFILMENTS))
incoming_standings = st.builds(
    lambda state, cod, paid: standing_of(order(state=state, is_cash_on_delivery=cod, paid_at=NOON if paid else None)),
    st.sampled_from(list(ChannelState)), st.booleans(), st.booleans(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "cod", "paid_at", "expected"),
    [
        (ChannelState.AWAITING_PAYMENT, False, None, ("placed", "unpaid", "none")),
        (ChannelState.AWAITING_PAYMENT, True, None, ("paid", "on_delivery", "none")),
        (ChannelState.PRESALE_DEPOSIT, False, None, ("placed", "deposit", "none")),
        (ChannelState.PRESALE_DEPOSIT, True, None, ("placed", "deposit", "none")),
        (ChannelState.PAID, True, None, ("paid", "on_delivery", "none")),
        (ChannelState.LOCKED, False, NOON, ("paid", "paid", "none")),
        (ChannelState.SHIPPED, True, None, ("shipped", "on_delivery", "shipped")),
        (ChannelState.COMPLETED, True, None, ("completed", "paid", "delivered")),
        (ChannelState.CANCELLED, False, None, ("cancelled", "unpaid", "none")),
        (ChannelState.CANCELLED, False, NOON, ("cancelled", "refunded", "none")),
        (ChannelState.CANCELLED, True, None, ("cancelled", "unpaid", "none")),
    ],
)
def test_standing_follows_the_channels_state_when_the_order_is_new(state, cod, paid_at, expected):
    standing = standing_of(order(state=state, is_cash_on_delivery=cod, paid_at=paid_at))

    assert (standing.state, standing.payment, standing.fulfilment) == expected


@given(standings, incoming_standings)
def test_merged_never_goes_back_when_any_version_comes(current, incoming):
    after = merged(current, incoming)

    assert STATES.index(after.state) >= STATES.index(current.state)
    assert FULFILMENTS.index(after.fulfilment) >= FULFILMENTS.index(current.fulfilment)
    assert merged(after, incoming) == after


@given(standings.filter(lambda s: s.state in ("completed", "cancelled")), incoming_standings)
def test_merged_keeps_the_state_when_the_order_has_ended(current, incoming):
    assert merged(current, incoming).state == current.state


@given(standings, incoming_standings)
def test_merged_never_forgets_money_when_it_was_paid(current, incoming):
    paid = replace(current, payment="paid")

    assert merged(paid, incoming).payment == ("refunded" if merged(paid, incoming).state == "cancelled" else "paid")


@pytest.mark.parametrize("fulfilment", ["shipped_partly", "shipped", "delivered"])
def test_merged_leaves_the_order_alone_when_it_is_cancelled_after_goods_left(fulfilment):
    current = Standing("approved", "paid", fulfilment)

    after = merged(current, Standing("cancelled", "refunded", "none"))
    holds = holds_from_channel(order(state=ChannelState.CANCELLED), current)

    assert after == current
    assert list(holds) == ["cancelled_after_shipping"]


@pytest.mark.parametrize("current", [None, Standing("approved", "paid", "reserved"), Standing("paid", "paid", "none")])
def test_cancelled_order_is_not_held_when_nothing_has_left(current):
    assert holds_from_channel(order(state=ChannelState.CANCELLED), current) == {}


def test_our_own_progress_stays_when_the_channel_still_says_paid():
    assert merged(Standing("picking", "paid", "reserved"), Standing("paid", "paid", "none")) == Standing("picking", "paid", "reserved")


@pytest.mark.parametrize(
    ("state", "codes", "reasons"),
    [
        (ChannelState.LOCKED, (), ["locked"]),
        (ChannelState.PAID, ("forbid_consign",), ["forbid_consign"]),
        (ChannelState.LOCKED, ("risk", "pin_tuan", "risk"), ["pin_tuan", "risk"]),
    ],
)
def test_order_is_held_with_the_channels_reasons_when_it_is_locked(state, codes, reasons):
    holds = holds_from_channel(order(state=state, hold_codes=codes), None)

    assert list(holds) == ["channel_locked"]
    assert holds["channel_locked"]["reasons"] == reasons


@pytest.mark.parametrize("refund", list(RefundState))
def test_order_is_held_for_the_asking_line_alone_when_a_refund_is_undecided(refund):
    holds = holds_from_channel(order("T1", line("1"), line("2", refund_state=refund)), None)

    assert {code: facts["lines"] for code, facts in holds.items()} == ({"refund_requested": ["2"]} if refund == "requested" else {})


@pytest.mark.parametrize("state", list(ChannelState))
@pytest.mark.parametrize("refund", list(RefundState))
def test_line_is_void_only_when_cancelled_or_refunded(state, refund):
    assert line_is_void(line(state=state, refund_state=refund)) == (state == "cancelled" or refund == "done")


@given(st.lists(CENTS, min_size=1, max_size=20), CENTS)
def test_order_is_taken_when_its_lines_and_postage_add_up_to_the_cent(amounts, postage):
    lines = [line(str(index), paid=str(amount)) for index, amount in enumerate(amounts)]

    assert refusal_of(order("T1", *lines, postage=str(postage))) is None


@given(st.lists(CENTS, min_size=1, max_size=20), CENTS, st.sampled_from(["0.01", "-0.01", "1", "100000000"]))
def test_order_is_refused_when_its_total_is_off_by_any_cent(amounts, postage, error):
    lines = [line(str(index), paid=str(amount)) for index, amount in enumerate(amounts)]
    sound = order("T1", *lines, postage=str(postage))
    given_total = abs(sound.paid_total + Decimal(error))

    refusal = refusal_of(replace(sound, paid_total=given_total))

    assert refusal.field == "paid_total"
    assert (Decimal(refusal.facts["expected"]), Decimal(refusal.facts["given"])) == (sound.paid_total, given_total)


NAIVE = datetime(2026, 11, 20, 12, 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"external_id": ""}, "external_id"),
        ({"external_id": " \t"}, "external_id"),
        ({"external_id": "x" * 129}, "external_id"),
        ({"external_id": "a\x00b"}, "external_id"),
        ({"external_id": 7}, "external_id"),
        ({"currency": "cny"}, "currency"),
        ({"currency": "CN"}, "currency"),
        ({"currency": "ÄÖÜ"}, "currency"),
        ({"modified_at": NAIVE}, "modified_at"),
        ({"placed_at": NAIVE}, "placed_at"),
        ({"paid_at": NAIVE}, "paid_at"),
        ({"ship_by": NAIVE}, "ship_by"),
        ({"completed_at": NAIVE}, "completed_at"),
        ({"paid_total": 10.0}, "paid_total"),
        ({"paid_total": Decimal("NaN")}, "paid_total"),
        ({"paid_total": Decimal("-10.00")}, "paid_total"),
        ({"paid_total": Decimal("1e16")}, "paid_total"),
        ({"postage": Decimal("0.001")}, "postage"),
        ({"postage": Decimal("-0.01")}, "postage"),
        ({"discount_total": Decimal("Infinity")}, "discount_total"),
        ({"discount_total": Decimal("-1")}, "discount_total"),
        ({"buyer_note": "x" * 2_001}, "buyer_note"),
        ({"seller_note": "\ud83d"}, "seller_note"),
        ({"replaces": "T1"}, "replaces"),
        ({"lines": ()}, "lines"),
    ],
)
def test_refusal_names_the_field_of_the_head_when_it_breaks_a_rule(change, field):
    refusal = refusal_of(replace(order("T1"), **change))

    assert (refusal.code, refusal.field) == ("orders.refused", field)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"external_id": ""}, "lines[1].external_id"),
        ({"external_id": "1"}, "lines[1].external_id"),
        ({"seller_code": "x" * 129}, "lines[1].seller_code"),
        ({"title": "x" * 501}, "lines[1].title"),
        ({"title": None}, "lines[1].title"),
        ({"quantity": Decimal(0)}, "lines[1].quantity"),
        ({"quantity": Decimal(-1)}, "lines[1].quantity"),
        ({"quantity": Decimal("0.0000001")}, "lines[1].quantity"),
        ({"quantity": Decimal("sNaN")}, "lines[1].quantity"),
        ({"quantity": 1.5}, "lines[1].quantity"),
        ({"paid_amount": Decimal("-0.01")}, "lines[1].paid_amount"),
        ({"paid_amount": Decimal("0.005")}, "lines[1].paid_amount"),
        ({"unit_price": 9.99}, "lines[1].unit_price"),
        ({"unit_price": Decimal("Infinity")}, "lines[1].unit_price"),
    ],
)
def test_refusal_names_the_line_and_field_when_a_line_breaks_a_rule(change, field):
    sound = order("T1", line("1"), line("2"))

    refusal = refusal_of(replace(sound, lines=(sound.lines[0], replace(sound.lines[1], **change))))

    assert (refusal.code, refusal.field) == ("orders.refused", field)


def test_order_is_refused_when_it_has_one_line_too_many():
    lines = [line(str(index)) for index in range(MAX_LINES + 1)]

    assert refusal_of(order("T1", *lines[:-1])) is None
    assert refusal_of(order("T1", *lines)).field == "lines"


def test_order_is_refused_when_its_units_together_are_more_than_can_be_held():
    lines = [line(str(index), quantity=999_999_999_999) for index in range(2)]

    assert refusal_of(order("T1", *lines)).field == "lines"


@pytest.mark.parametrize(("currency", "amount", "is_taken"), [("JPY", "100", True), ("JPY", "100.5", False), ("KWD", "1.234", True), ("CNY", "1.234", False)])
def test_amounts_have_the_currencys_decimals_when_taken(currency, amount, is_taken):
    refusal = refusal_of(order("T1", line(paid=amount), currency=currency))

    assert (refusal is None) == is_taken


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 5)), max_size=12))
def test_newest_version_counts_when_a_batch_holds_several(versions):
    batch = [(index, order(key, modified_at=NOON + timedelta(seconds=second))) for index, (key, second) in enumerate(versions)]

    newest = newest_of(batch)

    expected = {key: max((second, i) for i, (other, second) in enumerate(versions) if other == key)[1] for key, _second in versions}
    assert {key: index for key, (index, _order) in newest.items()} == expected


@pytest.mark.parametrize(
    ("current", "incoming", "after"),
    [
        ("none", "requested", "requested"),
        ("requested", "none", "requested"),
        ("requested", "closed", "closed"),
        ("requested", "refused", "refused"),
        ("refused", "requested", "requested"),
        ("closed", "none", "closed"),
        ("requested", "done", "done"),
        ("done", "none", "done"),
        ("done", "requested", "done"),
        ("done", "closed", "done"),
    ],
)
def test_refund_stands_as_last_told_when_a_newer_order_comes(current, incoming, after):
    assert refund_after(current, RefundState(incoming)) == after
