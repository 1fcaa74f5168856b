"""How the money of one trade falls on its lines, to the cent.

Pure. Taobao gives several views of one sum, and not all of them are always there or agree: the trade's `payment`, each
line's `divide_order_fee` (its share after all discounts), and each line's own `payment` before the trade's discounts. The
first view that adds up is believed; when none does, the trade's payment is shared out by the best weights there are.

Source: shared reference marketplaces §2.7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from core.sdk import share_out
from plugins.taobao.wire import CURRENCY, Node

ZERO = Decimal("0.00")
# Twice the digits of the largest amount and some more: sharing out must not round, however large the weights are.
_PRECISION = 80


@dataclass(frozen=True, slots=True)
class LineSums:
    """What one line says about its money, in yuan; None where it says nothing.

    `share` is divide_order_fee, `trade_discount` part_mjz_discount, `own_payment` the line's payment (which includes the
    postage when the trade has one line only), `list_total` price times number. A line `is_unpaid` when it was closed before
    the buyer paid, and `is_refunded` when it was closed after a refund.
    """

    share: Decimal | None
    trade_discount: Decimal
    own_payment: Decimal | None
    list_total: Decimal
    is_free: bool
    is_unpaid: bool
    is_refunded: bool

    @property
    def known_share(self) -> Decimal | None:
        """The line's share; lines that cost nothing need not name it."""
        return ZERO if self.share is None and (self.is_free or self.is_unpaid) else self.share

    @property
    def net_payment(self) -> Decimal | None:
        """The line's own payment less its part of the trade's discount."""
        if self.own_payment is None:
            return ZERO if self.is_free or self.is_unpaid else None
        return self.own_payment - self.trade_discount


@dataclass(frozen=True, slots=True)
class Split:
    """The trade's money: `total` is the sum of `shares` (one per line, in their order) and `postage`, to the cent."""

    total: Decimal
    postage: Decimal
    shares: tuple[Decimal, ...]


def split(trade: Node, lines: Sequence[LineSums]) -> Split:
    """Divide what the buyer pays over postage and lines.

    `lines` is not empty. The postage never exceeds the total: after a refund of everything the platform may report a payment
    of 0 and still name the postage.
    Raises: UnreadablePayload - an amount is broken or negative, or the payment is missing and cannot be told from the lines.
    """
    postage = trade.charge("post_fee")
    total = trade.charge("payment")
    if total is None:
        total = _total_from(trade, lines, postage)
    if postage is None:
        postage = _postage_from(total, lines)
    postage = min(postage, total)
    goods = total - postage
    if len(lines) == 1:
        return Split(total, postage, (goods,))
    delivery_charge = trade.charge("buyer_cod_fee") or ZERO
    for extra in (ZERO, delivery_charge):
        for shares in _views(lines):
            if sum(shares, ZERO) == goods - extra:
                return Split(total, postage + extra, shares)
    return Split(total, postage, _by_weight(goods, lines))


def _total_from(trade: Node, lines: Sequence[LineSums], postage: Decimal | None) -> Decimal:
    """The payment of a trade that does not name it. A single line's own payment holds the postage already."""
    if len(lines) == 1 and lines[0].own_payment is not None:
        return lines[0].own_payment
    for view in ([line.known_share for line in lines], [line.net_payment for line in lines]):
        if None not in view:
            return max(sum((share for share in view if share is not None), postage or ZERO), ZERO)
    raise trade.broken("payment", "The payment is missing and cannot be told from the lines.")


def _postage_from(total: Decimal, lines: Sequence[LineSums]) -> Decimal:
    """The postage of a trade that does not name it: what the lines' shares leave of the total."""
    shares = [line.known_share for line in lines]
    if None in shares:
        return ZERO
    everything = sum((share for share in shares if share is not None), ZERO)
    paid = sum((share for share, line in zip(shares, lines, strict=True) if share is not None and not line.is_unpaid), ZERO)
    return next((total - goods for goods in (everything, paid) if total >= goods), ZERO)


def _views(lines: Sequence[LineSums]) -> Iterator[tuple[Decimal, ...]]:
    """Every view of the lines' shares, the most trustworthy first.

    Lines closed before payment may keep their share although the payment no longer holds it, and refunded lines likewise, so each
    view is also tried without them.
    """
    without = ((False, False), (True, False), (False, True), (True, True))
    for view in (
        [line.known_share for line in lines],
        [line.net_payment for line in lines],
        [line.own_payment for line in lines],
    ):
        known = [share for share in view if share is not None and share >= 0]
        if len(known) < len(lines):
            continue
        for no_unpaid, no_refunded in without:
            yield tuple(
                ZERO if (no_unpaid and line.is_unpaid) or (no_refunded and line.is_refunded) else share
                for share, line in zip(known, lines, strict=True)
            )


def _by_weight(goods: Decimal, lines: Sequence[LineSums]) -> tuple[Decimal, ...]:
    """Share `goods` out over the lines that were paid for, by the first kind of weight that is not all zero."""
    payers = [not line.is_unpaid for line in lines]
    if not any(payers):
        payers = [True] * len(lines)
    kinds = (
        [line.known_share for line in lines],
        [line.net_payment for line in lines],
        [line.own_payment for line in lines],
        [line.list_total for line in lines],
    )
    for weights in kinds:
        usable = [weight if pays else ZERO for weight, pays in zip(weights, payers, strict=True)]
        counted = [weight for weight in usable if weight is not None and weight >= 0]
        if len(counted) == len(lines) and any(counted):
            return _shared(goods, counted)
    return _shared(goods, [Decimal(pays) for pays in payers])


def _shared(goods: Decimal, weights: list[Decimal]) -> tuple[Decimal, ...]:
    with localcontext() as context:
        context.prec = _PRECISION
        return tuple(part.quantize(ZERO) for part in share_out(goods, weights, CURRENCY))
