"""A newcomer starts Orderloom, a port is taken, the machine kills it, it starts again, Ctrl-C ends it: nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.servers import ROOT, scratch_folder

pytestmark = [pytest.mark.database, pytest.mark.queue]
PATIENCE_S = 120.0


class Terminal:
    """One `oms up` in a terminal of its own, with what it printed."""

    def __init__(self, data: Path, port: int, note: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OMS_")} | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-P", "-m", "core.delivery.cli.main", "up", "--no-demo", "--port", str(port), "--data", str(data)]
        self.note = note
        self.began = time.monotonic()
        with note.open("w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)

    @property
    def text(self) -> str:
        return self.note.read_text()

    def wait_for_address(self) -> str:
        """The address that it prints once it is ready."""
        while time.monotonic() - self.began < PATIENCE_S:
            found = re.search(r"^  Open +(\S+)$", self.text, re.MULTILINE)
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.fail(f"oms up did not get ready:\n{self.text}")


@pytest.fixture
def data() -> Iterator[Path]:
    with scratch_folder() as folder:
        yield folder / "data"


def family_of(pid: int) -> list[int]:
    """The process ids below `pid`, at any depth."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(words[1])
    found, todo = [], [pid]
    while todo:
        mother = todo.pop()
        children = [child for child, parent in parents.items() if parent == mother]
        found += children
        todo += children
    return found


def survivors(pids: list[int], seconds: float) -> list[str]:
    """Command lines of those that still run after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        alive = {pid: _command(pid) for pid in pids}
        left = [text for text in alive.values() if text]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.05)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.mark.timeout(400)
def test_site_comes_up_survives_a_kill_and_leaves_nothing_when_it_is_stopped(data, free_port, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()

        first = Terminal(data, free_port, tmp_path / "first")
        address = first.wait_for_address()

        assert address == f"http://localhost:{free_port + 1}"
        assert f"{free_port} is taken, trying the next" in first.text
        assert urllib.request.urlopen(f"{address}/readyz").status == 200
        assert len(re.findall(r"^  Log in +\S+ +password \S+", first.text, re.MULTILINE)) == 1
        assert json.loads((data / "up.json").read_text()) == {"pid": first.process.pid, "address": address}
        readable = [path.name for path in data.iterdir() if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077]
        assert set(readable) <= {"up.json"}
        second = Terminal(data, free_port, tmp_path / "second")
        assert second.process.wait(30) == 1
        assert f"already runs on {data} at {address}" in second.text

        family = family_of(first.process.pid)
        assert len(family) >= 5
        first.process.kill()
        first.process.wait()
        assert survivors(family, 10.0) == []

    third = Terminal(data, free_port, tmp_path / "third")
    assert third.wait_for_address() == f"http://localhost:{free_port}"
    assert "password" not in third.text.partition("Log in")[2].partition("forgot")[0]
    assert urllib.request.urlopen(f"http://localhost:{free_port}/readyz").status == 200
    family = family_of(third.process.pid)
    began = time.monotonic()
    os.kill(third.process.pid, signal.SIGINT)
    assert third.process.wait(15) == 0
    assert time.monotonic() - began < 10
    assert survivors(family, 0.5) == []
