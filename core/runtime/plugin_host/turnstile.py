"""Keeping plugins' pages from using up the web process: so many at once, so long each.

A thread cannot be ended from outside, so whoever overstays is told once a second, by an exception in its thread, to go; code that hangs in
C hears of it when it comes back. Until then it counts, and the plugin's further pages are refused at once.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from core.runtime.plugin_host.errors import Overrun, PluginBusy, PluginSlow

T = TypeVar("T")
LIMIT_S = 20.0
PATIENCE_S = 0.5
_AGAIN_S = 1.0


@dataclass(eq=False, slots=True)
class _Visit:
    plugin: str
    ends_at: float
    thread: int = field(default_factory=threading.get_ident)
    is_late: bool = False


class Turnstile:
    """Lets plugins' pages into the threads of one process. Safe for threads.

    Of `threads`, one plugin gets at most half, and all of them together leave one free; whoever finds no room waits for half a second. A
    visit lasts at most `limit_s`.
    """

    def __init__(self, threads: int, *, limit_s: float = LIMIT_S, patience_s: float = PATIENCE_S) -> None:
        self._most_of_one, self._most = max(1, threads // 2), max(1, threads - 1)
        self._limit_s, self._patience_s = limit_s, patience_s
        self._visits: set[_Visit] = set()
        self._changed = threading.Condition()
        self._watchman: threading.Thread | None = None

    def pass_through(self, plugin: str, function: Callable[[], T]) -> T:
        """Call `function` of the plugin's page. Raises: PluginBusy - too many of them are being answered; PluginSlow - it took too long."""
        visit = self._enter(plugin)
        try:
            try:
                return function()
            finally:
                self._leave(visit)
        except Overrun:
            # It may also strike between the last statement of the page and the end of the visit.
            self._leave(visit)
            raise PluginSlow(plugin=plugin) from None

    def _enter(self, plugin: str) -> _Visit:
        deadline = time.monotonic() + self._patience_s
        with self._changed:
            while not self._has_room(plugin):
                left = deadline - time.monotonic()
                if left <= 0 or self._is_blocked(plugin):
                    raise PluginBusy(plugin=plugin)
                self._changed.wait(left)
            visit = _Visit(plugin, time.monotonic() + self._limit_s)
            self._visits.add(visit)
            if self._watchman is None or not self._watchman.is_alive():
                self._watchman = threading.Thread(target=self._watch, name="plugin-watchman", daemon=True)
                self._watchman.start()
            return visit

    def _has_room(self, plugin: str) -> bool:
        return len(self._visits) < self._most and sum(visit.plugin == plugin for visit in self._visits) < self._most_of_one

    def _is_blocked(self, plugin: str) -> bool:
        """Whether waiting is in vain: the plugin's places are held by those who do not go."""
        return sum(visit.plugin == plugin and visit.is_late for visit in self._visits) >= self._most_of_one

    def _leave(self, visit: _Visit) -> None:
        with self._changed:
            self._visits.discard(visit)
            if visit.is_late:
                _interrupt(visit.thread, None)
            self._changed.notify_all()

    def _watch(self) -> None:
        """Tell those to go who have stayed too long; ends when nobody is there."""
        while True:
            with self._changed:
                if not self._visits:
                    self._watchman = None
                    return
                now = time.monotonic()
                for visit in self._visits:
                    if visit.ends_at <= now:
                        visit.is_late, visit.ends_at = True, now + _AGAIN_S
                        _interrupt(visit.thread, Overrun)
                next_at = min(visit.ends_at for visit in self._visits)
            time.sleep(max(0.01, min(next_at - time.monotonic(), _AGAIN_S)))


def _interrupt(thread: int, error: type[BaseException] | None) -> None:
    """Let `error` be raised in the thread when it runs its next line of Python; None takes back one that was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error is not None else None)
