"""Pure decisions about stock: which warehouse serves which demand, and what a shop may show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Demand:
    """Units wanted for one owner. Demands of one `group` (an order) are served together or not at all.

    `owner` and `sku_id` together name the demand: asking again for what is reserved already changes nothing.
    """

    group: str
    owner: str
    sku_id: UUID
    quantity: Decimal


@dataclass(slots=True)
class Shelf:
    """What one warehouse has free of one SKU while decisions are made."""

    sku_id: UUID
    warehouse_id: UUID
    free: Decimal


@dataclass(frozen=True, slots=True)
class Grant:
    """Units of one demand that one warehouse gives."""

    demand: Demand
    warehouse_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Shortage:
    """A SKU that a group could not get: asked in all, free in all warehouses."""

    sku_id: UUID
    asked: Decimal
    free: Decimal


@dataclass(slots=True)
class Allocation:
    """The decision over a batch of demands."""

    grants: list[Grant] = field(default_factory=list)
    short: dict[str, list[Shortage]] = field(default_factory=dict)


def allocate(demands: Sequence[Demand], shelves: Sequence[Shelf]) -> Allocation:
    """Serve groups in the order given; within a group one warehouse that has everything is preferred over several.

    `shelves` stand in the order in which warehouses are asked. A group that cannot be served whole takes nothing, and its
    shortages are listed.
    """
    by_sku: dict[UUID, list[Shelf]] = {}
    for shelf in shelves:
        by_sku.setdefault(shelf.sku_id, []).append(shelf)
    groups: dict[str, list[Demand]] = {}
    for demand in demands:
        groups.setdefault(demand.group, []).append(demand)
    decision = Allocation()
    for group, wanted in groups.items():
        shortages = _shortages(wanted, by_sku)
        if shortages:
            decision.short[group] = shortages
            continue
        for grant in _serve(wanted, by_sku):
            decision.grants.append(grant)
    return decision


def _asked(wanted: Sequence[Demand]) -> dict[UUID, Decimal]:
    asked: dict[UUID, Decimal] = {}
    for demand in wanted:
        asked[demand.sku_id] = asked.get(demand.sku_id, ZERO) + demand.quantity
    return asked


def _shortages(wanted: Sequence[Demand], by_sku: Mapping[UUID, list[Shelf]]) -> list[Shortage]:
    found = []
    for sku_id, asked in _asked(wanted).items():
        free = sum((shelf.free for shelf in by_sku.get(sku_id, [])), ZERO)
        if free < asked:
            found.append(Shortage(sku_id, asked, free))
    return found


def _serve(wanted: Sequence[Demand], by_sku: Mapping[UUID, list[Shelf]]) -> list[Grant]:
    home = _one_home(_asked(wanted), by_sku)
    grants = []
    for demand in wanted:
        left = demand.quantity
        for shelf in by_sku[demand.sku_id]:
            if left <= 0:
                break
            if home is not None and shelf.warehouse_id != home:
                continue
            given = min(left, shelf.free)
            if given > 0:
                shelf.free -= given
                left -= given
                grants.append(Grant(demand, shelf.warehouse_id, given))
    return grants


def _one_home(asked: Mapping[UUID, Decimal], by_sku: Mapping[UUID, list[Shelf]]) -> UUID | None:
    """The first warehouse that has all of it, if there is one."""
    first = next(iter(asked))
    for candidate in by_sku[first]:
        house = candidate.warehouse_id
        if all(any(s.warehouse_id == house and s.free >= quantity for s in by_sku[sku]) for sku, quantity in asked.items()):
            return house
    return None


def shown_level(free: Decimal, *, share: int, fixed: int | None, safety: Decimal | int) -> int:
    """The whole number of units a shop shows: `fixed` when set (never above what is free), else floor(free x share %) - safety, at least
    0."""
    whole = int(max(free, ZERO))
    if fixed is not None:
        return min(fixed, whole)
    return max(int((max(free, ZERO) * share) / 100 - Decimal(safety)), 0)
