"""Taking orders in: any number of normalised orders of one shop in a fixed number of statements, idempotent by (shop, external id).

Source: docs/architecture/orders.md, "Intake".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.domain.catalog import matching
from core.domain.catalog.matching import ShopSku
from core.domain.customers import recognition
from core.domain.customers.recognition import Buyer
from core.domain.orders import changes, rules
from core.domain.orders.blocking import blocked_among, blocked_facts
from core.domain.orders.holds import place_holds
from core.domain.orders.models import Order, OrderLine
from core.domain.orders.normalised import NormalisedLine, NormalisedOrder
from core.domain.orders.numbers import take_numbers
from core.domain.orders.receivers import receiver_columns, tokens_of
from core.engines.metadata.search import index_new
from core.kernel.errors import Invalid
from core.kernel.ids import new_id
from core.kernel.money import money_text
from core.runtime.db.bulk import insert_rows
from core.runtime.db.direct import together
from core.runtime.events import EventDraft, emit
from core.runtime.security.audit import record_many

ENTITY = "orders.order"
CREATED, UPDATED, UNCHANGED, STALE, REFUSED = "created", "updated", "unchanged", "stale", "refused"


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What intake needs to know of the shop: id, currency (orders in another one are held), and how its orders came (`source`)."""

    id: UUID
    currency: str
    source: str = "channel"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one incoming order: created, updated, unchanged, stale (older than what we have) or refused with an error."""

    external_id: str
    result: str
    order_id: UUID | None = None
    number: str = ""
    error: Invalid | None = None


@dataclass(slots=True)
class _Batch:
    """Orders under way, with what has been looked up for them."""

    shop: ShopFacts
    orders: dict[str, NormalisedOrder]
    differing: frozenset[str] = frozenset()
    skus: Mapping[str, UUID | None] = field(default_factory=dict)
    customers: Mapping[str, UUID] = field(default_factory=dict)
    blocked: Collection[UUID] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)


def accept(
    session: Session, shop: ShopFacts, orders: Sequence[NormalisedOrder], *, now: datetime, differing: Collection[str] = ()
) -> list[Outcome]:
    """Take orders of one shop in; returns one outcome per order, in the order given.

    New orders are inserted with lines, customer, search tokens, audit and one `order.accepted` event each. Known ones are brought up to
    date when the channel's version is newer; the same or an older version changes nothing, unless it is as old and its external id is
    among `differing`: channels give moments to the second, and this one is known to say something else than what came before. An order
    that breaks a rule is refused alone, the others go in. Several versions of one order in the batch: the newest counts, the others are
    `stale`. Does not commit.
    """
    refusals: dict[int, Invalid] = {}
    sound: list[tuple[int, NormalisedOrder]] = []
    for index, order in enumerate(orders):
        refusal = rules.refusal_of(order)
        if refusal is None:
            sound.append((index, order))
        else:
            refusals[index] = refusal
    newest = rules.newest_of(sound)
    batch = _Batch(shop, {key: order for key, (_index, order) in newest.items()}, frozenset(differing))
    if batch.orders:
        _take_in(session, batch, now)
    outcomes = []
    for index, order in enumerate(orders):
        if index in refusals:
            outcomes.append(Outcome(order.external_id, REFUSED, error=refusals[index]))
            continue
        outcome = batch.outcomes[order.external_id]
        is_newest = newest[order.external_id][0] == index
        outcomes.append(outcome if is_newest else Outcome(order.external_id, STALE, outcome.order_id, outcome.number))
    return outcomes


def _take_in(session: Session, batch: _Batch, now: datetime) -> None:
    with together(session):
        stored_rows = changes.find_known(session, batch.shop.id, list(batch.orders))
        units = matching.look_up(session, batch.shop.id, [_unit(line) for order in batch.orders.values() for line in order.lines])
        identities = recognition.look_up(session, str(batch.shop.id), [o.buyer_id for o in batch.orders.values() if o.buyer_id])
    known = changes.known_from(stored_rows)
    batch.skus = matching.matched(session, units)
    buyers = {o.buyer_id: _buyer(o) for key, o in batch.orders.items() if o.buyer_id and key not in known}
    batch.customers = recognition.recognise(session, str(batch.shop.id), buyers, identities=identities)
    fresh = [order for key, order in batch.orders.items() if key not in known]
    met = {row.customer_id for row in identities}  # a customer who is new with this batch is not blocked
    batch.blocked = blocked_among(session, met & set(batch.customers.values())) if fresh else ()
    lost = _insert(session, batch, fresh, now) if fresh else []
    if lost:
        known.update(changes.load_known(session, batch.shop.id, lost))
    pairs = [(known[key], order) for key, order in batch.orders.items() if key in known]
    for key, (result, stored) in changes.apply(session, pairs, differing=batch.differing, skus=batch.skus, now=now).items():
        batch.outcomes[key] = Outcome(key, result, stored.id, stored.number)


def _insert(session: Session, batch: _Batch, fresh: Sequence[NormalisedOrder], now: datetime) -> list[str]:
    """Insert orders that are not known; returns the external ids that another transaction inserted first."""
    numbers = take_numbers(session, "order", len(fresh))
    placed = {order.external_id: new_id() for order in fresh}
    receivers = receiver_columns(session, fresh)
    rows = [
        {**_order_row(batch, order, placed[order.external_id], f"S{number:07d}", now), **receivers[index]}
        for index, (order, number) in enumerate(zip(fresh, numbers, strict=True))
    ]
    rows.sort(key=lambda row: str(row["external_id"]))  # two batches with the same new orders wait for each other in one order only
    won_rows = insert_rows(
        session, Order, rows, on_conflict="ON CONFLICT (tenant_id, shop_id, external_id) DO NOTHING", returning="external_id, number"
    )
    won = {row.external_id: row.number for row in won_rows}
    with together(session):
        _insert_rest(session, batch, [order for order in fresh if order.external_id in won], placed, won, now=now)
    return [order.external_id for order in fresh if order.external_id not in won]


def _insert_rest(
    session: Session,
    batch: _Batch,
    inserted: Sequence[NormalisedOrder],
    placed: Mapping[str, UUID],
    won: Mapping[str, str],
    *,
    now: datetime,
) -> None:
    """What belongs to orders that were just inserted: lines, search tokens, audit, events, holds."""
    line_rows = [
        changes.new_line(placed[order.external_id], position, line, batch.skus)
        for order in inserted
        for position, line in enumerate(order.lines, start=1)
    ]
    insert_rows(session, OrderLine, line_rows)
    index_new(session, ENTITY, {placed[o.external_id]: tokens_of(session, o, won[o.external_id]) for o in inserted})
    record_many(session, "orders.accepted", "order", [(placed[o.external_id], {"number": (None, won[o.external_id])}) for o in inserted])
    emit(session, [_accepted(batch, order, placed[order.external_id], won[order.external_id]) for order in inserted])
    place_holds(session, _first_holds(batch, inserted, placed), by="intake")
    changes.settle_replacements(session, batch.shop.id, {o.external_id: o.stands_for for o in inserted}, placed, now=now)
    for order in inserted:
        key = order.external_id
        batch.outcomes[key] = Outcome(key, CREATED, placed[key], won[key])


def _first_holds(
    batch: _Batch, inserted: Sequence[NormalisedOrder], placed: Mapping[str, UUID]
) -> dict[UUID, dict[str, dict[str, object]]]:
    holds = {}
    for order in inserted:
        codes = rules.holds_from_channel(order, None)
        if order.currency != batch.shop.currency:
            codes[rules.CURRENCY_DIFFERS] = {"order": order.currency, "shop": batch.shop.currency}
        if batch.customers.get(order.buyer_id) in batch.blocked:
            codes[rules.CUSTOMER_BLOCKED] = blocked_facts()
        if codes and rules.standing_of(order).state in ("placed", "paid"):
            holds[placed[order.external_id]] = codes
    return holds


def _accepted(batch: _Batch, order: NormalisedOrder, order_id: UUID, number: str) -> EventDraft:
    standing = rules.standing_of(order)
    payload = {
        "number": number,
        "shop_id": str(batch.shop.id),
        "external_id": order.external_id,
        "state": standing.state,
        "payment": standing.payment,
        "paid_total": money_text(order.paid_total, order.currency),
        "currency": order.currency,
    }
    return EventDraft("order.accepted", "order", order_id, payload, seq=1)


def _unit(line: NormalisedLine) -> ShopSku:
    return ShopSku(line.external_product, line.external_sku, line.seller_code, line.title)


def _buyer(order: NormalisedOrder) -> Buyer:
    receiver = order.receiver
    return Buyer(order.buyer_name or receiver.name, receiver.phone, receiver.email, is_masked=receiver.is_masked)


def _order_row(batch: _Batch, order: NormalisedOrder, order_id: UUID, number: str, now: datetime) -> dict[str, Any]:
    standing = rules.standing_of(order)
    goods = sum((line.paid_amount for line in order.lines), Decimal(0))
    is_ended = standing.state in ("completed", "cancelled")
    return {
        "id": order_id,
        "number": number,
        "shop_id": batch.shop.id,
        "external_id": order.external_id,
        "state": standing.state,
        "payment": standing.payment,
        "fulfilment": standing.fulfilment,
        "channel_state": order.state.value,
        "channel_modified_at": order.modified_at,
        "currency": order.currency,
        "goods_total": goods,
        "discount_total": order.discount_total,
        "postage": order.postage,
        "paid_total": order.paid_total,
        "line_count": len(order.lines),
        "quantity_total": sum((line.quantity for line in order.lines), Decimal(0)),
        "placed_at": order.placed_at or order.modified_at,
        "paid_at": order.paid_at,
        "ship_by": order.ship_by,
        "closed_at": (order.completed_at or now) if is_ended else None,
        "closed_reason": "channel" if is_ended else "",
        "customer_id": batch.customers.get(order.buyer_id),
        "buyer_note": order.buyer_note,
        "seller_note": order.seller_note,
        "seller_flag": order.seller_flag,
        "tags": list(order.tags),
        "replaces": order.replaces,
        "is_on_delivery": order.is_cash_on_delivery,
        "source": batch.shop.source,
    }
