"""Where the plugins of this installation keep their migrations. Apart from `installation`, because `oms up` must stay small."""

from __future__ import annotations

from pathlib import Path

from config.schema import ROOT, Settings
from core.runtime.plugin_host.discovery import discover, read_listing


def migration_folders(settings: Settings) -> list[Path]:
    """The `migrations` folders of all listed plugins, blocked ones too: their tables are there, and the history must stay whole."""
    packages = discover(read_listing(settings.plugins_file), (ROOT / "plugins",))
    sources = [package.source for package in packages.values() if package.source is not None and package.state != "unlisted"]
    return [source / "migrations" for source in sources if (source / "migrations").is_dir()]
