"""`oms migrate`: bring the schema up to date."""

from __future__ import annotations

import click

from core.delivery.cli.installation import running_installation
from core.delivery.cli.output import NeedsSetUp, json_option, show
from core.delivery.cli.plugin_folders import migration_folders
from core.runtime.db.migrate import upgrade


@click.command(short_help="Bring the schema up to date.")
@json_option
def command(as_json: bool) -> None:
    """Run all migrations that have not run, as the owner of the tables. Doing it again, or twice at once, does no harm."""
    with running_installation() as settings:
        if not settings.database_owner_url:
            raise NeedsSetUp("Migrations run as the owner of the tables: set OMS_DATABASE_OWNER_URL to the role oms_owner.")
        heads = upgrade(settings.database_owner_url, migration_folders(settings))
    show({"heads": heads}, f"The schema is up to date ({', '.join(heads) or 'no revisions'}).", as_json=as_json)
