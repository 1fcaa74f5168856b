"""Reading fields out of JD's documents: typed, with the place named in every complaint."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.sdk import Invalid, amount_from, quantity_from, rounded
from plugins.jd.answers import decoded
from plugins.jd.errors import AnswerUnreadable, PayloadInvalid
from plugins.jd.times import moment_from

CURRENCY = "CNY"
ZERO = Decimal(0)
# Far above any order; keeps the shares of an order within the precision of Decimal.
MAX_FIGURE = Decimal(10) ** 10
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


@functools.lru_cache(maxsize=512)
def snake(name: str) -> str:
    """`orderTotalPrice` as the older 360buy services spell it: `order_total_price`."""
    return _HUMP.sub(lambda hump: "_" + hump[1].lower(), name)


def _exact(value: object, path: str) -> object:
    """A number that may stand for money or a count, floats as the shortest text that means them."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise PayloadInvalid("A number is needed here.", field=path)
    if isinstance(value, float):
        if not math.isfinite(value) or abs(value) >= MAX_FIGURE:
            raise PayloadInvalid("A number must be finite and of a sensible size.", field=path)
        text = repr(value)
        # A float that carries more than two decimals is the result of arithmetic, not a price.
        if Decimal(text) != round(Decimal(text), 2):
            raise PayloadInvalid("A float that is no exact amount cannot be trusted.", field=path)
        return text
    return value


def unfolded(value: Any) -> Any:
    """What JSON text stands for, as some services send objects and lists inside text; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return decoded(value)
    except AnswerUnreadable:
        return value


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object with the path that leads to it; both spellings of a name are found, `orderId` and `order_id`."""

    values: Mapping[str, Any]
    path: str = ""

    def at(self, name: str) -> str:
        """The path of the field `name`."""
        return f"{self.path}.{name}" if self.path else name

    def raw(self, name: str) -> Any:
        """The value of the field, None when it is missing."""
        value = self.values.get(name)
        return self.values.get(snake(name)) if value is None else value

    def text(self, name: str, default: str | None = "") -> str:
        """Text or a whole number as text, without surrounding blanks and without what PostgreSQL cannot store.

        Raises: PayloadInvalid - neither text nor whole number, or empty while `default` is None.
        """
        value = self.raw(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
            raise PayloadInvalid("Text is needed here.", field=self.at(name))
        try:
            text = "" if value is None else str(value).replace("\x00", "").strip()
        except ValueError as error:
            raise PayloadInvalid("This number is too large.", field=self.at(name)) from error
        text = text.encode("utf-8", "replace").decode()
        if not text and default is None:
            raise PayloadInvalid("This field is missing.", field=self.at(name))
        return text or (default or "")

    def figure(self, name: str, default: Decimal | None = None) -> Decimal:
        """An amount in yuan, rounded to the fen, never negative.

        Raises: PayloadInvalid - no amount, a negative one, or missing while `default` is None.
        """
        path = self.at(name)
        value = self.raw(name)
        if value is None or value == "":
            if default is None:
                raise PayloadInvalid("This amount is missing.", field=path)
            return default
        try:
            amount = amount_from(_exact(value, path), field=path)
        except PayloadInvalid:
            raise
        except (Invalid, ValueError) as error:
            raise PayloadInvalid("This is not an amount of money.", field=path) from error
        if not 0 <= amount < MAX_FIGURE:
            raise PayloadInvalid("This amount is negative or too large.", field=path)
        return rounded(abs(amount), CURRENCY)

    def count(self, name: str) -> Decimal:
        """A whole number of at least one.

        Raises: PayloadInvalid - missing, no whole number, or less than one.
        """
        path = self.at(name)
        value = self.raw(name)
        if value is None:
            raise PayloadInvalid("This number is missing.", field=path)
        try:
            quantity = quantity_from(_exact(value, path), field=path)
        except PayloadInvalid:
            raise
        except (Invalid, ValueError) as error:
            raise PayloadInvalid("This is not a number of items.", field=path) from error
        if quantity < 1 or quantity >= MAX_FIGURE or quantity != quantity.to_integral_value():
            raise PayloadInvalid("A number of items is a whole number from 1.", field=path)
        return quantity.quantize(Decimal(1))

    def moment(self, name: str) -> datetime | None:
        """An aware UTC moment, None when it is not set. Raises: PayloadInvalid - something that is no moment."""
        try:
            return moment_from(self.text(name))
        except (ValueError, OverflowError, OSError) as error:
            raise PayloadInvalid("This is not a moment.", field=self.at(name)) from error

    def child(self, name: str) -> Fields:
        """The object under `name`, an empty one when it is missing. Raises: PayloadInvalid - something else stands there."""
        value = self.raw(name)
        if value is None or value == "":
            return Fields({}, self.at(name))
        if not isinstance(value, Mapping):
            raise PayloadInvalid("An object is needed here.", field=self.at(name))
        return Fields(value, self.at(name))

    def children(self, name: str) -> list[Fields]:
        """The objects in the list under `name`, none when it is missing; one object stands for a list of one, text for its JSON.

        Raises: PayloadInvalid - something else stands there.
        """
        value = unfolded(self.raw(name))
        if value is None or value == "":
            return []
        if isinstance(value, Mapping):
            return [Fields(value, self.at(name))]
        if not isinstance(value, list | tuple):
            raise PayloadInvalid("A list is needed here.", field=self.at(name))
        found = []
        for position, entry in enumerate(value):
            path = f"{self.at(name)}[{position}]"
            if not isinstance(entry, Mapping):
                raise PayloadInvalid("An object is needed here.", field=path)
            found.append(Fields(entry, path))
        return found
