"""`oms worker`: handle deliveries."""

from __future__ import annotations

import importlib

import click

from core.delivery.cli.installation import running_installation
from core.runtime.db.role import refuse_powerful_role
from core.runtime.events.processes import serve_worker
from core.runtime.security.boot import refuse_lost_master_key


@click.command(short_help="Handle deliveries of events.")
@click.option("--processes", type=click.IntRange(1, 64), help="Working processes; by default as the settings say.")
@click.option("--lane", default="", help="Name of the queue to serve.")
def command(processes: int | None, lane: str) -> None:
    """Handle deliveries in the foreground until SIGTERM or Ctrl-C; what is under way is finished first."""
    with running_installation() as settings:
        refuse_powerful_role(settings.database_url)
        refuse_lost_master_key(settings.database_url, settings.master_key)
        runtime = importlib.import_module("app").event_runtime(settings, name="oms-worker")
        options = {"lane": lane} if lane else {}
        serve_worker(runtime, processes=processes or settings.worker_processes, **options)
