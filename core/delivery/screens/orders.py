"""The order's own page: badges, lines, money, parcels, buyer, notes, timeline, and why it is stuck."""

from __future__ import annotations

from core.delivery.web.crud.view import EntityView


class OrderView(EntityView):
    """Orders: the generated list, and a page of their own."""
