"""`oms settings`: what is set, and the pages made from it."""

from __future__ import annotations

import click

from config import pages
from config.reading import as_variables, public_values
from config.schema import ROOT
from core.delivery.cli.installation import new_keys, read_installation
from core.delivery.cli.output import json_option, show, table


@click.command(short_help="Show the settings; make keys and pages.")
@click.option("--new-keys", "wants_keys", is_flag=True, help="Print fresh values for OMS_SECRET_KEY and OMS_MASTER_KEY instead.")
@click.option("--write-pages", is_flag=True, help="Write docs/reference/settings.md and deploy/.env.example anew instead.")
@json_option
def command(wants_keys: bool, write_pages: bool, as_json: bool) -> None:
    """Show every setting with its value; secrets only as set or not."""
    if wants_keys:
        variables = as_variables(new_keys())
        show(variables, "\n".join(f"{name}={value}" for name, value in variables.items()), as_json=as_json)
        return
    if write_pages:
        for path, text in (("docs/reference/settings.md", pages.reference_page()), ("deploy/.env.example", pages.environment_example())):
            (ROOT / path).write_text(text, encoding="utf-8")
            click.echo(f"wrote {path}")
        return
    values = public_values(read_installation())
    rows = [{"setting": name, "value": " ".join(value) if isinstance(value, tuple) else value} for name, value in values.items()]
    show(values, table(rows, ["setting", "value"]), as_json=as_json)
