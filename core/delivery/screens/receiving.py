"""Receiving a delivery into a warehouse: SKUs and quantities under the number of the delivery note; and the stock list that leads there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext
from flask_wtf import FlaskForm
from sqlalchemy import select

from core.delivery.screens.typed_lines import blame, keep_goods, line_count, prefix_of
from core.delivery.web.crud import forms
from core.delivery.web.crud.grids import Addresses
from core.delivery.web.crud.view import EntityView, view_name
from core.delivery.web.i18n import reader_zone
from core.delivery.web.identity import can
from core.delivery.web.schema import present_schema
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.domain.inventory.models import Warehouse
from core.domain.inventory.receiving import MAX_REFERENCE, Delivery, Received, receive
from core.engines.metadata import Choice, Field, FieldType
from core.engines.metadata.values import ValuesRefused, take
from core.kernel.errors import Conflict, Invalid
from core.kernel.ids import new_id, parse_id
from core.kernel.messages import N_

FIRST_LINES, MORE_LINES = 5, 5
HEAD = (
    Field("reference", N_("Delivery note"), max_length=MAX_REFERENCE, help=N_("The supplier's number. Empty: we give one.")),
    Field("note", N_("Note"), max_length=200),
)
LINE = (
    Field("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_required=True),
    Field("quantity", N_("Quantity"), FieldType.QUANTITY, minimum=0, is_required=True),
)


class StockView(EntityView):
    """The stock list, whose first button receives a delivery."""

    def list_head(self, addresses: Addresses) -> dict[str, Any]:
        """Receiving first; a single shelf is added beside it."""
        head = super().list_head(addresses)
        if can("inventory.write"):
            head["more"] = [*([head["primary"]] if head["primary"] else []), *head["more"]]
            head["primary"] = grid.Action(gettext("Receive a delivery"), url_for("ReceiveView.receive"), "truck-return")
        return head


class ReceiveView(BaseView):
    """The form of a delivery."""

    route_base = "/receive"
    default_view = "receive"
    class_permission_name = "ReceiveView"
    permission_keys: ClassVar[Mapping[str, str]] = {"receive": "inventory.write"}

    @expose("/", methods=["GET", "POST"])
    @has_access
    def receive(self) -> Any:
        """The form; posted, the receipt. `more` adds empty lines and keeps what was typed; the same form sent twice books once."""
        statement = select(Warehouse.id, Warehouse.name).where(Warehouse.is_active).order_by(Warehouse.priority, Warehouse.code)
        houses = db().execute(statement).all()
        if not houses:
            return _needs_warehouse()
        count = line_count(first=FIRST_LINES, more=MORE_LINES)
        form = _form(houses, count)
        if request.method == "GET" or "more" in request.form:
            return _page(form, count)
        if form.validate():
            found = _taken(form, count)
            if found is not None and _booked(form, *found):
                return redirect(url_for(f"{view_name('inventory.ledger')}.list"))
        return _page(form, count), 422


def _needs_warehouse() -> Any:
    add = grid.Action(gettext("Add a warehouse"), url_for(f"{view_name('inventory.warehouse')}.add"), "plus")
    text = gettext("Add the place where your goods lie. Orders are reserved from there.")
    empty = grid.Empty("building-warehouse", gettext("A warehouse is needed first"), text, add)
    table = grid.Grid([], [], empty=empty)
    return render_template("kit/list.html", title=gettext("Receive a delivery"), head={}, tabs=[], tools=None, grid=table)


def _form(houses: Any, count: int) -> FlaskForm:
    choices = tuple(Choice(str(house.id), house.name) for house in houses)
    house_field = Field("warehouse_id", N_("Warehouse"), FieldType.CHOICE, is_required=True, choices=choices)
    lookup = url_for(f"{view_name('catalog.sku')}.lookup")
    parts = [forms.form_class((house_field, *HEAD), lookup_url=lambda _target: lookup)]
    parts += [forms.form_class(LINE, lookup_url=lambda _target: lookup, prefix=prefix_of(number)) for number in range(count)]
    made = type("ReceiveForm", tuple(parts), {})()
    for number in range(count):
        # Only lines that have something in them are asked for the rest; the browser must not insist.
        for item in LINE:
            field = made[prefix_of(number) + item.key]
            field.render_kw = {name: value for name, value in (field.render_kw or {}).items() if name != "required"}
    return made


def _taken(form: FlaskForm, count: int) -> tuple[Delivery, list[int]] | None:
    """The delivery as typed with the places of its lines on the form, or None with the errors put beside the fields."""
    values = _checked(form, HEAD, "")
    typed: list[tuple[int, dict[str, Any]]] = []
    is_good = values is not None
    for number in range(count):
        if not any(str(form[prefix_of(number) + item.key].data or "").strip() for item in LINE):
            continue
        line = _checked(form, LINE, prefix_of(number))
        is_good = is_good and line is not None
        typed.append((number, line or {}))
    house = parse_id(form["warehouse_id"].data or "")
    if values is None or not is_good or house is None:
        return None
    lines = [Received(line["sku_id"], line["quantity"]) for _number, line in typed]
    reference = values.get("reference") or request.form.get("own_number", "")[:MAX_REFERENCE]
    return Delivery(house, reference, lines, values.get("note") or ""), [number for number, _line in typed]


def _checked(form: FlaskForm, fields: tuple[Field, ...], prefix: str) -> dict[str, Any] | None:
    entities = present_schema()
    try:
        return take(db(), entities, fields, forms.raw_values(form, fields, zone=reader_zone(), is_new=True, prefix=prefix), is_new=True)
    except ValuesRefused as error:
        for key, message in error.problems.items():
            blame(form, prefix + key, message)
        return None


def _booked(form: FlaskForm, delivery: Delivery, places: list[int]) -> bool:
    """Book it and say how that went; False with the error beside the field that it names."""
    try:
        with db().begin_nested():
            is_new = receive(db(), delivery)
    except (Invalid, Conflict) as error:
        blame(form, _place_of(getattr(error, "field", None) or "", places), error.message)
        return False
    if is_new:
        flash(gettext("Delivery %(number)s is booked.", number=delivery.reference), "success")
    else:
        flash(gettext("Delivery %(number)s was booked already; nothing was changed.", number=delivery.reference), "warning")
    return True


def _place_of(field: str, places: list[int]) -> str:
    """The form's name of a field of the delivery: its lines are those of the form that have something in them."""
    if field == "lines":
        return f"{prefix_of(0)}sku_id"
    head, _, key = field.partition("].")
    number = head.removeprefix("lines[")
    return f"{prefix_of(places[int(number)])}{key}" if key and number.isdecimal() else field


def _page(form: FlaskForm, count: int) -> Any:
    keep_goods(form, count)
    return render_template(
        "pages/receive.html",
        title=gettext("Receive a delivery"),
        form=form,
        lines=[prefix_of(number) for number in range(count)],
        count=count,
        own_number=request.form.get("own_number") or f"R-{new_id().hex[-12:].upper()}",
        head_fields=("warehouse_id", "reference", "note"),
        cancel_url=url_for(f"{view_name('inventory.stock')}.list"),
    )
