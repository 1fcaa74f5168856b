"""The Online Retail data set as orders, returns, corrections of stock, and lines refused with a reason. Pure.

Each line of the file ends in exactly one of the four. Rules, from looking at the data:
an invoice number that starts with C is a return; POST, DOT and C2 are postage; AMAZONFEE, BANK CHARGES, CRUK and B are fees and
bookings, not sales; a negative quantity outside a return is a correction of stock; a price of zero is a gift; an amount finer than a
penny cannot be booked. Source: D. Chen (2015), Online Retail, UCI Machine Learning Repository, CC BY 4.0.
"""

from __future__ import annotations

import csv
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
POSTAGE = frozenset({"POST", "DOT", "C2"})
FEES = frozenset({"AMAZONFEE", "BANK CHARGES", "CRUK", "B"})
SERVICES = frozenset({"M", "D", "S", "PADS"})
PENNY = Decimal("0.01")
MAX_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file. `number` counts from 1 after the head."""

    number: int
    invoice: str
    code: str
    description: str
    quantity: int
    at: datetime
    price: Decimal
    customer: str
    country: str

    @property
    def amount(self) -> Decimal:
        """Quantity times price, as the file means it."""
        return self.quantity * self.price


@dataclass(slots=True)
class Invoice:
    """All lines of one invoice number, in the file's order."""

    number: str
    rows: list[Row]


@dataclass(slots=True)
class Plan:
    """What becomes of an invoice. `refused` maps line numbers to reasons."""

    order: dict[str, Any] | None = None
    order_rows: list[Row] = field(default_factory=list)
    refund: dict[str, Any] | None = None
    refund_rows: list[Row] = field(default_factory=list)
    adjustments: list[tuple[Row, dict[str, Any]]] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def read_rows(path: Path) -> Iterator[Row]:
    """The file's lines."""
    with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
        for number, raw in enumerate(csv.DictReader(file), start=1):
            yield Row(
                number,
                raw["InvoiceNo"],
                raw["StockCode"].strip().upper(),
                raw["Description"] or "",
                int(raw["Quantity"]),
                datetime.fromisoformat(raw["InvoiceDate"]).replace(tzinfo=LONDON),
                Decimal(raw["UnitPrice"]),
                (raw["CustomerID"] or "").removesuffix(".0"),
                raw["Country"] or "",
            )


def invoices(rows: Iterable[Row]) -> Iterator[Invoice]:
    """Lines by invoice number, in the order in which the numbers first come."""
    found: dict[str, Invoice] = {}
    for row in rows:
        found.setdefault(row.invoice, Invoice(row.invoice, [])).rows.append(row)
    yield from found.values()


def is_goods(code: str) -> bool:
    """Whether the code names an article that lies on a shelf."""
    return code not in POSTAGE | FEES | SERVICES


def plan(invoice: Invoice, *, shift: timedelta = timedelta(0), state: str = "completed") -> Plan:
    """What becomes of an invoice; `shift` moves its moments, `state` is the state of its order."""
    made = Plan()
    sound = [row for row in invoice.rows if not _refuse(row, made)]
    if invoice.number.startswith("C"):
        _plan_return(invoice, sound, made, shift)
    else:
        _plan_sale(invoice, sound, made, shift=shift, state=state)
    return made


def _refuse(row: Row, made: Plan) -> bool:
    reason = ""
    if row.code in FEES:
        reason = "a fee or booking, not a sale"
    elif row.quantity == 0:
        reason = "no quantity"
    elif row.price < 0:
        reason = "a correction of money, not a sale"
    elif row.amount != row.amount.quantize(PENNY):
        reason = "an amount finer than a penny"
    if reason:
        made.refused[row.number] = reason
    return bool(reason)


def _plan_return(invoice: Invoice, rows: list[Row], made: Plan, shift: timedelta) -> None:
    for row in rows:
        if row.quantity > 0:
            made.refused[row.number] = "a return that adds goods to the sale"
        else:
            made.refund_rows.append(row)
    if not made.refund_rows:
        return
    made.refund = {
        "external_id": invoice.number,
        "state": "done",
        "kind": "return" if any(is_goods(row.code) for row in made.refund_rows) else "refund_only",
        "amount": str(sum((-row.amount for row in made.refund_rows), Decimal(0)).quantize(PENNY)),
        "currency": "GBP",
        "modified_at": (invoice.rows[0].at + shift).isoformat(),
        "reason": "; ".join(dict.fromkeys(row.description.strip() for row in made.refund_rows))[:500],
        "lines": [str(row.number) for row in made.refund_rows],
    }


def _plan_sale(invoice: Invoice, rows: list[Row], made: Plan, *, shift: timedelta, state: str) -> None:
    postage = Decimal(0)
    lines: list[dict[str, Any]] = []
    for row in rows:
        if row.quantity < 0:
            _adjust(row, made)
        elif row.code in POSTAGE:
            postage += row.amount
            made.order_rows.append(row)
        elif len(lines) >= MAX_LINES:
            made.refused[row.number] = "more lines than an order takes"
        else:
            lines.append(_line(row))
            made.order_rows.append(row)
    if not lines:
        _only_postage(made)
        return
    made.order = _order(invoice, lines, postage, shift=shift, state=state)


def _only_postage(made: Plan) -> None:
    for row in made.order_rows:
        made.refused[row.number] = "postage without goods"
    made.order_rows = []


def _adjust(row: Row, made: Plan) -> None:
    if not is_goods(row.code):
        made.refused[row.number] = "a negative quantity of something that has no stock"
        return
    note = (row.description.strip() or "correction")[:300]
    adjustment = {
        "sku": row.code,
        "warehouse": "MAIN",
        "delta": str(row.quantity),
        "reference": f"{row.invoice}/{row.number}",
        "note": note,
    }
    made.adjustments.append((row, adjustment))


def _line(row: Row) -> dict[str, Any]:
    return {
        "external_id": str(row.number),
        "seller_code": row.code,
        "title": row.description.strip() or row.code,
        "quantity": str(row.quantity),
        "unit_price": str(row.price),
        "paid_amount": str(row.amount.quantize(PENNY)),
        "is_gift": row.price == 0,
    }


def _order(invoice: Invoice, lines: list[dict[str, Any]], postage: Decimal, *, shift: timedelta, state: str) -> dict[str, Any]:
    first = invoice.rows[0]
    at = (first.at + shift).isoformat()
    postage = postage.quantize(PENNY)
    buyer = {"buyer_id": first.customer, "buyer_name": f"Customer {first.customer}"} if first.customer else {}
    return {
        "external_id": invoice.number,
        "state": state,
        "paid_total": str(sum((Decimal(line["paid_amount"]) for line in lines), Decimal(0)) + postage),
        "postage": str(postage),
        "currency": "GBP",
        "modified_at": at,
        "placed_at": at,
        "paid_at": at,
        "receiver": {"country": first.country[:60]},
        "lines": lines,
        **buyer,
    }
