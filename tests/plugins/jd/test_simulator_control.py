"""The simulator's own controls, its life, and its command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plugins.jd.simulator import Options, Simulator
from plugins.jd.simulator.command import simulator_command
from plugins.jd.simulator.control import SECRET_HEADER
from plugins.jd.simulator.live import Life
from tests.plugins.jd.jos import raw

ROOT = Path(__file__).resolve().parents[3]


def control(simulator: Simulator, deed: str, wish: Any = None, *, secret: str | None = None) -> tuple[int, Any]:
    url = simulator.url.replace("/routerjson", f"/_sim/{deed}")
    headers = {SECRET_HEADER: simulator.options.secret if secret is None else secret}
    answer = raw("POST", url, body=json.dumps(wish or {}), headers=headers)
    return answer.status, answer.json()


def test_control_leads_an_order_through_its_life_when_asked(simulate):
    simulator = simulate()
    lines = [{"code": "TEA-LJ-100", "quantity": 2}, {"code": "WARE-GW-WHITE"}]

    _, (placed,) = control(simulator, "place", {"lines": lines, "state": "NOT_PAY"})
    number = {"order": placed["orderId"]}
    steps = [control(simulator, deed, number)[1]["orderState"] for deed in ("pay", "lock", "unlock")]
    _, children = control(simulator, "split", {**number, "parts": [[0], [1]]})
    _, refund = control(simulator, "refund", {"order": children[0]["orderId"]})
    _, decided = control(simulator, "decide_refund", {"refund": refund["id"], "granted": False})

    assert steps == ["WAIT_SELLER_STOCK_OUT", "LOCKED", "WAIT_SELLER_STOCK_OUT"]
    assert [child["parentOrderId"] for child in children] == [placed["orderId"]] * 2
    assert decided["status"] == 2
    assert control(simulator, "order", number)[0] == 404
    assert control(simulator, "orders")[1] == [*control(simulator, "orders", {"states": ["WAIT_SELLER_STOCK_OUT"]})[1]]
    assert control(simulator, "stats")[1] == {"orders": 2, "calls": {}}


def test_control_tells_shipments_and_stock_when_asked(simulate):
    simulator = simulate()

    assert control(simulator, "shipments") == (200, [])
    assert control(simulator, "stock")[1]["TEA-LJ-100"] == 500


def test_control_sets_faults_and_session_when_told(simulate):
    simulator = simulate()

    assert control(simulator, "faults", {"names": ["slow=0.5", "throttle"]}) == (200, {"slow": 0.5, "throttle": 0.1})
    assert control(simulator, "faults") == (200, {"slow": 0.5, "throttle": 0.1})
    assert control(simulator, "session", {"valid": False}) == (200, {"valid": False})
    assert simulator.gateway.is_session_valid is False


@pytest.mark.parametrize("secret", ["", "wrong", "秘密"])
def test_control_is_closed_when_the_secret_is_not_known(simulate, secret):
    simulator = simulate(orders=3)

    status, _ = control(simulator, "place", {}, secret=secret.encode().decode("latin-1"))

    assert (status, len(simulator.shop.orders)) == (403, 3)


@pytest.mark.parametrize(
    ("deed", "wish", "status"),
    [
        ("fly", {}, 404),
        ("pay", {"order": "1"}, 404),
        ("pay", {}, 422),
        ("place", {"count": 0}, 422),
        ("place", {"state": "GONE"}, 422),
        ("place", {"lines": [{"code": "NO-SUCH"}]}, 404),
        ("faults", {"names": ["flood"]}, 422),
        ("stats", [1], 200),
        ("place", [1], 422),
    ],
)
def test_control_refuses_when_the_wish_is_wrong(simulate, deed, wish, status):
    assert control(simulate(), deed, wish)[0] == status


def test_control_says_conflict_when_the_state_forbids_it(simulate):
    simulator = simulate()
    _, (placed,) = control(simulator, "place")

    assert control(simulator, "pay", {"order": placed["orderId"]})[0] == 409


def test_life_brings_orders_and_changes_when_it_goes_on(simulate):
    simulator = simulate(orders=30)
    life = Life(simulator.shop, per_second=1)

    for _ in range(200):
        life.step()

    assert len(simulator.shop.orders) == 230
    assert len(list(simulator.shop.in_state("FINISHED_L"))) > 5


def test_the_command_prints_one_line_and_serves_when_it_is_started():
    command = [sys.executable, "-m", "plugins.jd.simulator", "--port", "0", "--app-key", "K", "--secret", "S", "--session", "T"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*command, "--orders", "12", "--seed", "4"], stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.rsplit(" ", 1)[1].strip()
        request = urllib.request.Request(url.replace("routerjson", "_sim/stats"), data=b"", headers={SECRET_HEADER: "S"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            stats = json.loads(answer.read())
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=10)

    assert line.startswith("JD simulator: http://127.0.0.1:")
    assert (stats, rest, process.returncode) == ({"orders": 12, "calls": {}}, "", 0)


def test_the_command_says_so_when_a_fault_is_unknown():
    result = CliRunner().invoke(simulator_command, ["--port", "0", "--fault", "flood"])

    assert result.exit_code == 1
    assert "there is no fault 'flood'" in result.output


def test_the_command_says_so_when_the_port_is_taken():
    with Simulator(Options(orders=0)) as simulator:
        port = simulator.url.rsplit(":", 1)[1].split("/")[0]
        result = CliRunner().invoke(simulator_command, ["--port", port])

    assert result.exit_code == 1
    assert "in use" in result.output
