"""A plugin that kills its worker again and again, with real worker processes and two tenants: it is parked, and nobody waits behind it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import pytest
from sqlalchemy import select, text

from core.runtime.events import EventDraft, emit
from core.runtime.events.subscribers import Subscriber
from core.runtime.plugin_host.breakers import open_targets
from core.runtime.plugin_host.lifecycle import enable
from core.runtime.plugin_host.models import PluginProblem
from core.runtime.plugin_host.worker_watch import TARGET, WorkerWatch
from tests.fixtures.killers import DEATHS, plugins, registry
from tests.fixtures.nursery import Nursery, children_of, is_running, wait_until
from tests.fixtures.servers import scratch_folder
from tests.fixtures.stations import make_effect_table

pytestmark = [pytest.mark.database, pytest.mark.queue]


class Mill:
    """A relay and a worker as processes of their own, with the deadly plugin switched on for the tenant `tea`."""

    def __init__(self, world, valkey, nursery, listing) -> None:
        self.world, self.runtime = world, plugins(world.database, str(listing))
        self.registry = registry(self.runtime)
        with world.database.unit(world.tea) as session:
            enable(session, self.runtime, "toy_kills")
        urls = {"app_url": world.app_url, "relay_url": world.relay_url, "queue_url": valkey.url, "listing": str(listing)}
        self.pids = [nursery.start(role, **urls) for role in ("worker", "relay")]
        assert wait_until(lambda: len(children_of(self.pids[0])) == 1, within_s=30)
        self.time_of_core("warm")

    def emit(self, scope, kind, *subjects):
        """One event of this kind for each subject."""
        with self.world.database.unit(scope) as session:
            emit(session, [EventDraft(kind, "thing", subject) for subject in subjects], registry=self.registry)

    def rows(self, scope, statement):
        """Rows of a tenant."""
        with self.world.database.unit(scope) as session:
            return [tuple(row) for row in session.connection().execute(text(statement))]

    def time_of_core(self, subject) -> float:
        """Seconds until the core's work for the tenant `gift` is done."""
        begun = time.monotonic()
        self.emit(self.world.gift, "good.thing", subject)
        done = f"SELECT 1 FROM effect WHERE subject = '{subject}'"
        assert wait_until(lambda: self.rows(self.world.gift, done) == [(1,)], within_s=60)
        return time.monotonic() - begun

    def states(self, kind):
        """(state, attempts, code, deaths, reason) of the plugin's deliveries, by subject."""
        return self.rows(
            self.world.tea,
            "SELECT state, attempts, last_error ->> 'code', (last_error -> 'facts' ->> 'deaths')::int, reason FROM delivery"
            f" WHERE subscriber = 'toy_kills.{kind}' ORDER BY subject",
        )

    def is_resting(self):
        """Whether the plugin's breaker is open and its problem told."""
        return self.rows(self.world.tea, "SELECT count(*) FROM plugin_problem WHERE code = 'plugin.breaker_open' AND resolved_at IS NULL") == [(1,)]

    def clear(self):
        """Forget deliveries, deaths and problems, as if the plugin had been mended."""
        with self.world.database.unit(self.world.tea) as session:
            for table in ("delivery", "event", "plugin_breaker", "plugin_problem"):
                session.connection().execute(text(f"DELETE FROM {table}"))


@pytest.fixture(scope="module")
def mill(world, valkey):
    make_effect_table(world.owner_url)
    with scratch_folder() as folder, Nursery("tests.fixtures.killers", folder / "log") as nursery:
        listing = folder / "plugins.toml"
        listing.write_text('[[plugin]]\nid = "toy_kills"\n')
        made = Mill(world, valkey, nursery, listing)
        yield made
        for pid in made.pids:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        assert wait_until(lambda: not any(map(is_running, made.pids)), within_s=10)


@pytest.fixture(autouse=True)
def _fresh(mill):
    mill.clear()
    time.sleep(2.1)  # the worker remembers for two seconds which breakers are open


@pytest.mark.parametrize("way", ["exit", "kill", "segfault"])
def test_delivery_is_dead_and_the_plugin_rests_when_its_workers_die(mill, way):
    mill.emit(mill.world.tea, f"kill.{way}", "one")

    assert wait_until(lambda: mill.states(way)[0][0] == "dead" and mill.is_resting(), within_s=20)

    assert mill.states(way) == [("dead", DEATHS, "events.worker_died", DEATHS, None)]
    with mill.world.database.unit(mill.world.tea) as session:
        [breaker] = open_targets(session, "toy_kills")
        problems = session.scalars(select(PluginProblem).order_by(PluginProblem.key)).all()
    assert (breaker.target, breaker.state, breaker.failures) == (TARGET, "open", DEATHS)
    assert [(one.key, one.code, one.count, one.resolved_at) for one in problems] == [
        (f"breaker:{TARGET}", "plugin.breaker_open", 1, None),
        (f"worker_died:toy_kills.{way}", "plugin.worker_died", DEATHS, None),
    ]


def test_core_work_of_another_tenant_is_done_soon_when_a_plugin_kills_every_worker(mill):
    mill.emit(mill.world.tea, "kill.kill", *(f"bad{number:02}" for number in range(20)))

    waits = [mill.time_of_core(f"good{number}") for number in range(8)]

    assert max(waits) < 5
    assert wait_until(lambda: {row[4] for row in mill.states("kill") if row[0] == "pending"} == {"resting"}, within_s=20)
    assert sum(row[3] or 0 for row in mill.states("kill")) == DEATHS
    assert is_running(mill.pids[0])


def test_work_that_waits_goes_on_when_the_probe_survives(mill):
    mill.emit(mill.world.tea, "kill.exit", "bad")
    assert wait_until(mill.is_resting, within_s=20)
    mill.emit(mill.world.tea, "kill.harmless", "one", "two")
    assert wait_until(lambda: [row[4] for row in mill.states("harmless")] == ["resting"] * 2, within_s=10)

    with mill.world.database.unit(mill.world.tea) as session:
        session.connection().execute(text("UPDATE plugin_breaker SET until = now() - interval '1 s'"))
        session.connection().execute(text("UPDATE delivery SET next_at = now() WHERE state = 'pending'"))

    assert wait_until(lambda: [row[0] for row in mill.states("harmless")] == ["done"] * 2, within_s=15)
    closed, solved = "SELECT state FROM plugin_breaker", "SELECT count(*) FROM plugin_problem WHERE resolved_at IS NULL"
    assert wait_until(lambda: mill.rows(mill.world.tea, closed) == [("closed",)], within_s=10)
    assert wait_until(lambda: mill.rows(mill.world.tea, solved) == [(0,)], within_s=10)


def test_remote_call_is_given_up_when_its_workers_die(mill):
    mill.emit(mill.world.tea, "kill.send", "one")

    assert wait_until(lambda: mill.states("send")[0][0] == "dead" and mill.is_resting(), within_s=20)
    [(error,)] = mill.rows(mill.world.tea, "SELECT last_error FROM delivery")
    assert (error["code"], error["cause"]["facts"]) == ("events.outcome_unknown", {"deaths": DEATHS})


def test_core_subscriber_never_rests_when_its_workers_die(mill):
    watch = WorkerWatch(mill.runtime, deaths=1)
    own = Subscriber(key="core.own", events=("x.y",), handle=print)

    watch.died(mill.world.gift, own, subject="thing:1", deaths=9)

    assert watch.rest_s(mill.world.gift, own) == 0.0
    assert mill.rows(mill.world.gift, "SELECT count(*) FROM plugin_breaker") == [(0,)]
