"""Everything that works by itself, run for the tea shop on events that speak of the gift shop's records: nothing of the gift shop changes.

Subscribers, timers and bulk actions are taken from the running system, so new ones are covered by themselves.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select, text

from core.engines.metadata import FieldType
from core.runtime.events import EventDraft, emit
from core.runtime.events.bulk import start_run
from core.runtime.events.dispatch import Dispatcher
from core.runtime.events.kit import Kit
from core.runtime.events.models import Delivery
from core.runtime.events.rules import ALONE
from core.runtime.jobs.bulk import RunRequest
from core.runtime.jobs.models import BulkRunRow
from tests.functional.isolation.conftest import MARK

pytestmark = [pytest.mark.database, pytest.mark.timeout(600)]

# Whose id the subject of an event may be; subjects of other kinds get a word.
SUBJECTS = {
    "order": "sales_order", "sku": "sku", "shop": "shop", "alias": "sku_alias", "bulk_run": "bulk_run", "hook": "plg_outbound_webhooks_hook",
    "customer": "customer", "shipment": "shipment", "refund": "order_refund",
}  # fmt: skip
SAMPLES = {"order.": "order.accepted", "shipment.": "shipment.dispatched", "stock.": "stock.low", "channel.": "channel.value_mapped"}


def _facts(walls) -> dict:
    """Their ids under every name that payloads use."""
    def one(table):
        return str(walls.theirs[table][0])

    return {
        "shop_id": one("shop"), "sku_id": one("sku"), "order_id": one("sales_order"), "shipment_id": one("shipment"), "external_key": MARK,
        "external_id": MARK, "code": f"{MARK}-sku-code-0", "run": one("bulk_run"), "chunk": 1, "action": next(iter(walls.floor.system.bulk.actions)), "warehouse_id": one("warehouse"),
        "message": one("plg_outbound_webhooks_message"), "hook": one("plg_outbound_webhooks_hook"), "turn": 1, "carrier": "sf", "tracking_number": "X",
        "lines": [], "is_partial": False, "plugin": "outbound_webhooks", "instance": "main", "old": None, "new": None, "numbers": [MARK],
        "kind": "carrier", "value": MARK, "mapped_to": "x", "number": "S1", "since": None, "tick": "2026-11-20T12:00:00+00:00",
    }  # fmt: skip


def _kinds(walls):
    """Every exact kind that somebody hears, and a sample of each group of kinds."""
    heard = {kind for subscriber in walls.floor.system.registry.subscribers for kind in subscriber.events}
    return sorted({SAMPLES.get(kind, f"{kind}sample") if kind.endswith(".") else kind for kind in heard})


def test_no_subscriber_and_no_timer_of_one_tenant_touches_another(walls):
    before = walls.belongings()
    drafts = []
    for kind in _kinds(walls):
        subjects = [("schedule", kind.removeprefix("schedule."))] if kind.startswith("schedule.") else list(SUBJECTS.items())
        drafts += [EventDraft(kind, name, walls.theirs.get(table, [table])[0], _facts(walls)) for name, table in subjects]
    with walls.floor.world.database.unit(walls.tea) as session:
        for draft in drafts:
            emit(session, [draft], registry=walls.floor.system.registry)

    tried = walls.floor.settle(walls.tea, rounds=60)

    with walls.floor.world.database.unit(walls.tea) as session:
        statement = select(Delivery.subscriber).where((Delivery.attempts > 0) | (Delivery.state.in_(("done", "dead", "skipped"))))
        reached = set(session.scalars(statement))
    assert tried >= len(drafts) / 2
    assert {subscriber.key for subscriber in walls.floor.system.registry.subscribers} - reached == set()
    assert walls.belongings() == before


def test_every_timer_is_heard_by_somebody(walls):
    registry = walls.floor.system.registry

    assert [schedule.key for schedule in walls.floor.system.schedules if not registry.hearers(schedule.kind)] == []


def test_deliveries_of_another_tenant_are_not_carried_out(walls):
    before = walls.belongings()
    dispatcher = Dispatcher(Kit(database=walls.floor.system.database, registry=walls.floor.system.registry))

    for subscriber in walls.floor.system.registry.subscribers:
        dispatcher.deliver([(walls.tea.tenant_id, subscriber.key, ALONE, [str(one) for one in walls.theirs["delivery"]])])

    assert walls.belongings() == before


def test_bulk_runs_reach_no_record_of_another_tenant(walls):
    before, runs = walls.belongings(), {}
    for entity in walls.floor.system.entities:
        for action in entity.actions:
            key = f"{entity.key}.{action.key}"
            theirs = [UUID(str(one)) for one in walls.theirs[entity.model.__table__.name]]
            params = {item.key: _value(walls, item) for item in action.fields if item.is_required}
            with walls.floor.world.database.unit(walls.tea) as session:
                runs[key] = start_run(session, RunRequest(action=key, params=params, ids=theirs), walls.floor.system.bulk)

    walls.floor.settle(walls.tea, rounds=60)

    with walls.floor.world.database.unit(walls.tea) as session:
        states = {key: set(session.scalars(select(BulkRunRow.state).where(BulkRunRow.run_id == run))) for key, run in runs.items()}
        said = session.execute(text("SELECT coalesce(string_agg(message, ' '), '') FROM bulk_run_row")).scalar()
    assert set(runs) == set(walls.floor.system.bulk.actions)
    assert {key: found for key, found in states.items() if not found or found - {"refused", "failed"}} == {}
    assert MARK not in said
    assert walls.belongings() == before


def _value(walls, item):
    if item.type is FieldType.REFERENCE:
        return str(walls.ours[walls.floor.system.entities.get(item.target).model.__table__.name][0])
    return ["vip"] if item.type is FieldType.TAGS else "1"
