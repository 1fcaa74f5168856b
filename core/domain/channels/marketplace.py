"""The port that a marketplace plugin fills in: it translates and talks, `channels` drives.

A plugin registers one `Marketplace`. `channels` owns windows, watermarks, verbatim storage, de-duplication, retries and
reconciliation; a `Connection` owns the vendor's wire protocol: signatures, paging, error codes.
Errors that a connection raises: `Unavailable` (try later, `retry_after_s` when the vendor said so), `Denied` (session expired or
credentials refused: the shop needs re-authorisation), `Invalid` (the vendor refused this very request), `NotFound`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from core.domain.orders.normalised import NormalisedOrder, NormalisedRefund
from core.kernel.errors import Invalid
from core.runtime.plugin_host.context import PluginContext


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, both ends included, aware UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """One raw document of a channel, as received.

    `kind` is order or refund. `revision` orders two documents of one external id (ISO text of the vendor's modified moment).
    `payload` is the decoded JSON object of exactly this one order or refund, numbers kept exact.
    """

    kind: str
    external_id: str
    revision: str
    modified_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stamp:
    """An order's external id with its last change; what reconciliation compares."""

    external_id: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class ChannelSku:
    """A sellable unit as the channel lists it. `quantity` is the stock that the channel shows, None when unknown."""

    external_product: str
    external_sku: str
    seller_code: str
    title: str
    price: Decimal | None = None
    quantity: int | None = None
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class ShipmentPush:
    """Tell the channel that (part of) an order is on its way.

    `carrier` is Orderloom's carrier code; `carrier_on_channel` what the shop's mapping made of it. `line_external_ids` is empty when the
    whole order ships, or the last of it. `is_change` replaces an earlier tracking number. `earlier` are the parcels of this order that the
    channel has not been told of yet because it waits for the whole, as (carrier on the channel, tracking number).
    """

    order_external_id: str
    carrier: str
    carrier_on_channel: str
    tracking_number: str
    line_external_ids: tuple[str, ...] = ()
    is_change: bool = False
    earlier: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StockPush:
    """The level to show for one SKU on the channel; a whole number, never negative."""

    external_product: str
    external_sku: str
    seller_code: str
    level: int


@dataclass(frozen=True, slots=True)
class PushResult:
    """How the channel answered one push. `is_ok` is false for a refusal that a repeat will not cure.

    With `is_waiting` nothing was told: the channel takes whole orders only, and hears of this parcel together with the last one.
    """

    reference: str
    is_ok: bool
    code: str = ""
    message: str = ""
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class ChannelMessage:
    """A push message of the channel that says an order or refund changed; at least once, in any order.

    `message_id` is confirmed only after its document is stored. `external_id` is empty for topics of no interest.
    """

    message_id: str
    topic: str
    kind: str
    external_id: str


class Connection(Protocol):
    """One authorised shop, ready to talk. Cheap to make; talks only when a method is called."""

    def check(self) -> str:
        """Prove that the credentials work; returns the shop's name on the channel."""
        ...

    def changed_orders(self, window: Window) -> Iterator[Document]:
        """All orders modified in the window, each with full detail; no order that stood in the window throughout is missed."""
        ...

    def order_stamps(self, window: Window) -> Iterator[Stamp]:
        """All orders created in the window, for reconciliation."""
        ...

    def order(self, external_id: str) -> Document:
        """One order. Raises NotFound when the channel does not know it."""
        ...

    def changed_refunds(self, window: Window) -> Iterator[Document]:
        """All refunds modified in the window."""
        ...

    def push_shipment(self, push: ShipmentPush) -> PushResult:
        """Report a shipment; the same push twice is harmless (an 'already shipped with this number' answer is ok)."""
        ...

    def has_shipment(self, push: ShipmentPush) -> bool:
        """Whether the channel already knows this shipment; asked after an answer was lost."""
        ...

    def push_stock(self, levels: Sequence[StockPush]) -> list[PushResult]:
        """Set shown stock; one result per level, in the same order."""
        ...

    def skus(self) -> Iterator[ChannelSku]:
        """Every SKU that the shop lists."""
        ...

    def messages(self) -> Sequence[ChannelMessage]:
        """Up to some hundred waiting push messages; empty when the channel has none or no such service."""
        ...

    def confirm(self, message_ids: Sequence[str]) -> None:
        """Tell the channel that these messages are stored."""
        ...


@dataclass(frozen=True, slots=True)
class Marketplace:
    """A kind of sales channel. `key` equals the plugin id; `currency` is what its shops sell in.

    `longest_window` is the vendor's cap for one changed-orders query, `overlap` how far consecutive windows overlap, `lag` how long the
    vendor may take until a change is visible. `carriers` maps Orderloom's carrier codes to the vendor's, as a default that a shop may
    change.

    Raises: Invalid - windows that overlap by their whole length or more never reach the present.
    """

    key: str
    title: str
    currency: str
    connect: Callable[[PluginContext], Connection]
    orders_from: Callable[[Any], list[NormalisedOrder]]
    refunds_from: Callable[[Any], list[NormalisedRefund]]
    longest_window: timedelta
    overlap: timedelta
    lag: timedelta
    carriers: dict[str, str]

    def __post_init__(self) -> None:
        if not timedelta(0) <= self.overlap < self.longest_window:
            raise Invalid("Windows overlap by less than their length.", field="overlap")
