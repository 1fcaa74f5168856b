"""One working process: rq's loop around the functions that jobs may name, many jobs one after the other in the same process."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rq import SimpleWorker
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from core.runtime.jobs.limits import Deadline, Limits
from core.runtime.jobs.notebook import Notebook, Remains
from core.runtime.jobs.queue import BLOCK_S, DEFAULT_LANE, DoorbellJob, connect, queue_of

if TYPE_CHECKING:
    from rq import Queue
    from rq.job import Job

_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Seat:
    """One place for a working process, as its supervisor keeps it: memory shared with whoever sits there.

    `parent` is the supervisor's process id, `remains` what the last one was at when it died.
    """

    parent: int
    deadline: Deadline = field(default_factory=Deadline)
    notebook: Notebook = field(default_factory=Notebook)
    remains: Remains | None = None
    pid: int = 0
    since: float = 0.0
    early_deaths: int = 0
    not_before: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker runs.

    `max_jobs` and `max_growth_mb` renew a working process; `memory_mb` is the address space that it may take beyond what it
    starts with; `stop_s` is how long the delivery at hand may take to finish after a stop was asked for.
    """

    queue_url: str
    lane: str = DEFAULT_LANE
    processes: int = 1
    max_jobs: int = 500
    max_growth_mb: int = 256
    memory_mb: int = 1024
    stop_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Place:
    """What a fresh working process finds where it is to work.

    `notebook` is for writing down what is under way; `remains` is what the one before, who died there, was at.
    """

    limits: Limits
    should_stop: Callable[[], bool]
    notebook: Notebook
    remains: Remains | None = None


Prepare = Callable[[Place], dict[str, Callable[..., Any]]]
"""Called in each fresh working process; returns the functions that jobs may name."""


class _NoDeathPenalty(BaseDeathPenalty):
    """Time limits belong to the single deliveries (`Limits`), not to the message that names them."""

    def setup_death_penalty(self) -> None:
        pass

    def cancel_death_penalty(self) -> None:
        pass


class _Worker(SimpleWorker):
    """rq's worker without its command channel, impatient where the queue is away, and watching its own size."""

    job_class = DoorbellJob
    death_penalty_class = _NoDeathPenalty
    log_result_lifespan = False
    max_connection_wait_time = 2.0
    resident_limit_mb = 0

    def subscribe(self) -> None:
        """Listen to no commands: a message in Valkey must not be able to stop or kill workers."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed."""

    def procline(self, message: str) -> None:
        """Leave the process's title as it is."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run one job here; ask for a fresh process when this one has grown."""
        super().execute_job(job, queue)
        if self.resident_limit_mb and _resident_mb() > self.resident_limit_mb:
            self._stop_requested = True

    @property
    def stop_asked(self) -> bool:
        """Whether the process is to end after the delivery at hand."""
        return bool(self._stop_requested)


def run_process(options: WorkerOptions, prepare: Prepare, seat: Seat) -> None:
    """The life of one working process: until it is told to stop, has done its number of jobs, or has grown too much."""
    _die_with(seat.parent)
    connection = connect(options.queue_url)
    worker = _Worker(
        [queue_of(connection, options.lane)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=BLOCK_S + 15,
        maintenance_interval=60,
        job_monitoring_interval=10,
    )
    place = Place(Limits(seat.deadline), lambda: worker.stop_asked, seat.notebook, seat.remains)
    for name, call in prepare(place).items():
        DoorbellJob.allow(name, call)
    _bound_memory(options.memory_mb)
    worker.resident_limit_mb = _resident_mb() + options.max_growth_mb
    worker.work(max_jobs=options.max_jobs, logging_level="ERROR")
    logging.shutdown()


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when its supervisor ends, so that no orphan works on unseen."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _statm(field: int) -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[field]) * resource.getpagesize()


def _resident_mb() -> int:
    return _statm(1) >> 20 if sys.platform == "linux" else 0


def _bound_memory(extra_mb: int) -> None:
    if sys.platform == "linux":
        limit = _statm(0) + (extra_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
