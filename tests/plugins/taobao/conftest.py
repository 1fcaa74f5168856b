"""A simulated Taobao shop and connections to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.sdk import FixedClock, PluginContext, Window
from plugins.taobao.client import TaobaoConnection
from plugins.taobao.simulator import Credentials, Simulator
from tests.plugins.http import PlainHttp

PAYLOADS = Path(__file__).parent / "payloads"
CREDENTIALS = Credentials("12345678", "helloworld", "6101700fakesession0000000001")
NOON = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)


class Notes:
    """A plugin log that keeps the names of what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **_values: Any) -> None:
        self.events.append(event)

    warning = error = info


def load(name: str) -> Any:
    """A payload of this folder, decoded the ordinary way."""
    return json.loads((PAYLOADS / name).read_text(encoding="utf-8"))


def context_for(simulator: Simulator, **changes: Any) -> PluginContext:
    """A plugin context that is configured for the simulated shop and shares its clock."""
    fields: dict[str, Any] = {
        "tenant_id": 1,
        "tenant_slug": "tea",
        "plugin": "taobao",
        "config": {"app_key": CREDENTIALS.app_key, "gateway": simulator.url},
        "secrets": {"app_secret": CREDENTIALS.secret, "session": CREDENTIALS.session},
        "http": PlainHttp(),
        "log": Notes(),
        "clock": simulator.shop.clock,
    }
    return PluginContext(**{**fields, **changes})


def connected(simulator: Simulator, **changes: Any) -> TaobaoConnection:
    """A connection whose pauses let the simulator's clock run instead of waiting."""
    clock = simulator.shop.clock
    assert isinstance(clock, FixedClock)
    return TaobaoConnection(context_for(simulator, **changes), pause=lambda seconds: clock.advance(timedelta(seconds=seconds)))


def last_day(simulator: Simulator) -> Window:
    """The 24 hours up to the simulator's present."""
    now = simulator.shop.clock.now()
    return Window(now - timedelta(hours=24), now)


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    """Start simulators on a clock that stands at NOON; they end with the test."""
    with ExitStack() as running:

        def start(**options: Any) -> Simulator:
            return running.enter_context(Simulator(CREDENTIALS, **{"clock": FixedClock(NOON), **options}))

        yield start
