"""How the invented trades stand when the simulator starts, and what happened to them until then."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from plugins.taobao.gateway import china_text
from plugins.taobao.simulator import lifecycle
from plugins.taobao.simulator.catalog import NEW_SKU, SAMPLE_SKU
from plugins.taobao.simulator.generator import Made, TradeMaker, Wanted
from plugins.taobao.simulator.lifecycle import Line, Trade

SPAN = timedelta(hours=22, minutes=50)

# Every way an order can stand; the first nine give each of Orderloom's states once, so that even a small shop has them all.
PROFILES = (
    "paid",
    "unpaid",
    "presale_deposit",
    "forbidden",
    "part_shipped",
    "shipped",
    "signed",
    "finished",
    "closed_unpaid",
    "closed_refunded",
    "refund_asked",
    "cod",
    "presale_paid",
    "presale_unpaid",
    "line_refunded",
    "pay_pending",
    "no_pay_created",
    "pre_auth",
    "gift",
    "unmatched",
    "codeless",
    "line_closed",
    "finished_refund_asked",
)
_WEIGHTS = {"paid": 40, "unpaid": 6, "shipped": 14, "finished": 12, "gift": 4, "cod": 3, "unmatched": 2, "part_shipped": 2}
_SEVERAL_LINES = ("paid", "part_shipped", "line_refunded", "line_closed", "refund_asked")
_EXTRA_GOODS = {"gift": SAMPLE_SKU, "unmatched": NEW_SKU, "codeless": ""}


def profile_at(maker: TradeMaker, position: int) -> str:
    """How the trade at `position` stands: each profile once, then at random with the everyday ones more often."""
    if position < len(PROFILES):
        return PROFILES[position]
    return maker.random.choices(PROFILES, [_WEIGHTS.get(name, 1) for name in PROFILES])[0]


def history(maker: TradeMaker, profile: str, now: datetime) -> Made:
    """A trade that was created within the last SPAN before `now`, and stands as `profile` says since then or now."""
    created = now - timedelta(seconds=maker.random.randint(60, int(SPAN.total_seconds())))
    kind = "cod" if profile == "cod" else "step" if "presale" in profile else "fixed"
    made = maker.order(_basket(maker, profile), created, kind=kind)
    _Story(maker, made, created, now).tell(profile)
    return made


def _basket(maker: TradeMaker, profile: str) -> list[Wanted]:
    random = maker.random
    goods = maker.some_goods(random.choice((2, 3)) if profile in _SEVERAL_LINES else random.choice((1, 1, 1, 2, 3, 4)))
    extra = _EXTRA_GOODS.get(profile)
    return goods if extra is None else [*goods, maker.by_code(extra, 1)]


class _Story:
    """Brings a new trade to where its profile wants it, in steps of some minutes that never pass the present."""

    def __init__(self, maker: TradeMaker, made: Made, created: datetime, now: datetime) -> None:
        self._maker, self._made, self._at, self._now = maker, made, created, now

    def tell(self, profile: str) -> None:
        """Let happen what `profile` names."""
        trade = self._made.trade
        unpaid = {"pay_pending": "PAY_PENDING", "no_pay_created": "TRADE_NO_CREATE_PAY", "pre_auth": "WAIT_PRE_AUTH_CONFIRM"}
        if profile in unpaid:
            lifecycle.set_status(trade, unpaid[profile], self._later())
        elif profile == "closed_unpaid":
            lifecycle.close(trade, self._later(), status="TRADE_CLOSED_BY_TAOBAO")
        elif profile == "presale_deposit":
            lifecycle.pay(trade, self._later())
        elif profile == "cod":
            lifecycle.set_status(trade, "WAIT_SELLER_SEND_GOODS", self._later())
        elif profile not in ("unpaid", "presale_unpaid"):
            self._after_payment(profile)

    def _after_payment(self, profile: str) -> None:
        trade, lines = self._made.trade, lifecycle.lines_of(self._made.trade)
        if profile == "line_closed":
            lines[-1]["status"] = "TRADE_CLOSED_BY_TAOBAO"
            _leave_out(trade, lines[-1])
        for _ in range(2 if profile == "presale_paid" else 1):
            lifecycle.pay(trade, self._later())
        if profile == "forbidden":
            lifecycle.set_status(trade, "PAID_FORBID_CONSIGN", self._later())
            trade["forbid_consign"] = 1
        elif profile in ("part_shipped", "shipped", "signed", "finished", "finished_refund_asked"):
            self._ship(profile, lines)
        elif profile in ("closed_refunded", "line_refunded", "refund_asked"):
            self._refund(profile, lines)

    def _ship(self, profile: str, lines: list[Line]) -> None:
        trade, random = self._made.trade, self._maker.random
        company = random.choice(("SF", "ZTO", "YTO", "YUNDA"))
        part = lines[:1] if profile == "part_shipped" else lines
        lifecycle.ship(trade, part, company, f"{company}{random.randint(10**11, 10**12 - 1)}", self._later())
        if profile == "signed":
            lifecycle.set_status(trade, "TRADE_BUYER_SIGNED", self._later())
        elif profile.startswith("finished"):
            lifecycle.finish(trade, self._later())
        if profile == "finished_refund_asked":
            self._ask(lines[0])

    def _refund(self, profile: str, lines: list[Line]) -> None:
        # There is one refund per line; a trade closed by refunds has had one for each.
        for line in lines if profile == "closed_refunded" else lines[-1:]:
            self._ask(line)
            if profile != "refund_asked":
                lifecycle.settle_refund(self._made.trade, self._made.refunds[-1], self._later(), status="SUCCESS")

    def _ask(self, line: Line) -> None:
        number, reason = self._maker.new_refund_id(), self._maker.reason()
        self._made.refunds.append(lifecycle.ask_refund(self._made.trade, line, number, self._later(), reason=reason))

    def _later(self) -> str:
        left_s = int((self._now - self._at).total_seconds())
        self._at += timedelta(seconds=self._maker.random.randint(min(5, left_s // 6), min(1200, left_s // 2)))
        return china_text(self._at)


def _leave_out(trade: Trade, line: Line) -> None:
    """A line that was closed before the payment is not paid for, but keeps what it would have cost."""
    trade["payment"] = f"{Decimal(trade['payment']) - Decimal(line['divide_order_fee']):.2f}"
