"""The tables as the migrations make them."""

from __future__ import annotations

import pytest

from plugins.outbound_webhooks.models import Attempt, Hook, Message
from tests.plugins.migrating import differences_after_migrating

pytestmark = pytest.mark.database


def test_migrations_make_what_the_models_say_when_they_run_up_down_and_up(cluster):
    found, secured = differences_after_migrating(cluster, "outbound_webhooks")

    assert found == []
    assert secured == {model.__tablename__: (True, True) for model in (Hook, Message, Attempt)}
