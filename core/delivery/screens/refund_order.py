"""Recording a refund or return of an order of an own shop: lines, amount, whether the goods lie on the shelf again, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext
from sqlalchemy import select

from core.delivery.web.crud.view import view_name
from core.delivery.web.messages import in_words
from core.delivery.web.schema import seen_id
from core.delivery.web.unit import db
from core.domain.channels.models import Shop
from core.domain.channels.own_refunds import REFUNDABLE, OwnRefund, refund_own
from core.domain.inventory.models import Warehouse
from core.domain.orders.errors import OrderUnknown
from core.domain.orders.models import Order, OrderLine
from core.kernel.errors import Conflict, Invalid
from core.kernel.ids import new_id, parse_id
from core.kernel.money import amount_from

ORDERS = view_name("orders.order")
FIELDS = ("amount", "warehouse_id", "reason")


class RefundOrderView(BaseView):
    """The form of a refund. Orders of marketplaces are refused: their platform decides."""

    route_base = "/refund-order"
    default_view = "refund"
    class_permission_name = "RefundOrderView"
    permission_keys: ClassVar[Mapping[str, str]] = {"refund": "orders.refund"}

    @expose("/<pk>", methods=["GET", "POST"])
    @has_access
    def refund(self, pk: str) -> Any:
        """The form; posted, the refund. The same form posted twice is one refund."""
        order = _order(pk)
        lines = list(db().scalars(select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)))
        if request.method == "GET":
            return _page(order, lines, {})
        try:
            with db().begin_nested():
                refund_own(db(), _wanted(order), now=datetime.now(UTC))
        except (Invalid, Conflict) as error:
            return _page(order, lines, {getattr(error, "field", None) or "": in_words(error.message)}), 422
        flash(gettext("The refund is recorded."), "success")
        return redirect(url_for(f"{ORDERS}.show", pk=order.id))


def _order(pk: str) -> Any:
    columns = (Order.id, Order.number, Order.payment, Order.currency, Order.paid_total, Order.refunded_total, Shop.marketplace)
    found = seen_id("orders.order", pk, OrderUnknown, order=pk[:40])
    statement = select(*columns).join(Shop, Shop.id == Order.shop_id).where(Order.id == found)
    row = db().execute(statement).one_or_none()
    if row is None:
        raise OrderUnknown(order=pk[:40])
    return row


def _wanted(order: Any) -> OwnRefund:
    """The refund as typed. Raises Invalid with the name of the form's field."""
    amount, warehouse = request.form.get("amount", "").strip(), request.form.get("warehouse_id", "")
    if warehouse and parse_id(warehouse) is None:
        raise Invalid("There is no such warehouse.", field="warehouse_id")
    return OwnRefund(
        order.id,
        request.form.get("reason", ""),
        amount_from(amount, field="amount") if amount else None,
        tuple(found for text in request.form.getlist("lines") if (found := parse_id(text)) is not None),
        parse_id(warehouse),
        request.form.get("request_key", "")[:64],
    )


def _page(order: Any, lines: Sequence[OrderLine], errors: Mapping[str, str]) -> Any:
    chosen = set(request.form.getlist("lines"))
    shown = [
        {
            "id": str(line.id),
            "title": line.title or line.seller_code or "–",
            "code": line.seller_code,
            "variant": line.variant,
            "ordered": line.quantity,
            "shipped": line.shipped,
            "paid": line.paid_amount,
            "is_done": line.refund_state == "done",
            "is_chosen": str(line.id) in chosen,
        }
        for line in lines
    ]
    houses = db().execute(select(Warehouse.id, Warehouse.name).where(Warehouse.is_active).order_by(Warehouse.priority, Warehouse.code))
    return render_template(
        "pages/refund_order.html",
        title=gettext("Refund %(number)s", number=order.number),
        back=url_for(f"{ORDERS}.show", pk=order.id),
        number=order.number,
        currency=order.currency,
        paid=order.paid_total,
        refunded=order.refunded_total,
        left=order.paid_total - order.refunded_total,
        lines=shown,
        has_shipped=any(line.shipped > 0 for line in lines),
        warehouses=[(str(row.id), row.name) for row in houses],
        form={name: request.form.get(name, "") for name in FIELDS},
        errors=errors,
        request_key=request.form.get("request_key") or new_id().hex,
        blocked=_why_not(order),
    )


def _why_not(order: Any) -> str:
    if order.marketplace:
        return gettext("The platform decides this for its own orders; it is done there and arrives here by itself.")
    return "" if order.payment in REFUNDABLE else gettext("Nothing of this order is paid that could go back.")
