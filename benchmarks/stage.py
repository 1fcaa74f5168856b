"""What the benchmarks play on: an embedded PostgreSQL that waits for the disk as in production, the schema by its migrations, the whole
application on it, and a tenant with shop, goods and people."""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import make_url

import app as composition
from config.schema import ROOT, Settings
from core.delivery.web_composition import build_app, web_parts
from core.runtime.db.embedded import EmbeddedPostgres, Endpoints
from core.runtime.db.migrate import upgrade
from core.runtime.security import accounts, members, roles
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import Actor, Scope

KEY = base64.b64encode(bytes(range(32))).decode()
PASSWORD = "brass-kettle-hums-91"
HOST = "http://127.0.0.1"
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'oms-bench'"


@dataclass
class Stage:
    """A running system and its only tenant."""

    server: EmbeddedPostgres
    endpoints: Endpoints
    settings: Settings
    system: composition.System
    scope: Scope

    @property
    def database(self) -> Database:
        """The database as this system opens it."""
        return self.system.database

    def raw(self) -> psycopg.Connection:
        """A bare connection as the application's role."""
        return bare(self.endpoints.app_url)

    def owner(self) -> psycopg.Connection:
        """A bare connection as the tables' owner; row-level security does not let it see the tenants' rows without their setting."""
        return bare(self.endpoints.owner_url)

    def keeper(self) -> Any:
        """A connection as the superuser, for VACUUM and ANALYZE."""
        return self.server.superuser(str(make_url(self.endpoints.app_url).database))

    def backends(self) -> list[int]:
        """Process ids of the server's processes that the application's pool is connected to."""
        with self.keeper() as connection:
            found = connection.execute(_BACKENDS)
            return [row[0] for row in found]

    def tidy(self) -> None:
        """Vacuum and analyse everything, so that no side pays for the other's past."""
        with self.keeper() as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def web(self) -> Flask:
        """The web application on this system."""
        return build_app(self.settings, self.database, web_parts(self.system))

    def member(self, email: str, *codes: str) -> int:
        """A person with these roles; returns the account's id."""
        with self.database.platform() as session:
            person = accounts.find_person(session, email)
            name = email.partition("@")[0].title()
            person = person or accounts.create_account(session, accounts.NewAccount(email, name, PASSWORD))
        with self.database.unit(self.scope) as session:
            roles.seed_roles(session)
            members.add_member(session, self.system.rights, person.user_id, role_codes=list(codes))
        return int(person.user_id)


def bare(url: str) -> psycopg.Connection:
    """A bare psycopg connection to an SQLAlchemy address."""
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), prepare_threshold=2)


def settings_for(endpoints: Endpoints, **values: Any) -> Settings:
    """Settings of an installation on this database."""
    return Settings(
        environment="test",
        database_url=endpoints.app_url,
        database_owner_url=endpoints.owner_url,
        relay_url=endpoints.relay_url,
        master_key=f"bench:{KEY}",
        secret_key="bench" * 10,
        login_attempts=1_000,
        **values,
    )


@contextmanager
def server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of our own for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="oms-bench-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stage(cluster: EmbeddedPostgres, name: str, **values: Any) -> Iterator[Stage]:
    """The application on the database `name`, which is made when it is missing."""
    endpoints = cluster.endpoints(name)
    if not _exists(cluster, name):
        cluster.create_database(name)
    settings = settings_for(endpoints, **values)
    system = composition.compose(settings, name="oms-bench")
    upgrade(endpoints.owner_url, system.plugins.host.migration_folders())
    try:
        yield Stage(cluster, endpoints, settings, system, _tenant(system.database))
    finally:
        system.database.dispose()


def _exists(cluster: EmbeddedPostgres, name: str) -> bool:
    with cluster.superuser("postgres") as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def _tenant(database: Database) -> Scope:
    with database.platform() as session:
        tenant = session.query(Tenant).filter(Tenant.slug == "bench").one_or_none()
        if tenant is None:
            tenant = Tenant(slug="bench", name="Bench", currency="CNY", locale="zh", timezone="Asia/Shanghai")
            session.add(tenant)
            session.flush()
        return Scope(tenant.id, "bench", Actor("user", "1", "Bench"))


class Visitor:
    """A browser with its own cookies, without a network between."""

    def __init__(self, application: Flask) -> None:
        self.client = application.test_client()

    def get(self, path: str) -> Any:
        return self.client.get(path, base_url=HOST)

    def sign_in(self, email: str) -> None:
        """Sign in; fails loudly when that does not work."""
        page = self.client.get("/login/", base_url=HOST).text
        token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
        form = {"username": email, "password": PASSWORD, "csrf_token": token[1] if token else ""}
        answer = self.client.post("/login/", base_url=HOST, data=form)
        if answer.status_code not in (302, 303):
            raise RuntimeError(f"sign-in failed: {answer.status_code}")

    @property
    def cookie(self) -> str:
        """The header that carries the sign-in."""
        found = self.client.get_cookie("oms_session", domain=HOST.rpartition("/")[2])
        if found is None:
            raise RuntimeError("nobody has signed in")
        return f"{found.key}={found.value}"


__all__ = ["HOST", "ROOT", "Stage", "Visitor", "bare", "server", "settings_for", "stage"]
