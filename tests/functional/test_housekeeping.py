"""What the nightly timers take away, and what they leave."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import text

from core.runtime.events import EventDraft, emit

pytestmark = pytest.mark.database

_AGE = text(
    "UPDATE login_session SET expires_at = now() - interval '31 days' "
    "WHERE id = (SELECT id FROM login_session ORDER BY id LIMIT 1) RETURNING id"
)
_LEFT = text("SELECT id FROM login_session ORDER BY id")


def test_sign_in_is_forgotten_when_it_ended_a_month_ago(floor):
    floor.visitor("owner@tea.example")
    floor.visitor("staff@tea.example")
    with floor.world.database.platform() as session:
        before = set(session.execute(_LEFT).scalars())
        old = session.execute(_AGE).scalar_one()

    for _night in range(2):
        with floor.world.database.unit(floor.world.tea) as session:
            emit(session, [EventDraft("schedule.core.ended_sign_ins", "schedule", uuid4(), {})])
        floor.settle(floor.world.tea)

    with floor.world.database.platform() as session:
        after = set(session.execute(_LEFT).scalars())
    assert len(before) >= 2
    assert after == before - {old}
