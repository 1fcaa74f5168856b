"""A plugin host with the toy plugins, at work on a database with two tenants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from core.kernel.clock import SystemClock
from core.runtime.db.base import metadata
from core.runtime.db.rls import wall_statements
from core.runtime.plugin_host.host import HostOptions, PluginHost
from core.runtime.plugin_host.loading import forget_tables
from core.runtime.plugin_host.runtime import PluginRuntime, RuntimeOptions
from tests import toy_hooks
from tests.fixtures.database import World

TOYS = Path(__file__).resolve().parents[3] / "toy_plugins"
USABLE = ("toy_hello", "toy_rights", "toy_notes", "toy_raises", "toy_hangs", "toy_escapes", "toy_hungry", "toy_wants_notes")


def listing_of(path: Path, *names: str) -> Path:
    """A plugins.toml that lists these plugins."""
    path.write_text("".join(f'[[plugin]]\nid = "{name}"\ndefault = {str(name == "toy_rights").lower()}\n' for name in names))
    return path


@pytest.fixture(scope="session")
def toy_host(tmp_path_factory) -> Iterator[PluginHost]:
    """The host with all well-formed toys loaded; their tables leave the metadata again at the end."""
    listing = listing_of(tmp_path_factory.mktemp("host") / "plugins.toml", *USABLE)
    host = PluginHost(HostOptions(listing=listing, folders=(TOYS,), spec_modules=(toy_hooks,))).boot()
    yield host
    forget_tables(name for plugin in host.loaded.values() for name in plugin.tables)


@dataclass
class Desk:
    """What the tests work with: the runtime, the world, what was announced, and how much work is said to be in flight."""

    runtime: PluginRuntime
    world: World
    announced: list[tuple[str, dict]]
    in_flight: dict[str, int]

    def another_process(self) -> PluginRuntime:
        """A second runtime on the same database, as another process would have one."""
        return PluginRuntime(self.runtime.host, self.world.database, replace(self.runtime.options))


@pytest.fixture(scope="module")
def _toy_tables(world: World, toy_host: PluginHost) -> None:
    names = [name for plugin in toy_host.loaded.values() for name in plugin.tables]
    engine = create_engine(world.owner_url)
    with engine.begin() as connection:
        metadata.create_all(connection, tables=[metadata.tables[name] for name in names])
        for statement in wall_statements(names):
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def desk(world: World, toy_host: PluginHost, _toy_tables) -> Iterator[Desk]:
    """A fresh runtime; whatever the plugin host and the toys have stored is deleted at the end."""
    announced: list[tuple[str, dict]] = []
    in_flight: dict[str, int] = {}
    options = RuntimeOptions(
        egress_allow=("127.0.0.1:*", "localhost:*"),
        in_flight={"deliveries": lambda _session, plugin: in_flight.get(plugin, 0)},
        announce=lambda _session, kind, payload: announced.append((kind, dict(payload))),
        journal_writes_by_itself=False,
    )
    runtime = PluginRuntime(toy_host, world.database, options, clock=SystemClock())
    yield Desk(runtime, world, announced, in_flight)
    runtime.egress.transport.close()
    tables = [name for name in metadata.tables if name.startswith(("plugin_", "plg_toy"))]
    engine = create_engine(world.owner_url)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(tables)} CASCADE"))
    engine.dispose()
