"""The supervisor with real processes: restarts, signals, output, and that nothing is left behind."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from core.delivery.cli import supervisor as module
from core.delivery.cli.environment import environment_for
from core.delivery.cli.program import Program
from core.delivery.cli.supervisor import StopRequested, Supervisor
from tests.fixtures.servers import ROOT


def program(name: str, code: str) -> Program:
    return Program(name=name, command=(sys.executable, "-u", "-c", textwrap.dedent(code)), env=environment_for([]))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


class FakeServer:
    """A server that notes what happens to it."""

    def __init__(self, diary: list[str], name: str) -> None:
        self.diary, self.name, self.pid = diary, name, None

    def start(self) -> str:
        self.diary.append(f"{self.name} starts")
        self.pid = os.getpid()
        return f"address of {self.name}"

    def stop(self) -> None:
        self.diary.append(f"{self.name} stops")


@pytest.fixture
def out():
    return io.StringIO()


def test_output_bears_the_programs_name_when_a_line_ends_or_the_program_does(out):
    with Supervisor(out=out) as running:
        running.add_program(
            program("web", "import time; print('one'); print('tw', end=''); time.sleep(0.3); print('o'); print('no end', end='')")
        )
        running.run(until=lambda: running.crashes == 1)

    assert out.getvalue().splitlines()[:3] == ["web      | one", "web      | two", "web      | no end"]


def test_program_is_started_again_when_it_ends(out, monkeypatch):
    monkeypatch.setattr(module, "BACKOFF_S", (0.01,))

    with Supervisor(out=out) as running:
        running.add_program(program("web", "import sys; print('here'); sys.exit(7)"))
        running.run(until=lambda: running.crashes == 3)

    assert out.getvalue().count("web      | here\n") == 3
    assert "web      | ended unexpectedly (exit code 7), starting it again in 0.01 s\n" in out.getvalue()


def test_restart_waits_longer_when_a_program_keeps_ending(out, monkeypatch):
    monkeypatch.setattr(module, "BACKOFF_S", (0.01, 0.02, 0.03))

    with Supervisor(out=out) as running:
        running.add_program(program("web", "import os; os.kill(os.getpid(), 9)"))
        running.run(until=lambda: running.crashes == 4)

    waits = [line.rpartition("in ")[2] for line in out.getvalue().splitlines()]
    assert waits == ["0.01 s", "0.02 s", "0.03 s", "0.03 s"]
    assert out.getvalue().count("SIGKILL") == 4


def test_orphans_are_killed_when_their_program_crashes(out, monkeypatch):
    monkeypatch.setattr(module, "BACKOFF_S", (60.0,))
    code = """
        import os, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(child.pid, flush=True)
        os._exit(1)
    """

    with Supervisor(out=out) as running:
        running.add_program(program("web", code))
        running.run(until=lambda: running.crashes == 1)
        orphan = int(out.getvalue().split()[2])

        assert wait_for(lambda: not is_running(orphan))


def test_stop_ends_all_within_ten_seconds_when_a_program_ignores_signals(out):
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(600)"
    polite = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *a: sys.exit(print('bye'))); print('up'); time.sleep(600)"
    with Supervisor(out=out) as running:
        running.add_program(program("stubborn", stubborn))
        running.add_program(program("polite", polite))
        running.run(until=lambda: out.getvalue().count("up") == 2)
        pids = running.pids()
        began = time.monotonic()

    assert time.monotonic() - began < 10
    assert [is_running(pid) for pid in pids.values()] == [False, False]
    assert "polite   | bye" in out.getvalue()


def test_servers_stop_in_reverse_after_the_programs_when_the_context_ends(out):
    diary = []
    with Supervisor(out=out) as running:
        addresses = [running.add_server(name, FakeServer(diary, name)) for name in ("database", "queue")]
        running.add_program(program("web", "import time; time.sleep(600)"))
        web = running.pids()["web"]

    assert addresses == ["address of database", "address of queue"]
    assert diary == ["database starts", "queue starts", "queue stops", "database stops"]
    assert not is_running(web)


def test_server_is_started_again_when_it_has_gone(out):
    diary = []
    server = FakeServer(diary, "database")
    with Supervisor(out=out) as running:
        running.add_server("database", server)
        server.pid = None
        running.run(until=lambda: server.pid is not None)

    assert diary == ["database starts", "database starts", "database stops"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_everything_stops_when_a_signal_comes(out, number):
    with Supervisor(out=out) as running:
        running.add_program(program("web", "import time; time.sleep(600)"))
        web = running.pids()["web"]
        with pytest.raises(StopRequested) as caught:
            running.run(until=lambda: os.kill(os.getpid(), number))

    assert caught.value.signal == number
    assert not is_running(web)
    assert signal.getsignal(number) != module._request_stop


def test_call_returns_what_was_printed_when_the_program_ends(out):
    with Supervisor(out=out) as running:
        result = running.call(program("ask", "import sys; print('{\"a\": 1}'); sys.exit(4)"))

    assert result == (4, '{"a": 1}\n')


def test_call_ends_its_program_when_a_signal_comes(out, tmp_path):
    note = tmp_path / "pid"
    code = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); os.kill(os.getppid(), 15); time.sleep(600)"

    with pytest.raises(StopRequested), Supervisor(out=out) as running:
        running.call(program("ask", code))

    assert not is_running(int(note.read_text()))


def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path):
    code = f"""
        import sys, time
        from pathlib import Path
        from core.delivery.cli.environment import environment_for
        from core.delivery.cli.program import Program
        from core.delivery.cli.supervisor import Supervisor
        from core.runtime.jobs.embedded import EmbeddedValkey
        sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
        with Supervisor() as running:
            running.add_server("queue", EmbeddedValkey(Path({str(tmp_path / "v")!r})))
            running.add_program(Program(name="web", command=sleeper, env=environment_for([])))
            print(*running.pids().values(), flush=True)
            running.run()
    """
    starter = subprocess.Popen([sys.executable, "-u", "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    pids = [int(word) for word in starter.stdout.readline().split()]
    assert [is_running(pid) for pid in pids] == [True, True]

    starter.kill()
    starter.wait()

    assert wait_for(lambda: not any(is_running(pid) for pid in pids))
