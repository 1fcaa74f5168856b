"""Documents from channels: kept word for word, each revision once, then mapped and taken in, all in one transaction."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
from core.domain.customers.service import note_reveal
from core.domain.orders.intake import CREATED, REFUSED, UPDATED, accept
from core.domain.orders.refunds import accept_refunds, link_waiting
from core.kernel.errors import Invalid, NotFound, OrderloomError
from core.kernel.ids import new_id
from core.kernel.jsontext import encode_json, encode_verbatim
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
    """One document with what it maps to, or why it does not; `revision` is that of the stored row."""

    document: Document
    revision: str
    mapped: Sequence[Any] = ()
    refusal: Invalid | None = None
    id: UUID | None = None
    state: str = "stored"
    cause: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    order_id: UUID | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What is stored once."""
        return self.document.kind, self.document.external_id, self.revision


def take_in(
    session: Session, shop: ShopView, marketplace: Marketplace, documents: Sequence[Document], *, now: datetime, again: bool = False
) -> Tally:
    """Store the documents and apply those that are new; a revision that is stored already is only counted.

    Channels give a change its moment to the second, so a revision is the moment with a digest of what the document says: of two changes in
    one second both are taken, and the same one met in two shapes (a list's row, a detail) is one.
    With `again`, stored revisions are applied once more (a manual re-pull). What cannot be mapped is kept with its cause and never stops
    the others. Does not commit.
    """
    tally = Tally(seen=len(documents))
    items = {item.key: item for item in (_read(marketplace, document) for document in documents)}
    fresh = _store(session, shop, items)
    differing = {item.document.external_id for item in fresh}
    if again:
        fresh += _stored(session, shop, {key: item for key, item in items.items() if item.id is None})
    tally.unchanged += len(documents) - len(fresh)
    for item in fresh:
        if item.refusal is not None:
            _refuse(item, item.refusal, tally)
    _apply_orders(session, shop, [item for item in fresh if item.document.kind == "order"], tally, now, differing=differing)
    _apply_refunds(session, shop, [item for item in fresh if item.document.kind == "refund"], tally, now)
    rows = [
        {"id": i.id, "state": i.state, "cause": i.cause, "detail": i.detail, "order_id": i.order_id} for i in fresh if i.state != "stored"
    ]
    update_rows(session, InboundDocument, rows)
    return tally


def park(session: Session, shop: ShopView, document: Document, *, cause: str) -> None:
    """Keep a document that could not be applied, for people to look at."""
    unread = _Item(document, _revision(document, encode_json(document.payload)))
    for item in _store(session, shop, {unread.key: unread}):
        update_rows(session, InboundDocument, [{"id": item.id, "state": "parked", "cause": cause}])


def _read(marketplace: Marketplace, document: Document) -> _Item:
    mapping: Callable[[Any], list[Any]] = marketplace.orders_from if document.kind == "order" else marketplace.refunds_from
    try:
        mapped = mapping(document.payload)
    except Invalid as error:
        refusal = error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        refusal = Invalid(f"The document could not be read ({type(error).__name__}).")
    else:
        return _Item(document, _revision(document, repr(mapped)), mapped)
    return _Item(document, _revision(document, encode_json(document.payload)), refusal=refusal)


def _revision(document: Document, content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{document.revision} {digest[:16]}"


def _store(session: Session, shop: ShopView, items: Mapping[tuple[str, str, str], _Item]) -> list[_Item]:
    rows = [
        {
            "id": new_id(),
            "shop_id": shop.id,
            "kind": item.document.kind,
            "external_id": item.document.external_id,
            "revision": item.revision,
            "modified_at": item.document.modified_at,
            "sealed": seal(session, PURPOSE, zlib.compress(encode_verbatim(item.document.payload).encode())),
        }
        for item in items.values()
    ]
    stored = insert_rows(
        session,
        InboundDocument,
        rows,
        on_conflict="ON CONFLICT (tenant_id, shop_id, kind, external_id, revision) DO NOTHING",
        returning="id, kind, external_id, revision",
    )
    return _with_ids(items, stored)


def _stored(session: Session, shop: ShopView, items: Mapping[tuple[str, str, str], _Item]) -> list[_Item]:
    columns = (InboundDocument.id, InboundDocument.kind, InboundDocument.external_id, InboundDocument.revision)
    statement = select(*columns).where(
        InboundDocument.shop_id == shop.id, InboundDocument.external_id.in_([item.document.external_id for item in items.values()])
    )
    return _with_ids(items, session.execute(statement))


def _with_ids(items: Mapping[tuple[str, str, str], _Item], rows: Iterable[Any]) -> list[_Item]:
    """The items whose rows these are, with their ids."""
    found = []
    for row in rows:
        item = items.get((row.kind, row.external_id, row.revision))
        if item is not None:
            item.id = row.id
            found.append(item)
    return found


def _refuse(item: _Item, error: OrderloomError, tally: Tally) -> None:
    item.state, item.cause = "refused", error.code
    item.detail = {"message": error.message, "field": getattr(error, "field", None), "facts": {k: str(v) for k, v in error.facts.items()}}
    tally.refused += 1


def _apply_orders(
    session: Session, shop: ShopView, items: Sequence[_Item], tally: Tally, now: datetime, *, differing: Collection[str]
) -> None:
    pairs = [(item, order) for item in items for order in item.mapped]
    if not pairs:
        return
    outcomes = accept(session, shop.facts, [order for _item, order in pairs], now=now, differing=differing)
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


def _apply_refunds(session: Session, shop: ShopView, items: Sequence[_Item], tally: Tally, now: datetime) -> None:
    pairs = [(item, refund) for item in items for refund in item.mapped]
    orders = accept_refunds(session, shop.id, [refund for _item, refund in pairs], now=now)
    for item, refund in pairs:
        item.state = "applied"
        item.order_id = orders.get(refund.external_id)
        tally.updated += 1


def reveal_payload(session: Session, document_id: UUID, *, reason: str) -> dict[str, Any]:
    """A stored document word for word for a person; who looked and why is put on record first.

    Raises: NotFound; Invalid - no reason given.
    """
    payload = payload_of(session, document_id)
    if payload is None:
        raise NotFound(document=str(document_id))
    note_reveal(session, "document", document_id, fields=["payload"], reason=reason)
    return payload


def payload_of(session: Session, document_id: UUID) -> dict[str, Any] | None:
    """A stored document's payload word for word, numbers exact; None when there is no such document."""
    sealed = session.scalar(select(InboundDocument.sealed).where(InboundDocument.id == document_id))
    if sealed is None:
        return None
    payload: dict[str, Any] = json.loads(zlib.decompress(unseal_bytes(session, PURPOSE, sealed)), parse_float=Decimal)
    return payload
