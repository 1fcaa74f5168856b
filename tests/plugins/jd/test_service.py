"""Whether a JD shop's settings work, as the host asks."""

from __future__ import annotations

import pytest

from core.sdk import Health
from plugins.jd import service
from plugins.jd.errors import SessionExpired
from plugins.jd.simulator.shop import SHOP_NAME
from tests.plugins.jd.conftest import context_for


def test_connection_test_names_the_shop_when_the_settings_work(simulate):
    assert service.check_connection(context_for(simulate())) == SHOP_NAME


def test_connection_test_is_denied_when_the_token_has_expired(simulate):
    simulator = simulate()
    simulator.gateway.is_session_valid = False

    with pytest.raises(SessionExpired):
        service.check_connection(context_for(simulator))


def test_health_is_ok_with_the_shops_name_when_jd_answers(simulate):
    assert service.health(context_for(simulate())) == Health("ok", SHOP_NAME)


def test_health_is_down_when_the_token_has_expired(simulate):
    simulator = simulate()
    simulator.gateway.is_session_valid = False

    assert service.health(context_for(simulator)).state == "down"


def test_health_is_degraded_when_nobody_answers(simulate):
    dead_end = {"app_key": "k", "gateway": "http://127.0.0.1:9/routerjson"}

    health = service.health(context_for(simulate(), config=dead_end))

    assert health.state == "degraded"
