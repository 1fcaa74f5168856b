"""A JD shop on loopback that speaks JOS: signatures, windows, paging, states, refunds, shipments, stock, limits and faults."""

from __future__ import annotations

from plugins.jd.simulator.command import simulator_command
from plugins.jd.simulator.server import Options, Simulator, serve

__all__ = ["Options", "Simulator", "serve", "simulator_command"]
