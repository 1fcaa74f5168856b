"""Webhooks through real processes: relay, Valkey and workers, one of which is killed in the middle of a request."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from tests.fixtures.floor import settings_for
from tests.fixtures.nursery import Nursery, children_of, is_running, wait_until
from tests.fixtures.servers import scratch_folder
from tests.plugins.outbound_webhooks.test_delivery import held, states

pytestmark = [pytest.mark.database, pytest.mark.queue]
LANES = ("default", "remote")


@dataclass
class Yard:
    """The processes at work; `workers` by lane."""

    nursery: Nursery
    workers: dict[str, int]

    def child(self, lane: str) -> int:
        """The process of a lane that does the work."""
        assert wait_until(lambda: len(children_of(self.workers[lane])) == 1, within_s=60), self.nursery.logged()[-3000:]
        return children_of(self.workers[lane])[0]


@pytest.fixture
def yard(desk, valkey) -> Iterator[Yard]:
    settings = settings_for(desk.floor.world)
    urls = {name: getattr(settings, name) for name in ("database_url", "relay_url", "master_key")} | {"queue_url": valkey.url}
    with scratch_folder() as folder, Nursery("tests.fixtures.installation", folder / "log") as nursery:
        workers = {lane: nursery.start("worker", lane=lane, **urls) for lane in LANES}
        pids = [*workers.values(), nursery.start("relay", **urls)]
        yield Yard(nursery, workers)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        assert wait_until(lambda: not any(map(is_running, pids)), within_s=10)


def test_event_reaches_its_receiver_through_relay_queue_and_workers(desk, yard, receiver):
    _, secret = desk.subscribe(receiver)
    for lane in LANES:
        yard.child(lane)

    desk.happen(*(held() for _ in range(20)), deliver=False)

    assert wait_until(lambda: states(desk) == ["delivered"] * 20, within_s=60), yard.nursery.logged()[-3000:]
    assert len({call.headers["orderloom-event-id"] for call in receiver.calls}) == 20
    assert all(call.is_signed_by(secret) for call in receiver.calls)


def test_request_is_repeated_with_the_same_id_when_the_worker_was_killed_while_it_was_out(desk, yard, receiver):
    _, secret = desk.subscribe(receiver)
    arrived, goes_on = threading.Event(), threading.Event()

    def wait_once(number: int) -> None:
        if number == 1:
            arrived.set()
            goes_on.wait(30)

    receiver.on_call = wait_once
    victim = yard.child("remote")
    desk.happen(held(), deliver=False)
    assert arrived.wait(60), yard.nursery.logged()[-3000:]

    os.kill(victim, signal.SIGKILL)
    goes_on.set()
    assert wait_until(lambda: not is_running(victim), within_s=10)
    with desk.unit() as session:
        session.connection().execute(text("UPDATE delivery SET lease_until = now() WHERE state = 'running'"))

    def is_delivered() -> bool:
        with desk.unit() as session:
            session.connection().execute(text("UPDATE delivery SET next_at = now() WHERE state IN ('pending', 'unknown') AND next_at > now()"))
        return states(desk) == ["delivered"]

    assert wait_until(is_delivered, within_s=60), yard.nursery.logged()[-3000:]
    first, second = receiver.calls
    assert (first.body, first.headers["orderloom-event-id"]) == (second.body, second.headers["orderloom-event-id"])
    assert [call.is_signed_by(secret) for call in receiver.calls] == [True, True]
    assert [(one.number, one.status, one.took_ms is None) for one in desk.attempts()] == [(1, None, True), (2, 204, False)]
