"""Writing throw-away plugins and booting a host on them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from core.runtime.plugin_host.host import HostOptions, PluginHost
from core.runtime.plugin_host.loading import forget_tables
from tests import toy_hooks


class Bench:
    """A folder for plugins and a plugins.toml that lists them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "plugins"
        self.folder.mkdir()
        self.listing = folder / "plugins.toml"
        self.listed: list[str] = []
        self.hosts: list[PluginHost] = []

    def single(self, name: str, code: str = "", **manifest: object) -> None:
        """A plugin of one file."""
        literal = {"id": name, "version": "1.0.0", **manifest}
        (self.folder / f"{name}.py").write_text(f'"""{name}."""\nPLUGIN = {literal!r}\n{code}')
        self.listed.append(name)

    def package(self, name: str, toml: str = "", **files: str) -> Path:
        """A plugin of several files; `plugin` is plugin.py and so on."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "plugin.toml").write_text(f'id = "{name}"\ntitle = "{name}"\nversion = "1.0.0"\ncore = ">=0.1"\n{toml}')
        for file, code in {"__init__": "", "plugin": "", **files}.items():
            (folder / f"{file}.py").write_text(code)
        self.listed.append(name)
        return folder

    def boot(self, *, blocked: tuple[str, ...] = (), entries: str | None = None) -> PluginHost:
        """A host on all that was written, listed in the order of writing."""
        self.listing.write_text("".join(f'[[plugin]]\nid = "{name}"\n' for name in self.listed) if entries is None else entries)
        options = HostOptions(listing=self.listing, folders=(self.folder,), blocked=blocked, spec_modules=(toy_hooks,))
        host = PluginHost(options).boot()
        self.hosts.append(host)
        return host


@pytest.fixture
def bench(tmp_path):
    plugins = importlib.import_module("plugins")
    places, modules = list(plugins.__path__), set(sys.modules)
    made = Bench(tmp_path)
    yield made
    for host in made.hosts:
        forget_tables(name for loaded in host.loaded.values() for name in loaded.tables)
    plugins.__path__[:] = places
    for name in set(sys.modules) - modules:
        if name.startswith("plugins."):
            del sys.modules[name]
            vars(plugins).pop(name.removeprefix("plugins.").split(".")[0], None)
