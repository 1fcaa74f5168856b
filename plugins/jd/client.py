"""One authorised JD shop: orders, refunds, shipments, stock and SKUs over JOS."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from core.sdk import (
    ChannelMessage,
    ChannelSku,
    Document,
    Invalid,
    NotFound,
    PluginContext,
    PushResult,
    ShipmentPush,
    Stamp,
    StockPush,
    Window,
    new_id,
)
from plugins.jd.answers import raise_for_failure
from plugins.jd.calls import Gateway
from plugins.jd.errors import OrderUnknown, PayloadInvalid
from plugins.jd.fields import ZERO, Fields
from plugins.jd.mapping import orders_from, refunds_from
from plugins.jd.queries import CHANGED_ORDERS, CHANGED_REFUNDS, CREATED_ORDERS, ORDER_FIELDS, SKUS
from plugins.jd.shipping import knows_numbers, order_number, refused, send_shipment
from plugins.jd.stock import set_stock

# What a listed order must carry to be mapped; a row without it is fetched on its own.
_ESSENTIAL = ("orderState", "orderPayment", "modified", "itemInfoList", "consigneeInfo")
_DRY_RUN = "jd.dry_run"


def _order_document(info: Mapping[str, Any]) -> Document:
    fields = Fields(info)
    moment = fields.moment("modified")
    if moment is None:
        raise PayloadInvalid("The moment of the last change is missing.", field="modified")
    return Document("order", fields.text("orderId", None), moment.isoformat(), moment, dict(info))


class JdConnection:
    """A `Connection` of core.domain.channels to one JD shop.

    Reads repeat a call a few times while JD is unavailable, `pause` waits between the tries. With `context.dry_run` pushes send nothing.
    """

    def __init__(self, context: PluginContext, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._context = context
        self._gateway = Gateway(context, pause=pause)

    def check(self) -> str:
        """The shop's name, as proof that key, secret and token work."""
        shop = Fields(self._gateway.read("jingdong.seller.vender.info.get", {})).child("vender_info_result")
        return shop.text("shop_name", None)

    def changed_orders(self, window: Window) -> Iterator[Document]:
        """All orders modified in the window, each whole; an order that changes meanwhile may come twice.

        A row that cannot be read as an order is logged and left out, so that it does not hold up the others.
        """
        for row in CHANGED_ORDERS.over(self._gateway, self._context.log, window):
            try:
                yield self._whole(row)
            except OrderUnknown:
                # Split by JD between list and detail: its parts are listed with their own changes.
                self._context.log.info("jd.order_vanished", order=str(row.get("orderId")))
            except PayloadInvalid as error:
                self._unreadable(row, error)

    def _whole(self, row: Mapping[str, Any]) -> Document:
        if all(Fields(row).raw(name) is not None for name in _ESSENTIAL):
            return _order_document(row)
        return self.order(Fields(row).text("orderId", None))

    def order_stamps(self, window: Window) -> Iterator[Stamp]:
        """Id and last change of all orders created in the window; rows that cannot be read are logged and left out."""
        for row in CREATED_ORDERS.over(self._gateway, self._context.log, window):
            try:
                document = _order_document(row)
            except PayloadInvalid as error:
                self._unreadable(row, error)
                continue
            yield Stamp(document.external_id, document.modified_at)

    def _unreadable(self, row: Mapping[str, Any], error: PayloadInvalid) -> None:
        self._context.log.warning("jd.order_unreadable", order=str(row.get("orderId"))[:40], field=error.field)

    def order(self, external_id: str) -> Document:
        """One order. Raises: OrderUnknown - JD does not know it (or not any more: a split parent vanishes)."""
        business = {"order_id": order_number(external_id), "optional_fields": ORDER_FIELDS}
        detail = Fields(self._gateway.read("jingdong.pop.order.get", business)).child("orderDetailInfo")
        raise_for_failure(detail.values, detail.path)
        info = detail.child("orderInfo").values
        if not info:
            raise OrderUnknown(order=external_id)
        return _order_document(info)

    def changed_refunds(self, window: Window) -> Iterator[Document]:
        """All refund applications and services that were applied for, decided or changed in the window.

        The revision carries JD's state after the moment, because some steps change the state and no moment.
        """
        seen: set[Hashable] = set()
        for listing in CHANGED_REFUNDS:
            for row in listing.over(self._gateway, self._context.log, window):
                try:
                    (refund,) = refunds_from(row)
                except Invalid as error:
                    self._context.log.warning("jd.refund_unreadable", method=listing.method, code=error.code, field=error.field)
                    continue
                revision = f"{refund.modified_at.isoformat()}/{refund.channel_state}"
                if (refund.external_id, revision) not in seen:
                    seen.add((refund.external_id, revision))
                    yield Document("refund", refund.external_id, revision, refund.modified_at, dict(row))

    def push_shipment(self, push: ShipmentPush) -> PushResult:
        """Report a shipment; when JD refuses but already has the numbers, that is fine too.

        JD's shipment service knows whole orders only, with all their tracking numbers: a push for some of the lines waits for the last one,
        which brings the earlier parcels along.
        """
        if self._context.dry_run:
            return PushResult(push.order_external_id, is_ok=True, code=_DRY_RUN)
        if push.line_external_ids and not self._covers(push):
            message = "JD takes the shipment of a whole order only; it is told when the rest ships."
            return PushResult(push.order_external_id, is_ok=False, code="jd.partial_shipment", message=message, is_waiting=True)
        try:
            send_shipment(self._gateway, push)
        except (Invalid, NotFound) as error:
            return PushResult(push.order_external_id, is_ok=True) if self.has_shipment(push) else refused(push, error)
        return PushResult(push.order_external_id, is_ok=True)

    def _covers(self, push: ShipmentPush) -> bool:
        (order,) = orders_from(self.order(push.order_external_id).payload)
        return {line.external_id for line in order.lines} <= set(push.line_external_ids)

    def has_shipment(self, push: ShipmentPush) -> bool:
        """Whether the order carries the tracking numbers of `push`; false for an order that JD does not know."""
        try:
            return knows_numbers(self.order(push.order_external_id).payload, push)
        except OrderUnknown:
            return False

    def push_stock(self, levels: Sequence[StockPush]) -> list[PushResult]:
        """Set shown stock; one result per level, in the same order."""
        if self._context.dry_run:
            return [PushResult(level.external_sku, is_ok=True, code=_DRY_RUN) for level in levels]
        return set_stock(self._gateway, levels, reference=self._context.idempotency_key or str(new_id()))

    def skus(self) -> Iterator[ChannelSku]:
        """Every SKU that the shop has on or off the shelf. Source: JOS, jingdong.sku.read.searchSkuList."""
        for row in SKUS.everything(self._gateway, self._context.log):
            fields = Fields(row)
            stock = fields.text("stockNum")
            yield ChannelSku(
                external_product=fields.text("wareId"),
                external_sku=fields.text("skuId", None),
                seller_code=fields.text("outerId"),
                title=fields.text("skuName") or fields.text("wareTitle"),
                price=fields.figure("jdPrice", ZERO) if fields.raw("jdPrice") is not None else None,
                quantity=int(stock) if stock.isdecimal() else None,
                barcode=fields.text("barCode"),
            )

    def messages(self) -> Sequence[ChannelMessage]:
        """None: this plugin uses no push messages of JD."""
        return ()

    def confirm(self, message_ids: Sequence[str]) -> None:
        """Nothing to do: there are no messages."""


def connect(context: PluginContext) -> JdConnection:
    """A connection to the shop that `context` is configured for; nothing is sent yet."""
    return JdConnection(context)
