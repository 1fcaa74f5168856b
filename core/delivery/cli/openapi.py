"""`oms openapi`: the description of the REST interface, as a file."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path

import click

from core.delivery.api.openapi import all_parts, build_document, plugins_with_rest
from core.delivery.cli.installation import read_installation
from core.delivery.logs import configure_logging

# Building the application opens no connection, so an embedded database need not run for this.
_NOWHERE = "postgresql+psycopg://localhost/none"


@click.command(short_help="Write the OpenAPI document of the REST interface.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of standard output.")
@click.option("--plugin", "plugins", multiple=True, metavar="ID", help="With the resources of this plugin; may be given several times.")
@click.option("--all-plugins", is_flag=True, help="With the resources of all plugins.")
def command(output: Path | None, plugins: tuple[str, ...], all_plugins: bool) -> None:
    """Write the OpenAPI 3.1 document. The same is served at /api/v1/openapi.json, with the plugins that are on for the business."""
    settings = read_installation()
    configure_logging("warning", settings.log_format)
    app = importlib.import_module("app").create_app(replace(settings, database_url=settings.database_url or _NOWHERE))
    with app.app_context():
        known = plugins_with_rest()
        unknown = sorted(set(plugins) - known)
        if unknown:
            with_rest = ", ".join(sorted(known)) or "none"
            raise click.UsageError(f"These plugins have no REST resources: {', '.join(unknown)}. Those that have: {with_rest}.")
        document = build_document(all_parts(known if all_plugins else plugins))
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    click.echo(f"wrote {output}", err=True)
