"""Things that go wrong on purpose, each with its own seeded chance."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from typing import Any

NAMES = (
    "http-5xx",
    "throttle",
    "slow",
    "truncated-json",
    "duplicate-rows",
    "missing-rows",
    "reordered-rows",
    "moving-rows",
    "expired-session",
    "answer-lost",
    "html-error",
)
_RATE = 0.1
# An expired token is expired on every call.
_RATES = {"expired-session": 1.0, "moving-rows": 1.0}


class Faults:
    """The faults that are switched on; `NAME` has its usual chance, `NAME=0.3` the given one.

    Raises: ValueError - no such fault, or a chance that is not between 0 and 1.
    """

    def __init__(self, names: Iterable[str], *, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._withheld: set[str] = set()
        self.set(names)

    def set(self, names: Iterable[str]) -> None:
        """Replace all faults by these and begin their random sequences anew."""
        rates: dict[str, float] = {}
        for entry in names:
            name, _, rate = entry.partition("=")
            if name not in NAMES:
                raise ValueError(f"there is no fault {name!r}; known are {', '.join(NAMES)}")
            rates[name] = float(rate) if rate else _RATES.get(name, _RATE)
            if not 0 <= rates[name] <= 1:
                raise ValueError(f"the chance of {name} must be between 0 and 1")
        with self._lock:
            self._rates = rates
            self._dice = {name: random.Random(f"{self._seed}/{name}") for name in rates}  # noqa: S311 - repeatable chance, no secret
            self._withheld.clear()

    @property
    def rates(self) -> dict[str, float]:
        """The faults that are on, with their chances."""
        return dict(self._rates)

    def strikes(self, name: str) -> bool:
        """Whether the fault happens this time."""
        with self._lock:
            rate = self._rates.get(name)
            return rate is not None and self._dice[name].random() < rate

    def _place(self, name: str, length: int) -> int:
        with self._lock:
            return self._dice[name].randrange(length)

    def on_rows(self, rows: Sequence[Any], *, key: str) -> list[Any]:
        """The rows of one page after duplicate-, missing- and reordered-rows.

        A row is withheld once only: whoever reads the page or the list again finds it.
        """
        result = list(rows)
        if result and self.strikes("missing-rows"):
            place = self._place("missing-rows", len(result))
            mark = str(result[place].get(key))
            if mark not in self._withheld:
                self._withheld.add(mark)
                del result[place]
        if result and self.strikes("duplicate-rows"):
            place = self._place("duplicate-rows", len(result))
            result.insert(place, result[place])
        if result and self.strikes("reordered-rows"):
            turn = self._place("reordered-rows", len(result))
            result = [*result[turn:], *reversed(result[:turn])]
        return result
