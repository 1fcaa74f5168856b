"""The plugin's manifest and settings."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from marshmallow import ValidationError

from plugins.jd.settings import JdSettings

MANIFEST = Path(__file__).resolve().parents[3] / "plugins" / "jd" / "plugin.toml"
FILLED = {"app_key": "k", "app_secret": "s", "access_token": "t"}


def test_the_manifest_names_what_exists_when_it_is_read():
    manifest = tomllib.loads(MANIFEST.read_text(encoding="utf-8"))
    module, name = manifest["settings"].split(":")

    assert (manifest["id"], manifest["category"], manifest["scope"], manifest["egress"]) == ("jd", "channel", "tenant", ["api.jd.com"])
    assert getattr(import_module(module), name) is JdSettings


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
    assert {name for name, field in JdSettings().fields.items() if field.metadata.get("secret")} == {"app_secret", "access_token"}
