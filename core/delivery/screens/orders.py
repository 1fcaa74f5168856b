"""The order's own page: badges, lines, money, parcels, buyer, notes, timeline, and why it is stuck; and entry by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext
from sqlalchemy import select

from core.delivery.screens import order_facts as facts
from core.delivery.screens.order_timeline import timeline_of
from core.delivery.web.crud.addressing import view_name
from core.delivery.web.crud.grids import Addresses
from core.delivery.web.crud.view import EntityView
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.domain.channels.models import Shop
from core.domain.channels.own_refunds import REFUNDABLE
from core.domain.channels.payments import DUE
from core.domain.orders import service
from core.domain.orders.models import Order
from core.domain.orders.receivers import reveal_receiver
from core.kernel.errors import Denied, Invalid, NotFound
from core.kernel.text import clean_text

SHIPPABLE = ("approved", "allocated", "picking")


class OrderView(EntityView):
    """Orders: the generated list, and a page of their own."""

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """The page of one order."""
        order: Order = self.record(pk)
        session, show = db(), request.args.get("show", "")
        links = self._links(order)
        return render_template(
            "pages/order.html",
            title=order.number,
            head=self._head(order),
            origin=facts.origin_of(session, order),
            neighbours=None,
            edit_url=self._edit_url(order),
            stuck=facts.stuck_of(session, order, links, may_release=can("orders.release")),
            lines=facts.lines_of(session, order, links),
            currency=order.currency,
            **facts.sums_of(order),
            parcels=facts.parcels_of(session, order),
            sent_elsewhere=order.fulfilment in ("shipped", "shipped_partly", "delivered"),
            parcel_add_url="",
            buyer=facts.buyer_of(order, self.link("customers.customer", order.customer_id) if order.customer_id else ""),
            reveal={"url": url_for(f"{self.endpoint}.reveal", pk=pk)} if can("customers.reveal") and order.receiver_sealed else None,
            said={"buyer": order.buyer_note, "seller": order.seller_note, "internal": None, "edit_url": self._edit_url(order)},
            tags=self._tags(order),
            tag_url=url_for(f"{self.endpoint}.tag", pk=pk) if can("orders.write") else "",
            slots={},
            panels=self.panels(order, only_own=True),
            related=self.related(order, only_own=True),
            events=timeline_of(session, order, show),
            event_filters=[
                {"label": label, "url": url_for(f"{self.endpoint}.show", pk=pk, show=key or None), "active": show == key}
                for key, label in (("", gettext("All")), ("people", gettext("People")), ("plugins", gettext("Events")))
            ],
            note_url=url_for(f"{self.endpoint}.note", pk=pk) if can("orders.write") else "",
        )

    @expose("/act/<pk>", methods=["POST"])
    @has_access
    @permission_name("show")
    def act(self, pk: str) -> Any:
        """One of the list's actions, on this order."""
        order = self.record(pk)
        action = self.entity.action(request.form.get("action", ""))
        if action is None:
            raise NotFound
        if not can(action.permission):
            raise Denied
        if any(field.is_required for field in action.fields):
            return redirect(url_for(f"{self.endpoint}.list", q=order.number))
        error = action.apply(db(), [order.id], {}).get(order.id)
        if error is None:
            flash(gettext(action.label), "success")
        else:
            flash(in_words(error.message), "danger")
        return redirect(url_for(f"{self.endpoint}.show", pk=pk))

    @expose("/note/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def note(self, pk: str) -> Any:
        """Add a note."""
        order = self.record(pk)
        try:
            service.write_note(db(), order.id, request.form.get("text", ""))
        except Invalid as error:
            flash(in_words(error.message), "danger")
        return redirect(url_for(f"{self.endpoint}.show", pk=pk))

    @expose("/tag/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def tag(self, pk: str) -> Any:
        """Add or take away a tag."""
        order = self.record(pk)
        try:
            name = clean_text(request.form.get("tag", "") or request.args.get("remove", ""), max_length=40, field="tag")
            if "remove" in request.args:
                service.tag(db(), [order.id], remove=[name])
            elif name:
                service.tag(db(), [order.id], add=[name])
        except Invalid as error:
            flash(in_words(error.message), "danger")
        return redirect(url_for(f"{self.endpoint}.show", pk=pk))

    @expose("/reveal/<pk>", methods=["POST"])
    @has_access
    @permission_name("reveal")
    def reveal(self, pk: str) -> Any:
        """The buyer in clear; the reason is put on record."""
        order = self.record(pk)
        try:
            clear = reveal_receiver(db(), order.id, reason=request.form.get("reason", ""))
        except Invalid as error:
            flash(in_words(error.message), "danger")
            return redirect(url_for(f"{self.endpoint}.show", pk=pk))
        buyer = facts.buyer_of(order, "")
        names = {"name": clear.get("name", ""), "phone": clear.get("phone", ""), "email": clear.get("email", "")}
        buyer.update(names, address=facts.place_of(clear), is_masked=bool(clear.get("is_masked")))
        if buyer["is_masked"]:
            buyer["nick"] = gettext("The channel masks the rest; it gives out no more.")
        return render_template("pages/_buyer.html", buyer=buyer, reveal=None)

    def _links(self, order: Order) -> facts.Links:
        aliases = url_for(f"{view_name('catalog.alias')}.list", queue="unmatched") if can("catalog.read") else ""
        stock = url_for(f"{view_name('inventory.stock')}.list") if can("inventory.read") else ""
        return facts.Links(
            sku=lambda sku: self.link("catalog.sku", sku),
            action=lambda _key: url_for(f"{self.endpoint}.act", pk=order.id),
            form=url_for(f"{self.endpoint}.bulk"),
            stock=stock,
            aliases=aliases,
        )

    def _edit_url(self, order: Order) -> str:
        return url_for(f"{self.endpoint}.edit", pk=order.id) if can("orders.write") else ""

    def _tags(self, order: Order) -> list[dict[str, str]]:
        may = can("orders.write")
        return [{"label": tag, "remove_url": url_for(f"{self.endpoint}.tag", pk=order.id, remove=tag) if may else ""} for tag in order.tags]

    @staticmethod
    def _is_own(order: Order) -> bool:
        return db().scalar(select(Shop.marketplace).where(Shop.id == order.shop_id)) == ""

    @staticmethod
    def _own_steps(order: Order, action: Callable[..., grid.Action]) -> list[grid.Action]:
        """What people note about an order that no platform speaks for: payment, delivery, completion."""
        steps = []
        if can("orders.write"):
            if order.state == "shipped":
                steps.append(action("deliver", gettext("Mark delivered"), "home-check"))
            if order.state in ("shipped", "delivered"):
                steps.append(action("complete", gettext("Complete"), "circle-check"))
            if order.payment in DUE and order.state != "cancelled":
                steps.append(action("pay", gettext("Record payment"), "cash"))
        return steps

    def _head(self, order: Order) -> dict[str, Any]:
        bulk_url = url_for(f"{self.endpoint}.bulk")

        def action(key: str, label: str, icon: str, kind: str = "") -> grid.Action:
            fields = {"action": key, "pk": str(order.id), "back": "record"}
            return grid.Action(label, bulk_url, icon, method="post", kind=kind, fields=fields)

        primary, more = None, []
        if order.state in SHIPPABLE and not order.hold_count and can("fulfilment.ship"):
            primary = grid.Action(gettext("Ship"), url_for("ShipOrderView.ship", pk=order.id), "truck-delivery")
        is_own = self._is_own(order)
        if is_own:
            ends = self._own_steps(order, action)
            primary = primary or (ends.pop(0) if order.state in ("shipped", "delivered") and ends else None)
            more += ends
        is_open = order.state in ("placed", "paid", *SHIPPABLE)
        if is_open and can("orders.hold"):
            more.append(action("hold", gettext("Hold"), "hand-stop"))
        if is_own and order.payment in REFUNDABLE and can("orders.refund"):
            more.append(grid.Action(gettext("Record refund"), url_for("RefundOrderView.refund", pk=order.id), "arrow-back-up"))
        if is_open and can("orders.cancel"):
            more.append(action("cancel", gettext("Cancel order"), "ban", "bad"))
        return {
            "primary": primary,
            "more": more,
            "crumbs": [{"label": gettext("Orders"), "url": url_for(f"{self.endpoint}.list")}],
            "states": facts.states_of(order),
            "copy": order.number,
        }

    def list_head(self, addresses: Addresses) -> dict[str, Any]:
        """The list's primary button leads to the entry by hand."""
        head = super().list_head(addresses)
        if can("orders.write"):
            head["primary"] = grid.Action(gettext("New order"), url_for("OrderEntryView.enter"), "plus")
        return head

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)
