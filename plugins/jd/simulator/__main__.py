"""`python -m plugins.jd.simulator`."""

from __future__ import annotations

from plugins.jd.simulator.command import simulator_command

simulator_command()
