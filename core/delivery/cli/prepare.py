"""`oms prepare`: make the roles and the database on a PostgreSQL server of your own."""

from __future__ import annotations

import click
import psycopg
from sqlalchemy import URL, make_url

from config.schema import Settings
from core.delivery.cli.installation import read_installation
from core.delivery.cli.output import NeedsSetUp, json_option, show
from core.kernel.errors import Unavailable
from core.runtime.db.provision import ROLES, make_database, make_roles, mark_leakproof

_SETTING_OF = {"oms_owner": "database_owner_url", "oms_app": "database_url", "oms_relay": "relay_url", "oms_backup": "backup_url"}


class ServerRefused(Unavailable):
    """The server could not be reached, or refused a statement."""

    code = "cli.server_refused"


@click.command(short_help="Make roles and database on a PostgreSQL server of your own.")
@click.option("--admin-url", envvar="PREPARE_ADMIN_URL", required=True, help="The server as its administrator: postgresql://…/postgres.")
@json_option
def command(admin_url: str, as_json: bool) -> None:
    """Make the roles and the database that OMS_DATABASE_URL and its three sisters name, with the passwords they hold.

    Doing it again corrects roles and passwords and leaves the database alone. Passwords reach the server only as verifiers.
    """
    database, passwords = wanted_from(read_installation())
    target = make_url(admin_url).set(drivername="postgresql")
    try:
        with _connect(target) as connection:
            notes = make_roles(connection, passwords)
            exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
            if not exists:
                make_database(connection, database)
        with _connect(target.set(database=database)) as connection:
            notes += mark_leakproof(connection)
    except psycopg.Error as error:
        raise ServerRefused(f"The server said: {str(error).strip()}") from error
    done = f"The database {database} and its roles are {'corrected' if exists else 'ready'}. Next: oms migrate"
    show({"database": database, "notes": notes}, "\n".join([*(f"note: {note}" for note in notes), done]), as_json=as_json)


def wanted_from(settings: Settings) -> tuple[str, dict[str, str]]:
    """The database's name and the roles' passwords, from the addresses in the settings.

    Raises NeedsSetUp when an address is missing, names another role or database, or has no password.
    """
    urls = {role: make_url(getattr(settings, name) or "postgresql://") for role, name in _SETTING_OF.items()}
    wrong = [name.upper() for role, name in _SETTING_OF.items() if urls[role].username != role or not urls[role].password]
    names = {str(url.database) for url in urls.values()}
    if wrong or len(names) != 1:
        raise NeedsSetUp(
            f"Set OMS_{', OMS_'.join(wrong)} to the role's name with a password."
            if wrong
            else f"The addresses name several databases: {', '.join(sorted(names))}."
        )
    return names.pop(), {role: str(urls[role].password) for role in ROLES}


def _connect(url: URL) -> psycopg.Connection:
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True, connect_timeout=10)
