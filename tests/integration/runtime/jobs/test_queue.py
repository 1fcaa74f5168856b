"""The doorbell on a real Valkey: what it carries, and what a stranger can do with it."""

import pytest
from rq import Callback, Queue
from rq.serializers import JSONSerializer

from core.runtime.jobs.queue import CallRefused, Doorbell, DoorbellJob, QueueDown, connect, queue_of

pytestmark = [pytest.mark.queue]


@pytest.fixture
def connection(valkey):
    with connect(valkey.url) as connection:
        connection.flushdb()
        yield connection


def test_doorbell_rings_in_order_and_lets_some_go_first(connection):
    bell = Doorbell(connection)

    bell.ring("default", "deliver", ["a", "b"])
    bell.ring("default", "deliver", ["c"], first=True)

    jobs = queue_of(connection, "default").get_jobs()
    assert [job.args[0] for job in jobs] == ["c", "a", "b"]
    assert (bell.waiting("default"), bell.waiting("other"), bell.workers("default")) == (3, 0, 0)
    assert {(job.func_name, job.result_ttl, job.ttl, job.retries_left) for job in jobs} == {("deliver", 0, 3600, None)}


def test_doorbell_asks_as_many_workers_to_make_room_as_go_first(connection):
    bell = Doorbell(connection)

    bell.ring("default", "deliver", ["a"])
    bell.ring("default", "deliver", ["b", "c"], first=True)

    assert [bell.is_hurried("default") for _ in range(3)] == [True, True, False]
    assert bell.is_hurried("other") is False


def test_doorbell_says_so_when_the_queue_is_away():
    bell = Doorbell(connect("unix:///nowhere/valkey.sock"))

    for call in (lambda: bell.waiting("default"), lambda: bell.workers("default"), lambda: bell.ring("default", "deliver", ["a"])):
        with pytest.raises(QueueDown):
            call()


def test_job_runs_only_what_is_allowed_whatever_it_names(connection):
    ran = []
    DoorbellJob.allow("deliver", ran.append)
    stranger = Queue("oms-default", connection=connection, serializer=JSONSerializer)
    stranger.enqueue("os.system", "touch stolen", on_success=Callback("os.getcwd"), on_failure=Callback("os.getcwd"))
    Doorbell(connection).ring("default", "deliver", ["a"])

    bad, good = queue_of(connection, "default").get_jobs()
    good.perform()

    with pytest.raises(CallRefused):
        bad.perform()
    assert (bad.success_callback, bad.failure_callback, bad.stopped_callback, bad.webhooks) == (None, None, None, [])
    assert ran == ["a"]


def test_job_is_json_and_nothing_else(connection):
    Doorbell(connection).ring("default", "deliver", [[[1, "t.one", 1, ["00"]]]])

    (job,) = queue_of(connection, "default").get_jobs()

    assert JSONSerializer.loads(job.data) == ["deliver", None, [[[1, "t.one", 1, ["00"]]]], {}]
