"""A simulator of the Taobao Open Platform on the loopback interface, for demos, tests and drills."""

from __future__ import annotations

from plugins.taobao.simulator.command import serve, simulator_command
from plugins.taobao.simulator.faults import FAULTS, Limits
from plugins.taobao.simulator.protocol import Credentials
from plugins.taobao.simulator.running import Simulator

__all__ = ["FAULTS", "Credentials", "Limits", "Simulator", "serve", "simulator_command"]
