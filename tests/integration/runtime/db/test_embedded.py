"""The embedded PostgreSQL: roles, walls, and starting again after all kinds of ends."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from core.runtime.db import embedded_home
from core.runtime.db.embedded import EmbeddedPostgres
from core.runtime.db.embedded_process import EmbeddedNotPossible
from core.runtime.db.provision import LEAKPROOF
from tests.fixtures.servers import ROOT, scratch_folder

pytestmark = pytest.mark.database
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a server another account.")


def connect(url: str, **more) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), **more)


@pytest.fixture
def folder():
    with scratch_folder() as path:
        yield path


@pytest.fixture
def server(folder):
    with EmbeddedPostgres(folder / "pg", durable=False) as running:
        yield running


def test_roles_have_no_power_over_the_server_when_it_is_new(cluster):
    with cluster.superuser() as connection:
        found = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication FROM pg_roles"
            " WHERE rolname LIKE 'oms%' ORDER BY rolname"
        ).fetchall()

    assert found == [
        ("oms_app", False, False, False, False, False),
        ("oms_backup", False, False, False, True, False),
        ("oms_owner", False, False, False, False, False),
        ("oms_relay", False, False, False, False, False),
    ]


def test_application_role_can_make_no_table_when_it_owns_nothing(cluster):
    with connect(cluster.endpoints().app_url) as connection:
        for statement in ("CREATE TABLE mine (i int)", "CREATE TEMP TABLE mine (i int)", "CREATE SCHEMA mine"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()


def test_superuser_is_refused_when_it_comes_with_a_password_instead_of_as_the_keeper(cluster):
    url = cluster.endpoints().app_url.replace("oms_app:", "postgres:")

    if os.geteuid() == 0:
        code = f"import os, psycopg; os.setuid(54320); psycopg.connect({url.replace('+psycopg', '')!r})"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert 'Peer authentication failed for user "postgres"' in result.stderr
    else:
        with connect(url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("postgres",)


def test_role_is_refused_when_its_password_is_wrong(cluster):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(cluster.endpoints().app_url.replace("oms_app:", "oms_app:x"))


def test_passwords_are_readable_by_their_owner_only_when_stored(cluster):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in cluster.state.iterdir() if path.is_file()}

    assert modes["roles.json"] == 0o600
    assert modes["server.log"] == 0o600


def test_leakproof_marks_are_set_when_a_database_is_created(cluster):
    cluster.create_database("marked")
    try:
        with cluster.superuser("marked") as connection:
            unmarked = [
                name
                for name in LEAKPROOF
                if not connection.execute(
                    "SELECT proleakproof FROM pg_proc WHERE oid = %s::regprocedure", (f"pg_catalog.{name}",)
                ).fetchone()[0]
            ]
    finally:
        cluster.drop_database("marked")

    assert unmarked == []


def test_jsonb_index_is_used_when_row_level_security_is_on(cluster):
    urls = cluster.create_database("walled")
    try:
        with connect(urls.owner_url, autocommit=True) as owner:
            owner.execute("CREATE TABLE thing (tenant int, extra jsonb)")
            owner.execute("CREATE INDEX thing_weight ON thing (tenant, (extra ->> 'weight'))")
            owner.execute("ALTER TABLE thing ENABLE ROW LEVEL SECURITY; ALTER TABLE thing FORCE ROW LEVEL SECURITY")
            owner.execute("CREATE POLICY wall ON thing USING (tenant = nullif(current_setting('app.tenant', true), '')::int)")
            owner.execute("GRANT SELECT ON thing TO oms_app")
        with connect(urls.app_url) as app:
            app.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
            app.execute("SELECT set_config('app.tenant', '1', true)")
            plan = "\n".join(row[0] for row in app.execute("EXPLAIN SELECT 1 FROM thing WHERE extra ->> 'weight' = '31'"))
    finally:
        cluster.drop_database("walled")

    assert "Index Cond: ((tenant = " in plan
    assert "((extra ->> 'weight'::text) = '31'::text))" in plan


def test_text_sorts_by_code_point_when_the_machine_has_another_locale(cluster):
    with connect(cluster.endpoints().app_url) as connection:
        row = connection.execute(
            "SELECT array_agg(v ORDER BY v), lower('ÄÖ') FROM (VALUES ('a'), ('B'), ('ä'), ('中'), ('Z')) AS t(v)"
        ).fetchone()

    assert row == (["B", "Z", "a", "ä", "中"], "äö")


def test_create_database_copies_tables_when_a_template_is_named(cluster):
    urls = cluster.create_database("pattern")
    try:
        with connect(urls.owner_url) as owner:
            owner.execute("CREATE TABLE thing AS SELECT 7 AS i")
        copy = cluster.create_database("copy", template="pattern")
        with connect(copy.owner_url) as owner:
            found = owner.execute("SELECT i FROM thing").fetchall()
    finally:
        cluster.drop_database("copy")
        cluster.drop_database("pattern")

    assert found == [(7,)]


def test_drop_database_succeeds_when_somebody_is_connected_or_it_is_missing(cluster):
    urls = cluster.create_database("busy")

    with connect(urls.app_url) as connection:
        cluster.drop_database("busy")
        cluster.drop_database("busy")

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_start_joins_the_server_when_it_already_runs(server):
    joined = EmbeddedPostgres(server.state, durable=False)

    urls = joined.start()
    joined.stop()

    assert urls == server.endpoints()
    assert (joined.owns_server, joined.pid) == (False, server.pid)
    assert server.pid is not None


def test_rows_survive_when_the_server_is_killed_and_started_again(server):
    with connect(server.endpoints().owner_url) as owner:
        owner.execute("CREATE TABLE thing AS SELECT 7 AS i")
    killed = server.pid

    os.kill(killed, signal.SIGKILL)
    urls = server.start()

    with connect(urls.owner_url) as owner:
        assert owner.execute("SELECT i FROM thing").fetchall() == [(7,)]
    assert server.pid not in (None, killed)


def test_start_succeeds_when_the_lock_names_another_programs_process(server):
    server.stop()
    cluster_folder = server._home.cluster
    lock = cluster_folder / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{cluster_folder}\n1\n5432\n\n\n\nready\n")

    server.start()

    assert server.pid not in (None, os.getpid())


def test_start_makes_the_cluster_when_an_earlier_initdb_was_interrupted(folder):
    half = folder / "pg" / "cluster.part"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    with EmbeddedPostgres(folder / "pg", durable=False) as server:
        running = server.pid

    assert running is not None
    assert not half.exists()


def test_server_ends_when_the_process_that_started_it_is_killed(folder):
    code = (
        "import sys, time; from core.runtime.db.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(sys.argv[1], durable=False); server.start(); print(server.pid, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, folder / "pg"], stdout=subprocess.PIPE, cwd=ROOT)
    pid = int(starter.stdout.readline())

    starter.kill()
    starter.wait()

    assert ended_within(pid, 5.0)


def test_socket_gets_a_short_folder_when_the_path_is_deep(folder):
    deep = folder / ("d" * 60) / ("e e" * 20) / "it's"

    with EmbeddedPostgres(deep, durable=False) as server:
        sockets = server._home.sockets
        with connect(server.endpoints().app_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("oms_app",)

    assert sockets.parent == Path("/tmp")
    assert not sockets.exists()


def test_tcp_port_is_open_on_loopback_only_when_asked_for(folder, free_port):
    with EmbeddedPostgres(folder / "pg", durable=False, tcp_port=free_port) as server:
        url = server.endpoints().app_url.split("@")[0] + f"@127.0.0.1:{free_port}/orderloom"
        with connect(url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


@needs_root
def test_server_runs_as_an_account_without_user_entry_when_root_starts_it(server):
    owner = Path(f"/proc/{server.pid}").stat().st_uid

    assert owner == embedded_home.free_account().uid
    assert server._home.cluster.stat().st_uid == owner


@needs_root
def test_data_and_programs_move_outside_when_root_starts_below_a_private_folder(folder, monkeypatch, tmp_path_factory):
    private = folder / "private"
    private.mkdir(mode=0o700)
    folder.chmod(0o711)
    package = private / "site" / embedded_home.PACKAGE
    shutil.copytree(embedded_home.installed_programs().parent, package / "pginstall18", ignore=shutil.ignore_patterns("*.a", "include"))
    shutil.copytree(
        embedded_home.installed_programs().parents[2] / f"{embedded_home.PACKAGE}.libs", package.parent / f"{package.name}.libs"
    )
    monkeypatch.setattr(embedded_home, "installed_programs", lambda: package / "pginstall18" / "bin")
    monkeypatch.setattr(embedded_home, "OUTSIDE", folder / "outside")

    with EmbeddedPostgres(private / "pg", durable=False) as server:
        with connect(server.endpoints().app_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("oms_app",)
        outside = (private / "pg" / "outside").resolve()
        home = server._home

    assert outside.parent == folder / "outside"
    assert home.cluster == outside / "cluster"
    assert home.programs.is_relative_to(outside)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@needs_root
def test_start_is_refused_when_the_folder_belongs_to_another_user(folder):
    state = folder / "pg"
    state.mkdir()
    os.chown(folder, 54321, 54321)
    code = (
        "import os, sys; from core.runtime.db.embedded import EmbeddedPostgres; import core.runtime.db.embedded_home\n"
        "os.setgid(54321); os.setuid(54321); EmbeddedPostgres(sys.argv[1]).start()"
    )

    result = subprocess.run([sys.executable, "-c", code, state], capture_output=True, text=True, cwd=ROOT, check=False)

    assert f"EmbeddedNotPossible: {state.resolve()} belongs to another user." in result.stderr


def test_start_says_how_to_go_on_when_the_package_is_missing(folder, monkeypatch):
    monkeypatch.setattr(embedded_home, "PACKAGE", "no_such_package")

    with pytest.raises(EmbeddedNotPossible, match="set OMS_DATABASE_URL"):
        EmbeddedPostgres(folder / "pg").start()


def ended_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False
