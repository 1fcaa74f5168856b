"""Every shipped plugin passes the check, can be blocked alone, and is not needed for a start."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import app
from config.reading import load_settings
from core.runtime.plugin_host.check import check_plugin
from core.runtime.plugin_host.discovery import read_listing
from core.runtime.plugin_host.manifest import Manifest
from core.runtime.plugin_host.quality import RULES

ROOT = Path(app.__file__).parent
SHIPPED = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/plugin.toml"))
LISTED = sorted(read_listing(ROOT / "plugins.toml").entries)


def booted(*blocked: str):
    return app.plugin_host(load_settings({"OMS_PLUGINS_BLOCKED": ",".join(blocked)})).boot()


def test_list_names_every_shipped_plugin():
    assert sorted(set(SHIPPED) - set(LISTED)) == []


@pytest.mark.parametrize("plugin", SHIPPED)
def test_shipped_plugin_passes_the_check(plugin):
    report = check_plugin(ROOT / "plugins" / plugin, app.plugin_host(load_settings({})).hook_names)

    assert [finding.shown(ROOT) for finding in report.findings] == []
    assert report.tier != ""


def test_all_shipped_plugins_load_when_none_is_blocked():
    assert sorted(booted().loaded) == SHIPPED


@pytest.mark.parametrize("plugin", SHIPPED)
def test_start_succeeds_when_one_plugin_is_blocked(plugin):
    host = booted(plugin)

    others = {name for name in SHIPPED if name != plugin and plugin not in host.packages[name].manifest.requires}
    assert (set(host.loaded), host.packages[plugin].state) == (others, "blocked")


def test_start_succeeds_when_all_plugins_are_blocked():
    assert booted("*").loaded == {}


def test_every_hook_and_manifest_key_is_documented():
    hooks = (ROOT / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
    manifest = (ROOT / "docs" / "reference" / "manifest.md").read_text(encoding="utf-8")
    keys = {item.name for item in fields(Manifest)} - {"warnings"}

    assert [name for name in sorted(app.plugin_host(load_settings({})).hook_names) if f"`{name}`" not in hooks] == []
    assert [name for name in sorted(keys) if f"| `{name}` |" not in manifest] == []
    assert [rule for rule in sorted(RULES) if f"`{rule}`" not in manifest] == []
