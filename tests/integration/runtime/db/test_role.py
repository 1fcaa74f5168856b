"""Processes that work for tenants refuse to start with a role that row-level security does not hold."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from core.runtime.db.role import DatabaseAway, RoleTooPowerful, refuse_powerful_role

pytestmark = pytest.mark.database


def test_application_and_relay_may_start_when_they_own_nothing(cluster):
    assert refuse_powerful_role(cluster.endpoints().app_url) is None
    assert refuse_powerful_role(cluster.endpoints().relay_url) is None


@pytest.mark.parametrize(
    ("attribute", "powers"),
    [
        ("owner_url", ["owns the database", "may create tables"]),
        ("backup_url", ["bypasses row-level security"]),
    ],
)
def test_role_is_refused_with_its_powers_when_it_could_pass_the_walls(cluster, attribute, powers):
    with pytest.raises(RoleTooPowerful) as caught:
        refuse_powerful_role(getattr(cluster.endpoints(), attribute))

    assert caught.value.powers == powers


def test_member_of_the_owner_is_refused_when_it_only_inherits_the_power(cluster):
    with cluster.superuser("postgres") as connection:
        connection.execute("CREATE ROLE sneaky LOGIN PASSWORD 'x' IN ROLE oms_owner")
    sneaky = make_url(cluster.endpoints().app_url).set(username="sneaky", password="x").render_as_string(hide_password=False)
    try:
        with pytest.raises(RoleTooPowerful) as caught:
            refuse_powerful_role(sneaky)
    finally:
        with cluster.superuser("postgres") as connection:
            connection.execute("DROP ROLE sneaky")

    assert caught.value.powers == ["owns the database", "may create tables"]


def test_start_fails_as_unavailable_when_the_database_is_away(free_port):
    with pytest.raises(DatabaseAway):
        refuse_powerful_role(f"postgresql+psycopg://oms_app:x@127.0.0.1:{free_port}/orderloom")
