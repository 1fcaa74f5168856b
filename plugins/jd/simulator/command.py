"""`oms simulator jd`, also `python -m plugins.jd.simulator`."""

from __future__ import annotations

from typing import Any

import click

from plugins.jd.simulator.faults import NAMES
from plugins.jd.simulator.server import Options, Simulator, announce

_DEFAULTS = Options()


@click.command("jd")
@click.option("--port", type=click.IntRange(0, 65535), default=8422, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--app-key", default=_DEFAULTS.app_key, show_default=True, help="The app key that the gateway knows.")
@click.option("--secret", default=_DEFAULTS.secret, show_default=True, help="The app secret that calls are signed with.")
@click.option("--session", default=_DEFAULTS.session, show_default=True, help="The shop's access token.")
@click.option("--orders", type=click.IntRange(0, 1_000_000), default=_DEFAULTS.orders, show_default=True, help="Orders at the start.")
@click.option("--seed", type=int, default=_DEFAULTS.seed, show_default=True, help="The same seed makes the same orders.")
@click.option("--fault", "faults", multiple=True, metavar="NAME[=CHANCE]", help=f"May be repeated: {', '.join(NAMES)}.")
@click.option("--live", type=click.FloatRange(0), default=0.0, show_default=True, help="New orders a second.")
def simulator_command(**options: Any) -> None:
    """Run a JD shop that speaks JOS on this machine, for trials and tests."""
    try:
        announce(Simulator(Options(**options)))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
