"""The numbers of the start page, each counted up to a limit, so that the page costs the same at any size."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from core.delivery.web.schema import seen_rows
from core.domain.catalog.models import SkuAlias
from core.domain.channels.models import Push, Shop, SyncRun
from core.domain.fulfilment.models import Carrier
from core.domain.inventory.models import Stock
from core.domain.orders.models import Order
from core.engines.metadata import EntityType, queries
from core.engines.metadata.queries import ListQuery
from core.runtime.db.keyset import capped_count
from core.runtime.events.models import Delivery
from core.runtime.events.pruning import first_id

CAP = 1_000
HELD_CAP = 20_000
BUSY_DAY = 50_000
WEEK = timedelta(days=7)


class Count(NamedTuple):
    """A number; `is_capped` says that there are more."""

    value: int
    is_capped: bool = False

    @property
    def text(self) -> str:
        """The number with group signs, and a plus when there are more."""
        return f"{self.value:,}{'+' if self.is_capped else ''}"


class ShopState(NamedTuple):
    """How a shop's last synchronisation went; `state` and `at` are None before the first."""

    id: UUID
    title: str
    marketplace: str
    is_active: bool
    state: str | None
    at: datetime | None


def counted(session: Session, statement: Select[Any]) -> Count:
    """The rows that a statement finds, counted up to a thousand."""
    return Count(*capped_count(session, statement, cap=CAP))


def queue_count(session: Session, entity: EntityType, queue: str, *, now: datetime) -> Count:
    """The rows of a work queue."""
    return Count(*queries.count(session, entity, ListQuery(queue=queue), now=now, cap=CAP))


def unmatched_count(session: Session) -> Count:
    """Names in shops that nobody has matched to a SKU."""
    return counted(session, seen_rows("catalog.alias", select(SkuAlias.id).where(SkuAlias.sku_id.is_(None))))


def failure_counts(session: Session, *, since: datetime) -> Mapping[str, Count]:
    """What went wrong on the way to or from channels: `syncs` that failed after `since`, `pushes` refused, `dead` deliveries."""
    return {
        "syncs": counted(session, select(SyncRun.id).where(SyncRun.state == "failed", SyncRun.id >= first_id(since))),
        "pushes": counted(session, seen_rows("channels.push", select(Push.id).where(Push.state.in_(("refused", "unknown"))))),
        "dead": counted(session, select(Delivery.id).where(Delivery.state == "dead")),
    }


def exceptions_by_code(session: Session) -> list[tuple[str, int]]:
    """Held orders by the hold that counts, most frequent first; of very many only the first twenty thousand are counted."""
    held = seen_rows("orders.order", select(Order.hold_code).where(Order.hold_count > 0)).limit(HELD_CAP).subquery()
    number = func.count()
    rows = session.execute(select(held.c.hold_code, number).group_by(held.c.hold_code).order_by(number.desc(), held.c.hold_code))
    return [(row[0], row[1]) for row in rows]


def shop_states(session: Session) -> list[ShopState]:
    """The shops with a marketplace, each with its last run."""
    last = (
        select(SyncRun.state, SyncRun.started_at)
        .where(SyncRun.shop_id == Shop.id, SyncRun.tenant_id == Shop.tenant_id)
        .order_by(SyncRun.started_at.desc())
        .limit(1)
        .lateral()
    )
    columns = (Shop.id, Shop.title, Shop.marketplace, Shop.is_active, last.c.state, last.c.started_at)
    statement = select(*columns).outerjoin(last, true())
    statement = seen_rows("channels.shop", statement.where(Shop.marketplace != ""))
    return [ShopState(*row) for row in session.execute(statement.order_by(Shop.code))]


def orders_by_hour(session: Session, *, now: datetime, zone: tzinfo) -> list[tuple[int, int, int]]:
    """Orders placed in each hour of today so far, beside the same hour a week ago: (hour, today, then), in the reader's zone."""
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = datetime.combine(today.date(), time(), zone)
    then = start - WEEK
    spans = or_(
        and_(Order.placed_at >= start, Order.placed_at < start + timedelta(days=1)),
        and_(Order.placed_at >= then, Order.placed_at < then + timedelta(days=1)),
    )
    placed = seen_rows("orders.order", select(Order.placed_at).where(spans)).limit(BUSY_DAY).subquery()
    hour, is_today = func.extract("hour", func.timezone(str(zone), placed.c.placed_at)), placed.c.placed_at >= start
    rows = session.execute(select(hour, is_today, func.count()).group_by(hour, is_today))
    found = {(int(row[0]), bool(row[1])): int(row[2]) for row in rows}
    return [(at, found.get((at, True), 0), found.get((at, False), 0)) for at in range(now.astimezone(zone).hour + 1)]


def missing_steps(session: Session) -> dict[str, bool]:
    """Which steps of setting up are done: shop, stock, carrier, order."""
    steps = {
        "shop": select(Shop.id),
        "stock": select(Stock.id).where(Stock.on_hand > 0),
        "carrier": select(Carrier.id),
        "order": select(Order.id),
    }
    return {name: session.scalars(statement.limit(1)).first() is not None for name, statement in steps.items()}
