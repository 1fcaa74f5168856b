"""The simulator in the foreground: `oms simulator taobao` and `python -m plugins.taobao.simulator`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Any

import click

from plugins.taobao.simulator.faults import FAULTS
from plugins.taobao.simulator.protocol import Credentials
from plugins.taobao.simulator.running import Simulator


def serve(
    credentials: Credentials,
    *,
    port: int,
    orders: int,
    seed: int,
    faults: Mapping[str, float | None],
    live: float = 0.0,
) -> None:
    """Run the simulator until SIGINT or SIGTERM; prints one line with its address when it is ready.

    Port 0 picks a free one. `live` is the number of new orders per second. Call it in the main thread, as signals need it.
    Raises: OSError - the port is taken.
    """
    done = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        done.set()

    simulator = Simulator(credentials, orders=orders, seed=seed, port=port, faults=faults)
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        simulator.start(live=live)
        click.echo(f"Taobao simulator: {simulator.url}")
        done.wait()
    finally:
        simulator.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def faults_from(words: Iterable[str]) -> dict[str, float | None]:
    """The faults that `words` name: NAME for its usual rate, NAME=RATE for a share of the calls, several between commas.

    Raises: click.BadParameter - no such fault, or no rate.
    """
    rates: dict[str, float | None] = {}
    for word in (part.strip() for text in words for part in text.split(",")):
        name, _, rate = word.partition("=")
        if name not in FAULTS:
            raise click.BadParameter(f"{name} is not one of {', '.join(FAULTS)}")
        try:
            rates[name] = float(rate) if rate else None
        except ValueError as error:
            raise click.BadParameter(f"{rate} is not a share between 0 and 1") from error
    return rates


@click.command("taobao", help=f"Simulate the Taobao Open Platform on the loopback interface. Faults: {', '.join(FAULTS)}.")
@click.option("--port", type=click.IntRange(0, 65535), default=8931, show_default=True, help="0 picks a free port.")
@click.option("--app-key", default="12345678", show_default=True)
@click.option("--secret", default="helloworld", show_default=True, help="The app secret.")
@click.option("--session", default="6101700fakesession0000000001", show_default=True, help="The seller's session key.")
@click.option("--orders", type=click.IntRange(0), default=100, show_default=True, help="Orders to begin with.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--fault", "faults", multiple=True, metavar="NAME[=RATE]", help="Switch a fault on; may be repeated.")
@click.option("--live", type=click.FloatRange(0), default=0.0, show_default=True, help="New orders per second.")
@click.argument("more_faults", nargs=-1, metavar="[NAME…]")
def simulator_command(**given: Any) -> None:
    """Simulate the Taobao Open Platform in the foreground; names after the options are further faults."""
    faults = faults_from([*given["faults"], *given["more_faults"]])
    credentials = Credentials(given["app_key"], given["secret"], given["session"])
    try:
        serve(credentials, port=given["port"], orders=given["orders"], seed=given["seed"], faults=faults, live=given["live"])
    except OSError as error:
        raise click.ClickException(f"Port {given['port']}: {error.strerror}") from error
