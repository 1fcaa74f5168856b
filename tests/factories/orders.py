"""Orders, shops and stock for tests; every value can be given, none surprises."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from core.domain.catalog.models import Sku
from core.domain.channels.models import Shop
from core.domain.fulfilment.models import Carrier
from core.domain.inventory.models import Warehouse
from core.domain.inventory.service import Movement, post
from core.domain.orders.intake import ShopFacts
from core.domain.orders.normalised import ChannelState, NormalisedLine, NormalisedOrder, Receiver, RefundState
from core.kernel.ids import new_id

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def make_shop(session, code="tb", currency="CNY", marketplace="") -> ShopFacts:
    shop = Shop(id=new_id(), code=code, title=code.upper(), currency=currency, marketplace=marketplace)
    session.add(shop)
    session.flush()
    return ShopFacts(shop.id, currency)


def make_sku(session, code, **values) -> UUID:
    sku = Sku(id=new_id(), code=code, title=values.pop("title", code), **values)
    session.add(sku)
    session.flush()
    return sku.id


def make_warehouse(session, code="MAIN", priority=100) -> UUID:
    house = Warehouse(id=new_id(), code=code, name=code, priority=priority)
    session.add(house)
    session.flush()
    return house.id


def make_carrier(session, code="sf") -> UUID:
    carrier = Carrier(id=new_id(), code=code, name=code)
    session.add(carrier)
    session.flush()
    return carrier.id


def stock_up(session, sku, house, quantity, reference="opening") -> None:
    post(session, [Movement(sku, house, Decimal(quantity), "receipt", reference)])


def line(external_id="1", code="TEA-100", quantity=1, paid="10.00", **values) -> NormalisedLine:
    state = values.pop("state", ChannelState.PAID)
    return NormalisedLine(
        external_id=external_id, seller_code=code, quantity=Decimal(quantity), paid_amount=Decimal(paid), state=state, title=f"Tea {code}",
        refund_state=values.pop("refund_state", RefundState.NONE), **values,
    )  # fmt: skip


def order(external_id="T1", *lines, state=ChannelState.PAID, postage="0.00", modified_at=NOON, **values) -> NormalisedOrder:
    lines = lines or (line(),)
    total = sum((item.paid_amount for item in lines), Decimal(postage))
    return NormalisedOrder(
        external_id=external_id, state=state, paid_total=total, postage=Decimal(postage), currency=values.pop("currency", "CNY"),
        modified_at=modified_at, placed_at=values.pop("placed_at", NOON), lines=tuple(lines),
        receiver=values.pop("receiver", Receiver(name="王小明", phone="13800138000", city="杭州市", street="西湖路1号")),
        buyer_id=values.pop("buyer_id", "buyer-1"), buyer_name=values.pop("buyer_name", "王小明"), **values,
    )  # fmt: skip
