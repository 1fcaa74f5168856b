"""The embedded Valkey: what its account may do, and that nothing is lost when it is killed."""

from __future__ import annotations

import os
import signal

import pytest
import redis
from rq import Queue, SimpleWorker

from core.runtime.jobs.embedded import EmbeddedValkey
from tests.fixtures.servers import scratch_folder


@pytest.fixture
def server():
    with scratch_folder() as folder, EmbeddedValkey(folder / "data folder") as running:
        yield running


def test_valkey_runs_an_rq_job_when_its_folder_has_a_space(server):
    client = redis.Redis.from_url(server.url)
    queue = Queue("batch", connection=client)

    job = queue.enqueue("os.getpid")
    SimpleWorker([queue], connection=client).work(burst=True)

    assert job.return_value() == os.getpid()


@pytest.mark.parametrize("command", [("CONFIG", "GET", "dir"), ("SHUTDOWN",), ("ACL", "LIST"), ("REPLICAOF", "127.0.0.1", "1"), ("SAVE",)])
def test_valkey_refuses_a_command_when_it_would_administer_the_server(server, command):
    client = redis.Redis.from_url(server.url)

    with pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command)

    assert server.pid is not None


def test_valkey_refuses_a_client_when_it_brings_no_password(server):
    path = server.url.partition("@")[2].partition("?")[0]

    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis.from_url(f"unix://{path}").ping()


def test_valkey_keeps_its_keys_when_it_is_killed_and_started_again(server):
    redis.Redis.from_url(server.url).set("doorbell", "rung")
    before = server.url

    os.kill(server.pid, signal.SIGKILL)
    server.start()

    assert server.url == before
    assert redis.Redis.from_url(server.url).get("doorbell") == b"rung"


def test_valkey_goes_on_when_one_that_joined_stops(server):
    joined = EmbeddedValkey(server.state)
    joined.start()

    joined.stop()

    assert joined.owns_server is False
    assert redis.Redis.from_url(server.url).ping() is True
