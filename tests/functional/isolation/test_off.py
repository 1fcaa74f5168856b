"""Off means off: what a plugin contributes is not there for a tenant that has it switched off, while its neighbour has it on.

A kind of contribution that nothing here looks at fails the first test.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import select, update

import app as composition
from core.delivery.web_composition import build_app, web_parts
from core.domain.channels.models import Shop
from core.runtime.events import EventDraft, emit
from core.runtime.events.models import Delivery
from core.runtime.events.ticks import Timekeeper
from core.runtime.plugin_host import lifecycle
from tests.fixtures.floor import Floor, Visitor, settings_for
from tests.fixtures.programs import token_program
from tests.functional.isolation.addresses import addresses, view_of
from tests.functional.isolation.conftest import PLUGINS, rules_of

pytestmark = [pytest.mark.database, pytest.mark.timeout(300)]

LOOKED_AT = {
    "views": "test_pages_endpoints_and_their_descriptions_are_gone",
    "api": "test_pages_endpoints_and_their_descriptions_are_gone",
    "permissions": "test_pages_endpoints_and_their_descriptions_are_gone",
    "bell": "test_menu_palette_and_bell_are_gone",
    "subscribers": "test_nothing_new_reaches_subscribers_and_timers",
    "schedules": "test_nothing_new_reaches_subscribers_and_timers",
    "marketplaces": "test_shop_is_left_alone",
    "lifecycle": "is called when somebody switches the plugin or asks how it is",
    "seeds": "run when the plugin is switched on for the first time",
    "commands": "belong to the operator, outside of every tenant",
}


@pytest.fixture
def off(walls):
    """The plugins are off in the tea shop and on in the gift shop; on everywhere afterwards."""
    _switch_off(walls)
    yield
    walls.switch_all_on()


def _switch_off(walls):
    with walls.floor.world.database.unit(walls.tea) as session:
        for plugin in PLUGINS:
            lifecycle.disable(session, walls.floor.system.plugins, plugin, mode="park")
            lifecycle.settle(session, walls.floor.system.plugins, plugin, is_forced=True)


def _given(walls, kind):
    return [found for found in walls.floor.system.plugins.host.registry.all_items(kind) if found.plugin in PLUGINS]


def _routes(walls):
    """The addresses of the plugins' pages and endpoints, with ids of ours where they take one."""
    for rule, method in rules_of(walls.floor.app):
        if getattr(view_of(walls.floor.app, rule), "plugin", "") in PLUGINS:
            for path in addresses(walls.floor.app, rule, {}):
                yield method, path


def test_every_kind_of_contribution_is_looked_at(walls):
    registry = walls.floor.system.plugins.host.registry
    tests = {reason for reason in LOOKED_AT.values() if reason.startswith("test_")}
    giving = {found.plugin for kind in registry.kinds for found in registry.all_items(kind) if LOOKED_AT.get(kind, "") in tests}

    assert set(registry.kinds) == set(LOOKED_AT)
    assert tests <= set(globals())
    # The marketplaces are what their own test is about; everything else is switched off above.
    assert giving == {*PLUGINS, "taobao", "jd"}
    assert {kind for kind in registry.kinds for found in registry.all_items(kind) if found.plugin in ("taobao", "jd")} == {"lifecycle", "marketplaces"}


def test_pages_endpoints_and_their_descriptions_are_gone(walls, owner, off):
    program = token_program(walls.floor, walls.tea, "owner@tea.example")
    keys = {found.item.key for found in _given(walls, "permissions")}

    answers = {f"{method} {path}": owner.ask(method, f"/t/tea{path}").status_code for method, path in _routes(walls)}
    called = {f"{method} {path}": program.call(method, path.removeprefix("/api/v1"), {} if method != "GET" else None).status_code
              for method, path in _routes(walls) if path.startswith("/api/")}  # fmt: skip
    document = program.get("/openapi.json").json["paths"]

    assert (len(answers) >= 25, len(called) >= 8, len(keys)) == (True, True, 2)
    assert {one: status for one, status in {**answers, **called}.items() if status != 404} == {}
    assert [path for path in document if path.startswith("/webhooks")] == []
    assert not [key for key in keys if key in owner.ask("GET", "/t/tea/roles/").text or key in owner.ask("GET", "/t/tea/tokens/").text]
    with walls.floor.world.database.unit(walls.tea) as session:
        assert keys & walls.floor.system.rights.permission_set(session, 1) == set()


def test_menu_palette_and_bell_are_gone(walls, owner, off):
    neighbour = walls.floor.visitor("owner@gift.example")

    ours = {path: owner.ask("GET", f"/t/tea{path}").text for path in ("/", "/search/?q=webhook", "/orders/list/")}
    theirs = {path: neighbour.get(f"/t/gift{path}").text for path in ours}

    for word in ("/webhooks/", "/notifications/"):
        assert [path for path, page in ours.items() if f"/t/tea{word}" in page] == []
        assert [path for path, page in theirs.items() if f"/t/gift{word}" in page] == list(ours)


def _handed(walls, scope):
    """Deliveries of the plugins' subscribers, timers included."""
    keys = [found.item.key for kind in ("subscribers", "schedules") for found in _given(walls, kind)]
    with walls.floor.world.database.unit(scope) as session:
        return set(session.scalars(select(Delivery.subscriber).where(Delivery.subscriber.in_(keys)))), set(keys)


def test_nothing_new_reaches_subscribers_and_timers(walls, off):
    system, made = walls.floor.system, []
    exact = {kind for found in _given(walls, "subscribers") for kind in found.item.events}
    for scope in (walls.tea, walls.gift):
        with walls.floor.world.database.unit(scope) as session:
            session.execute(Delivery.__table__.delete())
            made += [EventDraft(f"{kind}happened" if kind.endswith(".") else kind, "order", scope.slug, {}) for kind in exact]
            emit(session, made[-len(exact) :], registry=system.registry)
    keeper = Timekeeper(system.schedules, system.registry)
    with psycopg.connect(walls.floor.world.relay_url.replace("postgresql+psycopg", "postgresql")) as relay:
        for hour in range(25):
            keeper.fire(relay, datetime.now(UTC).replace(minute=30, second=0, microsecond=0) + timedelta(hours=hour))

    (ours, _), (theirs, keys) = _handed(walls, walls.tea), _handed(walls, walls.gift)

    assert (ours, theirs) == (set(), keys)


def test_work_under_way_is_laid_aside_and_its_messages_stay(walls):
    """What was due when the plugin went off waits, unsent, and is not lost."""
    system = walls.floor.system
    walls.switch_all_on()
    with walls.floor.world.database.unit(walls.tea) as session:
        session.execute(Delivery.__table__.delete())
        emit(session, [EventDraft("stock.low", "sku", "s1", {})], registry=system.registry)
    _switch_off(walls)
    system.plugins.enablement.forget()

    walls.floor.settle(walls.tea)

    with walls.floor.world.database.unit(walls.tea) as session:
        statement = select(Delivery.subscriber, Delivery.state, Delivery.attempts).where(Delivery.subscriber.like("notify_inapp.%"))
        left = session.execute(statement).all()
    walls.switch_all_on()
    assert [tuple(row) for row in left] == [("notify_inapp.hear", "parked", 0)]


def test_shop_is_left_alone(walls):
    """A shop whose marketplace is off is asked for nothing, by timer or by hand."""
    with walls.floor.world.database.unit(walls.tea) as session:
        session.execute(Delivery.__table__.delete())
        session.execute(update(Shop).values(marketplace="taobao", is_active=True).execution_options(synchronize_session=False))
        shops = list(session.scalars(select(Shop.id)))
        timers = ("pull_orders", "push_stock", "reconcile")
        drafts = [EventDraft(f"schedule.core.{timer}", "schedule", f"core.{timer}", {"tick": "2026-11-20T12:00:00+00:00"}) for timer in timers]
        asked = [EventDraft(kind, "shop", shops[0], {}) for kind in ("channel.pull_due", "channel.pull_asked", "channel.stock_due", "channel.reconcile_due")]
        emit(session, drafts + asked, registry=walls.floor.system.registry)

    walls.floor.settle(walls.tea)

    with walls.floor.world.database.unit(walls.tea) as session:
        found = session.execute(select(Delivery.subscriber, Delivery.state, Delivery.last_error).order_by(Delivery.subscriber)).all()
    states = {row.subscriber: row.state for row in found}
    assert {key: states[key] for key in ("core.pull_orders", "core.push_stock", "core.reconcile")} == dict.fromkeys(
        ("core.pull_orders", "core.push_stock", "core.reconcile"), "done"
    )
    assert {row.last_error["code"] for row in found if row.state == "dead"} == {"channels.shop_silent"}
    # There is no stock to tell of, so telling it does not even begin.
    assert [row.subscriber for row in found if row.state == "dead"] == ["core.pull", "core.pull_asked", "core.reconciliation"]
    assert states["core.stock"] == "done"


def test_another_process_sees_the_switch_at_its_next_request(walls):
    """Its permissions, too: what is worked out from yesterday's plugins must not be kept as today's."""
    walls.switch_all_on()
    settings = settings_for(walls.floor.world)
    system = composition.compose(settings, name="other-web")
    other = Floor(walls.floor.world, system, build_app(settings, system.database, web_parts(system)))
    browser: Visitor = other.visitor("owner@tea.example")
    seen = [browser.get("/t/tea/webhooks/").status_code]

    _switch_off(walls)
    seen.append(browser.get("/t/tea/webhooks/").status_code)
    walls.switch_all_on()
    seen.append(browser.get("/t/tea/webhooks/").status_code)

    system.database.dispose()
    assert seen == [200, 404, 200]
