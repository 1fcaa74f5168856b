"""The order of plugins: requirements first, then `after`, then the tenant's priority, then the id."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from core.runtime.plugin_host.discovery import Package

DEFAULT_PRIORITY = 100


def without_missing_requirements(packages: Mapping[str, Package]) -> dict[str, Package]:
    """The packages, with those unavailable whose requirements are not met or go in a circle; all others as they were."""
    judged = dict(packages)
    for circle in _circles(judged):
        path = " → ".join((*circle, circle[0]))
        for name in circle:
            judged[name] = judged[name].failing("plugin.cycle", f"The plugins wait for each other: {path}.")
    waiting = True
    while waiting:
        waiting = False
        for name, package in judged.items():
            lacking = [] if package.state not in _USABLE else [need for need in _required(package) if not _is_usable(judged.get(need))]
            if lacking:
                judged[name] = package.failing("plugin.requirement_missing", f"It requires {', '.join(lacking)}, which cannot be used.")
                waiting = True
    return judged


_USABLE = ("ready", "installed")


def _is_usable(package: Package | None) -> bool:
    return package is not None and package.state in _USABLE


def _required(package: Package) -> tuple[str, ...]:
    return package.manifest.requires if package.manifest is not None else ()


def _circles(packages: Mapping[str, Package]) -> list[list[str]]:
    """Every circle of usable packages, each started at its smallest id; found one at a time."""
    graph = {name: waits_for(package) & packages.keys() for name, package in packages.items() if _is_usable(package)}
    circles: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = list(reversed(error.args[1][:-1]))
            start = circle.index(min(circle))
            circle = circle[start:] + circle[:start]
            circles.append(circle)
            gone = set(circle)
            graph = {name: needs - gone for name, needs in graph.items() if name not in gone}
        else:
            return circles


def waits_for(package: Package) -> set[str]:
    """Ids that come before this plugin when they are there."""
    if package.manifest is None:
        return set()
    return {*package.manifest.requires, *package.manifest.after}


def in_order(needs: Mapping[str, Iterable[str]], priority: Mapping[str, int] | None = None) -> list[str]:
    """The ids of `needs`, each after those it waits for; where that leaves a choice, the lower priority number, then the id.

    `needs` must be free of circles; what an id waits for and is not itself in `needs` is ignored.
    """
    ranks = priority or {}
    open_needs = {name: {need for need in wanted if need in needs} for name, wanted in needs.items()}
    followers: dict[str, list[str]] = {name: [] for name in needs}
    for name, wanted in open_needs.items():
        for need in wanted:
            followers[need].append(name)
    ready = [(ranks.get(name, DEFAULT_PRIORITY), name) for name, wanted in open_needs.items() if not wanted]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _rank, name = heapq.heappop(ready)
        order.append(name)
        for follower in followers[name]:
            open_needs[follower].discard(name)
            if not open_needs[follower]:
                heapq.heappush(ready, (ranks.get(follower, DEFAULT_PRIORITY), follower))
    return order
