from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from marshmallow import ValidationError

import plugins.taobao
from core.sdk import Secret
from plugins.taobao.client import TaobaoConnection
from plugins.taobao.mapping import orders_from, refunds_from
from plugins.taobao.plugin import register_lifecycle, register_marketplaces
from plugins.taobao.settings import TaobaoSettings
from tests.plugins.taobao.conftest import context_for

HOME = Path(plugins.taobao.__file__).parent
GIVEN = {"app_key": "12345678", "app_secret": "s", "session": "t"}


def test_marketplace_fits_the_platforms_limits():
    market = register_marketplaces()[0]

    assert (market.key, market.currency, market.connect) == ("taobao", "CNY", TaobaoConnection)
    assert (market.orders_from, market.refunds_from) == (orders_from, refunds_from)
    assert timedelta(hours=23) < market.longest_window < timedelta(days=1)
    assert market.overlap > market.lag > timedelta(seconds=1)
    assert market.carriers["sf"] == "SF"


def test_marketplace_hands_out_carriers_of_its_own_when_a_caller_changes_them():
    register_marketplaces()[0].carriers["sf"] = "changed"

    assert register_marketplaces()[0].carriers["sf"] == "SF"


def test_hooks_give_the_marketplace_and_a_connection_test(simulate):
    simulator = simulate()

    check = register_lifecycle().check_connection

    assert [market.key for market in register_marketplaces()] == ["taobao"]
    assert check is not None
    assert check(context_for(simulator)) == "云栖茶铺"


def test_settings_fill_in_the_platforms_gateway_when_only_credentials_are_given():
    assert TaobaoSettings().load(GIVEN) == {
        **GIVEN,
        "gateway": "https://eco.taobao.com/router/rest",
        "sign_method": "hmac-sha256",
    }


def test_settings_accept_a_simulator_on_this_machine():
    assert TaobaoSettings().load({**GIVEN, "gateway": "http://127.0.0.1:8931/router/rest"})["gateway"].startswith("http://127")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"app_key": ""}, "app_key"),
        ({"app_key": None}, "app_key"),
        ({"app_secret": ""}, "app_secret"),
        ({"session": ""}, "session"),
        ({"gateway": "ftp://x"}, "gateway"),
        ({"sign_method": "sha1"}, "sign_method"),
    ],
)
def test_settings_are_refused_when_a_field_is_wrong(changes, name):
    with pytest.raises(ValidationError) as caught:
        TaobaoSettings().load({**GIVEN, **changes})

    assert list(caught.value.normalized_messages()) == [name]


def test_secrets_are_marked_and_every_field_is_labelled():
    fields = TaobaoSettings().fields

    assert {name for name, field in fields.items() if isinstance(field, Secret)} == {"app_secret", "session"}
    assert all(field.metadata["label"] and field.metadata["help"] for field in fields.values())


def test_manifest_names_what_the_plugin_needs():
    manifest = tomllib.loads((HOME / "plugin.toml").read_text(encoding="utf-8"))

    assert (manifest["id"], manifest["category"], manifest["scope"]) == ("taobao", "channel", "tenant")
    assert manifest["egress"] == ["eco.taobao.com", "gw.api.taobao.com"]
    assert manifest["settings"] == "settings:TaobaoSettings"
    assert set(manifest["egress_from_settings"]) <= set(TaobaoSettings().fields)
