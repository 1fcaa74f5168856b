"""The receiver of an order at rest: sealed as a whole, masked for screens, blind-indexed for exact look-up by phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from core.domain.orders.normalised import NormalisedOrder, Receiver
from core.kernel.jsontext import encode_json
from core.kernel.text import mask_address, mask_name, mask_phone, search_tokens
from core.runtime.security.vault import blind_many, seal_many

PURPOSE = "order.receiver"
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
    texts = [encode_json(asdict(o.receiver)) if _is_known(o.receiver) else None for o in orders]
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


def tokens_of(order: NormalisedOrder, number: str) -> set[str]:
    """The words by which staff find the order: numbers, phone, region, buyer, SKU codes and titles."""
    receiver = order.receiver
    phone = "" if receiver.is_masked else receiver.phone
    tail = receiver.phone[-4:] if receiver.is_masked and receiver.phone[-4:].isdigit() else ""
    words = _tokens((order.buyer_name, receiver.name, receiver.city)) | {number.lower(), order.external_id.lower()}
    for line in order.lines:
        words |= _tokens((line.seller_code, line.title))
    if phone or tail:
        words |= _tokens((phone or tail,))
    return words


@lru_cache(maxsize=20_000)
def _tokens(values: tuple[str, ...]) -> frozenset[str]:
    return frozenset(search_tokens([value for value in values if value]))
