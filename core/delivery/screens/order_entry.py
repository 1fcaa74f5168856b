"""Entry of an order by hand: by phone, at the counter, from a letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext
from flask_wtf import FlaskForm
from sqlalchemy import select

from core.delivery.screens.typed_lines import blame, keep_goods, line_count, prefix_of
from core.delivery.web.crud import forms
from core.delivery.web.crud.addressing import view_name
from core.delivery.web.i18n import reader_zone
from core.delivery.web.identity import can
from core.delivery.web.schema import present_schema
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.domain.catalog.models import Sku
from core.domain.channels.models import Shop
from core.domain.customers.address_block import MAX_BLOCK, parse_address
from core.domain.orders.intake import ShopFacts
from core.domain.orders.manual import ManualLine, ManualOrder, enter, find_entered
from core.domain.orders.normalised import Receiver
from core.engines.metadata import Choice, Field, FieldType
from core.engines.metadata.values import ValuesRefused, take
from core.kernel.errors import Conflict, Invalid
from core.kernel.ids import new_id
from core.kernel.messages import N_

FIRST_LINES, MORE_LINES = 4, 4
ZERO = Decimal(0)
ORDERS = view_name("orders.order")
RECEIVER = ("name", "phone", "country", "province", "city", "district", "street", "postcode", "email")
PAYMENT = (Choice("paid", N_("Paid")), Choice("unpaid", N_("Not paid yet")), Choice("on_delivery", N_("Cash on delivery")))
HEAD = (
    Field("payment", N_("Payment"), FieldType.CHOICE, is_required=True, choices=PAYMENT, default="paid"),
    Field("reference", N_("Buyer's own number"), max_length=60, help=N_("Empty: we give one.")),
    Field("name", N_("Name"), is_required=True, max_length=120),
    Field("phone", N_("Phone"), max_length=40),
    Field("country", N_("Country"), max_length=60),
    Field("province", N_("Province"), max_length=60),
    Field("city", N_("City"), max_length=60),
    Field("district", N_("District"), max_length=60),
    Field("street", N_("Street"), max_length=300),
    Field("postcode", N_("Postcode"), max_length=20),
    Field("email", N_("Email"), max_length=254),
    Field("discount", N_("Discount"), FieldType.MONEY, minimum=0, default="0", help=N_("Shared over the lines.")),
    Field("postage", N_("Postage"), FieldType.MONEY, minimum=0, default="0"),
    Field("buyer_note", N_("Buyer's note"), FieldType.LONG_TEXT, max_length=2000),
    Field("seller_note", N_("Seller's note"), FieldType.LONG_TEXT, max_length=2000),
    Field("tags", N_("Tags"), FieldType.TAGS),
)
LINE = (
    Field("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_required=True),
    Field("quantity", N_("Quantity"), FieldType.QUANTITY, minimum=0, is_required=True),
    Field("unit_price", N_("Unit price"), FieldType.MONEY, minimum=0, help=N_("Empty: the SKU's price.")),
)


class OrderEntryView(BaseView):
    """The form for a new order. It asks for a shop of one's own: marketplaces make their orders themselves."""

    route_base = "/new-order"
    default_view = "enter"
    class_permission_name = "OrderEntryView"
    permission_keys: ClassVar[Mapping[str, str]] = {"enter": "orders.write"}

    @expose("/", methods=["GET", "POST"])
    @has_access
    def enter(self) -> Any:
        """The form; posted, the order. `more` adds empty lines, `parse` takes a pasted address apart; both keep what was typed."""
        shops = _own_shops()
        if not shops:
            return _needs_shop()
        count = line_count(first=FIRST_LINES, more=MORE_LINES)
        form = _form(shops, count)
        if request.method == "GET":
            _defaults(form)
            return _page(form, count)
        if "parse" in request.form:
            _paste(form)
            return _page(form, count)
        if "more" in request.form:
            return _page(form, count)
        if form.validate():
            found = _taken(form, count)
            if found is not None:
                shop = next((shop for shop in shops if str(shop.id) == form["shop"].data), shops[0])
                was_there = find_entered(db(), shop.id, found.reference) is not None
                try:
                    order = enter(db(), ShopFacts(shop.id, shop.currency), found, now=datetime.now(UTC))
                except (Invalid, Conflict) as error:
                    blame(form, getattr(error, "field", None) or "", error.message)
                else:
                    _say_taken(was_there)
                    return redirect(url_for(f"{ORDERS}.show", pk=order))
        return _page(form, count), 422


def _say_taken(was_there: bool) -> None:
    if was_there:
        flash(gettext("An order with this number was there already; nothing was changed."), "warning")
    else:
        flash(gettext("The order was taken in."), "success")


def _own_shops() -> list[Any]:
    statement = select(Shop.id, Shop.title, Shop.currency).where(Shop.marketplace == "", Shop.is_active).order_by(Shop.code)
    return list(db().execute(statement))


def _needs_shop() -> Any:
    add = url_for(f"{view_name('channels.shop')}.add") if can("channels.write") else ""
    empty = grid.Empty(
        "building-store",
        gettext("A shop of your own is needed first"),
        gettext("Orders by phone or at the counter belong to a shop that is not on a marketplace."),
        grid.Action(gettext("Add a shop"), add, "plus") if add else None,
    )
    return render_template("kit/list.html", title=gettext("New order"), head={}, tabs=[], tools=None, grid=grid.Grid([], [], empty=empty))


def _form(shops: list[Any], count: int) -> FlaskForm:
    choices = tuple(Choice(str(shop.id), f"{shop.title} ({shop.currency})") for shop in shops)
    shop_field = Field("shop", N_("Shop"), FieldType.CHOICE, is_required=True, choices=choices)
    lookup = url_for(f"{view_name('catalog.sku')}.lookup")
    parts = [forms.form_class((shop_field, *HEAD), lookup_url=lambda _target: lookup)]
    parts += [forms.form_class(LINE, lookup_url=lambda _target: lookup, prefix=prefix_of(number)) for number in range(count)]
    made = type("OrderEntryForm", tuple(parts), {})()
    for number in range(count):
        # Only lines that have something in them are asked for the rest; the browser must not insist.
        for item in LINE:
            field = made[prefix_of(number) + item.key]
            field.render_kw = {name: value for name, value in (field.render_kw or {}).items() if name != "required"}
    return made


def _defaults(form: FlaskForm) -> None:
    for item in HEAD:
        if item.default is not None:
            form[item.key].data = item.default


def _paste(form: FlaskForm) -> None:
    """Put the parts of the pasted address into their fields; what it does not say stays as it was typed."""
    parts = {key: value for key, value in asdict(parse_address(request.form.get("address_block", ""))).items() if value}
    for key, value in parts.items():
        form[key].data = value
    if set(parts) <= {"street"}:
        flash(gettext("No name, phone or region was found in this text."), "warning")


def _taken(form: FlaskForm, count: int) -> ManualOrder | None:
    """The order as typed, or None with the errors put beside the fields."""
    is_good = True
    values: dict[str, Any] = {}
    try:
        values = take(db(), present_schema(), HEAD, forms.raw_values(form, HEAD, zone=reader_zone(), is_new=True), is_new=True)
    except ValuesRefused as error:
        is_good = _all_blamed(form, error, "")
    typed: list[tuple[int, dict[str, Any]]] = []
    for number in range(count):
        raw = forms.raw_values(form, LINE, zone=reader_zone(), is_new=True, prefix=prefix_of(number))
        if not any(str(value or "").strip() for value in raw.values()):
            continue
        try:
            typed.append((number, take(db(), present_schema(), LINE, raw, is_new=True)))
        except ValuesRefused as error:
            is_good = _all_blamed(form, error, prefix_of(number))
    if not typed and is_good:
        blame(form, f"{prefix_of(0)}sku_id", "An order needs at least one line.")
        return None
    return _order(values, typed) if is_good else None


def _order(values: Mapping[str, Any], typed: list[tuple[int, dict[str, Any]]]) -> ManualOrder:
    skus = {sku.id: sku for sku in db().scalars(select(Sku).where(Sku.id.in_([line["sku_id"] for _number, line in typed])))}

    receiver: dict[str, Any] = {name: values.get(name) or "" for name in RECEIVER}

    def line_of(line: Mapping[str, Any]) -> ManualLine:
        sku, price = skus[line["sku_id"]], line.get("unit_price")
        return ManualLine(sku.code, sku.title, line["quantity"], sku.price if price is None else price)

    return ManualOrder(
        lines=[line_of(line) for _number, line in typed],
        receiver=Receiver(**receiver),
        postage=values.get("postage") or ZERO,
        discount=values.get("discount") or ZERO,
        is_paid=values["payment"] == "paid",
        is_on_delivery=values["payment"] == "on_delivery",
        reference=values.get("reference") or request.form.get("own_number", "")[:40],
        buyer_note=values.get("buyer_note") or "",
        seller_note=values.get("seller_note") or "",
        tags=values.get("tags") or (),
    )


def _all_blamed(form: FlaskForm, error: ValuesRefused, prefix: str) -> bool:
    for key, message in error.problems.items():
        blame(form, prefix + key, message)
    return False


def _page(form: FlaskForm, count: int) -> Any:
    keep_goods(form, count)
    return render_template(
        "pages/order_new.html",
        title=gettext("New order"),
        form=form,
        lines=[prefix_of(number) for number in range(count)],
        count=count,
        own_number=request.form.get("own_number") or f"M-{new_id().hex[-12:].upper()}",
        head_fields=("shop", "payment", "reference"),
        receiver_fields=RECEIVER,
        address_block=request.form.get("address_block", "")[:MAX_BLOCK],
        max_block=MAX_BLOCK,
        sum_fields=("discount", "postage"),
        note_fields=("buyer_note", "seller_note", "tags"),
        cancel_url=url_for(f"{ORDERS}.list"),
    )
