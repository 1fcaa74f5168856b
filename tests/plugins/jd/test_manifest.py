"""The plugin's manifest and settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from marshmallow import ValidationError

from core.runtime.plugin_host.forms import form_of, secret_names
from core.runtime.plugin_host.manifest import CORE_VERSION, fits, read_manifest
from core.runtime.plugin_host.sources import boundary_breaches
from plugins.jd.settings import JdSettings

PLUGIN = Path(__file__).resolve().parents[3] / "plugins" / "jd"
FILLED = {"app_key": "k", "app_secret": "s", "access_token": "t"}


def test_the_manifest_names_what_exists_when_it_is_read():
    manifest = read_manifest(PLUGIN / "plugin.toml")

    assert (manifest.id, manifest.category, manifest.scope, manifest.egress) == ("jd", "channel", "tenant", ("api.jd.com",))
    assert (manifest.settings, manifest.warnings) == ("settings:JdSettings", ())
    assert fits(CORE_VERSION, manifest.core)


def test_the_plugin_stays_within_its_bounds_when_its_imports_are_read():
    assert boundary_breaches(PLUGIN, "plugins.jd") == []


def test_settings_use_the_real_gateway_when_none_is_given():
    assert JdSettings().load(FILLED) == {**FILLED, "gateway": "https://api.jd.com/routerjson"}


def test_settings_take_a_simulator_when_its_address_is_given():
    assert JdSettings().load({**FILLED, "gateway": "http://127.0.0.1:8422/routerjson"})["gateway"] == "http://127.0.0.1:8422/routerjson"


@pytest.mark.parametrize(("field", "value"), [("app_key", ""), ("app_secret", ""), ("access_token", None), ("gateway", "ftp://api.jd.com")])
def test_settings_are_refused_when_a_field_is_wrong(field, value):
    with pytest.raises(ValidationError) as caught:
        JdSettings().load({**FILLED, field: value})

    assert list(caught.value.messages) == [field]


def test_settings_keep_secrets_apart_when_fields_are_described():
    assert secret_names(JdSettings()) == ("app_secret", "access_token")
    assert [(entry["name"], entry["widget"]) for entry in form_of(JdSettings())] == [
        ("app_key", "text"),
        ("app_secret", "password"),
        ("access_token", "password"),
        ("gateway", "url"),
    ]
