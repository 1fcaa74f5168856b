"""Hooks that only the toy plugins know; real packages declare theirs in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.runtime.plugin_host.markers import hookspec
from core.sdk import PluginContext


@dataclass(frozen=True, slots=True)
class Panel:
    """Something a page shows. `render(ctx)` returns its text."""

    key: str
    render: Callable[[PluginContext], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that has a say in a transaction. `decide(ctx, number)` returns the number it makes of it."""

    key: str
    decide: Callable[[PluginContext, int], Any]


@hookspec
def register_panels() -> list[Panel]:
    """Things that a page shows."""


@hookspec
def register_rules() -> list[Rule]:
    """Things that have a say."""
