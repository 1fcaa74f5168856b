"""Real relay and worker processes: what a subscriber does to its process ends with that process, and everybody else goes on."""

import os
import signal
import time
from contextlib import suppress

import pytest

from core.runtime.events import EventDraft
from tests.fixtures.misbehaving import runtime
from tests.fixtures.nursery import Nursery, children_of, is_running, wait_until
from tests.fixtures.servers import scratch_folder
from tests.fixtures.stations import Station

pytestmark = [pytest.mark.database, pytest.mark.queue]


class Yard:
    """A relay and a worker as processes of their own, beside a station to look from."""

    def __init__(self, station: Station, nursery: Nursery, urls: dict[str, str]) -> None:
        self.station, self.nursery = station, nursery
        self.worker = nursery.start("worker", **urls)
        self.relay = nursery.start("relay", **urls)

    def child(self) -> int:
        """The one working process."""
        assert wait_until(lambda: len(children_of(self.worker)) == 1, within_s=30)
        return children_of(self.worker)[0]

    def settled(self, within_s: float) -> bool:
        """Whether everything comes to an end in time; waiting times are cut short."""

        def is_over() -> bool:
            self.station.sql(
                "UPDATE delivery SET next_at = least(next_at, now()), guard_until = least(guard_until, now()) WHERE id IN ("
                " SELECT id FROM delivery WHERE state = 'pending' AND (next_at > now() OR started_at < now() - interval '2 s')"
                " FOR UPDATE SKIP LOCKED)"
            )
            return self.station.sql("SELECT count(*) FROM delivery WHERE state NOT IN ('done', 'dead')") == [(0,)]

        return wait_until(is_over, within_s=within_s)


@pytest.fixture(scope="module")
def nursery():
    with scratch_folder() as folder, Nursery("tests.fixtures.misbehaving", folder / "log") as nursery:
        yield nursery


@pytest.fixture
def yard(station, effect_world, valkey, nursery):
    urls = {"app_url": effect_world.app_url, "relay_url": effect_world.relay_url, "queue_url": valkey.url}
    here = Yard(station(*runtime(**urls).registry.subscribers), nursery, urls)
    yield here
    for pid in (here.worker, here.relay):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    assert wait_until(lambda: not is_running(here.worker) and not is_running(here.relay), within_s=10)


def told(kind, *subjects):
    return [EventDraft(f"{kind}.done", "thing", subject) for subject in subjects]


def ends(yard):
    return yard.station.sql("SELECT split_part(subject, ':', 2), state, attempts, last_error ->> 'code' FROM delivery ORDER BY 1")


def test_worker_delivers_within_a_moment(yard):
    yard.child()
    yard.station.emit(*told("good", "first"))
    assert yard.settled(30)

    begun = time.monotonic()
    yard.station.emit(*told("good", "second"))
    assert wait_until(lambda: len(yard.station.effects()) == 2, within_s=20)

    assert time.monotonic() - begun < 2


def test_hanging_subscriber_is_killed_and_given_up_while_others_go_on(yard):
    first = yard.child()
    yard.station.emit(*told("hang", "h"))
    assert wait_until(lambda: not is_running(first), within_s=1.0 + 10.0 + 5.0)

    yard.station.emit(*told("good", "g"))

    assert wait_until(lambda: len(yard.station.effects()) == 1, within_s=20)
    assert yard.settled(60)
    assert ends(yard) == [("g", "done", 1, None), ("h", "dead", 2, "events.worker_died")]
    assert is_running(yard.worker)


def test_crashing_subscriber_takes_nothing_with_it(yard):
    first = yard.child()
    yard.station.emit(*told("crash", "a", "bad", "c", "d"))
    yard.station.emit(*told("good", "g"))

    assert yard.settled(100)

    assert not is_running(first)
    assert ends(yard) == [
        ("a", "done", 2, None),
        ("bad", "dead", 2, "events.worker_died"),
        ("c", "done", 2, None),
        ("d", "done", 2, None),
        ("g", "done", 1, None),
    ]
    assert sorted(subject for subject, _ in yard.station.effects()) == ["a", "c", "d", "g"]


def test_leaking_subscriber_runs_out_of_its_own_memory(yard):
    yard.child()
    yard.station.emit(*told("leak", "l"))
    yard.station.emit(*told("good", "g"))

    assert yard.settled(60)

    assert ends(yard) == [("g", "done", 1, None), ("l", "dead", 2, "events.unexpected")]


def test_forking_subscriber_leaves_no_second_worker(yard):
    yard.child()
    yard.station.emit(*told("fork", "f"))
    yard.station.emit(*told("good", "g"))

    assert yard.settled(60)

    assert ends(yard) == [("f", "done", 1, None), ("g", "done", 1, None)]
    assert sorted(yard.station.effects()) == [("f", 1), ("g", 1)]
    assert wait_until(lambda: len(children_of(yard.worker)) == 1, within_s=10)


def test_closing_files_ends_only_that_process(yard):
    yard.child()
    yard.station.emit(*told("files", "x"))
    yard.station.emit(*told("good", "g"))

    assert yard.settled(100)

    assert [row[:2] for row in ends(yard)] == [("g", "done"), ("x", "dead")]
    assert yard.station.effects() == [("g", 1)]


def test_working_process_dies_with_its_supervisor(yard):
    child = yard.child()

    os.kill(yard.worker, signal.SIGKILL)

    assert wait_until(lambda: not is_running(child), within_s=5)


def test_worker_and_relay_end_quickly_when_asked(yard):
    child = yard.child()
    yard.station.emit(*told("good", "g"))
    assert yard.settled(30)

    begun = time.monotonic()
    for pid in (yard.worker, yard.relay):
        os.kill(pid, signal.SIGTERM)
    ended = wait_until(lambda: not any(map(is_running, (yard.worker, yard.relay, child))), within_s=10)

    assert (ended, time.monotonic() - begun < 5) == (True, True)
