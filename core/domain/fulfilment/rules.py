"""Pure decisions about an order's way: what to do with it now, given only stored facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.domain.orders.rules import SKU_UNMATCHED, STOCK_SHORT
from core.kernel.messages import N_

ZERO = Decimal(0)
_OWN_HOLDS = frozenset({SKU_UNMATCHED, STOCK_SHORT})
_LEFT = ("shipped", "delivered", "completed")


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line as stored; `title` and `seller_code` only serve explanations."""

    id: UUID
    sku_id: UUID | None
    quantity: Decimal
    reserved: Decimal
    shipped: Decimal
    cancelled: Decimal
    is_void: bool
    seller_code: str = ""
    title: str = ""

    @property
    def open(self) -> Decimal:
        """Units that are neither reserved nor shipped nor cancelled."""
        return self.quantity - self.reserved - self.shipped - self.cancelled


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order as stored, with the codes of its open holds."""

    id: UUID
    state: str
    fulfilment: str
    holds: frozenset[str]
    lines: Sequence[LineFacts]


@dataclass(slots=True)
class Decision:
    """What the way does with one order.

    `give_back` and `leave_outside` list lines of which nothing more is delivered, with their reservations, or that count as shipped without
    us. With `wants_stock` the open lines are reserved, and the order is approved when all of them could be.
    """

    give_back: list[LineFacts] = field(default_factory=list)
    leave_outside: list[LineFacts] = field(default_factory=list)
    holds: dict[str, dict[str, Any]] = field(default_factory=dict)
    lifted: list[str] = field(default_factory=list)
    wants_stock: bool = False


def decide(order: OrderFacts) -> Decision:
    """The next step of an order: release what it no longer needs, hold it with a reason, or reserve for it."""
    decision = Decision()
    if order.state == "cancelled":
        decision.give_back = [line for line in order.lines if line.reserved > 0]
        decision.lifted = sorted(order.holds & _OWN_HOLDS)
        return decision
    # Open units of a void line are given up too, or the order would wait for them for ever after the others have shipped.
    decision.give_back = [line for line in order.lines if line.is_void and (line.reserved > 0 or line.open > 0)]
    if order.state in _LEFT:
        decision.leave_outside = [line for line in order.lines if not line.is_void and line.shipped + line.cancelled < line.quantity]
        decision.lifted = sorted(order.holds & _OWN_HOLDS)
        return decision
    if order.state != "paid":
        return decision
    unmatched = [line for line in order.lines if line.sku_id is None and not line.is_void]
    if unmatched:
        named = [{"line": str(line.id), "seller_code": line.seller_code, "title": line.title} for line in unmatched]
        decision.holds[SKU_UNMATCHED] = {"rule": N_("every line needs a SKU"), "lines": named, "cure": "match"}
        return decision
    if SKU_UNMATCHED in order.holds:
        decision.lifted.append(SKU_UNMATCHED)
    is_anything_due = any(not line.is_void for line in order.lines)
    decision.wants_stock = is_anything_due and not order.holds - _OWN_HOLDS
    return decision
