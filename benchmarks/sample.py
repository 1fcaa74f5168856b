"""Orders, buyers and goods as a busy shop has them; the same seed gives the same ones."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from core.domain.catalog.models import Sku
from core.domain.channels.models import Shop
from core.domain.customers.recognition import Buyer, recognise
from core.domain.inventory.models import Warehouse
from core.domain.inventory.service import Movement, post
from core.domain.orders.intake import ShopFacts
from core.domain.orders.normalised import ChannelState, NormalisedLine, NormalisedOrder, Receiver
from core.kernel.ids import new_id

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BUYERS, GOODS, LINES = 200, 500, 3
_NAMES = ("王小明", "李娜", "张伟", "刘洋", "陈静", "杨帆", "赵磊", "黄丽", "周杰", "吴敏", "徐强", "孙悦")
_PLACES = (("浙江省", "杭州市", "西湖区"), ("广东省", "深圳市", "南山区"), ("上海市", "上海市", "徐汇区"), ("四川省", "成都市", "武侯区"))
_TEAS = ("西湖龙井", "碧螺春", "铁观音", "大红袍", "普洱熟茶", "茉莉花茶", "白毫银针", "祁门红茶")
_SIZES = ("100克罐装", "250克礼盒", "500克袋装", "50克试饮装")


@dataclass(frozen=True)
class Goods:
    """The shop and what it sells."""

    shop: ShopFacts
    warehouse: UUID
    skus: tuple[UUID, ...]


def code(number: int) -> str:
    """The seller's code of a SKU."""
    return f"TEA-{number:04d}"


def furnish(session: Session, *, stocked: int = 1_000_000) -> Goods:
    """A shop with 500 SKUs in one warehouse and 200 known buyers."""
    shop = Shop(id=new_id(), code="bench", title="Bench", currency="CNY")
    house = Warehouse(id=new_id(), code="MAIN", name="Main")
    skus = [Sku(id=new_id(), code=code(number), title=_title(number)) for number in range(GOODS)]
    session.add_all([shop, house, *skus])
    session.flush()
    post(session, [Movement(sku.id, house.id, Decimal(stocked), "receipt", "opening") for sku in skus])
    buyers = {f"buyer-{number}": Buyer(_name(number), _phone(number)) for number in range(BUYERS)}
    recognise(session, str(shop.id), buyers)
    return Goods(ShopFacts(shop.id, "CNY"), house.id, tuple(sku.id for sku in skus))


def orders(count: int, *, seed: int, first: int = 0) -> list[NormalisedOrder]:
    """`count` paid orders of three lines with external ids from `first` on."""
    dice = random.Random(seed)
    return [_order(dice, f"{seed:04d}{first + number:08d}", NOON + timedelta(seconds=number)) for number in range(count)]


def _order(dice: random.Random, external_id: str, moment: datetime) -> NormalisedOrder:
    buyer = dice.randrange(BUYERS)
    province, city, district = _PLACES[buyer % len(_PLACES)]
    lines = tuple(
        NormalisedLine(
            external_id=f"{external_id}-{place}",
            seller_code=code(number),
            quantity=Decimal(dice.randint(1, 3)),
            paid_amount=Decimal(dice.randint(1000, 99900)) / 100,
            unit_price=Decimal("199.00"),
            state=ChannelState.PAID,
            title=_title(number),
        )
        for place, number in enumerate(dice.sample(range(GOODS), LINES))
    )
    return NormalisedOrder(
        external_id=external_id,
        state=ChannelState.PAID,
        paid_total=sum((line.paid_amount for line in lines), Decimal("8.00")),
        postage=Decimal("8.00"),
        currency="CNY",
        modified_at=moment,
        placed_at=moment,
        paid_at=moment,
        ship_by=moment + timedelta(days=2),
        lines=lines,
        buyer_id=f"buyer-{buyer}",
        buyer_name=_name(buyer),
        receiver=Receiver(
            _name(buyer), _phone(buyer), "中国", province, city, district, "", f"文一西路{buyer + 1}号{buyer % 30 + 1}室", "310000"
        ),
    )


def _title(number: int) -> str:
    return f"{_TEAS[number % len(_TEAS)]} {_SIZES[number // len(_TEAS) % len(_SIZES)]} {number}"


def _name(number: int) -> str:
    return _NAMES[number % len(_NAMES)]


def _phone(number: int) -> str:
    return f"138{number:08d}"


def as_json(order: NormalisedOrder) -> dict[str, object]:
    """The order as a program sends it to the REST intake."""
    receiver = order.receiver
    names = ("name", "phone", "country", "province", "city", "district", "street", "postcode")
    return {
        "external_id": order.external_id,
        "state": order.state.value,
        "paid_total": str(order.paid_total),
        "postage": str(order.postage),
        "currency": order.currency,
        "modified_at": order.modified_at.isoformat(),
        "placed_at": order.modified_at.isoformat(),
        "paid_at": order.modified_at.isoformat(),
        "ship_by": order.ship_by.isoformat() if order.ship_by else None,
        "buyer_id": order.buyer_id,
        "buyer_name": order.buyer_name,
        "receiver": {name: getattr(receiver, name) for name in names},
        "lines": [
            {
                "external_id": line.external_id,
                "seller_code": line.seller_code,
                "title": line.title,
                "quantity": str(line.quantity),
                "unit_price": str(line.unit_price),
                "paid_amount": str(line.paid_amount),
            }
            for line in order.lines
        ],
    }
