"""`python -m plugins.taobao.simulator`."""

from __future__ import annotations

from plugins.taobao.simulator.command import simulator_command

if __name__ == "__main__":
    simulator_command()
