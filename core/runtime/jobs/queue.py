"""The doorbell: Valkey lists that wake workers. They hold ids of rows only; losing all of it loses nothing.

One list, and so one queue, per lane. Jobs are JSON, run once, keep no result, and name one of the few functions that the worker
has allowed: whoever can write to Valkey can wake a worker, not choose what it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker_registration import get_keys

from core.kernel.errors import Denied, Unavailable

DEFAULT_LANE = "default"
REMOTE_LANE = "remote"
BLOCK_S = 15
JOB_TTL_S = 3600
JOB_LIMIT_S = 1800
HURRY_MS = 2000


class QueueDown(Unavailable):
    """The queue cannot be reached."""

    code = "jobs.queue_down"


class CallRefused(Denied):
    """A job names a function that workers do not run."""

    code = "jobs.call_refused"


def connect(url: str, *, patience_s: float = BLOCK_S + 15.0) -> Redis:
    """A client for `url` (redis://, rediss:// or unix://). It opens its connection on first use.

    An answer is waited for `patience_s`; workers need the default, which is longer than their blocking pop.
    """
    return Redis.from_url(
        url,
        socket_timeout=patience_s,
        socket_connect_timeout=5,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
    )


class DoorbellJob(Job):
    """A job whose function is looked up in a table, never imported by name, and that has no callbacks, webhooks or dependants."""

    calls: ClassVar[dict[str, Callable[..., Any]]] = {}

    @classmethod
    def allow(cls, name: str, call: Callable[..., Any]) -> None:
        """Let jobs named `name` run `call` in this process."""
        cls.calls[name] = call

    @property
    def func(self) -> Callable[..., Any]:
        """The allowed function that the job names. Raises CallRefused."""
        call = self.calls.get(self.func_name or "")
        if call is None:
            raise CallRefused(name=str(self.func_name)[:80])
        return call

    def restore(self, raw_data: Any) -> Any:
        """Read the job as stored, leaving out everything that would import or call by name."""
        result = super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []
        self._dependency_ids = []
        self.retries_left = None
        return result


def queue_of(connection: Redis, lane: str) -> Queue:
    """The queue of a lane."""
    return Queue(f"oms-{lane}", connection=connection, job_class=DoorbellJob, serializer=JSONSerializer)


class Doorbell:
    """What the relay needs of the queue: how full it is, who listens, and to ring. Raises QueueDown from each of its methods."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection

    def waiting(self, lane: str) -> int:
        """Messages that no worker has taken yet."""
        try:
            return int(self._connection.llen(queue_of(self._connection, lane).key))
        except RedisError as error:
            raise QueueDown from error

    def workers(self, lane: str) -> int:
        """Workers that are registered for the lane; those that died count for at most a minute more."""
        try:
            return len(get_keys(queue=queue_of(self._connection, lane)))
        except RedisError as error:
            raise QueueDown from error

    def ring(self, lane: str, call: str, messages: Sequence[Any], *, first: bool = False) -> None:
        """Add one job per message; `call` is the allowed function that gets it.

        `first` puts them before what waits already, and asks as many busy workers to interrupt what they do (`is_hurried`).
        """
        queue = queue_of(self._connection, lane)
        data = [
            Queue.prepare_data(
                call,
                (message,),
                result_ttl=0,
                failure_ttl=60,
                ttl=JOB_TTL_S,
                timeout=JOB_LIMIT_S,
                description=call,
                at_front=first,
            )
            for message in messages
        ]
        try:
            queue.enqueue_many(data)
            if first:
                self._connection.rpush(_hurry(lane), *("1" for _ in data))
                self._connection.pexpire(_hurry(lane), HURRY_MS)
        except RedisError as error:
            raise QueueDown from error

    def is_hurried(self, lane: str) -> bool:
        """Whether somebody waits in front and this worker is the one to make room; each request is answered once."""
        try:
            return self._connection.lpop(_hurry(lane)) is not None
        except RedisError as error:
            raise QueueDown from error


def _hurry(lane: str) -> str:
    return f"oms-hurry-{lane}"
