"""The receiver of an order at rest: sealed as a whole, masked for screens, blind-indexed for exact look-up by phone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.customers.service import note_reveal
from core.domain.orders.errors import OrderUnknown
from core.domain.orders.models import Order
from core.domain.orders.normalised import NormalisedOrder, Receiver
from core.engines.metadata.search import personal_tokens
from core.kernel.jsontext import encode_json
from core.kernel.text import SearchKind, SearchValue, mask_address, mask_name, mask_phone, search_tokens
from core.runtime.security.vault import blind_many, seal_many, unseal

PURPOSE = "order.receiver"
_FIELDS = tuple(item.name for item in fields(Receiver))
_OPEN_FIELDS = ("country", "province", "city", "district", "postcode")


def masked(receiver: Receiver) -> dict[str, Any]:
    """What screens show of a receiver: region in clear, person, phone and street masked (unchanged where the channel masked them)."""
    shown: dict[str, Any] = {name: getattr(receiver, name) for name in _OPEN_FIELDS}
    if receiver.is_masked:
        shown.update(name=receiver.name, phone=receiver.phone, street=receiver.street)
    else:
        shown.update(name=mask_name(receiver.name), phone=mask_phone(receiver.phone), street=mask_address(receiver.street))
    shown["is_masked"] = receiver.is_masked
    return shown


def receiver_columns(session: Session, orders: Sequence[NormalisedOrder]) -> list[dict[str, Any]]:
    """The receiver's columns of each order, in the order given."""
    texts = [encode_json({name: getattr(o.receiver, name) for name in _FIELDS}) if _is_known(o.receiver) else None for o in orders]
    phones = ["" if o.receiver.is_masked else o.receiver.phone for o in orders]
    sealed = seal_many(session, PURPOSE, texts)
    blinds = blind_many(session, "phone", [phone or None for phone in phones])
    rows = []
    for order, seal, phone_blind in zip(orders, sealed, blinds, strict=True):
        shown = masked(order.receiver)
        rows.append(
            {
                "receiver_sealed": seal,
                "receiver_masked": shown,
                "receiver_phone_blind": phone_blind or "",
                "buyer_masked": (order.buyer_name if order.receiver.is_masked else mask_name(order.buyer_name)) or shown["name"],
                "province": order.receiver.province,
                "city": order.receiver.city,
            }
        )
    return rows


def _is_known(receiver: Receiver) -> bool:
    return bool(receiver.name or receiver.phone or receiver.street or receiver.token or receiver.email)


def tokens_of(session: Session, order: NormalisedOrder, number: str) -> set[str]:
    """The words by which staff find the order: numbers, SKU codes and titles in clear; buyer, phone and its tail as keyed hashes."""
    receiver = order.receiver
    words = _codes((number, order.external_id)).union(
        *(_code(line.seller_code) for line in order.lines), *(_words(line.title) for line in order.lines), _words(receiver.city)
    )
    if receiver.is_masked:
        tail = receiver.phone[-4:]
        return set(words | {tail}) if tail.isdigit() else set(words)
    names = {SearchValue(SearchKind.NAME, name) for name in (order.buyer_name, receiver.name) if name}
    phone = [SearchValue(SearchKind.PHONE, receiver.phone)] if receiver.phone else []
    return words | personal_tokens(session, search_tokens([*names, *phone]))


def _codes(values: tuple[str, ...]) -> set[str]:
    return search_tokens([SearchValue(SearchKind.CODE, value) for value in values if value])


@lru_cache(maxsize=20_000)
def _code(value: str) -> frozenset[str]:
    return frozenset(_codes((value,)))


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(search_tokens([SearchValue(SearchKind.TEXT, text)])) if text else frozenset()


def reveal_receiver(session: Session, order_id: UUID, *, reason: str) -> dict[str, Any]:
    """An order's receiver in clear, as far as the channel gave it; who looked and why is put on record first.

    Raises: OrderUnknown; Invalid - no reason given.
    """
    sealed = session.execute(select(Order.receiver_sealed).where(Order.id == order_id)).one_or_none()
    if sealed is None:
        raise OrderUnknown(order=str(order_id))
    note_reveal(session, "order", order_id, fields=["receiver"], reason=reason)
    if sealed.receiver_sealed is None:
        return {}
    values: dict[str, Any] = json.loads(unseal(session, PURPOSE, sealed.receiver_sealed))
    return values
