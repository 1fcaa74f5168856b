"""`oms doctor` on a healthy installation and on broken ones."""

from __future__ import annotations

import json
import socket
from dataclasses import replace

import pytest

from core.delivery.cli import doctor
from core.delivery.cli.installation import read_installation, with_servers
from core.delivery.cli.main import run

pytestmark = [pytest.mark.database, pytest.mark.queue]


@pytest.fixture
def settings(cluster, valkey, tmp_path, free_port):
    return with_servers(read_installation(data_dir=tmp_path, port=free_port), cluster.endpoints(), valkey.url)


def finding(settings, check):
    return next(one for one in doctor.examine(settings) if one.check == check)


def test_checks_pass_when_servers_roles_and_port_are_right(settings):
    findings = {one.check: one.is_ok for one in doctor.examine(settings)}

    assert {name for name, is_ok in findings.items() if not is_ok} <= {"schema", "master key"}
    assert list(findings) == list(doctor.CHECKS)


@pytest.mark.parametrize(
    ("change", "check", "repair"),
    [
        ({"database_url": "postgresql+psycopg://oms_app:x@127.0.0.1:1/orderloom"}, "database", "start it, or correct OMS_DATABASE_URL"),
        ({"relay_url": ""}, "relay", "set OMS_RELAY_URL to the role oms_relay"),
        ({"queue_url": "redis://127.0.0.1:1"}, "queue", "start it, or correct OMS_QUEUE_URL"),
        ({"master_key": "none"}, "master key", "see docs/operations, security.master_key_invalid"),
    ],
)
def test_check_names_the_repair_when_something_is_wrong(settings, change, check, repair):
    found = finding(replace(settings, **change), check)

    assert (found.is_ok, found.repair) == (False, repair)


def test_port_is_wrong_when_another_program_listens_there(settings):
    with socket.socket() as other:
        other.bind(("127.0.0.1", settings.port))
        other.listen()

        found = finding(settings, "port")

    assert (found.is_ok, found.message) == (False, f"Port {settings.port} on 127.0.0.1: Address already in use.")


def test_role_is_refused_when_it_owns_the_database(settings, cluster):
    found = finding(replace(settings, database_url=cluster.endpoints().owner_url), "role")

    assert found.message == "The application's role owns the database, may create tables."


def test_command_prints_json_and_fails_when_a_check_fails(settings, monkeypatch, capsys):
    for name in ("database_url", "queue_url", "relay_url"):
        monkeypatch.setenv(f"OMS_{name.upper()}", getattr(settings, name))
    monkeypatch.setenv("OMS_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("OMS_DATABASE_URL", "postgresql+psycopg://oms_app:x@127.0.0.1:1/orderloom")

    code = run(["doctor", "--json"])

    assert code == 1
    answer = {row["check"]: row["is_ok"] for row in json.loads(capsys.readouterr().out)}
    assert (answer["database"], answer["queue"], answer["python"]) == (False, True, True)
