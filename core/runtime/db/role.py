"""The application must not be able to step over row-level security: what its database role may not be."""

from __future__ import annotations

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from core.kernel.errors import Denied, Unavailable

_QUESTIONS = (
    ("is a superuser", "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"),
    ("bypasses row-level security", "SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user"),
    ("may create roles", "SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user"),
    ("owns the database", "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"),
    (
        "owns tables",
        """SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND pg_has_role(c.relowner, 'USAGE'))""",
    ),
    ("may create tables", "SELECT has_schema_privilege('public', 'CREATE')"),
)


class RoleTooPowerful(Denied):
    """The application's database role could step over the walls between tenants."""

    code = "db.role_too_powerful"


class DatabaseAway(Unavailable):
    """The database does not answer."""

    code = "db.away"


def powers_of_role(connection: Connection) -> list[str]:
    """What the connected role may do that the application must not, in words; empty for a role that is safe."""
    return [words for words, question in _QUESTIONS if connection.execute(text(question)).scalar_one()]


def refuse_powerful_role(url: str) -> None:
    """Call at the start of every process that works for tenants, before it forks; opens a connection and closes it again.

    Raises: RoleTooPowerful - names each power; DatabaseAway - the server does not answer.
    """
    engine = create_engine(url, connect_args={"connect_timeout": 10})
    try:
        with engine.connect() as connection:
            powers = powers_of_role(connection)
    except OperationalError as error:
        raise DatabaseAway(f"The database does not answer: {str(error.orig).strip()}") from error
    finally:
        engine.dispose()
    if powers:
        role = engine.url.username
        raise RoleTooPowerful(f"The database role {role} {', '.join(powers)}. Set OMS_DATABASE_URL to the role oms_app.", powers=powers)
