"""Whether a Taobao shop's settings work, as the host asks."""

from __future__ import annotations

import pytest

from core.sdk import Health
from plugins.taobao import service
from plugins.taobao.errors import SessionExpired
from tests.plugins.taobao.conftest import CREDENTIALS, connected, context_for

WRONG = {"secrets": {"app_secret": CREDENTIALS.secret, "session": "ended"}}


def test_connection_test_names_the_shop_when_the_settings_work(simulate):
    simulator = simulate(orders=0)

    assert service.check_connection(context_for(simulator)) == connected(simulator).check()


def test_connection_test_is_denied_when_the_session_has_ended(simulate):
    with pytest.raises(SessionExpired):
        service.check_connection(context_for(simulate(orders=0), **WRONG))


def test_health_is_ok_with_the_shops_name_when_taobao_answers(simulate):
    simulator = simulate(orders=0)

    assert service.health(context_for(simulator)) == Health("ok", connected(simulator).check())


def test_health_is_down_when_the_session_has_ended(simulate):
    assert service.health(context_for(simulate(orders=0), **WRONG)).state == "down"
