"""`oms relay`: wake workers, fire timers, tidy up."""

from __future__ import annotations

import importlib

import click

from core.delivery.cli.installation import running_installation
from core.runtime.db.role import refuse_powerful_role
from core.runtime.events.processes import serve_relay


@click.command(short_help="Wake workers, fire timers and tidy up.")
def command() -> None:
    """Run in the foreground until SIGTERM or Ctrl-C. Several at once do no harm."""
    with running_installation() as settings:
        refuse_powerful_role(settings.relay_url)
        serve_relay(importlib.import_module("app").event_runtime(settings, name="oms-relay"))
