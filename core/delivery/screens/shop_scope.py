"""The shop that a reader works in: chosen in the top bar, it filters every list that knows shops until another one is chosen.

It is kept in a cookie of the tenant's path. A list's address always names the shop it shows, so that a link can be shared; an address that
names a shop itself wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from flask import g, redirect, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext
from sqlalchemy import or_, select

from core.delivery.web.crud.addressing import view_name
from core.delivery.web.crud.scope import ListScope
from core.delivery.web.identity import can
from core.delivery.web.redirects import present_address, safe_path
from core.delivery.web.theme.shell import Link
from core.delivery.web.unit import db
from core.domain.channels.models import Shop
from core.engines.metadata.entity import EntityType
from core.kernel.errors import NotFound
from core.kernel.ids import parse_id

COOKIE = "ol_shop"
ALL = "all"
MOST_SHOPS = 100
_TARGET = "channels.shop"
_KEPT_S = 365 * 24 * 3600
ORDERS = f"{view_name('orders.order')}.list"


class ShopScopeView(BaseView):
    """Chooses the shop. Like the language switch it is a link: it changes what this browser shows and nothing else."""

    route_base = "/shop-scope"
    default_view = "choose"
    class_permission_name = "ShopScopeView"
    permission_keys: ClassVar[Mapping[str, str]] = {"choose": "orders.read"}

    @expose("/<pk>", methods=["GET"])
    @has_access
    def choose(self, pk: str) -> Any:
        """Keep the shop, or `all`, and go on to the list in `next`. Raises NotFound - there is no such shop."""
        found = parse_id(pk)
        is_known = found is not None and db().scalar(select(Shop.id).where(Shop.id == found)) is not None
        if not is_known and pk != ALL:
            raise NotFound
        answer = redirect(safe_path(request.args.get("next"), fallback=url_for(ORDERS)), 303)
        path, secure = f"{request.script_root}/", request.is_secure
        if is_known:
            answer.set_cookie(COOKIE, str(found), max_age=_KEPT_S, samesite="Lax", secure=secure, httponly=True, path=path)
        else:
            answer.delete_cookie(COOKIE, samesite="Lax", secure=secure, httponly=True, path=path)
        return answer


def shops() -> Mapping[UUID, str]:
    """The shops to choose from, in order; read once a request."""
    if "shops" not in g:
        named = select(Shop.id, Shop.title).where(or_(Shop.is_active, Shop.marketplace != "")).order_by(Shop.code).limit(MOST_SHOPS)
        g.shops = {row.id: row.title for row in db().execute(named)} if can("orders.read") else {}
    found: Mapping[UUID, str] = g.shops
    return found


def chosen_shop() -> str:
    """The id of the shop that the reader works in; empty for all of them."""
    found = parse_id(request.cookies.get(COOKIE, ""))
    return str(found) if found is not None and found in shops() else ""


def shop_scope(entity: EntityType) -> ListScope | None:
    """The scope of an entity's lists: shops, where it refers to one."""
    item = entity.by_key.get("shop_id")
    if item is None or item.target != _TARGET or not item.is_filterable:
        return None
    return ListScope("shop_id", chosen_shop(), url_for("ShopScopeView.choose", pk=ALL, next=_elsewhere()))


def shop_links() -> tuple[Link, ...]:
    """The shops of the top bar. Choosing one on a list stays on that list, elsewhere it leads to the orders."""
    known = shops()
    if len(known) < 2:
        return ()
    chosen = request.args.get("f.shop_id", chosen_shop()) if _is_list() else chosen_shop()
    onward = _elsewhere() if _is_list() else url_for(ORDERS)
    links = [Link(gettext("All shops"), url_for("ShopScopeView.choose", pk=ALL, next=onward), "building-store", is_active=not chosen)]
    for key, title in known.items():
        url = url_for("ShopScopeView.choose", pk=key, next=onward)
        links.append(Link(title, url, "building-store", is_active=chosen == str(key)))
    return tuple(links)


def _is_list() -> bool:
    return request.method == "GET" and (request.endpoint or "").endswith(".list") and "/list/" in request.path


def _elsewhere() -> str:
    """The present list without the shop that its address names, from the first page."""
    path, _, query = present_address().partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith(("f.shop_id=", "op.shop_id=", "cursor="))]
    return f"{path}?{'&'.join(kept)}" if kept else path
