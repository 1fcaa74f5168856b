"""Taking times and telling them: one row per figure with the project's own, the limit's, their ratio and whether the target is met."""

from __future__ import annotations

import json as jsontext
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured comparison.

    `ours` and `limit` are medians in `unit`; `ratio` is how much longer ours takes (or, with `is_rate`, ours divided by the limit).
    `target` bounds the ratio from above (from below with `is_rate`); None is for information only. `spread` holds the least and the
    greatest of ours and of the limit. `notes` are further numbers by name.
    """

    name: str
    unit: str
    ours: float
    limit: float | None
    ratio: float | None
    target: float | None = None
    is_rate: bool = False
    spread: tuple[float, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        value = self.ratio if self.ratio is not None else self.ours
        if self.target is None:
            return None
        return value >= self.target if self.is_rate else value <= self.target


def timed(run: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def alternately(rounds: int, ours: Callable[[int], object], limit: Callable[[int], object], *, warm: int = 1) -> tuple[list[float], list[float]]:
    """Seconds of each round of both, run by turns so that what else the machine does hits both alike; `warm` rounds go before, uncounted.

    Both get the number of the round, from 0 to `warm + rounds - 1`.
    """
    mine: list[float] = []
    theirs: list[float] = []
    for number in range(warm + rounds):
        pair = [(mine, ours), (theirs, limit)]
        for into, run in pair if number % 2 == 0 else reversed(pair):
            seconds = timed(lambda run=run, number=number: run(number))
            if number >= warm:
                into.append(seconds)
    return mine, theirs


def compared(name: str, mine: Sequence[float], theirs: Sequence[float], *, items: int = 1, target: float | None = None, **notes: Any) -> Figure:
    """The figure of two series of seconds, per item in milliseconds, with items a second in the notes."""
    ours, limit = statistics.median(mine) / items * 1000, statistics.median(theirs) / items * 1000
    spread = tuple(value / items * 1000 for value in (min(mine), max(mine), min(theirs), max(theirs)))
    rates = {"per_s": round(1000 / ours, 1), "limit_per_s": round(1000 / limit, 1), "rounds": len(mine)}
    return Figure(name, "ms", ours, limit, ours / limit, target, spread=spread, notes={**rates, **notes})


def report(benchmark: str, figures: Sequence[Figure], *, json: bool) -> None:
    """Print the figures as a table, or as one JSON object in one line."""
    load = os.getloadavg()[0]
    if json:
        rows = [
            {
                "name": one.name, "unit": one.unit, "ours": one.ours, "limit": one.limit, "ratio": one.ratio, "target": one.target,
                "met": one.is_met, "spread": one.spread, **one.notes,
            }
            for one in figures
        ]  # fmt: skip
        print(jsontext.dumps({"benchmark": benchmark, "load": round(load, 1), "figures": rows}), flush=True)
        return
    print(f"{benchmark} (load average {load:.1f})")
    print(f"  {'':32} {'ours':>10} {'limit':>10} {'ratio':>6} {'target':>7}")
    for one in figures:
        print(_line(one), flush=True)


def _line(one: Figure) -> str:
    limit = f"{one.limit:10.3f}" if one.limit is not None else " " * 10
    ratio = f"{one.ratio:6.2f}" if one.ratio is not None else " " * 6
    target = f"{'≥' if one.is_rate else '≤'} {one.target:g}" if one.target is not None else ""
    mark = {True: "met", False: "MISSED", None: ""}[one.is_met]
    notes = ", ".join(f"{name} {value}" for name, value in one.notes.items())
    spread = " ".join(f"{value:.3f}" for value in one.spread)
    return f"  {one.name:32} {one.ours:10.3f} {limit} {ratio} {target:>7} {mark:7} {one.unit}  [{spread}] {notes}"
