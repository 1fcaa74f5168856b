from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

from core.sdk import SystemClock
from plugins.taobao.simulator import FAULTS, simulator_command
from plugins.taobao.simulator.command import faults_from
from plugins.taobao.simulator.running import Simulator
from tests.plugins.taobao.conftest import CREDENTIALS

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The simulator as a process of its own, and the address that it prints."""
    command = [sys.executable, "-m", "plugins.taobao.simulator", "--port", "0", *words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait(timeout=10)


def state(url: str, secret: str) -> dict[str, int]:
    address = url.replace("/router/rest", "/_sim/state")
    with urlopen(Request(address, headers={"X-Simulator-Key": secret}), timeout=10) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_simulator_prints_its_address_and_ends_when_it_is_told_to(sign):
    words = ("--app-key", "1234", "--secret", "s3", "--session", "t3", "--orders", "12", "--seed", "5", "--fault", "slow=0", "throttle")

    with running(*words) as (process, line):
        url = line.removeprefix("Taobao simulator: ")
        facts = state(url, "s3")
        process.send_signal(sign)

        assert process.wait(timeout=10) == 0
    assert url.startswith("http://127.0.0.1:")
    assert facts["orders"] == 12


def test_simulator_refuses_to_start_when_its_port_is_taken():
    with Simulator(CREDENTIALS) as first:
        port = first.url.split(":")[2].split("/")[0]

        result = CliRunner().invoke(simulator_command, ["--port", port, "--orders", "1"])

    assert result.exit_code == 1
    assert f"Port {port}" in result.output


@pytest.mark.parametrize(
    "words", [["--fault", "earthquake"], ["--fault", "slow=often"], ["--orders", "-1"], ["--live", "-2"], ["nonsense"]]
)
def test_simulator_refuses_options_when_they_make_no_sense(words):
    assert CliRunner().invoke(simulator_command, words).exit_code == 2


def test_help_names_every_fault():
    output = CliRunner().invoke(simulator_command, ["--help"]).output

    assert [name for name in FAULTS if name not in output.replace("\n  ", "")] == []


def test_faults_have_their_own_or_a_given_rate_when_named():
    assert faults_from(["slow", "throttle=0.5,html-error"]) == {"slow": None, "throttle": 0.5, "html-error": None}


def test_live_orders_arrive_when_a_rate_is_given():
    simulator = Simulator(CREDENTIALS, orders=3, clock=SystemClock())
    simulator.start(live=50)
    placed = [0]
    try:
        for _ in range(200):
            placed.append(len(simulator.shop.trades))
            if placed[-1] > 6:
                break
            simulator._stopping.wait(0.02)
    finally:
        simulator.close()
    simulator.close()

    assert placed[-1] > 6
