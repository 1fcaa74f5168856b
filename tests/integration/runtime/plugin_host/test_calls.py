"""Calling plugins that misbehave: the core's transaction and the page go on."""

from __future__ import annotations

import importlib
import resource
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from core.kernel.errors import Conflict
from core.runtime.plugin_host.calls import AsideCall
from core.runtime.plugin_host.errors import PluginFailed, PluginSlow, PluginTripped, TransactionGuarded
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.models import PluginCall
from core.runtime.plugin_host.problems import open_problems
from core.runtime.plugin_host.verdicts import Site
from core.runtime.security.audit import AuditFilter, entries, record

pytestmark = pytest.mark.database


def rule_of(desk, key):
    plugin = key.split(".")[0]
    return plugin, next(rule for rule in desk.runtime.host.registry.of_plugin(plugin, "rules") if rule.key == key)


def call(desk, session, key, *args, trips=False):
    plugin, rule = rule_of(desk, key)
    return desk.runtime.call(session, plugin, Site("rules", key, trips=trips), rule.decide, *args)


def notes(session, table="plg_toy_notes_note"):
    return sorted(session.connection().execute(text(f"SELECT text FROM {table}")).scalars())


def test_inside_keeps_what_the_plugin_wrote_when_it_returns(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        outcome = call(desk, session, "toy_notes.write", 7)

    assert (outcome.value, outcome.error) == (8, None)
    with desk.world.database.unit(desk.world.tea) as session:
        assert notes(session) == ["note 7"]
    with desk.world.database.unit(desk.world.gift) as session:
        assert notes(session) == []


@pytest.mark.parametrize("key", ["toy_raises.key_error", "toy_raises.exit", "toy_raises.rude"])
def test_inside_contains_everything_when_a_plugin_raises(desk, key):
    with desk.world.database.unit(desk.world.tea) as session:
        call(desk, session, "toy_notes.write", 1)
        outcome = call(desk, session, key, 1)
        call(desk, session, "toy_notes.write", 2)

    assert type(outcome.error) is PluginFailed
    with desk.world.database.unit(desk.world.tea) as session:
        assert notes(session) == ["note 1", "note 2"]


def test_inside_leaves_a_problem_without_personal_data_when_a_plugin_raises(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        call(desk, session, "toy_raises.key_error", 1)
        call(desk, session, "toy_raises.key_error", 1)
    desk.runtime.flush()

    with desk.world.database.unit(desk.world.tea) as session:
        [problem] = open_problems(session, "toy_raises")
        assert (problem.key, problem.code, problem.count) == ("failed:rules:toy_raises.key_error", "plugin.call_failed", 2)
        assert problem.facts == {"site": "rules:toy_raises.key_error", "error": "KeyError (toy_raises.py:15)"}
        [first, second] = session.query(PluginCall).all()
        assert (first.outcome, first.code, first.detail, second.outcome) == ("failed", "plugin.failed", {}, "failed")
    with desk.world.database.unit(desk.world.gift) as session:
        assert open_problems(session) == []


def test_inside_hands_on_a_refusal_when_the_plugin_means_it(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        outcome = call(desk, session, "toy_raises.refusal", 1)
    desk.runtime.flush()

    assert type(outcome.error) is Conflict
    assert outcome.error.facts == {"day": "Friday"}
    with desk.world.database.unit(desk.world.tea) as session:
        assert open_problems(session) == []


ESCAPES = {
    "commit": TransactionGuarded,
    "rollback": TransactionGuarded,
    "close": TransactionGuarded,
    "real_commit": TransactionGuarded,
    "sql_commit": TransactionGuarded,
    "sql_rollback": TransactionGuarded,
    "two_statements": TransactionGuarded,
    "set": TransactionGuarded,
    "reset": TransactionGuarded,
    "switch": TransactionGuarded,
    "truncate": TransactionGuarded,
    "foreign_raw": PluginFailed,
    "broken_sql": PluginFailed,
}


@pytest.mark.parametrize(("way", "error"), ESCAPES.items())
def test_inside_refuses_and_undoes_when_a_plugin_reaches_out_of_its_transaction(desk, way, error):
    other = desk.world.gift.tenant_id
    with desk.world.database.unit(desk.world.tea) as session:
        call(desk, session, "toy_notes.write", 1)
        outcome = call(desk, session, f"toy_escapes.{way}", other)
        call(desk, session, "toy_notes.write", 2)
        assert session.connection().execute(text("SELECT current_setting('app.tenant')")).scalar() == str(desk.world.tea.tenant_id)

    assert type(outcome.error) is error
    with desk.world.database.unit(desk.world.tea) as session:
        assert notes(session) == ["note 1", "note 2"]
        assert notes(session, "plg_toy_escapes_note") == []
    with desk.world.database.unit(desk.world.gift) as session:
        assert notes(session, "plg_toy_escapes_note") == []


def test_inside_refuses_when_a_plugin_writes_another_tenants_row(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        outcome = call(desk, session, "toy_escapes.foreign", desk.world.gift.tenant_id)
        call(desk, session, "toy_notes.write", 2)

    assert outcome.error.code == "tenancy.foreign_row"
    with desk.world.database.unit(desk.world.tea) as session:
        assert notes(session) == ["note 2"]
    with desk.world.database.unit(desk.world.gift) as session:
        assert notes(session, "plg_toy_escapes_note") == []


@pytest.mark.parametrize("way", ["real_rollback", "connection_commit", "connection_rollback"])
@pytest.mark.filterwarnings("ignore:.*already deassociated")
def test_inside_gives_the_unit_up_when_a_plugin_ends_it_by_force(desk, way):
    def work():
        with desk.world.database.unit(desk.world.tea) as session:
            call(desk, session, "toy_notes.write", 1)
            call(desk, session, f"toy_escapes.{way}", 1)

    with pytest.raises(TransactionGuarded):
        work()

    with desk.world.database.unit(desk.world.tea) as session:
        assert (notes(session), notes(session, "plg_toy_escapes_note")) == ([], [])


def test_inside_rests_a_plugin_when_it_keeps_failing(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        errors = [type(call(desk, session, "toy_raises.key_error", 1, trips=True).error) for _ in range(7)]
        others = call(desk, session, "toy_raises.refusal", 1, trips=True)
    with desk.world.database.unit(desk.world.gift) as session:
        elsewhere = call(desk, session, "toy_raises.key_error", 1, trips=True)

    assert errors == [PluginFailed] * 5 + [PluginTripped] * 2
    assert (type(others.error), type(elsewhere.error)) == (Conflict, PluginFailed)


def test_aside_leaves_the_late_one_behind_when_a_plugin_hangs(desk):
    panels = {panel.key: panel for name in ("toy_hangs", "toy_raises") for panel in desk.runtime.host.registry.of_plugin(name, "panels")}
    who = {name: Who(desk.world.tea.tenant_id, "tea", name) for name in ("toy_hangs", "toy_raises")}
    calls = [AsideCall(who[key.split(".")[0]], Site("panels", key), panel.render) for key, panel in panels.items()]
    hangs = importlib.import_module("plugins.toy_hangs")

    try:
        with desk.world.database.unit(desk.world.tea):
            began = time.monotonic()
            first = desk.runtime.call_aside(calls, budget_s=0.4)
            waited_s = time.monotonic() - began
            second = desk.runtime.call_aside(calls, budget_s=0.4)
            third = desk.runtime.call_aside(calls, budget_s=0.4)
    finally:
        hangs.let_go.set()

    assert [type(outcome.error) if outcome.error else outcome.value for outcome in first] == [PluginSlow, "well", PluginFailed]
    assert waited_s < 3.0
    assert [type(outcome.error) for outcome in second] == [PluginSlow, type(None), PluginFailed]
    assert [type(outcome.error) for outcome in third] == [PluginTripped, PluginTripped, PluginFailed]


def test_inside_lets_the_watchdog_through_and_undoes_when_a_call_is_stopped(desk):
    class Alarm(KeyboardInterrupt):
        """How a worker stops a call that takes too long."""

    def ring():
        raise Alarm

    def stubborn(ctx):
        try:
            ctx.session.connection().execute(text("INSERT INTO plg_toy_notes_note (text) VALUES ('half done')"))
            ring()
        except Exception:  # containment: the toy swallows what it can
            return "swallowed"
        return "well"

    with desk.world.database.unit(desk.world.tea) as session:
        call(desk, session, "toy_notes.write", 1)
        with pytest.raises(Alarm):
            desk.runtime.call(session, "toy_notes", Site("rules", "stubborn"), stubborn)
        call(desk, session, "toy_notes.write", 2)

    with desk.world.database.unit(desk.world.tea) as session:
        assert notes(session) == ["note 1", "note 2"]


def test_inside_contains_hunger_when_a_plugin_eats_all_memory(desk):
    limits = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (512 << 20), limits[1]))

    try:
        with desk.world.database.unit(desk.world.tea) as session:
            hungry = call(desk, session, "toy_hungry.eat", 2 << 30)
            after = call(desk, session, "toy_notes.write", 1)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)

    assert (type(hungry.error), hungry.error.facts["error"], after.value) == (PluginFailed, "MemoryError", 2)


def test_guarded_session_serves_core_services_when_a_plugin_hands_it_on(desk):
    def record_something(ctx):
        record(ctx.session, "toy.done", "toy", "1")
        with ctx.session.begin_nested():
            ctx.session.connection().execute(text("INSERT INTO plg_toy_notes_note (text) VALUES ('inner')"))

    with desk.world.database.unit(desk.world.tea) as session:
        outcome = desk.runtime.call(session, "toy_notes", Site("rules", "record"), record_something)

    assert outcome.error is None
    with desk.world.database.unit(desk.world.tea) as session:
        assert notes(session) == ["inner"]
        assert [entry.action for entry in entries(session, AuditFilter(subject_type="toy"))] == ["toy.done"]
