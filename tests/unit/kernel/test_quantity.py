"""Quantities: exact, finite, six decimals, signed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.kernel.errors import Invalid
from core.kernel.quantity import MAX_QUANTITY, quantity_from


@pytest.mark.parametrize(("value", "quantity"), [("1.250000", "1.25"), (" 3 ", "3"), (-2, "-2"), ("0.000001", "0.000001"), (MAX_QUANTITY, str(MAX_QUANTITY))])
def test_quantity_is_exact_when_it_is_text_or_whole(value, quantity):
    assert quantity_from(value) == Decimal(quantity)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, "A quantity is text or a whole number, never a float."),
        (False, "A quantity is text or a whole number, never a float."),
        ("a dozen", "This is not a quantity."),
        (None, "This is not a quantity."),
        ("sNaN", "A quantity must be finite."),
        ("Infinity", "A quantity must be finite."),
        ("0.0000001", "A quantity has at most 6 decimals."),
        ("1e12", "This quantity is too large."),
        ("-1e30", "This quantity is too large."),
    ],
)
def test_quantity_is_refused_with_its_field_when_it_is_none(value, message):
    with pytest.raises(Invalid) as caught:
        quantity_from(value, field="quantity")

    assert (caught.value.message, caught.value.field) == (message, "quantity")
