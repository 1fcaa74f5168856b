"""From events to notices: who is told, what belongs together, what stays quiet."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, select, text, update

from core.runtime.events import EventDraft
from core.runtime.events.models import Delivery
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.lifecycle import disable
from core.runtime.plugin_host.problems import Problem
from core.runtime.security import members
from plugins.notify_inapp import jobs, service
from plugins.notify_inapp.kinds import BY_KEY, HEARD, KINDS
from plugins.notify_inapp.models import Muted, Notice
from tests.plugins.notify_inapp.conftest import PLUGIN

pytestmark = pytest.mark.database
OWNER, STAFF, READER, GIFT = "owner@tea.example", "staff@tea.example", "reader@tea.example", "owner@gift.example"


def held(*codes, order=None):
    return EventDraft("order.held", "order", order or uuid4(), {"codes": list(codes or ("stock_short",)), "by": "way"})


def facts(notices):
    return [(one.group_key, one.subject_count, one.times) for one in notices]


def test_those_who_can_release_are_told_when_an_order_is_held(desk):
    desk.happen(held())

    assert facts(desk.told(OWNER)) == facts(desk.told(STAFF)) == [("order_held:stock_short", 1, 1)]
    assert desk.told(READER) == []
    assert desk.told(GIFT, desk.gift) == []


def test_tenants_are_told_of_their_own_when_both_have_held_orders(desk):
    desk.happen(held())
    desk.happen(held("manual"), held("manual"), scope=desk.gift)

    assert facts(desk.told(OWNER)) == [("order_held:stock_short", 1, 1)]
    assert facts(desk.told(GIFT, desk.gift)) == [("order_held:manual", 2, 2)]


def test_alike_orders_are_one_notice_when_nobody_has_read_it(desk):
    order = uuid4()

    desk.happen(held(order=order), held(), held("manual", "stock_short"))
    desk.happen(held(order=order))

    assert sorted(facts(desk.told(OWNER))) == [("order_held:manual", 1, 1), ("order_held:stock_short", 3, 4)]


def test_subjects_are_kept_to_the_latest_fifty_when_there_are_many(desk):
    orders = [uuid4() for _ in range(70)]

    for start in (0, 35):
        desk.happen(*(held(order=order) for order in orders[start : start + 35]))

    [notice] = desk.told(OWNER)
    assert (notice.subject_count, notice.times, len(notice.subjects)) == (70, 70, 50)
    assert {f"order:{order}" for order in orders[35:]} < set(notice.subjects)


def test_whoever_did_it_is_not_told_when_a_person_holds_an_order(desk):
    desk.happen(held("manual"), by=desk.user(STAFF))

    assert desk.told(STAFF) == []
    assert facts(desk.told(OWNER)) == [("order_held:manual", 1, 1)]


def test_same_thing_is_quiet_when_it_was_read_a_moment_ago(desk):
    order = uuid4()
    desk.happen(held(order=order))
    desk.act(service.mark_read, desk.user(OWNER))

    desk.happen(held(order=order))
    quiet = facts(desk.told(OWNER))
    desk.happen(held())
    other = facts(desk.told(OWNER))

    assert quiet == [("order_held:stock_short", 1, 1)]
    assert other == [("order_held:stock_short", 1, 1)] * 2
    assert facts(desk.told(STAFF)) == [("order_held:stock_short", 2, 3)]


def test_same_thing_is_told_again_when_the_quiet_time_is_over(desk):
    order = uuid4()
    desk.happen(held(order=order))
    desk.act(service.mark_read, desk.user(OWNER))
    with desk.unit() as session:
        session.execute(update(Notice).where(Notice.read_at.is_not(None)).values(read_at=Notice.read_at - timedelta(minutes=61)))

    desk.happen(held(order=order))

    assert [notice.read_at is None for notice in desk.told(OWNER)] == [False, True]


def test_kind_is_not_told_when_somebody_has_switched_it_off(desk):
    owner = desk.user(OWNER)
    desk.act(service.choose_kinds, owner, [kind.key for kind in KINDS if kind.key != "order_held"])

    desk.happen(held(), EventDraft("stock.low", "sku", uuid4(), {}))
    desk.act(service.choose_kinds, owner, [kind.key for kind in KINDS])
    desk.happen(held())

    assert facts(desk.told(OWNER)) == [("stock_low:", 1, 1), ("order_held:stock_short", 1, 1)]
    assert facts(desk.told(STAFF)) == [("order_held:stock_short", 2, 2)]
    with desk.unit() as session:
        assert list(session.scalars(select(Muted))) == []


def test_each_kind_reaches_its_people_when_its_event_happens(desk):
    shop, order, run, hook = uuid4(), uuid4(), uuid4(), uuid4()
    staff = desk.user(STAFF)

    desk.happen(
        EventDraft("channel.sync_failed", "shop", shop, {"shop": "taobao", "stream": "orders", "code": "taobao.rate_limited"}),
        EventDraft("channel.push_refused", "order", order, {"shipment_id": "s", "code": "x"}),
        EventDraft("outbound_webhooks.paused", "webhook", hook, {"name": "ERP", "page": f"/webhooks/{hook}/", "failures": 20}),
    )
    desk.happen(
        EventDraft("bulk.finished", "bulk_run", run, {"state": "done", "action": "orders.order.cancel", "total": 9, "done": 8}), by=staff
    )

    assert sorted(notice.kind for notice in desk.told(STAFF)) == ["bulk_finished", "push_refused", "sync_failed"]
    assert sorted(notice.kind for notice in desk.told(OWNER)) == ["push_refused", "sync_failed", "webhook_paused"]
    assert {notice.kind: notice.facts for notice in desk.told(STAFF)} == {
        "bulk_finished": {"action": "orders.order.cancel", "total": 9, "done": 8},
        "push_refused": {},
        "sync_failed": {"shop": "taobao"},
    }


def test_problem_of_a_plugin_is_told_once_when_it_comes_back_again_and_again(desk):
    plugins = desk.floor.system.plugins
    who = Who(desk.tea.tenant_id, desk.tea.slug, "taobao")
    trouble = Problem("failed:x", "plugin.call_failed", "error")

    for problem in (trouble, trouble, Problem("slow:x", "plugin.call_slow", "warning"), Problem("credentials", "plugin.needs_reauth")):
        plugins.journal.report(who, problem)
        plugins.flush()
    desk.floor.settle(desk.tea)

    assert facts(desk.told(OWNER)) == [
        ("plugin_problem:taobao/plugin.call_failed", 1, 1),
        ("plugin_reauth:taobao/main", 1, 1),
    ]
    assert desk.told(STAFF) == []


def test_member_is_told_no_more_when_the_membership_is_switched_off(desk):
    desk.floor.member(desk.tea, "leaver@tea.example", "staff")
    desk.happen(held())
    with desk.unit() as session:
        leaver = next(one for one in members.members(session) if one.email == "leaver@tea.example")
        members.switch_member(session, desk.floor.system.rights, leaver.id, is_active=False)

    desk.happen(held())

    assert facts(desk.told("leaver@tea.example")) == [("order_held:stock_short", 1, 1)]


def test_nobody_is_told_when_the_plugin_is_off(desk):
    with desk.unit() as session:
        disable(session, desk.floor.system.plugins, PLUGIN)
    desk.floor.system.plugins.enablement.forget()

    desk.happen(held())

    assert desk.told(OWNER) == []
    with desk.unit() as session:
        assert list(session.scalars(select(Delivery.id).where(Delivery.subscriber == "notify_inapp.hear"))) == []


def test_telling_costs_the_same_number_of_statements_when_there_are_many_events(desk):
    def statements(count):
        seen = []
        connection = desk.floor.world.database.engine

        def note(_connection, _cursor, statement, *_more):
            if "plg_notify_inapp" in statement or "membership" in statement:
                seen.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        try:
            desk.happen(*(held() for _ in range(count)))
        finally:
            event.remove(connection, "before_cursor_execute", note)
        return len(seen)

    assert statements(1) == statements(60)


def test_old_notices_go_when_they_are_tidied(desk):
    desk.happen(held(), held("manual"))
    with desk.unit() as session:
        session.execute(update(Notice).where(Notice.group_key == "order_held:manual").values(last_at=text("now() - interval '91 days'")))

    desk.act(jobs.tidy, [])

    assert [notice.group_key for notice in desk.told(OWNER)] == ["order_held:stock_short"]


def test_kinds_hear_of_everything_that_they_name():
    assert set(HEARD) == {event for kind in KINDS for event in kind.events}
    assert len(BY_KEY) == len(KINDS)
    assert not any(event.startswith("notify_inapp.") for event in HEARD)
