"""Life in the simulated shop: buyers order, pay and confirm, now and then JD locks something."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from plugins.jd.simulator import deeds
from plugins.jd.simulator.generator import place
from plugins.jd.simulator.shop import Shop


class Life(threading.Thread):
    """Places about `per_second` orders a second, and lets something happen to an older order about as often."""

    def __init__(self, shop: Shop, *, per_second: float) -> None:
        super().__init__(name="jd-simulator-life", daemon=True)
        self._shop = shop
        self._per_second = per_second
        self._dice = random.Random(f"{shop.seed}/life")  # noqa: S311 - repeatable chance, no secret
        self._ended = threading.Event()

    def end(self) -> None:
        """Stop; returns once the thread has stopped."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Live until `end`."""
        while not self._ended.wait(self._dice.expovariate(self._per_second)):
            with self._shop.lock:
                self.step()

    def step(self) -> None:
        """One new order, and one event on an older one; hold the shop's lock."""
        place(self._shop, self._dice, state="NOT_PAY" if self._dice.random() < 0.15 else "WAIT_SELLER_STOCK_OUT")
        happenings: tuple[tuple[str, float, Callable[[Shop, str], object]], ...] = (
            ("NOT_PAY", 0.5, deeds.pay),
            ("WAIT_GOODS_RECEIVE_CONFIRM", 0.3, deeds.finish),
            ("WAIT_SELLER_STOCK_OUT", 0.05, deeds.apply_refund),
        )
        for state, chance, deed in happenings:
            order = next(self._shop.in_state(state), None)
            if order is not None and self._dice.random() < chance:
                deed(self._shop, order.number)
