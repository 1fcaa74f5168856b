"""The tables as the migrations make them."""

from __future__ import annotations

import pytest

from plugins.notify_inapp.models import Muted, Notice
from tests.plugins.migrating import differences_after_migrating

pytestmark = pytest.mark.database


def test_migrations_make_what_the_models_say_when_they_run_up_down_and_up(cluster):
    found, secured = differences_after_migrating(cluster, "notify_inapp")

    assert found == []
    assert secured == {model.__tablename__: (True, True) for model in (Notice, Muted)}
