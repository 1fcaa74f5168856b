"""`oms up`: the whole of Orderloom in one terminal, for development and trials."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from core.delivery.cli.environment import python_path
from core.delivery.cli.nursery import Nursery


@click.command(short_help="Run everything: servers, web, relay and worker.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; the next free one if it is taken.")
@click.option("--no-demo", is_flag=True, help="Make no demo tenants.")
@click.option("--data", "data_dir", type=click.Path(path_type=Path, file_okay=False), help="Folder for the embedded servers and keys.")
def command(port: int | None, no_demo: bool, data_dir: Path | None) -> None:
    """Run Orderloom in the foreground until Ctrl-C: embedded servers where no others are set, web, relay and worker.

    Asks nothing. The first start makes an administrator and two demo tenants; the next ones take seconds.
    """
    given = {"port": port, "data_dir": data_dir.resolve() if data_dir else None}
    # The nursery imports the application while this process imports what it needs itself, and starts the servers.
    with Nursery(python_path()) as nursery:
        site = importlib.import_module("core.delivery.cli.site")
        site.bring_up({name: value for name, value in given.items() if value is not None}, nursery, demo=not no_demo)
