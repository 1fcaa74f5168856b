"""Money: exact amounts with a currency, and the one place where amounts are rounded and shared out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from core.kernel.errors import Invalid

MAX_AMOUNT = Decimal("999999999999999.9999")
_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}
_CODE_LENGTH = 3
_FINEST = Decimal("0.0001")


def minor_digits(currency: str) -> int:
    """How many decimals the currency's smallest coin has (ISO 4217); 2 unless listed."""
    return _MINOR_DIGITS.get(currency, 2)


def amount_from(value: object, *, field: str | None = None) -> Decimal:
    """A finite Decimal of at most 4 decimals from text, int or Decimal; floats are refused.

    Raises: Invalid - not a number, not finite, too precise or too large; `field` is carried along.
    """
    if isinstance(value, bool | float):
        raise Invalid("An amount of money is text or a whole number, never a float.", field=field)
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Invalid("This is not an amount of money.", field=field) from error
    if not amount.is_finite():
        raise Invalid("An amount of money must be finite.", field=field)
    amount_within(amount, field=field)
    if amount % _FINEST:
        raise Invalid("An amount of money has at most 4 decimals.", field=field)
    return amount


def amount_within(amount: Decimal, *, field: str | None = None) -> Decimal:
    """`amount` itself, of any precision, when a column can hold it. Raises: Invalid - it is too large."""
    if abs(amount) > MAX_AMOUNT:
        raise Invalid("This amount of money is too large.", field=field)
    return amount


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` rounded half up to the currency's smallest coin."""
    return amount.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_UP)


def money_text(amount: Decimal, currency: str = "") -> str:
    """An amount as documents, REST and exports write it: exact, without exponent, with the decimals of the currency's smallest coin.

    Further decimals stay where they are not zero; of an amount whose currency is not known two are written.
    """
    whole, _, decimals = f"{amount:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(minor_digits(currency), "0")
    return f"{whole}.{decimals}" if decimals else whole


def share_out(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split `total` by `weights` into rounded parts whose sum is exactly `total`.

    `weights` are not negative; all zero means equal weights. What rounding leaves goes, coin by coin, to the parts that lost most
    (largest remainder), the earlier one first. Returns one part per weight; no weights and a total of zero give an empty list.
    Raises: Invalid - no weights for a total that is not zero, a negative weight, or a total finer than the coin.
    """
    if not weights:
        if total:
            raise Invalid("There is nothing to share the amount over.")
        return []
    if any(weight < 0 for weight in weights):
        raise Invalid("A weight cannot be negative.")
    coin = Decimal(1).scaleb(-minor_digits(currency))
    coins = total / coin
    if coins != coins.to_integral_value():
        raise Invalid("The amount is finer than the currency's smallest coin.")
    whole = sum(weights, Decimal(0))
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    sign = -1 if coins < 0 else 1
    exact = [abs(coins) * weight / whole for weight in weights]
    floors = [part.to_integral_value(rounding="ROUND_FLOOR") for part in exact]
    left = int(abs(coins) - sum(floors))
    order = sorted(range(len(weights)), key=lambda i: (floors[i] - exact[i], i))
    for i in order[:left]:
        floors[i] += 1
    return [sign * part * coin for part in floors]


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount in one currency (ISO 4217 code). Adding two currencies raises `Invalid`."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", amount_from(self.amount))
        if len(self.currency) != _CODE_LENGTH or not self.currency.isascii() or not self.currency.isupper():
            raise Invalid("A currency is a three-letter ISO 4217 code.", field="currency")

    def _same(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise Invalid("Amounts in different currencies are never added or compared.", field="currency")
        return other

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other).amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other).amount

    def times(self, factor: Decimal | int) -> Money:
        """The amount times `factor`, rounded to the coin."""
        return Money(rounded(self.amount * factor, self.currency), self.currency)

    def rounded(self) -> Money:
        """The amount rounded half up to the coin."""
        return Money(rounded(self.amount, self.currency), self.currency)
