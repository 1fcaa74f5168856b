"""What the channel jobs need of the world around them, handed in by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.channels.errors import ShopSilent, ShopUnknown
from core.domain.channels.marketplace import Connection, Marketplace
from core.domain.channels.models import Shop
from core.domain.orders.intake import ShopFacts
from core.kernel.clock import Clock
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Scope


@dataclass(frozen=True, slots=True)
class ShopView:
    """A shop as plain values, usable outside a transaction."""

    id: UUID
    code: str
    title: str
    marketplace: str
    instance: str
    currency: str
    pulls_orders: bool
    pushes_stock: bool
    pushes_shipments: bool
    stock_share: int
    stock_fixed: int | None
    stock_safety: int
    carriers: dict[str, str]

    @property
    def facts(self) -> ShopFacts:
        """What intake needs to know."""
        return ShopFacts(self.id, self.currency)


@dataclass(frozen=True, slots=True)
class Link:
    """A marketplace with an open connection to one shop."""

    marketplace: Marketplace
    connection: Connection


@dataclass(frozen=True, slots=True)
class ChannelDesk:
    """The door to units of work, the clock, and `link(scope, shop)`, which connects a shop through its plugin.

    `link` raises `Denied` or `Conflict` when the plugin is off for the tenant.
    """

    database: Database
    link: Callable[[Scope, ShopView], AbstractContextManager[Link]]
    clock: Clock


def shop_view(session: Session, shop_id: UUID) -> ShopView:
    """The shop as plain values. Raises ShopUnknown."""
    shop = session.scalars(select(Shop).where(Shop.id == shop_id)).one_or_none()
    if shop is None:
        raise ShopUnknown(shop=str(shop_id))
    return view_of(shop)


def view_of(shop: Shop) -> ShopView:
    """The plain values of a loaded shop."""
    return ShopView(
        shop.id,
        shop.code,
        shop.title,
        shop.marketplace,
        shop.instance,
        shop.currency,
        shop.pulls_orders,
        shop.pushes_stock,
        shop.pushes_shipments,
        shop.stock_share,
        shop.stock_fixed,
        shop.stock_safety,
        dict(shop.carriers),
    )


def talking(session: Session, shop_id: UUID) -> ShopView:
    """A shop that has a marketplace and is active. Raises ShopUnknown, ShopSilent."""
    shop = session.scalars(select(Shop).where(Shop.id == shop_id)).one_or_none()
    if shop is None:
        raise ShopUnknown(shop=str(shop_id))
    if not shop.marketplace or not shop.is_active:
        raise ShopSilent(shop=shop.code)
    return view_of(shop)
