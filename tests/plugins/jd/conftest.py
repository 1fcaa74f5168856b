"""A simulated JD shop and connections to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from core.sdk import PluginContext, SystemClock
from plugins.jd.client import JdConnection
from plugins.jd.simulator import Options, Simulator
from tests.plugins.http import PlainHttp

PAYLOADS = Path(__file__).parent / "payloads"


class Notes:
    """A plugin log that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **values: Any) -> None:
        self.events.append(("info", event, values))

    def warning(self, event: str, **values: Any) -> None:
        self.events.append(("warning", event, values))

    def error(self, event: str, **values: Any) -> None:
        self.events.append(("error", event, values))

    def named(self, event: str) -> list[dict[str, Any]]:
        return [values for _, name, values in self.events if name == event]


def load(name: str) -> Any:
    """A payload of this folder, decoded the ordinary way."""
    return json.loads((PAYLOADS / name).read_text(encoding="utf-8"))


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    """Start simulators; they end with the test."""
    with ExitStack() as running:

        def start(**options: Any) -> Simulator:
            return running.enter_context(Simulator(Options(**{"orders": 0, "slow_s": 0.05, **options})))

        yield start


def context_for(simulator: Simulator, **changes: Any) -> PluginContext:
    """A plugin context that is configured for the simulated shop."""
    options = simulator.options
    fields: dict[str, Any] = {
        "tenant_id": 1,
        "tenant_slug": "tea",
        "plugin": "jd",
        "config": {"app_key": options.app_key, "gateway": simulator.url},
        "secrets": {"app_secret": options.secret, "access_token": options.session},
        "http": PlainHttp(),
        "log": Notes(),
        "clock": SystemClock(),
    }
    return PluginContext(**{**fields, **changes})


def connected(simulator: Simulator, **changes: Any) -> JdConnection:
    """A connection that never waits between tries."""
    return JdConnection(context_for(simulator, **changes), pause=lambda _seconds: None)
