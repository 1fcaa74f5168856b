"""Documents from channels: kept word for word, each revision once, then mapped and taken in, all in one transaction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.channels.desk import ShopView
from core.domain.channels.marketplace import Document, Marketplace
from core.domain.channels.models import InboundDocument
from core.domain.orders.intake import CREATED, REFUSED, UPDATED, accept
from core.domain.orders.refunds import accept_refunds, link_waiting
from core.kernel.errors import Invalid, OrderloomError
from core.kernel.ids import new_id
from core.kernel.jsontext import encode_json
from core.runtime.db.bulk import insert_rows, update_rows
from core.runtime.security.vault import seal, unseal_bytes

PURPOSE = "channel.document"


@dataclass(slots=True)
class Tally:
    """What became of a run's documents."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    orders: list[UUID] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for name in ("seen", "created", "updated", "unchanged", "refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.orders += other.orders

    def counts(self) -> dict[str, int]:
        """The figures by name."""
        return {name: getattr(self, name) for name in ("seen", "created", "updated", "unchanged", "refused")}


@dataclass(slots=True)
class _Item:
    document: Document
    id: UUID
    state: str = "stored"
    cause: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    order_id: UUID | None = None


def take_in(
    session: Session, shop: ShopView, marketplace: Marketplace, documents: Sequence[Document], *, now: datetime, again: bool = False
) -> Tally:
    """Store the documents and apply those that are new; a revision that is stored already is only counted.

    With `again`, stored revisions are applied once more (a manual re-pull). What cannot be mapped is kept with its cause and never stops
    the others. Does not commit.
    """
    tally = Tally(seen=len(documents))
    fresh = _store(session, shop, documents)
    if again:
        fresh += _stored(session, shop, [doc for doc in documents if (doc.kind, doc.external_id, doc.revision) not in _keys(fresh)])
    tally.unchanged += len(documents) - len(fresh)
    _apply_orders(session, shop, marketplace, [item for item in fresh if item.document.kind == "order"], tally, now)
    _apply_refunds(session, shop, marketplace, [item for item in fresh if item.document.kind == "refund"], tally, now)
    rows = [
        {"id": i.id, "state": i.state, "cause": i.cause, "detail": i.detail, "order_id": i.order_id} for i in fresh if i.state != "stored"
    ]
    update_rows(session, InboundDocument, rows)
    return tally


def park(session: Session, shop: ShopView, document: Document, *, cause: str) -> None:
    """Keep a document that could not be applied, for people to look at."""
    for item in _store(session, shop, [document]):
        update_rows(session, InboundDocument, [{"id": item.id, "state": "parked", "cause": cause}])


def _keys(items: Iterable[_Item]) -> set[tuple[str, str, str]]:
    return {(item.document.kind, item.document.external_id, item.document.revision) for item in items}


def _store(session: Session, shop: ShopView, documents: Sequence[Document]) -> list[_Item]:
    by_key = {(doc.kind, doc.external_id, doc.revision): doc for doc in documents}
    rows = [
        {
            "id": new_id(),
            "shop_id": shop.id,
            "kind": doc.kind,
            "external_id": doc.external_id,
            "revision": doc.revision,
            "modified_at": doc.modified_at,
            "sealed": seal(session, PURPOSE, zlib.compress(encode_json(doc.payload).encode())),
        }
        for doc in by_key.values()
    ]
    stored = insert_rows(
        session,
        InboundDocument,
        rows,
        on_conflict="ON CONFLICT (tenant_id, shop_id, kind, external_id, revision) DO NOTHING",
        returning="id, kind, external_id, revision",
    )
    return [_Item(by_key[(row.kind, row.external_id, row.revision)], row.id) for row in stored]


def _stored(session: Session, shop: ShopView, documents: Sequence[Document]) -> list[_Item]:
    by_key = {(doc.kind, doc.external_id, doc.revision): doc for doc in documents}
    statement = select(InboundDocument.id, InboundDocument.kind, InboundDocument.external_id, InboundDocument.revision).where(
        InboundDocument.shop_id == shop.id, InboundDocument.external_id.in_([doc.external_id for doc in documents])
    )
    rows = session.execute(statement).all()
    return [_Item(by_key[key], row.id) for row in rows if (key := (row.kind, row.external_id, row.revision)) in by_key]


def _mapped(items: Sequence[_Item], mapping: Callable[[Any], list[Any]], tally: Tally) -> list[tuple[_Item, Any]]:
    """Each item with what it maps to; what cannot be mapped is marked as refused."""
    found = []
    for item in items:
        try:
            found += [(item, mapped) for mapped in mapping(item.document.payload)]
        except Invalid as error:
            _refuse(item, error, tally)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            _refuse(item, Invalid(f"The document could not be read ({type(error).__name__})."), tally)
    return found


def _refuse(item: _Item, error: OrderloomError, tally: Tally) -> None:
    item.state, item.cause = "refused", error.code
    item.detail = {"message": error.message, "field": getattr(error, "field", None), "facts": {k: str(v) for k, v in error.facts.items()}}
    tally.refused += 1


def _apply_orders(session: Session, shop: ShopView, marketplace: Marketplace, items: Sequence[_Item], tally: Tally, now: datetime) -> None:
    pairs = _mapped(items, marketplace.orders_from, tally)
    if not pairs:
        return
    outcomes = accept(session, shop.facts, [order for _item, order in pairs], now=now)
    created = []
    for (item, _order), outcome in zip(pairs, outcomes, strict=True):
        item.order_id = outcome.order_id
        if outcome.result == REFUSED and outcome.error is not None:
            _refuse(item, outcome.error, tally)
            continue
        item.state = "applied" if outcome.result in (CREATED, UPDATED) else "unchanged"
        tally.created += outcome.result == CREATED
        tally.updated += outcome.result == UPDATED
        tally.unchanged += outcome.result not in (CREATED, UPDATED)
        if outcome.order_id is not None:
            tally.orders.append(outcome.order_id)
        if outcome.result == CREATED:
            created.append(outcome.external_id)
    link_waiting(session, shop.id, created, now=now)


def _apply_refunds(session: Session, shop: ShopView, marketplace: Marketplace, items: Sequence[_Item], tally: Tally, now: datetime) -> None:
    pairs = _mapped(items, marketplace.refunds_from, tally)
    orders = accept_refunds(session, shop.id, [refund for _item, refund in pairs], now=now)
    for item, refund in pairs:
        item.state = "applied"
        item.order_id = orders.get(refund.external_id)
        tally.updated += 1


def payload_of(session: Session, document_id: UUID) -> dict[str, Any] | None:
    """A stored document's payload word for word, numbers exact; None when there is no such document."""
    sealed = session.scalar(select(InboundDocument.sealed).where(InboundDocument.id == document_id))
    if sealed is None:
        return None
    payload: dict[str, Any] = json.loads(zlib.decompress(unseal_bytes(session, PURPOSE, sealed)), parse_float=Decimal)
    return payload
