"""`oms prepare` on a server that knows nothing of Orderloom, by a superuser and by an administrator with fewer rights."""

from __future__ import annotations

import json

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from config.reading import load_settings
from core.delivery.cli.main import run
from core.delivery.cli.output import NeedsSetUp
from core.delivery.cli.prepare import command, wanted_from
from core.runtime.db.embedded import EmbeddedPostgres
from tests.fixtures.servers import scratch_folder

pytestmark = pytest.mark.database
NAMES = {"OMS_DATABASE_OWNER_URL": "oms_owner", "OMS_DATABASE_URL": "oms_app", "OMS_RELAY_URL": "oms_relay", "OMS_BACKUP_URL": "oms_backup"}


@pytest.fixture
def strange(free_port, monkeypatch, tmp_path):
    """A server whose administrators `super` and `manager` come by TCP, and settings that name it."""
    with scratch_folder() as folder, EmbeddedPostgres(folder, durable=False, tcp_port=free_port) as server:
        with server.superuser("postgres") as connection:
            connection.execute("CREATE ROLE super SUPERUSER LOGIN PASSWORD 'x'")
            connection.execute("CREATE ROLE manager CREATEDB CREATEROLE LOGIN PASSWORD 'x'")
            connection.execute("GRANT CONNECT ON DATABASE postgres TO manager")
            for statement in ("DROP DATABASE orderloom", "DROP ROLE oms_app, oms_relay, oms_backup, oms_owner"):
                connection.execute(statement)
        for variable, role in NAMES.items():
            monkeypatch.setenv(variable, f"postgresql+psycopg://{role}:pw-{role}@127.0.0.1:{free_port}/shop")
        monkeypatch.setenv("OMS_DATA_DIR", str(tmp_path))
        yield f"postgresql://{{}}:x@127.0.0.1:{free_port}/postgres"


def in_shop(strange: str, role: str) -> str:
    return make_url(strange.format(role)).set(password=f"pw-{role}", database="shop").render_as_string(hide_password=False)


def prepare(url: str) -> dict:
    result = CliRunner().invoke(command, ["--admin-url", url, "--json"], catch_exceptions=False)
    return json.loads(result.output)


def test_prepare_makes_roles_that_can_log_in_when_the_server_is_new(strange):
    answer = prepare(strange.format("super"))

    assert answer == {"database": "shop", "notes": []}
    for role in NAMES.values():
        with psycopg.connect(in_shop(strange, role)) as c:
            assert c.execute("SELECT current_user").fetchone() == (role,)


def test_prepare_corrects_a_password_when_it_runs_again(strange, monkeypatch):
    prepare(strange.format("super"))
    url = strange.format("oms_app").replace(":x@", ":other@").replace("/postgres", "/shop")

    monkeypatch.setenv("OMS_DATABASE_URL", url.replace("postgresql://", "postgresql+psycopg://"))
    prepare(strange.format("super"))

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("oms_app",)


def test_prepare_says_what_it_left_out_when_the_administrator_has_fewer_rights(strange):
    answer = prepare(strange.format("manager"))

    assert [note.split(" ")[0] for note in answer["notes"]] == ["oms_backup", "Filters"]
    with psycopg.connect(in_shop(strange, "oms_owner")) as c:
        c.execute("CREATE TABLE thing (i int)")


def test_prepare_fails_with_a_message_when_the_server_is_away(strange, free_port, capsys):
    code = run(["prepare", "--admin-url", "postgresql://super:x@127.0.0.1:1/postgres", "--json"])

    assert code == 1
    assert json.loads(capsys.readouterr().out)["error"] == "cli.server_refused"


def test_wanted_roles_are_refused_when_an_address_names_another(monkeypatch):
    for variable, role in NAMES.items():
        monkeypatch.setenv(variable, f"postgresql+psycopg://{role}:pw@db/shop")
    monkeypatch.setenv("OMS_RELAY_URL", "postgresql+psycopg://postgres:x@db/shop")

    with pytest.raises(NeedsSetUp, match="Set OMS_RELAY_URL to the role's name with a password"):
        wanted_from(load_settings())
