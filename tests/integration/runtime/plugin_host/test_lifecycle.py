"""The life of a plugin at a tenant, and what other tenants and processes see of it."""

from __future__ import annotations

import importlib
import time

import pytest
from sqlalchemy import select, text

from core.runtime.events.subscribers import Mode
from core.runtime.plugin_host.descriptors import Finding
from core.runtime.plugin_host.errors import PreflightBlocked, RequirementMissing, StateForbids, StillRequired
from core.runtime.plugin_host.lifecycle import disable, enable, enable_defaults, pause, preview_impact, resume, set_priority, settle
from core.runtime.plugin_host.listening import EpochListener
from core.runtime.plugin_host.models import PluginInstance
from core.runtime.plugin_host.purge import preview_purge, purge
from core.runtime.security.audit import AuditFilter, entries
from core.runtime.tenancy.models import Tenant

pytestmark = pytest.mark.database


def epoch_of(desk, scope):
    with desk.world.database.platform() as session:
        return session.scalar(select(Tenant.epoch).where(Tenant.id == scope.tenant_id))


def in_unit(desk, function, *args, scope=None, **options):
    with desk.world.database.unit(scope or desk.world.tea) as session:
        return function(session, desk.runtime, *args, **options)


def notes(desk, scope):
    with desk.world.database.unit(scope) as session:
        return sorted(session.connection().execute(text("SELECT text FROM plg_toy_notes_note")).scalars())


def rules(runtime, scope):
    return [found.item.key for found in runtime.host.registry.items("rules", scope.tenant_id)]


def test_enable_shows_contributions_to_its_tenant_only_when_committed(desk):
    before = epoch_of(desk, desk.world.tea)

    in_unit(desk, enable, "toy_notes")

    desk.runtime.enablement.forget()
    assert rules(desk.runtime, desk.world.tea) == ["toy_notes.write"]
    assert rules(desk.runtime, desk.world.gift) == []
    assert epoch_of(desk, desk.world.tea) == before + 1
    assert desk.announced == [("plugin.enabled", {"plugin": "toy_notes", "instance": "main", "first_time": True})]


def test_enable_runs_seeds_once_when_repeated_and_after_disabling(desk):
    in_unit(desk, enable, "toy_notes")
    in_unit(desk, enable, "toy_notes")
    in_unit(desk, disable, "toy_notes")
    in_unit(desk, enable, "toy_notes")

    assert notes(desk, desk.world.tea) == ["first note"]
    assert notes(desk, desk.world.gift) == []
    assert [kind for kind, _payload in desk.announced] == ["plugin.enabled", "plugin.disabling", "plugin.enabled"]


def test_enable_leaves_an_audit_entry_when_it_changes_the_state(desk):
    in_unit(desk, enable, "toy_rights")

    with desk.world.database.unit(desk.world.tea) as session:
        [entry] = entries(session, AuditFilter(subject_id="toy_rights:main", action="plugin.enabled"))
        assert (entry.changes, entry.actor_label) == ({"state": ["draft", "enabled"]}, "Test")
    with desk.world.database.unit(desk.world.gift) as session:
        assert entries(session, AuditFilter(subject_id="toy_rights:main")) == []


def test_enable_refuses_when_a_requirement_is_not_enabled(desk):
    with pytest.raises(RequirementMissing) as caught:
        in_unit(desk, enable, "toy_wants_notes")

    assert caught.value.requires == ["toy_notes"]
    with desk.world.database.unit(desk.world.tea) as session:
        assert session.scalars(select(PluginInstance)).all() == []


def test_enable_refuses_when_the_form_is_not_filled_in(desk):
    with pytest.raises(StateForbids) as caught:
        in_unit(desk, enable, "toy_hello")

    assert caught.value.reason == "not_configured"


def test_enable_refuses_when_the_plugin_objects(desk):
    module = importlib.import_module("plugins.toy_notes.plugin")
    module.objections.append(Finding("block", "The cellar is full."))

    try:
        with pytest.raises(PreflightBlocked) as caught:
            in_unit(desk, enable, "toy_notes")
    finally:
        module.objections.clear()

    assert caught.value.reasons == ["The cellar is full."]


def test_disable_refuses_when_another_plugin_needs_it(desk):
    in_unit(desk, enable, "toy_notes")
    in_unit(desk, enable, "toy_wants_notes")

    with pytest.raises(StillRequired) as caught:
        in_unit(desk, disable, "toy_notes")

    assert caught.value.required_by == ["toy_wants_notes"]
    desk.runtime.enablement.forget()
    assert rules(desk.runtime, desk.world.tea) == ["toy_notes.write", "toy_wants_notes.double"]


@pytest.mark.parametrize(("mode", "stands"), [("drain", Mode.DRAINING), ("park", Mode.OFF)])
def test_disable_waits_for_work_in_flight_when_there_is_some(desk, mode, stands):
    in_unit(desk, enable, "toy_notes")
    desk.in_flight["toy_notes"] = 3

    done = in_unit(desk, disable, "toy_notes", mode=mode)

    desk.runtime.enablement.forget()
    assert (done.row.state, done.row.mode, done.in_flight) == ("disabling", mode, {"deliveries": 3})
    assert desk.runtime.enablement.mode(desk.world.tea.tenant_id, "toy_notes") is stands
    assert rules(desk.runtime, desk.world.tea) == []

    still = in_unit(desk, settle, "toy_notes").row.state
    desk.in_flight["toy_notes"] = 0
    assert (still, in_unit(desk, settle, "toy_notes").row.state) == ("disabling", "disabled")


def test_pause_keeps_pages_and_parks_work_when_enabled(desk):
    tenant_id = desk.world.tea.tenant_id
    in_unit(desk, enable, "toy_notes")

    in_unit(desk, pause, "toy_notes")
    desk.runtime.enablement.forget()
    view = desk.runtime.enablement.view(tenant_id)
    paused = (view.shows("toy_notes"), view.is_enabled("toy_notes"), desk.runtime.enablement.mode(tenant_id, "toy_notes"))
    in_unit(desk, resume, "toy_notes")
    desk.runtime.enablement.forget()

    assert paused == (True, False, Mode.PAUSED)
    assert desk.runtime.enablement.mode(tenant_id, "toy_notes") is Mode.ON


def test_view_follows_within_the_bound_when_another_process_flips(desk):
    now = [100.0]
    other = desk.another_process()
    other.enablement._tick = lambda: now[0]
    before = other.enablement.view(desk.world.tea.tenant_id)

    in_unit(desk, enable, "toy_rights")
    now[0] += 1.9
    soon = other.enablement.view(desk.world.tea.tenant_id)
    now[0] += 0.2
    later = other.enablement.view(desk.world.tea.tenant_id)

    assert (dict(before.plugins), soon is before, dict(later.plugins)) == ({}, True, {"toy_rights": 100})


def test_view_follows_at_once_when_the_request_has_seen_a_newer_epoch(desk):
    other = desk.another_process()
    other.enablement.view(desk.world.tea.tenant_id)
    in_unit(desk, enable, "toy_rights")

    view = other.enablement.view(desk.world.tea.tenant_id, epoch=epoch_of(desk, desk.world.tea))

    assert view.is_enabled("toy_rights")


def test_view_never_holds_what_is_not_committed(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        enable(session, desk.runtime, "toy_rights")
        during = desk.runtime.enablement.is_enabled(desk.world.tea.tenant_id, "toy_rights")
        session.rollback()

    desk.runtime.enablement.forget()
    assert (during, desk.runtime.enablement.is_enabled(desk.world.tea.tenant_id, "toy_rights")) == (False, False)


def test_order_follows_the_tenants_priority_when_nothing_else_decides(desk):
    for plugin in ("toy_raises", "toy_hungry", "toy_notes"):
        in_unit(desk, enable, plugin)
    with desk.world.database.unit(desk.world.tea) as session:
        set_priority(session, "toy_raises", 5)

    desk.runtime.enablement.forget()

    assert list(dict.fromkeys(key.split(".")[0] for key in rules(desk.runtime, desk.world.tea))) == [
        "toy_raises",
        "toy_hungry",
        "toy_notes",
    ]


def test_defaults_are_enabled_when_a_tenant_is_new(desk):
    chosen = in_unit(desk, enable_defaults, scope=desk.world.gift)

    desk.runtime.enablement.forget()
    assert chosen == ["toy_rights"]
    assert dict(desk.runtime.enablement.view(desk.world.gift.tenant_id).plugins) == {"toy_rights": 100}


def test_impact_lists_what_comes_when_previewed(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        impact = preview_impact(session, desk.runtime, "toy_wants_notes")
        notes_impact = preview_impact(session, desk.runtime, "toy_notes")

    assert (impact.missing, impact.is_blocked) == (["toy_notes"], True)
    assert dict(notes_impact.contributions) == {
        "rules": ["toy_notes.write"],
        "schedules": ["toy_notes.tick"],
        "seeds": ["toy_notes.first"],
        "subscribers": ["toy_notes.ear", "toy_notes.mouth"],
    }
    assert (notes_impact.tables, notes_impact.is_blocked) == (("plg_toy_notes_note",), False)


def test_purge_deletes_the_rows_of_one_tenant_when_disabled(desk):
    for scope in (desk.world.tea, desk.world.gift):
        in_unit(desk, enable, "toy_notes", scope=scope)
    with pytest.raises(StateForbids):
        in_unit(desk, purge, "toy_notes")
    in_unit(desk, disable, "toy_notes")
    desk.runtime.flush()

    foretold = in_unit(desk, preview_purge, "toy_notes")
    kept = notes(desk, desk.world.tea)
    counts = in_unit(desk, purge, "toy_notes")
    again = in_unit(desk, purge, "toy_notes")

    assert foretold == counts
    assert {name: counts[name] for name in ("plg_toy_notes_note", "remote notes")} == {"plg_toy_notes_note": 1, "remote notes": 2}
    assert (kept, notes(desk, desk.world.tea), notes(desk, desk.world.gift)) == (["first note"], [], ["first note"])
    assert "plg_toy_notes_note" not in again
    with desk.world.database.unit(desk.world.tea) as session:
        assert session.scalars(select(PluginInstance.state)).all() == ["purged"]


def test_disable_works_when_the_package_is_gone(desk):
    in_unit(desk, enable, "toy_notes")
    host = desk.runtime.host
    package, loaded = host.packages.pop("toy_notes"), host.loaded.pop("toy_notes")

    try:
        done = in_unit(desk, disable, "toy_notes")
    finally:
        host.packages["toy_notes"], host.loaded["toy_notes"] = package, loaded

    assert done.row.state == "disabled"


def test_view_follows_at_once_when_the_process_listens(desk):
    other = desk.another_process()
    other.enablement._max_age_s = 3600.0
    listener = EpochListener(desk.world.database, other.enablement).start()
    assert listener.is_listening.wait(10)
    other.enablement.view(desk.world.tea.tenant_id)

    in_unit(desk, enable, "toy_rights")
    deadline = time.monotonic() + 5
    while not other.enablement.is_enabled(desk.world.tea.tenant_id, "toy_rights") and time.monotonic() < deadline:
        time.sleep(0.01)

    seen = other.enablement.is_enabled(desk.world.tea.tenant_id, "toy_rights")
    listener._stopped.set()
    assert seen
