"""Taking times and telling them: one row per figure with the project's own, the limit's, their ratio and whether the target is met."""

from __future__ import annotations

import contextlib
import json as jsontext
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a benchmark. `rows` bounds how many orders there are; `is_brief` only shows that it works: its figures say nothing."""

    json: bool = False
    rows: int | None = None
    is_brief: bool = False

    def rounds(self, usual: int) -> int:
        """How many rounds to run where `usual` are usual."""
        return min(usual, 2) if self.is_brief else usual


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured comparison.

    `ours` and `limit` are medians in `unit`; `ratio` is how much longer ours takes (or, with `is_rate`, ours divided by the limit).
    `target` bounds the ratio from above (from below with `is_rate`), or `ours` with `is_absolute` or where there is no limit; None is for
    information only. `spread` holds the least and the
    greatest of ours and of the limit. `notes` are further numbers by name.
    """

    name: str
    unit: str
    ours: float
    limit: float | None
    ratio: float | None
    target: float | None = None
    is_rate: bool = False
    is_absolute: bool = False
    spread: tuple[float, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        value = self.ours if self.ratio is None or self.is_absolute else self.ratio
        if self.target is None:
            return None
        return value >= self.target if self.is_rate else value <= self.target


@dataclass
class Side:
    """One of two things compared: what to run (it gets the round's number) and, once run, the seconds of each round.

    `pids` are the processes that work for it besides this one, so that the CPU time of both sides is known too; on a busy machine that is
    the steadier measure.
    """

    run: Callable[[int], object]
    pids: Callable[[], Iterable[int]] = tuple
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    _known: list[int] = field(default_factory=list)

    def round(self, number: int, *, counts: bool) -> None:
        """Run one round."""
        if not counts or not self._known:
            self._known = list(self.pids())
        pids = self._known
        cpu, began = _cpu_seconds(pids), time.perf_counter()
        self.run(number)
        seconds = time.perf_counter() - began
        cpu = _cpu_seconds(pids) - cpu
        if counts:
            self.seconds.append(seconds)
            self.cpu.append(cpu)


def timed(run: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time of this process and the given ones, as far as the system tells."""
    total = time.process_time()
    for pid in pids:
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return total


def alternately(rounds: int, ours: Side, limit: Side, *, warm: int = 1) -> None:
    """Run both sides by turns, so that what else the machine does hits both alike; `warm` rounds go before, uncounted.

    Both get the number of the round, from 0 to `warm + rounds - 1`.
    """
    for number in range(warm + rounds):
        for side in (ours, limit) if number % 2 == 0 else (limit, ours):
            side.round(number, counts=number >= warm)


def compared(
    name: str, mine: Sequence[float], theirs: Sequence[float], *, items: int = 1, target: float | None = None, **notes: Any
) -> Figure:
    """The figure of two series of seconds, per item in milliseconds, with items a second in the notes."""
    ours, limit = statistics.median(mine) / items * 1000, statistics.median(theirs) / items * 1000
    spread = tuple(value / items * 1000 for value in (min(mine), max(mine), min(theirs), max(theirs)))
    rates = {"per_s": round(1000 / ours, 1), "limit_per_s": round(1000 / limit, 1), "rounds": len(mine)}
    return Figure(name, "ms", ours, limit, ours / limit, target, spread=spread, notes={**rates, **notes})


def compared_sides(name: str, ours: Side, limit: Side, *, items: int = 1, target: float | None = None, **notes: Any) -> Figure:
    """As `compared`, of two sides that have run by turns, with their CPU times in the notes."""
    cpu, theirs = (statistics.median(side.cpu) / items * 1000 for side in (ours, limit))
    work = {"cpu_ms": round(cpu, 3), "limit_cpu_ms": round(theirs, 3), "cpu_ratio": round(cpu / theirs, 2)}
    return compared(name, ours.seconds, limit.seconds, items=items, target=target, **work, **notes)


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
