"""Errors of inventory.

Invalid
└── StockChangeRefused   a change of stock is wrong in itself
Conflict
└── StockShort           fewer units are free, or lie there, than were asked for
"""

from __future__ import annotations

from core.kernel.errors import Conflict, Invalid


class StockChangeRefused(Invalid):
    """This change of stock is not possible."""

    code = "inventory.change_refused"


class StockShort(Conflict):
    """Fewer units are free than were asked for."""

    code = "inventory.stock_short"
