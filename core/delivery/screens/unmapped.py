"""The inbox of what channels send and nobody has given a meaning: SKUs and carriers. Mapping one releases all that waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext
from sqlalchemy import func, select

from core.delivery.web.crud.addressing import view_name
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.schema import seen_rows
from core.delivery.web.unit import db
from core.domain.catalog.models import Sku, SkuAlias
from core.domain.channels import service
from core.domain.channels.models import Shop, UnmappedValue
from core.domain.orders.models import Order, OrderLine
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import parse_id
from core.kernel.messages import N_

SHOWN = 50
ORDERS = view_name("orders.order")
KINDS = {"carrier": N_("Carrier"), "sku": N_("SKU")}


class UnmappedView(BaseView):
    """The inbox page and its two ways to map."""

    route_base = "/unmapped"
    default_view = "list"
    class_permission_name = "UnmappedView"
    permission_keys: ClassVar[Mapping[str, str]] = {"list": "channels.read", "value": "channels.write", "sku": "catalog.write"}

    @expose("/", methods=["GET"])
    @has_access
    def list(self) -> Any:
        """What waits, the most wanted first."""
        shops = {row.id: row for row in db().execute(select(Shop.id, Shop.title, Shop.marketplace))}
        causes = [*_values(shops), *(_skus(shops) if can("catalog.read") else [])]
        return render_template("pages/unmapped.html", title=gettext("Unmapped values"), stats=[], causes=causes)

    @expose("/value/<pk>", methods=["POST"])
    @has_access
    @permission_name("value")
    def value(self, pk: str) -> Any:
        """Say what a value means."""
        found = parse_id(pk)
        unmapped = db().scalars(select(UnmappedValue).where(UnmappedValue.id == found)).one_or_none() if found else None
        if unmapped is None:
            raise NotFound
        try:
            service.map_value(db(), unmapped, request.form.get("target", "")[:120])
            flash(gettext("Mapped. What waited for it goes on."), "success")
        except Invalid as error:
            flash(in_words(error.message), "danger")
        return redirect(url_for("UnmappedView.list"))

    @expose("/sku/<pk>", methods=["POST"])
    @has_access
    @permission_name("sku")
    def sku(self, pk: str) -> Any:
        """Match a shop's name to a SKU."""
        alias, target = parse_id(pk), parse_id(request.form.get("target", ""))
        is_known = target is not None and db().scalar(select(Sku.id).where(Sku.id == target)) is not None
        if alias is None:
            raise NotFound
        if not is_known:
            flash(gettext("Choose a SKU."), "danger")
            return redirect(url_for("UnmappedView.list"))
        match = current_app.extensions["oms.system"].entities.get("catalog.alias").action("match")
        if match.apply(db(), [alias], {"sku_id": target})[alias] is not None:
            raise NotFound
        flash(gettext("Mapped. What waited for it goes on."), "success")
        return redirect(url_for("UnmappedView.list"))


def _values(shops: Mapping[UUID, Any]) -> Sequence[dict[str, Any]]:
    statement = select(UnmappedValue).where(UnmappedValue.mapped_at.is_(None)).order_by(UnmappedValue.affected.desc(), UnmappedValue.id)
    found = []
    for one in db().scalars(statement.limit(SHOWN)):
        shop = shops.get(one.shop_id)
        known = _carriers_of(shop.marketplace) if one.kind == "carrier" and shop is not None else []
        target = {
            "url": url_for("UnmappedView.value", pk=one.id),
            "field": gettext("What the channel calls it"),
            "options": [(code, code) for code in known],
            "free": True,
        }
        found.append(
            {
                "kind": gettext(KINDS.get(one.kind, one.kind)),
                "value": one.value,
                "hint": one.label,
                "count": one.affected,
                "shop": shop.title if shop is not None else "",
                "first_at": one.created_at,
                "map": target if can("channels.write") else None,
                "orders_url": _orders_url("shipped", {"f.shop_id": str(one.shop_id)}),
                "ignore": None,
            }
        )
    return found


def _orders_url(queue: str, filters: Mapping[str, Any]) -> str:
    return url_for(f"{ORDERS}.list", queue=queue, **filters)


def _carriers_of(marketplace: str) -> list[str]:
    """The names that a marketplace has for carriers."""
    known = current_app.extensions["oms.system"].channels.marketplace(marketplace) if marketplace else None
    return sorted(set(known.carriers.values())) if known is not None else []


def _skus(shops: Mapping[UUID, Any]) -> Sequence[dict[str, Any]]:
    statement = select(SkuAlias).where(SkuAlias.sku_id.is_(None)).order_by(SkuAlias.last_seen_at.desc().nulls_last(), SkuAlias.id.desc())
    aliases = list(db().scalars(statement.limit(SHOWN)))
    waiting = _waiting(aliases)
    lookup = url_for(f"{view_name('catalog.sku')}.lookup")
    found = [
        {
            "kind": gettext("SKU"),
            "value": alias.seller_code or alias.external_key,
            "hint": alias.title,
            "count": waiting.get((alias.shop_id, alias.external_key), 0),
            "shop": shops[alias.shop_id].title if alias.shop_id in shops else "",
            "first_at": alias.last_seen_at or alias.created_at,
            "map": {"url": url_for("UnmappedView.sku", pk=alias.id), "field": gettext("SKU"), "options": [], "source": lookup}
            if can("catalog.write")
            else None,
            "orders_url": _orders_url("exceptions", {"f.hold_code": "sku_unmatched", "f.shop_id": str(alias.shop_id)}),
            "ignore": None,
        }
        for alias in aliases
    ]
    return sorted(found, key=lambda one: -one["count"])


def _waiting(aliases: Sequence[SkuAlias]) -> dict[tuple[UUID, str], int]:
    """Open orders that wait for each of these names."""
    keys = {alias.external_key for alias in aliases}
    if not keys:
        return {}
    statement = (
        select(Order.shop_id, OrderLine.external_key, func.count(func.distinct(Order.id)))
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.sku_id.is_(None), OrderLine.external_key.in_(keys), Order.state.in_(("placed", "paid")))
        .group_by(Order.shop_id, OrderLine.external_key)
    )
    return {(row[0], row[1]): row[2] for row in db().execute(seen_rows("orders.order", statement))}
