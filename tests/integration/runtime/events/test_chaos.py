"""Everything is killed again and again while orders come in: nothing may be lost and no effect may happen twice.

`OMS_CHAOS_SEED` repeats a run's schedule of faults, `OMS_CHAOS_KILLS` makes it longer (1000 is about half an hour).
"""

import os
import signal
import time
from collections import Counter
from random import Random

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from core.model_list import load_models
from core.runtime.db.base import metadata
from core.runtime.db.embedded import EmbeddedPostgres
from core.runtime.db.rls import wall_statements
from core.runtime.jobs.embedded import EmbeddedValkey
from tests.fixtures import chaos
from tests.fixtures.nursery import Nursery, children_of, is_running, wait_until
from tests.fixtures.servers import scratch_folder

pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.queue, pytest.mark.timeout(2400)]

KILLS = int(os.environ.get("OMS_CHAOS_KILLS", "44"))
SETTLE_S = 90.0
STAFF = {"worker": 2, "relay": 2, "producer": 2}


class Site:
    """A whole installation whose parts can be killed, and come back."""

    def __init__(self, database: EmbeddedPostgres, queue: EmbeddedValkey, nursery: Nursery, remote: chaos.Remote, seed: int) -> None:
        self.database, self.queue, self.nursery, self.remote = database, queue, nursery, remote
        self.random, self.kills = Random(seed), Counter()
        ends = database.endpoints()
        self.urls = {"app_url": ends.app_url, "relay_url": ends.relay_url, "queue_url": queue.url, "remote_port": remote.port}
        self.staff = {role: [self._hire(role) for _ in range(count)] for role, count in STAFF.items()}

    def _hire(self, role: str) -> int:
        extra = {"seed": self.random.randrange(1 << 30), "pause_s": 0.05} if role == "producer" else {}
        return self.nursery.start(role, **self.urls, **extra)

    def kill_staff(self, role: str) -> bool:
        """kill -9 one of them, and hire another."""
        place = self.random.randrange(len(self.staff[role]))
        pid = self.staff[role][place]
        was_running = is_running(pid)
        os.kill(pid, signal.SIGKILL)
        self.staff[role][place] = self._hire(role)
        return was_running

    def kill_horse(self) -> bool:
        """kill -9 a working process under its supervisor."""
        horses = children_of(self.random.choice(self.staff["worker"]))
        if horses:
            os.kill(horses[0], signal.SIGKILL)
        return bool(horses)

    def kill_queue(self) -> bool:
        """kill -9 Valkey; it comes back a little later."""
        pid = self.queue.pid
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
        time.sleep(self.random.uniform(0, 1.0))
        self.queue.start()
        return True

    def empty_queue(self) -> bool:
        """Let Valkey lose everything."""
        redis.Redis.from_url(self.queue.url).flushdb()
        return True

    def end_backends(self) -> bool:
        """Cut every connection to the database."""
        with self.database.superuser() as connection:
            cut = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename LIKE 'oms%' AND datname = current_database()"
            ).fetchone()
        return cut is not None and cut[0] > 0

    def stop_database(self) -> bool:
        """Stop PostgreSQL at once, without saving anything that is not in its log; it comes back a little later."""
        pid = self.database.pid
        if pid is None:
            return False
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: not is_running(pid), within_s=20)
        time.sleep(self.random.uniform(0, 1.0))
        self.database.start()
        return True

    def hurt(self) -> None:
        """One fault, chosen by the seed."""
        faults = {
            "worker": (3, lambda: self.kill_staff("worker")),
            "horse": (4, self.kill_horse),
            "relay": (3, lambda: self.kill_staff("relay")),
            "producer": (3, lambda: self.kill_staff("producer")),
            "queue killed": (2, self.kill_queue),
            "queue emptied": (1, self.empty_queue),
            "connections cut": (2, self.end_backends),
            "database stopped": (2, self.stop_database),
        }
        (name,) = self.random.choices(list(faults), [weight for weight, _ in faults.values()])
        self.kills[name] += faults[name][1]()

    def rows(self, statement: str) -> list[tuple]:
        """Read as the superuser, who sees all tenants."""
        with self.database.superuser() as connection:
            return connection.execute(statement).fetchall()

    def is_settled(self) -> bool:
        """Whether nothing is on its way any more. Retries are hurried; leases and guards run out by themselves."""
        try:
            with self.database.superuser() as connection:
                connection.execute(
                    "UPDATE delivery SET next_at = now() WHERE id IN (SELECT id FROM delivery"
                    " WHERE state IN ('pending', 'unknown') AND next_at > now() FOR UPDATE SKIP LOCKED)"
                )
            return self.rows("SELECT count(*) FROM delivery WHERE state NOT IN ('done', 'dead')") == [(0,)]
        except psycopg.OperationalError:
            return False


@pytest.fixture
def say(request):
    """Write a line to the terminal, also when the test passes."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    return lambda line: reporter.write_line(f"\nchaos: {line}")


@pytest.fixture
def site(say):
    seed = int(os.environ.get("OMS_CHAOS_SEED") or Random().randrange(1 << 20))
    say(f"OMS_CHAOS_SEED={seed}")
    load_models()
    with scratch_folder() as folder, EmbeddedPostgres(folder / "pg") as database, EmbeddedValkey(folder / "vk") as queue:
        engine = create_engine(database.endpoints().owner_url)
        with engine.begin() as connection:
            metadata.create_all(connection)
            for statement in wall_statements():
                connection.execute(text(statement))
        engine.dispose()
        chaos.prepare(database.endpoints().owner_url)
        remote = chaos.Remote(seed)
        with Nursery("tests.fixtures.chaos", folder / "log") as nursery:
            yield Site(database, queue, nursery, remote, seed)
        remote.close()


def test_nothing_is_lost_and_nothing_happens_twice_when_everything_is_killed(site, say):
    assert wait_until(lambda: len(site.rows("SELECT 1 FROM delivery WHERE state = 'done'")) > 50, within_s=60), site.nursery.logged()[-3000:]
    while sum(site.kills.values()) < KILLS:
        time.sleep(site.random.uniform(0.2, 1.4))
        site.hurt()
    for pid in site.staff["producer"]:
        os.kill(pid, signal.SIGKILL)

    settled = wait_until(site.is_settled, within_s=SETTLE_S)

    left = site.rows("SELECT subscriber, state, attempts, reason, last_error FROM delivery WHERE state NOT IN ('done', 'dead') LIMIT 20")
    assert settled, (left, site.nursery.logged()[-3000:])
    say(_check(site))


def _check(site):
    accepted = site.rows("SELECT count(*) FROM accepted")[0][0]
    events = {row[0]: row[1] for row in site.rows("SELECT id, subject_id::int FROM event")}
    told = site.rows("SELECT count(DISTINCT (tenant_id, subject_id, kind)) FROM event")[0][0]
    assert (len(events), told) == (accepted, accepted)
    assert accepted > 200

    done = {key: Counter() for key in ("c.batch", "c.poisoned", "c.strict", "c.keyed")}
    for key, event, count in site.rows("SELECT subscriber, event_id, count(*) FROM effect GROUP BY 1, 2"):
        done[key][event] = count
    good = {event for event, number in events.items() if number % chaos.POISON}
    for key, wanted in (("c.batch", events), ("c.poisoned", good), ("c.strict", events), ("c.keyed", events)):
        assert (len(set(wanted) - set(done[key])), max(done[key].values()), set(done[key]) - set(wanted)) == (0, 1, set()), key

    dead = site.rows("SELECT subscriber, count(*) FROM delivery WHERE state = 'dead' GROUP BY 1")
    assert dead == [("c.poisoned", len(events) - len(good))]

    applied = Counter(site.remote.applied[f"{event}:{key}:1"] for event in events for key in ("c.strict", "c.keyed"))
    assert applied == {1: 2 * len(events)}

    order = site.rows("SELECT count(*) FROM (SELECT seq < lag(seq) OVER (PARTITION BY tenant_id, subscriber, subject ORDER BY n) AS back FROM effect) x WHERE back")
    assert order == [(0,)]

    attempts = site.rows("SELECT max(attempts) FROM delivery WHERE subscriber = 'c.batch'")[0][0]
    repeats = sum(count - 1 for count in site.remote.calls.values())
    return (
        f"{sum(site.kills.values())} kills {dict(site.kills)}; {accepted} events, {4 * accepted} deliveries, 0 lost, 0 doubled; {repeats} remote "
        f"calls repeated with their key, at most {attempts} attempts of a healthy local delivery"
    )
