"""Shipping one order, whole or in part: carrier, tracking number, and how much of each line is in the parcel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext
from sqlalchemy import select

from core.delivery.web.crud.addressing import view_name
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.schema import seen_id
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.domain.fulfilment.models import Carrier
from core.domain.fulfilment.shipping import MAX_TRACKING, ShipmentOrder, ship
from core.domain.orders.errors import OrderUnknown
from core.domain.orders.models import Order, OrderLine
from core.kernel.errors import Conflict, Invalid
from core.kernel.ids import parse_id
from core.kernel.quantity import quantity_from

ORDERS = view_name("orders.order")


class ShipOrderView(BaseView):
    """The form of a shipment. Lines that are left stay open: the next parcel is shipped the same way."""

    route_base = "/ship-order"
    default_view = "ship"
    class_permission_name = "ShipOrderView"
    permission_keys: ClassVar[Mapping[str, str]] = {"ship": "fulfilment.ship"}

    @expose("/<pk>", methods=["GET", "POST"])
    @has_access
    def ship(self, pk: str) -> Any:
        """The form with all that is reserved; posted, the shipment."""
        order = _order(pk)
        lines = _lines(order.id)
        carriers = db().execute(select(Carrier.id, Carrier.name).where(Carrier.is_active).order_by(Carrier.code)).all()
        if request.method == "GET":
            return _page(order, lines, carriers, {})
        try:
            wanted = _wanted(order.id, lines)
            with db().begin_nested():
                ship(db(), wanted, now=datetime.now(UTC))
        except (Invalid, Conflict) as error:
            return _page(order, lines, carriers, {getattr(error, "field", None) or "": in_words(error.message)}), 422
        flash(gettext("Shipped."), "success")
        return redirect(url_for(f"{ORDERS}.show", pk=order.id))


def _order(pk: str) -> Any:
    found = seen_id("orders.order", pk, OrderUnknown, order=pk[:40])
    row = db().execute(select(Order.id, Order.number, Order.state, Order.hold_count).where(Order.id == found)).one_or_none()
    if row is None:
        raise OrderUnknown(order=pk[:40])
    return row


def _lines(order_id: UUID) -> list[OrderLine]:
    statement = select(OrderLine).where(OrderLine.order_id == order_id, OrderLine.reserved > 0).order_by(OrderLine.position)
    return list(db().scalars(statement))


def _wanted(order_id: UUID, lines: Sequence[OrderLine]) -> ShipmentOrder:
    """The shipment as typed. Raises Invalid with the name of the form's field."""
    carrier = parse_id(request.form.get("carrier_id", ""))
    if carrier is None:
        raise Invalid("Choose a carrier.", field="carrier_id")
    quantities: dict[UUID, Decimal] = {}
    for line in lines:
        name = f"lines.{line.id}"
        text = request.form.get(name, "").strip()
        quantity = quantity_from(text, field=name) if text else Decimal(0)
        if quantity < 0:
            raise Invalid("A shipped quantity is more than zero.", field=name)
        if quantity:
            quantities[line.id] = quantity
    if not quantities:
        raise Invalid("Say what is in the parcel.", field=f"lines.{lines[0].id}" if lines else "")
    return ShipmentOrder(order_id, carrier, request.form.get("tracking_number", ""), quantities, note=request.form.get("note", "")[:500])


def _page(order: Any, lines: Sequence[OrderLine], carriers: Sequence[Any], errors: Mapping[str, str]) -> Any:
    shown = [
        {
            "name": f"lines.{line.id}",
            "title": line.title or line.seller_code or "–",
            "code": line.seller_code,
            "variant": line.variant,
            "ordered": line.quantity,
            "shipped": line.shipped,
            "reserved": line.reserved,
            "value": request.form.get(f"lines.{line.id}", f"{line.reserved.normalize():f}"),
        }
        for line in lines
    ]
    add = url_for(f"{view_name('fulfilment.carrier')}.add") if can("fulfilment.write") else ""
    return render_template(
        "pages/ship_order.html",
        title=gettext("Ship %(number)s", number=order.number),
        back=url_for(f"{ORDERS}.show", pk=order.id),
        number=order.number,
        lines=shown,
        carriers=[(str(row.id), row.name) for row in carriers],
        form={name: request.form.get(name, "") for name in ("carrier_id", "tracking_number", "note")},
        errors=errors,
        max_tracking=MAX_TRACKING,
        blocked=_why_not(order, lines),
        add_carrier=grid.Action(gettext("Add a carrier"), add, "plus") if add and not carriers else None,
    )


def _why_not(order: Any, lines: Sequence[OrderLine]) -> str:
    if order.hold_count:
        return gettext("The order is on hold.")
    return "" if lines else gettext("Nothing of this order is reserved.")
