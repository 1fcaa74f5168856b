"""How many pages of plugins are made at once, and for how long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from core.runtime.plugin_host.errors import PluginBusy, PluginSlow
from core.runtime.plugin_host.turnstile import Turnstile


class Crowd:
    """Visitors who stay until they are let go."""

    def __init__(self, turnstile: Turnstile) -> None:
        self.turnstile, self.gone = turnstile, threading.Event()
        self.inside = threading.Semaphore(0)
        self.pool = ThreadPoolExecutor(8)

    def send(self, plugin: str):
        return self.pool.submit(self.turnstile.pass_through, plugin, self._stay)

    def _stay(self) -> str:
        self.inside.release()
        while not self.gone.wait(0.01):
            pass
        return "served"

    def wait_for(self, number: int) -> None:
        for _one in range(number):
            assert self.inside.acquire(timeout=5)


@pytest.fixture
def crowd():
    made = Crowd(Turnstile(4, limit_s=30, patience_s=0.05))
    yield made
    made.gone.set()
    made.pool.shutdown()


def test_one_plugin_gets_half_of_the_threads_and_others_go_on(crowd):
    first = [crowd.send("slow") for _one in range(2)]
    crowd.wait_for(2)

    refused = crowd.send("slow").exception()
    other = crowd.turnstile.pass_through("quick", lambda: "quick")
    crowd.gone.set()

    assert isinstance(refused, PluginBusy)
    assert (other, [one.result() for one in first]) == ("quick", ["served", "served"])
    assert crowd.turnstile.pass_through("slow", lambda: "again") == "again"


def test_a_thread_stays_free_when_all_plugins_are_slow(crowd):
    [crowd.send(name) for name in ("a", "a", "b")]
    crowd.wait_for(3)

    assert isinstance(crowd.send("b").exception(), PluginBusy)
    assert isinstance(crowd.send("c").exception(), PluginBusy)


def test_visitor_waits_for_a_moment_when_the_place_is_taken():
    turnstile = Turnstile(2, patience_s=5)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(turnstile.pass_through, "a", lambda: time.sleep(0.1))
        time.sleep(0.02)

        assert turnstile.pass_through("a", lambda: "served") == "served"


def endless() -> None:
    while True:
        pass


def stubborn() -> None:
    """Does not hear the first call to go."""
    ends_at = time.monotonic() + 20
    try:
        while time.monotonic() < ends_at:
            time.sleep(0.01)
    except BaseException:
        while time.monotonic() < ends_at:
            time.sleep(0.01)


@pytest.mark.parametrize("page", [endless, stubborn])
def test_page_is_ended_when_it_takes_too_long(page):
    turnstile = Turnstile(4, limit_s=0.1)
    began = time.monotonic()

    with pytest.raises(PluginSlow):
        turnstile.pass_through("a", page)

    assert time.monotonic() - began < 10
    assert turnstile.pass_through("a", lambda: "served") == "served"


def test_places_count_as_taken_until_the_page_is_really_gone():
    turnstile = Turnstile(2, limit_s=0.05, patience_s=5)
    with ThreadPoolExecutor(2) as pool:
        asleep = pool.submit(turnstile.pass_through, "a", lambda: time.sleep(0.5))
        time.sleep(0.2)
        began = time.monotonic()

        with pytest.raises(PluginBusy):
            turnstile.pass_through("a", lambda: "served")

        assert time.monotonic() - began < 0.2
        assert isinstance(asleep.exception(), PluginSlow)
    assert turnstile.pass_through("a", lambda: "served") == "served"


def test_interruption_never_reaches_what_the_thread_does_next():
    turnstile = Turnstile(2, limit_s=0.001)
    strays = 0
    for _round in range(300):
        with suppress(PluginSlow):
            turnstile.pass_through("a", lambda: time.sleep(0.0012))
        try:
            sum(range(200))
        except BaseException:
            strays += 1

    assert strays == 0
