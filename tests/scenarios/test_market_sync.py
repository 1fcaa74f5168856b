"""What keeps two shops in step when things go wrong: late switches, missed orders, ties within a second, splits of splits, an ended session."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from core.domain.catalog.matching import ShopSku, match
from core.domain.catalog.models import SkuAlias
from core.domain.channels import pushing, refusals, service, sync
from core.domain.channels.marketplace import Window
from core.domain.channels.models import InboundDocument, Push, Shop, SyncRun
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.orders.models import Order, OrderLine, Refund
from core.runtime.events.handling import LocalContext
from core.runtime.events.models import Delivery
from core.runtime.plugin_host import configs, lifecycle
from core.runtime.plugin_host.models import PluginProblem
from plugins.jd.simulator import Options, deeds
from plugins.jd.simulator import Simulator as JdSimulator
from plugins.taobao.simulator import Credentials, Simulator
from tests.factories.orders import make_carrier, make_sku, make_warehouse, stock_up

pytestmark = pytest.mark.database
HALF_A_MINUTE, HOURS_AGO = timedelta(seconds=30), timedelta(hours=6)


@pytest.fixture(scope="module")
def taobao():
    with Simulator(Credentials("demo-key", "demo-secret-123456", "demo-session-123456"), orders=20, seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def jd():
    with JdSimulator(Options(app_key="jd-key", secret="jd-secret-123456", session="jd-token-123456", orders=20, seed=7)) as running:
        yield running


def connect(floor, plugin, values):
    """Switch a plugin on the way an admin does it; returns its shop."""
    runtime = floor.system.plugins
    with floor.world.database.unit(floor.world.tea) as session:
        configs.save_draft(session, runtime, plugin, values)
    with floor.world.database.unit(floor.world.tea) as session:
        assert configs.check_connection(session, runtime, plugin).is_ok
        configs.activate(session, runtime, plugin)
        lifecycle.enable(session, runtime, plugin)
    with floor.world.database.unit(floor.world.tea) as session:
        return session.scalars(select(Shop.id).where(Shop.marketplace == plugin)).one()


def taobao_values(simulator, session="demo-session-123456"):
    return {"app_key": "demo-key", "app_secret": "demo-secret-123456", "session": session, "gateway": simulator.url}


def jd_values(simulator):
    return {"app_key": "jd-key", "app_secret": "jd-secret-123456", "access_token": "jd-token-123456", "gateway": simulator.url}


@pytest.fixture(scope="module")
def tea_shop(floor, taobao):
    """The Taobao shop, connected while this process holds an older view of what is switched on."""
    enablement = floor.system.plugins.enablement
    enablement._max_age_s = 600.0
    assert not enablement.is_enabled(floor.world.tea.tenant_id, "taobao")
    return connect(floor, "taobao", taobao_values(taobao))


@pytest.fixture(scope="module")
def jd_shop(floor, jd):
    shop = connect(floor, "jd", jd_values(jd))
    floor.system.plugins.enablement.forget()
    return shop


def stored(floor, external_id):
    with floor.world.database.unit(floor.world.tea) as session:
        return session.scalars(select(Order).where(Order.external_id == str(external_id))).one_or_none()


def test_sync_now_is_served_when_this_process_has_not_heard_of_the_switch(floor, tea_shop):
    with floor.world.database.unit(floor.world.tea) as session:
        assert service.ask_for_pull(session, [tea_shop]) == {tea_shop: None}

    floor.settle(floor.world.tea)

    with floor.world.database.unit(floor.world.tea) as session:
        runs = session.execute(select(SyncRun.stream, SyncRun.state).where(SyncRun.cause == "asked").order_by(SyncRun.stream)).all()
        dead = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state == "dead"))
        orders = session.scalar(select(func.count()).select_from(Order))
    assert ([tuple(run) for run in runs], dead, orders) == ([("orders", "done"), ("refunds", "done")], 0, 20)


def test_second_change_within_a_second_is_taken(floor, taobao, tea_shop):
    desk, tea = floor.system.channels.desk, floor.world.tea
    tid = taobao.shop.place({"TEA-LJ-50": 1}, created=taobao.shop.clock.now() - HALF_A_MINUTE)
    listed = sync.pull(desk, tea, tea_shop)
    detailed = sync.pull_numbers(desk, tea, tea_shop, external_ids=[str(tid)])
    first = stored(floor, tid)
    with taobao.shop.changing(tid, "") as trade:
        trade["seller_memo"] = "two changes, one second"

    changed = sync.pull_numbers(desk, tea, tea_shop, external_ids=[str(tid)])
    again = sync.pull_numbers(desk, tea, tea_shop, external_ids=[str(tid)])

    second = stored(floor, tid)
    assert (first.seller_note, second.seller_note) == ("", "two changes, one second")
    assert first.channel_modified_at == second.channel_modified_at
    assert (listed.tally.created, detailed.tally.updated) == (1, 0)
    assert (changed.tally.updated, again.tally.updated) == (1, 0)
    with floor.world.database.unit(tea) as session:
        documents = select(func.count()).select_from(InboundDocument).where(InboundDocument.external_id == str(tid))
        assert session.scalar(documents) == 2


def test_missed_order_is_found_by_reconciliation_by_number_and_by_time(floor, taobao, tea_shop):
    desk, tea = floor.system.channels.desk, floor.world.tea
    sync.pull(desk, tea, tea_shop)
    when = taobao.shop.clock.now() - HOURS_AGO
    by_night, by_number, by_time = (taobao.shop.place({"TEA-LJ-50": 1}, created=when) for _ in range(3))
    missed = sync.pull(desk, tea, tea_shop)
    assert missed.tally.created == 0

    with floor.world.database.unit(tea) as session:
        service.ask_for_numbers(session, tea_shop, [str(by_number)])
    floor.settle(tea)
    found_by_number = [stored(floor, tid) is not None for tid in (by_number, by_time, by_night)]
    minute = timedelta(minutes=1)
    sync.reconcile(desk, tea, tea_shop, span=timedelta(hours=1))
    found_by_short_night = [stored(floor, tid) is not None for tid in (by_number, by_time, by_night)]
    with floor.world.database.unit(tea) as session:
        service.ask_for_window(session, tea_shop, Window(when - minute, when + minute))
    floor.settle(tea)
    late = taobao.shop.place({"TEA-LJ-50": 1}, created=when)
    night = sync.reconcile(desk, tea, tea_shop)

    assert found_by_number == found_by_short_night == [True, False, False]
    assert [stored(floor, tid) is not None for tid in (by_time, by_night, late)] == [True, True, True]
    assert (night.tally.created, night.tally.refused) == (1, 0)


def test_missed_jd_order_is_found_by_reconciliation_alone(floor, jd, jd_shop):
    desk, tea = floor.system.channels.desk, floor.world.tea
    sync.pull(desk, tea, jd_shop)
    when = jd.shop.now() - HOURS_AGO
    with jd.shop.lock:
        info = next(iter(jd.shop.in_state("WAIT_SELLER_STOCK_OUT"))).info
        missed = jd.shop.add({**info, "orderId": jd.shop.next_number()}, created=when, modified=when)

    pulled = sync.pull(desk, tea, jd_shop)
    night = sync.reconcile(desk, tea, jd_shop)

    assert (pulled.tally.created, night.tally.created) == (0, 1)
    assert stored(floor, missed.number).channel_modified_at == when.replace(microsecond=0)


def test_refund_holds_its_line_and_frees_it_when_it_is_withdrawn(floor, taobao, tea_shop):
    desk, tea = floor.system.channels.desk, floor.world.tea
    tid = taobao.shop.place({"TEA-LJ-50": 1, "TEA-JM-100": 1})
    taobao.shop.pay(tid)
    now = taobao.shop.clock.now()
    lately = Window(now - HALF_A_MINUTE, now + HALF_A_MINUTE)

    refund = taobao.shop.ask_refund(tid)
    for stream in (sync.ORDERS, sync.REFUNDS):
        sync.pull_window(desk, tea, tea_shop, window=lately, stream=stream)
    asked = _refund_states(floor, tid)
    taobao.shop.settle_refund(refund, status="CLOSED")
    for stream in (sync.ORDERS, sync.REFUNDS):
        sync.pull_window(desk, tea, tea_shop, window=lately, stream=stream)

    assert asked == (["none", "requested"], ["requested"])
    assert _refund_states(floor, tid) == (["closed", "none"], ["closed"])


def _refund_states(floor, tid):
    with floor.world.database.unit(floor.world.tea) as session:
        lines = select(OrderLine.refund_state).join(Order, Order.id == OrderLine.order_id).where(Order.external_id == str(tid))
        refunds = select(Refund.state).where(Refund.order_external_id == str(tid))
        return sorted(session.scalars(lines)), list(session.scalars(refunds))


def test_skus_of_the_shop_are_gone_through_once_a_day(floor, taobao, tea_shop):
    desk, tea = floor.system.channels.desk, floor.world.tea
    with floor.world.database.unit(tea) as session:
        mine = make_sku(session, "WARE-MAT-60")

    run = sync.refresh_skus(desk, tea, tea_shop)
    again = sync.refresh_skus(desk, tea, tea_shop)

    units = sum(len(item.skus) or 1 for item in taobao.shop.items.values())
    assert (run.tally.seen, run.tally.unchanged, again) == (units, 1, None)
    with floor.world.database.unit(tea) as session:
        aliases = session.scalars(select(SkuAlias).where(SkuAlias.shop_id == tea_shop)).all()
        assert len(aliases) == units
        assert [alias.seller_code for alias in aliases if alias.sku_id == mine] == ["WARE-MAT-60"]


def test_parts_of_a_part_replace_the_first_order_when_the_part_was_never_seen(floor, jd, jd_shop):
    desk, tea = floor.system.channels.desk, floor.world.tea
    with jd.shop.lock:
        whole = next(order for order in jd.shop.in_state("WAIT_SELLER_STOCK_OUT") if len(order.info["itemInfoList"]) > 1)
        item = whole.info["itemInfoList"][0]
        whole.info["itemInfoList"] = [{**item, "skuId": str(number), "itemTotal": "1"} for number in (71, 72, 73)]
    sync.pull(desk, tea, jd_shop)

    with jd.shop.lock:
        part, _rest = deeds.split(jd.shop, whole.number, [[0, 1], [2]])
        pieces = deeds.split(jd.shop, part.number, [[0], [1]])
    jd_now = desk.clock.now()
    sync.pull_window(desk, tea, jd_shop, window=Window(jd_now - timedelta(hours=1), jd_now + timedelta(seconds=5)))

    first = stored(floor, whole.number)
    assert (first.state, first.closed_reason, stored(floor, part.number)) == ("cancelled", "replaced", None)
    assert [stored(floor, piece.number).replaces for piece in pieces] == [part.number] * 2
    assert {stored(floor, piece.number).state for piece in pieces}.isdisjoint({"cancelled"})


def test_parcels_of_one_jd_order_are_told_together_with_the_last(floor, jd, jd_shop):
    desk, tea = floor.system.channels.desk, floor.world.tea
    with floor.world.database.unit(tea) as session:
        house, carrier = make_warehouse(session), make_carrier(session)
        for code in ("TWO-A", "TWO-B"):
            stock_up(session, make_sku(session, code), house, 10)
    with jd.shop.lock:
        info = next(iter(jd.shop.in_state("WAIT_SELLER_STOCK_OUT"))).info
        items = [{**info["itemInfoList"][0], "skuId": sku, "outerSkuId": code} for sku, code in (("81", "TWO-A"), ("82", "TWO-B"))]
        items = [item | {"itemTotal": "1"} for item in items]
        fresh = {**info, "orderId": jd.shop.next_number(), "itemInfoList": items, "couponDetailList": []}
        order = jd.shop.add(fresh, created=jd.shop.now(), modified=jd.shop.now())
    sync.pull_numbers(desk, tea, jd_shop, external_ids=[order.number])
    floor.settle(tea)

    states = []
    for code, tracking in (("TWO-A", "SF0000000001"), ("TWO-B", "SF0000000002")):
        with floor.world.database.unit(tea) as session:
            ours = session.scalars(select(Order).where(Order.external_id == order.number)).one()
            line = session.scalars(select(OrderLine).where(OrderLine.order_id == ours.id, OrderLine.seller_code == code)).one()
            ship(session, ShipmentOrder(ours.id, carrier, tracking, {line.id: Decimal(1)}), now=desk.clock.now())
        floor.settle(tea)
        with floor.world.database.unit(tea) as session:
            receipts = session.execute(select(Push.state, Push.code).where(Push.order_id == ours.id).order_by(Push.id)).all()
            states.append([tuple(receipt) for receipt in receipts])

    assert states == [[("waiting", "jd.partial_shipment")], [("accepted", ""), ("accepted", "")]]
    assert order.info["waybill"] == "SF0000000001|SF0000000002"
    assert len(jd.shop.shipments) == 1


def test_stock_is_shown_in_both_shops_and_told_again_only_when_it_moves(floor, taobao, jd, tea_shop, jd_shop):
    desk, tea = floor.system.channels.desk, floor.world.tea
    with floor.world.database.unit(tea) as session:
        sku = make_sku(session, "GIFT-BOX-RED")
        house = make_warehouse(session, code="BACK")
        stock_up(session, sku, house, 7)
        named = [ShopSku("20000000120", "100000000120", "GIFT-BOX-RED")]
        match(session, jd_shop, named)
        item = next(item for item in taobao.shop.items.values() if item.outer_id == "GIFT-BOX-RED")
        match(session, tea_shop, [ShopSku(str(item.num_iid), "", "GIFT-BOX-RED")])

    told = [pushing.push_stock(desk, tea, shop) > 0 for shop in (tea_shop, jd_shop)]
    again = [pushing.push_stock(desk, tea, shop) for shop in (tea_shop, jd_shop)]
    with floor.world.database.unit(tea) as session:
        stock_up(session, sku, house, 2, reference="more")
    moved = [pushing.push_stock(desk, tea, shop) for shop in (tea_shop, jd_shop)]

    with floor.world.database.unit(tea) as session:
        refused = session.execute(select(Push.code).where(Push.kind == "stock", Push.state == "refused", Push.shop_id == tea_shop)).all()
    assert (told, again, moved, refused) == ([True, True], [0, 0], [1, 1], [])
    assert (item.quantity, jd.shop.stock["100000000120"]) == (9, 9)


def due(floor, kind="core.pull_orders"):
    """Let the minute's timer fire; returns the shops that are asked for."""
    schedule = next(one for one in floor.system.channels.jobs.schedules() if one.key == kind)
    with floor.world.database.unit(floor.world.tea) as session:
        before = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.subscriber == "core.pull"))
        context = LocalContext.__new__(LocalContext)
        object.__setattr__(context, "session", session)
        object.__setattr__(context, "scope", floor.world.tea)
        schedule.handle(context, [])
        session.flush()
        return session.scalar(select(func.count()).select_from(Delivery).where(Delivery.subscriber == "core.pull")) - before


def test_ended_session_is_asked_for_once_and_what_waited_goes_on_after_a_new_one(floor, taobao, tea_shop, jd_shop):
    runtime, tea = floor.system.plugins, floor.world.tea
    taobao.gateway.renew_session("demo-session-654321")
    both, refused = due(floor), {("taobao", "main")}
    floor.settle(tea)
    runtime.journal.flush()

    with floor.world.database.unit(tea) as session:
        problems = session.execute(select(PluginProblem.plugin, PluginProblem.code, PluginProblem.fix)).all()
        stopped = session.scalars(select(Delivery.reason).where(Delivery.state == "parked")).all()
        assert set(refusals.refused_set_ups(session)) == refused
    only_jd = due(floor)
    floor.settle(tea)
    page = floor.visitor("owner@tea.example").get("/t/tea/plugins/taobao/").text

    with floor.world.database.unit(tea) as session:
        configs.save_draft(session, runtime, "taobao", taobao_values(taobao, "demo-session-654321"))
    with floor.world.database.unit(tea) as session:
        assert configs.check_connection(session, runtime, "taobao").is_ok
        configs.activate(session, runtime, "taobao")
    runtime.journal.flush()
    after = due(floor)
    floor.settle(tea)

    assert ([tuple(problem) for problem in problems], list(stopped)) == ([("taobao", "plugin.needs_reauth", "reconnect")], ["reauth"])
    assert (both, only_jd, after) == (2, 1, 2)
    assert "The other side refuses our credentials." in page
    with floor.world.database.unit(tea) as session:
        assert session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state.in_(("parked", "dead")))) == 0
