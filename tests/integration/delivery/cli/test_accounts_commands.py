"""`oms user` and `oms tenant` on a real database."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from core.delivery.cli import main
from core.runtime.security import accounts, passwords
from core.runtime.security.sessions import Device, SignIn, find_signed_in, open_session
from core.runtime.security.vault import Vault, seal, unseal
from core.runtime.tenancy.database import Database
from tests.factories.security import OTHER_PASSWORD

pytestmark = pytest.mark.database
OLD, NEW = (base64.b64encode(bytes([number] * 32)).decode() for number in (1, 2))


@pytest.fixture
def oms(world, monkeypatch, tmp_path):
    monkeypatch.setattr(passwords, "HASH_METHOD", "scrypt:1024:1:1")
    values = {"DATABASE_URL": world.app_url, "QUEUE_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "s" * 40, "MASTER_KEY": f"old:{OLD}"}
    for name, value in {**values, "DATA_DIR": str(tmp_path), "PUBLIC_URL": "https://orders.example.test"}.items():
        monkeypatch.setenv(f"OMS_{name}", value)

    def call(*arguments, code=0):
        result = CliRunner().invoke(main.oms, [*arguments, "--json"], catch_exceptions=False) if code == 0 else None
        if result is None:
            return main.run([*arguments, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.output)

    return call


def test_ensure_admin_prints_the_password_once(oms, world):
    first, second = oms("user", "ensure-admin"), oms("user", "ensure-admin")

    person = SignIn(world.database).check("admin", first["password"], address="10.9.0.1")
    assert (first["login"], second) == ("admin", {"login": "admin"})
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", first["password"])
    assert (person.is_operator, person.must_change) == (True, False)


def test_tenant_is_created_with_an_owner_and_listed(oms):
    oms("user", "create", "lin@silk.example", "--name", "Lin")
    made = oms(
        "tenant",
        "create",
        "silk",
        "Silk Road",
        "--currency",
        "EUR",
        "--locale",
        "en",
        "--timezone",
        "Europe/Rome",
        "--owner",
        "lin@silk.example",
    )
    listed = [row for row in oms("tenant", "list") if row["slug"] == "silk"]
    people = oms("user", "list", "--tenant", "silk")

    assert (made["slug"], made["address"]) == ("silk", "https://orders.example.test/t/silk/")
    assert listed == [{"slug": "silk", "name": "Silk Road", "currency": "EUR", "active": True, "members": 1}]
    assert people == [{"email": "lin@silk.example", "name": "Lin", "active": True, "roles": "owner"}]


def test_member_is_made_invited_and_listed(oms):
    oms("tenant", "create", "paper", "Paper")
    made = oms("user", "create", "bo@paper.example", "--name", "Bo", "--tenant", "paper", "--role", "staff", "--role", "finance")
    oms("user", "create", "cy@paper.example", "--name", "Cy")
    oms("user", "add", "cy@paper.example", "paper", "--role", "read-only")
    invited = oms("user", "invite", "di@paper.example", "paper")

    rows = {row["email"]: row["roles"] for row in oms("user", "list", "--tenant", "paper")}
    everybody = {row["login"]: row["tenants"] for row in oms("user", "list")}
    assert made["login"] == "bo@paper.example"
    assert rows == {"bo@paper.example": "finance, staff", "cy@paper.example": "read-only"}
    assert everybody["cy@paper.example"] == "paper"
    assert invited["link"].startswith("https://orders.example.test/t/paper/join/")


def test_password_command_ends_sign_ins(oms, world):
    oms("user", "create", "eve@x.example", "--name", "Eve")
    now = datetime.now(UTC)
    with world.database.platform() as session:
        person = accounts.find_person(session, "eve@x.example")
        _, secret = open_session(session, person, Device(), now=now)

    fresh = oms("user", "password", "eve@x.example")["password"]

    with world.database.platform() as session:
        assert find_signed_in(session, secret, now=now) is None
    assert SignIn(world.database).check("eve@x.example", fresh, address="10.9.0.2").must_change is True


def test_reset_link_and_switch_work(oms, world):
    oms("user", "create", "fay@x.example", "--name", "Fay")
    link = oms("user", "reset-link", "fay@x.example")["link"]
    with world.database.platform() as session:
        accounts.use_reset_link(session, link.rpartition("/")[2], password=OTHER_PASSWORD, now=datetime.now(UTC))
    gate = SignIn(world.database)

    oms("user", "switch", "fay@x.example", "off")
    off = gate.check("fay@x.example", OTHER_PASSWORD, address="10.9.0.3")
    oms("user", "switch", "fay@x.example", "on")

    assert off is None
    assert gate.check("fay@x.example", OTHER_PASSWORD, address="10.9.0.3").username == "fay@x.example"


def test_unknown_names_fail_and_say_what_helps(oms, capsys):
    assert oms("user", "password", "nobody@x.example", code=1) == 1
    assert oms("tenant", "switch", "nosuch", "off", code=1) == 1
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [one["error"] for one in said] == ["security.account_unknown", "tenancy.unknown"]
    assert "oms user list" in said[0]["message"]


def test_tenant_is_closed_and_opened_again(oms):
    oms("tenant", "create", "shut", "Shut")

    closed, opened = oms("tenant", "switch", "shut", "off"), oms("tenant", "switch", "shut", "on")

    assert (closed["is_active"], opened["is_active"]) == (False, True)


def test_keys_rotate_and_the_old_master_key_can_go(oms, world, monkeypatch):
    oms("tenant", "create", "vault", "Vault")
    database = Database(world.app_url, vault=Vault.from_text(f"old:{OLD}"))
    with database.tenant("vault") as session:
        sealed = seal(session, "p", "kept")

    monkeypatch.setenv("OMS_MASTER_KEY", f"new:{NEW},old:{OLD}")
    rotated = oms("tenant", "rotate-keys", "vault")
    again = oms("tenant", "rotate-keys", "vault", "--master-only")
    fresh = Database(world.app_url, vault=Vault.from_text(f"new:{NEW}"))
    with fresh.tenant("vault") as session:
        opened = unseal(session, "p", sealed)
    for one in (database, fresh):
        one.dispose()

    assert rotated == [{"slug": "vault", "relocked": False, "data_key": 2}]
    assert again == [{"slug": "vault", "relocked": False, "data_key": ""}]
    assert opened == "kept"
