"""Moving the schema forward: Alembic, one branch for the core and one per plugin, run by the owner role only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text

LOCK_KEY = 7_203_516_118
_HERE = Path(__file__).parent / "migrations"


def config_for(owner_url: str, plugin_folders: Sequence[Path] = ()) -> Config:
    """Alembic's configuration for the core's revisions and those of the given plugins' `migrations` folders."""
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "newline")
    folders = [_HERE / "versions", *(folder for folder in plugin_folders if folder.is_dir())]
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in folders))
    config.attributes["owner_url"] = owner_url
    return config


@contextmanager
def _one_migrator(owner_url: str) -> Iterator[Connection]:
    engine = create_engine(owner_url, connect_args={"options": "-c lock_timeout=5000 -c timezone=UTC"})
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
            connection.commit()
            try:
                yield connection
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
                connection.commit()
    finally:
        engine.dispose()


def upgrade(owner_url: str, plugin_folders: Sequence[Path] = ()) -> list[str]:
    """Bring the schema to the newest revisions; a second call, or a second process at the same time, does nothing more.

    Returns the heads that the database stands at afterwards.
    """
    config = config_for(owner_url, plugin_folders)
    with _one_migrator(owner_url) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
        connection.execute(text("GRANT SELECT ON alembic_version TO oms_app, oms_relay, oms_backup"))
        connection.commit()
        return sorted(MigrationContext.configure(connection).get_current_heads())


def downgrade(owner_url: str, target: str = "base", plugin_folders: Sequence[Path] = ()) -> None:
    """Take the schema back to `target`; for tests and for operators who roll a release back."""
    config = config_for(owner_url, plugin_folders)
    with _one_migrator(owner_url) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, target)


def pending(url: str, plugin_folders: Sequence[Path] = ()) -> list[str]:
    """Heads that the database does not stand at yet; empty when the schema is current. `url` may be any role that can read."""
    scripts = ScriptDirectory.from_config(config_for(url, plugin_folders))
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            present = set(MigrationContext.configure(connection).get_current_heads())
    finally:
        engine.dispose()
    return sorted(set(scripts.get_heads()) - _implied(scripts, present))


def _implied(scripts: ScriptDirectory, present: Iterable[str]) -> set[str]:
    """Revisions that stand when `present` do. Alembic keeps no row for one that another depends on, such as the core's below a plugin's."""
    found: set[str] = set()
    open_ids = [one for one in present if one]
    while open_ids:
        revision_id = open_ids.pop()
        if revision_id in found:
            continue
        found.add(revision_id)
        try:
            revision = scripts.get_revision(revision_id)
        except CommandError:  # of a plugin that is not loaded any more
            continue
        for below in (revision.down_revision, revision.dependencies):
            open_ids += [below] if isinstance(below, str) else below or ()
    return found
