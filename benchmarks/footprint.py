"""How large the processes are and how long a start takes: the whole site as `oms up` runs it, with the embedded servers and no demo.

The cold start makes database, schema and administrator; the warm ones find them. Sizes are proportional set sizes: memory shared by several
processes counts in parts. Of each program the largest process is told, and all of them in the notes. The limit is a bare Flask process
with one template and psycopg loaded.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Figure, Options, report
from benchmarks.stage import ROOT

LARGEST_MIB, LONGEST_S = 120.0, 3.0
STARTS, PATIENCE_S, SETTLE_S = 3, 180.0, 3.0
PROGRAMS = {"serve": "web", "worker": "worker", "relay": "relay"}
_KIB_A_MIB = 1024


class _Site:
    """A program that answers on a port, and its processes."""

    def __init__(self, command: Sequence[str], port: int) -> None:
        self._began = time.perf_counter()
        self._port = port
        # Settings of whoever starts this must not count, nor must Python compile all modules anew each time.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMS_", "PYTHON"))}
        environment["PYTHONPATH"] = str(ROOT)
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", *command], env=environment, cwd=ROOT, stdout=quiet, stderr=quiet
        )

    def wait(self) -> float:
        """Seconds from the start to the first 200 of /readyz."""
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up and self._process.poll() is None:
            if self.get("/readyz") == 200:
                return time.perf_counter() - self._began
            time.sleep(0.02)
        raise RuntimeError("the site did not get ready")

    def get(self, path: str) -> int:
        """The status of a page; 0 while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def processes(self) -> dict[int, list[str]]:
        """The command lines of this program and all processes below it."""
        parents = {pid: _parent(pid) for pid in map(int, filter(str.isdigit, os.listdir("/proc")))}
        found = {self._process.pid}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return {pid: _command(pid) for pid in found}

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def run(options: Options) -> None:
    """Measure starts and sizes."""
    folder = Path(tempfile.mkdtemp(prefix="oms-bench-"))
    folder.chmod(0o711)
    try:
        cold, _sizes = _start(_up(folder), SETTLE_S)
        warm, sizes = zip(*(_start(_up(folder), SETTLE_S) for _ in range(options.rounds(STARTS))), strict=True)
        bare, bare_sizes = zip(*(_start(["benchmarks.barepage"], 0.5) for _ in range(options.rounds(STARTS))), strict=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    limit_mib = statistics.median(max(size["bare"]) for size in bare_sizes)
    limit_s = statistics.median(bare)
    ready = statistics.median(warm)
    figures = [
        Figure("cold start to /readyz", "s", cold, None, None),
        Figure(
            "warm start to /readyz", "s", ready, limit_s, ready / limit_s, LONGEST_S, is_absolute=True,
            spread=(min(warm), max(warm), min(bare), max(bare)), notes={"starts": len(warm)},
        ),
        *(_size(name, sizes, limit_mib) for name in PROGRAMS.values()),
    ]  # fmt: skip
    report("footprint", figures, json=options.json)


def _size(name: str, sizes: Sequence[dict[str, list[float]]], limit: float) -> Figure:
    largest = [max(one[name]) for one in sizes]
    ours = statistics.median(largest)
    every = " ".join(f"{value:.0f}" for value in sorted(sizes[-1][name], reverse=True))
    spread = (min(largest), max(largest))
    return Figure(
        f"PSS of {name}", "MiB", ours, limit, ours / limit, LARGEST_MIB, is_absolute=True, spread=spread, notes={"all_processes": every}
    )


def _up(folder: Path) -> list[str]:
    return ["core.delivery.cli.main", "up", "--no-demo", "--data", str(folder)]


def _start(command: Sequence[str], settle_s: float) -> tuple[float, dict[str, list[float]]]:
    """Start, wait, open a page, look at the sizes once things have settled, stop."""
    with _free_port() as port:
        told = ["--port", str(port)] if "up" in command else [str(port)]
    site = _Site([*command, *told], port)
    try:
        seconds = site.wait()
        site.get("/login/")
        time.sleep(settle_s)
        sizes: dict[str, list[float]] = {}
        for pid, words in site.processes().items():
            name = next((PROGRAMS[word] for word in words if word in PROGRAMS), "bare" if "benchmarks.barepage" in words else "")
            if name:
                sizes.setdefault(name, []).append(_pss(pid))
        return seconds, sizes
    finally:
        site.stop()


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield probe.getsockname()[1]


def _pss(pid: int) -> float:
    """The proportional set size in MiB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / _KIB_A_MIB
    return 0.0


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _command(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []
