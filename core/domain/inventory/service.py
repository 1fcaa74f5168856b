"""Changing stock: ledger row, reservation row and balance in one transaction, SKUs always locked in the same order.

All functions are set-based, may be repeated without harm, and do not commit. The CHECK on `stock` is the last word: oversell is impossible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.inventory.errors import StockChangeRefused, StockShort
from core.domain.inventory.models import LedgerEntry, Reservation, Stock, Warehouse
from core.domain.inventory.rules import ZERO, Allocation, Demand, Shelf, allocate
from core.kernel.ids import new_id
from core.kernel.quantity import quantity_from
from core.runtime.db.bulk import find_rows, find_soon, insert_rows, update_rows
from core.runtime.db.claiming import ClaimRule, claim
from core.runtime.db.direct import settle, together
from core.runtime.events import EventDraft, emit

_AGAIN = (
    "ON CONFLICT (tenant_id, owner, sku_id, warehouse_id) DO UPDATE SET state = 'active', quantity = excluded.quantity, "
    "reserved_at = now(), ended_at = NULL WHERE reservation.state = 'released'"
)
MAX_ON_SHELF = 10**11  # leaves room in the column, so that a sum never fails in the database
_ACTIVE = "state = 'active'"
_HELD = "state IN ('active', 'consumed')"
_LOW = "is_low = (t.alert_at IS NOT NULL AND {free} <= t.alert_at)"
_FREE = "on_hand - reserved"
_TOLD = "old.is_low AS was_low, new.is_low AS is_low, new.on_hand - new.reserved AS left_free"
_OPEN = "EXISTS (SELECT FROM warehouse w WHERE w.tenant_id = stock.tenant_id AND w.id = stock.warehouse_id AND w.is_active)"
_RULE = ClaimRule(
    counters=Stock,
    claims=Reservation,
    thing="sku_id",
    place="warehouse_id",
    owner="owner",
    amount="quantity",
    free=_FREE,
    carried="on_hand, reserved",
    sets="on_hand = n.on_hand, reserved = n.reserved + n.wanted, updated_at = now(), "
    + _LOW.format(free="n.on_hand - n.reserved - n.wanted"),
    told=_TOLD,
    held=_HELD,
    usable=_OPEN,
    on_conflict=_AGAIN,
)


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of what lies in a warehouse. The same (reason, reference, SKU, warehouse) counts once."""

    sku_id: UUID
    warehouse_id: UUID
    delta: Decimal
    reason: str
    reference: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """Units of one owner that leave for good."""

    owner: str
    sku_id: UUID
    quantity: Decimal


def reserve(session: Session, demands: Sequence[Demand]) -> Allocation:
    """Set stock aside for the demands, group by group, each whole or not at all, earlier groups first.

    A demand whose owner holds the SKU already is left as it is and does not appear among the grants, also when somebody else asked for the
    same owner at the same time and was quicker. Warehouses that are not active give nothing.
    Emits: `stock.low` for shelves that fall to their alert level.
    """
    asked: dict[tuple[str, UUID], dict[str, Any]] = {}
    for demand in demands:
        key = (demand.owner, demand.sku_id)
        row = asked.setdefault(key, {"id": new_id(), "owner": key[0], "sku_id": key[1], "quantity": ZERO})
        row["quantity"] += demand.quantity
    found = claim(session, _RULE, list(asked.values()), may_write=all(demand.quantity > 0 for demand in demands))
    # Without a decision the claims were read before the counters were locked: who held them may have claimed for the same owner.
    held = found.held if found.told else _held_by(session, [demand.owner for demand in demands])
    wanted = [demand for demand in demands if (demand.owner, demand.sku_id) not in held]
    if not wanted:
        return Allocation()
    decision = allocate(wanted, _shelves(session, found.seen))
    if found.told:
        _tell_low(session, found.told)
    elif decision.grants:
        _write(session, decision)
    return decision


def _held_by(session: Session, owners: Iterable[str]) -> set[tuple[str, UUID]]:
    """What these owners hold now or have used."""
    rows = find_rows(session, Reservation, ("owner", "sku_id"), {"owner": list(set(owners))}, extra=_HELD)
    return {(row.owner, row.sku_id) for row in rows}


def _write(session: Session, decision: Allocation) -> None:
    """Reservations and balances of a decision over shelves that are locked."""
    taken: dict[tuple[UUID, UUID], Decimal] = {}
    rows: dict[tuple[str, UUID, UUID], dict[str, Any]] = {}
    for grant in decision.grants:
        key = (grant.demand.owner, grant.demand.sku_id, grant.warehouse_id)
        if key in rows:
            rows[key]["quantity"] += grant.quantity
        else:
            rows[key] = {"id": new_id(), "owner": key[0], "sku_id": key[1], "warehouse_id": key[2], "quantity": grant.quantity}
        shelf = (grant.demand.sku_id, grant.warehouse_id)
        taken[shelf] = taken.get(shelf, ZERO) + grant.quantity
    with together(session):
        insert_rows(session, Reservation, list(rows.values()), on_conflict=_AGAIN)
        _change_balance(session, {shelf: (ZERO, quantity) for shelf, quantity in taken.items()})


def _tell_low(session: Session, changed: Sequence[Any]) -> None:
    """Tell of shelves that fell to their alert level."""
    low = [row for row in changed if row.is_low and not row.was_low]
    facts = [EventDraft("stock.low", "sku", row.sku_id, {"warehouse_id": str(row.warehouse_id), "free": str(row.left_free)}) for row in low]
    emit(session, facts)


def release(session: Session, owners: Iterable[str]) -> dict[str, Decimal]:
    """Give back what these owners hold; returns the units given back by owner. Emits: `stock.increased` with the SKUs."""
    active = _lock_reservations(session, owners)
    if not active:
        return {}
    _end(session, [(row, row.quantity, "released") for row in active])
    back: dict[tuple[UUID, UUID], Decimal] = {}
    by_owner: dict[str, Decimal] = {}
    for row in active:
        shelf = (row.sku_id, row.warehouse_id)
        back[shelf] = back.get(shelf, ZERO) + row.quantity
        by_owner[row.owner] = by_owner.get(row.owner, ZERO) + row.quantity
    _change_balance(session, {shelf: (ZERO, -quantity) for shelf, quantity in back.items()})
    _tell_increase(session, {shelf[0] for shelf in back})
    return by_owner


def consume(session: Session, uses: Sequence[Use], *, reference: str) -> dict[UUID, Decimal]:
    """Take reserved units out for good (they ship). Returns the units taken by SKU.

    Raises: StockShort - an owner holds fewer units than it uses; nothing is taken.
    Emits nothing: what is free does not change.
    """
    active = _lock_reservations(session, {use.owner for use in uses})
    left: dict[UUID, Decimal] = {row.id: row.quantity for row in active}
    moved: dict[tuple[UUID, UUID], Decimal] = {}
    for use in uses:
        needed = use.quantity
        for row in active:
            if needed <= 0:
                break
            if row.owner == use.owner and row.sku_id == use.sku_id and left[row.id] > 0:
                part = min(needed, left[row.id])
                left[row.id] -= part
                needed -= part
                shelf = (row.sku_id, row.warehouse_id)
                moved[shelf] = moved.get(shelf, ZERO) + part
        if needed > 0:
            raise StockShort(owner=use.owner, sku_id=str(use.sku_id), asked=str(use.quantity), missing=str(needed))
    ended = [(row, row.quantity - left[row.id], "consumed") for row in active if left[row.id] != row.quantity]
    _end(session, ended)
    rows = [_ledger(Movement(sku, house, -quantity, "shipped", reference)) for (sku, house), quantity in moved.items()]
    insert_rows(session, LedgerEntry, rows)
    _change_balance(session, {shelf: (-quantity, -quantity) for shelf, quantity in moved.items()})
    by_sku: dict[UUID, Decimal] = {}
    for (sku, _house), quantity in moved.items():
        by_sku[sku] = by_sku.get(sku, ZERO) + quantity
    return by_sku


def post(session: Session, movements: Sequence[Movement], *, actor: str = "") -> int:
    """Book receipts, corrections, returns and write-offs; returns how many were new.

    Raises: StockChangeRefused - a delta is zero, not a quantity, or more than a shelf holds; StockShort - less lies there unreserved
    than is taken out.
    Emits: `stock.increased` for SKUs of which more became free.
    """
    for index, movement in enumerate(movements):
        if quantity_from(movement.delta, field=f"movements[{index}].delta") == 0:
            raise StockChangeRefused("A change of stock is not zero.", field=f"movements[{index}].delta")
    _make_shelves(session, {(movement.sku_id, movement.warehouse_id) for movement in movements})
    shelves = {(shelf.sku_id, shelf.warehouse_id): shelf for shelf in _locked(session, {movement.sku_id for movement in movements})}
    rows = [_ledger(movement, actor) for movement in movements]
    done = insert_rows(
        session,
        LedgerEntry,
        rows,
        on_conflict="ON CONFLICT (tenant_id, reason, reference, sku_id, warehouse_id) DO NOTHING",
        returning="sku_id, warehouse_id, delta",
    )
    change: dict[tuple[UUID, UUID], Decimal] = {}
    for row in done:
        change[(row.sku_id, row.warehouse_id)] = change.get((row.sku_id, row.warehouse_id), ZERO) + row.delta
    for shelf, delta in change.items():
        if shelves[shelf].free + delta < 0:
            raise StockShort(sku_id=str(shelf[0]), asked=str(-delta), free=str(shelves[shelf].free))
        if shelves[shelf].free + delta > MAX_ON_SHELF:
            raise StockChangeRefused(f"A shelf holds at most {MAX_ON_SHELF} units.", field="delta")
    _change_balance(session, {shelf: (delta, ZERO) for shelf, delta in change.items()})
    _tell_increase(session, {shelf[0] for shelf, delta in change.items() if delta > 0})
    return len(done)


def _locked(session: Session, skus: Iterable[UUID]) -> list[Shelf]:
    """The shelves of these SKUs, locked in the one order that everybody uses, returned by warehouse priority."""
    rows = _ask_locked(session, skus)
    settle(session)
    return _shelves(session, rows)


def _ask_locked(session: Session, skus: Iterable[UUID]) -> list[Any]:
    columns = ("sku_id", "warehouse_id", f"{_FREE} AS free")
    return find_soon(session, Stock, columns, {"sku_id": list(set(skus))}, order_by="sku_id, warehouse_id", lock=True)


def _shelves(session: Session, rows: Sequence[Any]) -> list[Shelf]:
    houses = {row.warehouse_id for row in rows}
    if len(houses) <= 1:
        return [Shelf(row.sku_id, row.warehouse_id, row.free) for row in rows]
    ranks = find_rows(session, Warehouse, ("id", "priority", "code"), {"id": list(houses)})
    rank = {row.id: (row.priority, row.code) for row in ranks}
    shelves = sorted(rows, key=lambda row: rank[row.warehouse_id])
    return [Shelf(row.sku_id, row.warehouse_id, row.free) for row in shelves]


def _lock_reservations(session: Session, owners: Iterable[str]) -> Sequence[Any]:
    """What these owners hold, locked. Their shelves are locked first, as everybody does who changes both."""
    columns, keys = ("id", "owner", "sku_id", "warehouse_id", "quantity"), {"owner": list(set(owners))}
    skus = {row.sku_id for row in find_rows(session, Reservation, ("sku_id",), keys, extra=_ACTIVE)}
    if not skus:
        return []
    _locked(session, skus)
    return find_rows(
        session, Reservation, columns, {**keys, "sku_id": list(skus)}, extra=_ACTIVE, order_by="sku_id, warehouse_id, owner", lock=True
    )


def _end(session: Session, ended: Sequence[tuple[Any, Decimal, str]]) -> None:
    """Close reservations, or make them smaller where only a part was used."""
    whole = [{"id": row.id, "state": state, "ended_at": "now"} for row, part, state in ended if part == row.quantity]
    partly = [{"id": row.id, "quantity": row.quantity - part} for row, part, _state in ended if part != row.quantity]
    update_rows(session, Reservation, whole)
    update_rows(session, Reservation, partly)


def _change_balance(session: Session, changes: Mapping[tuple[UUID, UUID], tuple[Decimal, Decimal]]) -> None:
    rows = [{"sku_id": s, "warehouse_id": w, "on_hand": hand, "reserved": kept} for (s, w), (hand, kept) in sorted(changes.items())]
    free = "(t.on_hand + r.on_hand) - (t.reserved + r.reserved)"

    def check(changed: Sequence[Any]) -> None:
        if len(changed) != len(rows):
            raise StockShort(asked=str(len(rows)), free=str(len(changed)))
        _tell_low(session, changed)

    update_rows(
        session,
        Stock,
        rows,
        keys=("sku_id", "warehouse_id"),
        sets=f"on_hand = t.on_hand + r.on_hand, reserved = t.reserved + r.reserved, updated_at = now(), {_LOW.format(free=free)}",
        returning=f"t.sku_id, t.warehouse_id, {_TOLD}",
        then=check,
    )


def _make_shelves(session: Session, shelves: Iterable[tuple[UUID, UUID]]) -> None:
    rows = [{"id": new_id(), "sku_id": sku, "warehouse_id": house} for sku, house in sorted(shelves)]
    insert_rows(session, Stock, rows, on_conflict="ON CONFLICT (tenant_id, sku_id, warehouse_id) DO NOTHING")


def _ledger(movement: Movement, actor: str = "") -> dict[str, Any]:
    return {
        "id": new_id(),
        "sku_id": movement.sku_id,
        "warehouse_id": movement.warehouse_id,
        "delta": movement.delta,
        "reason": movement.reason,
        "reference": movement.reference,
        "note": movement.note,
        "actor": actor,
    }


def _tell_increase(session: Session, skus: Iterable[UUID]) -> None:
    emit(session, [EventDraft("stock.increased", "sku", sku, {}) for sku in sorted(skus)])


def warehouses_of(session: Session, owners: Iterable[str]) -> list[UUID]:
    """The warehouses in which these owners have units reserved."""
    statement = select(Reservation.warehouse_id).where(Reservation.owner.in_(list(owners)), Reservation.state == "active").distinct()
    return list(session.scalars(statement))
