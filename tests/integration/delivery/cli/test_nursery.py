"""The nursery with real processes: what is born there is the supervisor's own child, and knows only what it is told."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from core.delivery.cli import supervisor as supervising
from core.delivery.cli.environment import environment_for, python_path
from core.delivery.cli.nursery import Nursery
from core.delivery.cli.program import MAIN, Program
from core.delivery.cli.supervisor import Supervisor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a nursery needs Linux")


def simulator(name: str, data: Path, *, preload: tuple[str, ...] = ("core.sdk",), port: int = 0) -> Program:
    words = ("simulator", "jd", "--port", str(port), "--app-key", "k", "--secret", "s", "--session", "t", "--orders", "1", "--seed", "1")
    env = environment_for([("PYTHONPATH", python_path()), ("OMS_DATA_DIR", str(data)), ("OMS_SITE_NAME", name)], without=["HOME"])
    return Program(name=name, command=(sys.executable, "-P", "-m", MAIN, *words), env=env, preload=preload)


def wait_for(out: io.StringIO, running: Supervisor, text: str, times: int) -> None:
    give_up = time.monotonic() + 60
    running.run(until=lambda: out.getvalue().count(text) >= times or time.monotonic() > give_up)
    assert out.getvalue().count(text) == times


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_programs_are_the_supervisors_children_and_stop_with_it_when_born_in_a_nursery(tmp_path):
    out = io.StringIO()
    with Supervisor(out=out) as running, Nursery(python_path()) as nursery:
        running.add_programs([simulator("one", tmp_path), simulator("two", tmp_path)], nursery)
        nursery.close()
        wait_for(out, running, "JD simulator:", 2)
        pids = running.pids()
        told = {name: Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0") for name, pid in pids.items()}
        parents = {parent_of(pid) for pid in pids.values()}
        groups = {os.getpgid(pid) for pid in pids.values()}

    assert list(told) == ["one", "two"]
    assert [words[3:6] for words in told.values()] == [[MAIN.encode(), b"simulator", b"jd"]] * 2
    assert parents == {os.getpid()}
    assert groups == set(pids.values())
    assert [Path(f"/proc/{pid}").exists() for pid in pids.values()] == [False, False]


def test_program_is_started_as_a_python_of_its_own_when_one_born_in_a_nursery_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(supervising, "BACKOFF_S", (0.01,))
    out = io.StringIO()
    with Supervisor(out=out) as running, Nursery(python_path()) as nursery:
        running.add_programs([simulator("one", tmp_path)], nursery)
        nursery.close()
        wait_for(out, running, "JD simulator:", 1)
        first = running.pids()["one"]
        os.kill(first, signal.SIGKILL)
        wait_for(out, running, "JD simulator:", 2)
        second = running.pids()["one"]

    assert first != second
    assert "one      | ended unexpectedly (SIGKILL), starting it again in 0.01 s\n" in out.getvalue()


def test_programs_are_started_in_the_ordinary_way_when_the_nursery_cannot_load_what_they_need(tmp_path):
    out = io.StringIO()
    with Supervisor(out=out) as running, Nursery(python_path()) as nursery:
        running.add_programs([simulator("one", tmp_path, preload=("no_such_module",)), simulator("two", tmp_path)], nursery)
        wait_for(out, running, "JD simulator:", 2)

        assert sorted(running.pids()) == ["one", "two"]


def test_nursery_knows_no_address_and_no_key_when_it_runs(monkeypatch):
    monkeypatch.setenv("OMS_DATABASE_OWNER_URL", "postgresql://secret")

    with Nursery(python_path()) as nursery:
        told = Path(f"/proc/{nursery.pid}/environ").read_bytes()

    assert b"secret" not in told
    assert not Path(f"/proc/{nursery.pid}").exists()
