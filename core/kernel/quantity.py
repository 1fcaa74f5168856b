"""Quantities of goods: exact, finite, at most six decimals."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from core.kernel.errors import Invalid

MAX_QUANTITY = Decimal("999999999999.999999")
_FINEST = Decimal("0.000001")


def quantity_from(value: object, *, field: str | None = None) -> Decimal:
    """A finite Decimal of at most 6 decimals from text, int or Decimal; floats are refused.

    The sign is not judged here: a stock adjustment may be negative, an ordered quantity may not.
    Raises: Invalid - not a number, not finite, too precise or too large; `field` is carried along.
    """
    if isinstance(value, bool | float):
        raise Invalid("A quantity is text or a whole number, never a float.", field=field)
    try:
        quantity = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Invalid("This is not a quantity.", field=field) from error
    if not quantity.is_finite():
        raise Invalid("A quantity must be finite.", field=field)
    if abs(quantity) > MAX_QUANTITY:
        raise Invalid("This quantity is too large.", field=field)
    if quantity % _FINEST:
        raise Invalid("A quantity has at most 6 decimals.", field=field)
    return quantity
