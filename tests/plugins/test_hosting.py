"""The plugins that come with Orderloom, as the host finds and loads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.channels import hooks as channel_hooks
from core.runtime.plugin_host.host import HostOptions, PluginHost
from core.runtime.plugin_host.quality import tier_of
from core.runtime.plugin_host.sources import boundary_breaches, table_breaches

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
CARRIERS = {"sf", "yto", "zto", "sto", "yunda", "ems", "china_post", "deppon", "best", "zjs", "jtexpress", "jd"}


@pytest.fixture(scope="module")
def host():
    return PluginHost(HostOptions(ROOT / "plugins.toml", (PLUGINS,), spec_modules=(channel_hooks,))).boot()


@pytest.mark.parametrize("plugin", ["taobao", "jd"])
def test_plugin_loads_without_complaint_when_the_host_boots(host, plugin):
    package = host.package(plugin)

    assert (package.state, package.fault, package.manifest.warnings) == ("installed", None, ())
    assert boundary_breaches(PLUGINS / plugin, f"plugins.{plugin}") + table_breaches(PLUGINS / plugin, plugin) == []
    assert tier_of(package.manifest.quality) == "bronze"


@pytest.mark.parametrize("plugin", ["taobao", "jd"])
def test_marketplace_is_contributed_under_its_plugins_id_when_the_host_boots(host, plugin):
    [market] = host.plugin(plugin).given["marketplaces"]

    assert (market.key, market.currency) == (plugin, "CNY")
    assert set(market.carriers) <= CARRIERS
    assert market.lag < market.overlap < market.longest_window


@pytest.mark.parametrize(("plugin", "secrets"), [("taobao", {"app_secret", "session"}), ("jd", {"app_secret", "access_token"})])
def test_settings_are_needed_and_sealed_when_the_host_reads_the_form(host, plugin, secrets):
    loaded = host.plugin(plugin)

    assert loaded.needs_settings
    assert loaded.secret_names == secrets
    assert loaded.lifecycle.check_connection is not None
    assert loaded.lifecycle.health is not None
