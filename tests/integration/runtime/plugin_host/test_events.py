"""Plugins as hearers of events: through the real outbox and the real dispatcher, with the plugin's own guarded context."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from core.runtime.events import EventDraft, SubscriberRegistry, emit
from core.runtime.events.dispatch import Dispatcher
from core.runtime.events.kit import Kit
from core.runtime.events.models import Delivery
from core.runtime.events.processes import schedule_subscribers
from core.runtime.plugin_host.bridge import plugin_schedules, plugin_subscribers
from core.runtime.plugin_host.configs import activate, save_draft
from core.runtime.plugin_host.health import refresh_health
from core.runtime.plugin_host.housekeeping import host_schedules, host_subscribers
from core.runtime.plugin_host.lifecycle import disable, enable, pause
from core.runtime.plugin_host.models import PluginInstance, PluginPackage
from core.runtime.plugin_host.problems import open_problems
from core.runtime.plugin_host.verdicts import Site
from core.sdk import CredentialsRefused

pytestmark = pytest.mark.database


@pytest.fixture
def registry(desk):
    """The subscribers of the toys and of the host itself; what is announced becomes an event."""
    schedules = [*plugin_schedules(desk.runtime), *host_schedules(desk.runtime)]
    subscribers = [*plugin_subscribers(desk.runtime), *host_subscribers(desk.runtime), *schedule_subscribers(schedules)]
    made = SubscriberRegistry(tuple(subscribers), desk.runtime.enablement.mode)

    def announce(session, kind, payload):
        emit(session, [EventDraft(kind, "plugin", payload["plugin"], dict(payload))], registry=made)

    desk.runtime.options = replace(desk.runtime.options, announce=announce, in_flight={})
    yield made
    for scope in (desk.world.tea, desk.world.gift):
        with desk.world.database.unit(scope) as session:
            session.connection().execute(text("DELETE FROM delivery"))
            session.connection().execute(text("DELETE FROM event"))


@pytest.fixture
def told():
    told = importlib.import_module("plugins.toy_notes.plugin").told
    told.clear()
    return told


def in_unit(desk, function, *args, **options):
    with desk.world.database.unit(desk.world.tea) as session:
        done = function(session, desk.runtime, *args, **options)
    desk.runtime.enablement.forget()
    return done


def say(desk, registry, kind, **payload):
    with desk.world.database.unit(desk.world.tea) as session:
        emit(session, [EventDraft(kind, "toy", "1", payload)], registry=registry)


def deliver(desk, registry):
    """Carry out everything that is due, once."""
    with desk.world.database.unit(desk.world.tea) as session:
        due = session.execute(select(Delivery.subscriber, Delivery.id).where(Delivery.state == "pending").order_by(Delivery.id)).all()
    dispatcher = Dispatcher(Kit(desk.world.database, registry))
    for key, one in due:
        dispatcher.deliver([(desk.world.tea.tenant_id, key, 1, [one.hex])])


def states(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        return {row.subscriber: row.state for row in session.scalars(select(Delivery).order_by(Delivery.id))}


def notes(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        return sorted(session.connection().execute(text("SELECT text FROM plg_toy_notes_note")).scalars())


def test_event_reaches_the_plugin_when_it_is_enabled(desk, registry, told):
    in_unit(desk, enable, "toy_notes")

    say(desk, registry, "toy.said")
    deliver(desk, registry)

    assert states(desk) == {"core.plugin_life": "done", "toy_notes.ear": "done", "toy_notes.mouth": "done"}
    assert notes(desk) == ["first note", "heard toy.said"]
    assert told == [("enabled", "tea", True), ("sent", "tea", "toy.said", True, True)]


def test_event_makes_no_delivery_when_the_plugin_is_off_and_parks_when_paused(desk, registry):
    say(desk, registry, "toy.said")
    nothing = states(desk)
    in_unit(desk, enable, "toy_notes")
    in_unit(desk, pause, "toy_notes")
    say(desk, registry, "toy.asked")

    assert nothing == {}
    assert states(desk)["toy_notes.ear"] == "parked"


@pytest.mark.parametrize(
    ("word", "state", "code"), [("boom", "pending", "events.unexpected"), ("commit", "dead", "plugin.transaction_guarded")]
)
def test_delivery_fails_alone_and_is_noted_when_the_plugin_misbehaves(desk, registry, word, state, code):
    in_unit(desk, enable, "toy_notes")
    say(desk, registry, "toy.said", say=word)

    deliver(desk, registry)
    desk.runtime.flush()

    with desk.world.database.unit(desk.world.tea) as session:
        failed = session.scalars(select(Delivery).where(Delivery.subscriber == "toy_notes.ear")).one()
        [problem] = open_problems(session, "toy_notes")
        assert (failed.state, failed.last_error["code"]) == (state, code)
        assert (problem.key, "13800138000" in str(problem.facts)) == ("failed:subscribers:toy_notes.ear.handle", False)
    assert notes(desk) == ["first note"]


def test_disable_waits_for_real_deliveries_and_settles_by_itself_when_draining(desk, registry, told):
    in_unit(desk, enable, "toy_notes")
    say(desk, registry, "toy.asked")

    counts = in_unit(desk, disable, "toy_notes", mode="drain").in_flight
    say(desk, registry, "toy.asked")
    deliver(desk, registry)
    settle_now(desk, registry)

    assert counts == {"deliveries": 1}
    assert notes(desk) == ["first note", "heard toy.asked"]
    with desk.world.database.unit(desk.world.tea) as session:
        assert session.scalars(select(PluginInstance.state)).one() == "disabled"
    assert told[-1] == ("disabling", "tea", "drain")


def settle_now(desk, registry):
    """Let the host's timer tick."""
    with desk.world.database.unit(desk.world.tea) as session:
        emit(session, [EventDraft("schedule.core.plugin_settle", "schedule", "core.plugin_settle")], registry=registry)
    deliver(desk, registry)


def test_timer_of_a_plugin_runs_with_its_context_when_it_ticks(desk, registry):
    in_unit(desk, enable, "toy_notes")
    with desk.world.database.unit(desk.world.tea) as session:
        emit(session, [EventDraft("schedule.toy_notes.tick", "schedule", "toy_notes.tick")], registry=registry)

    deliver(desk, registry)

    assert notes(desk) == ["first note", "tick"]


def test_health_is_the_worst_of_what_is_known_when_refreshed(desk, registry):
    in_unit(desk, enable, "toy_rights")
    in_unit(desk, enable, "toy_notes")

    well = in_unit(desk, refresh_health, "toy_rights").health
    low = in_unit(desk, refresh_health, "toy_notes")

    assert (well, low.health, low.health_message) == ("ok", "degraded", "running low")


def test_health_asks_for_a_person_when_credentials_were_refused(desk, registry, faults):
    in_unit(desk, save_draft, "toy_hello", {"address": faults.url("/ok"), "api_key": "k"})
    in_unit(desk, activate, "toy_hello", is_test_needed=False)
    in_unit(desk, enable, "toy_hello")

    def refuse(_ctx):
        raise CredentialsRefused

    with desk.world.database.unit(desk.world.tea) as session:
        desk.runtime.call(session, "toy_hello", Site("marketplaces", "toy_hello"), refuse)
    desk.runtime.flush()

    assert in_unit(desk, refresh_health, "toy_hello").health == "needs_reauth"


def test_installed_plugins_are_written_down_once_when_the_host_looks_after_health(desk, registry):
    in_unit(desk, enable, "toy_notes")
    for _ in range(2):
        with desk.world.database.unit(desk.world.tea) as session:
            emit(session, [EventDraft("schedule.core.plugin_health", "schedule", "core.plugin_health")], registry=registry)
        deliver(desk, registry)

    with desk.world.database.platform() as session:
        rows = {row.id: (row.state, row.version) for row in session.scalars(select(PluginPackage))}
    with desk.world.database.unit(desk.world.tea) as session:
        assert session.scalars(select(PluginInstance.health)).one() == "degraded"
    assert rows["toy_notes"] == ("installed", "1.2.0")
    assert rows["toy_wants_notes"] == ("installed", "1.0.0")
