"""The suite guards itself: something new that it does not cover makes it fail. Here each guard meets what it is there for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from flask import request
from flask_appbuilder import BaseView, expose, has_access
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, text
from sqlalchemy.dialects.postgresql import INTERVAL
from werkzeug.routing import Map, Rule

from core.delivery.web.factory import build_app
from core.delivery.web.marks import tenant_only
from core.delivery.web_composition import web_parts
from core.runtime.security.permissions import MEMBER
from tests.factories.anything import Filler
from tests.fixtures.floor import Floor
from tests.functional.isolation.addresses import id_arguments
from tests.functional.isolation.conftest import Caller
from tests.functional.isolation.test_tables import strangers
from tests.functional.isolation.walks import crossings

pytestmark = [pytest.mark.database, pytest.mark.timeout(300)]


@pytest.mark.parametrize("address", ["/widgets/<uuid:widget_id>", "/widgets/<pk>"])
def test_route_is_refused_when_nobody_says_whose_its_argument_is(walls, address):
    rule = Rule(address, endpoint="WidgetView.show", methods=["GET"])
    Map([rule])

    with pytest.raises(KeyError):
        id_arguments(walls.floor.app, rule)


def test_leaking_pages_are_found_by_id_and_by_search(walls):
    """Pages of somebody who has gone around both walls, by a connection that names the other tenant."""

    def looked_up(query: str, **values: Any) -> str:
        engine = create_engine(walls.floor.world.app_url)
        with engine.connect() as connection:
            connection.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(walls.gift.tenant_id)})
            found = " ".join(connection.execute(text(query), values).scalars())
        engine.dispose()
        return found

    class LeakView(BaseView):
        route_base = "/leak"
        default_view = "find"
        permission_keys: ClassVar[Mapping[str, str]] = {"show": MEMBER, "find": MEMBER, "tell": MEMBER}

        @expose("/<uuid:role_id>", methods=["GET"])
        @has_access
        @tenant_only
        def show(self, role_id: Any) -> str:
            return looked_up("SELECT title FROM role WHERE id = :id", id=role_id)

        @expose("/exists/<uuid:role_id>", methods=["GET"])
        @has_access
        @tenant_only
        def tell(self, role_id: Any) -> str:
            return "yes" if looked_up("SELECT code FROM role WHERE id = :id", id=role_id) else "no"

        @expose("/", methods=["GET"])
        @has_access
        @tenant_only
        def find(self) -> str:
            return looked_up("SELECT title FROM role WHERE starts_with(title, :q) AND :q != ''", q=request.args.get("q", ""))

    parts = web_parts(walls.floor.system)
    parts = replace(parts, register=[*parts.register, lambda builder: builder.add_view_no_menu(LeakView)])
    floor = Floor(walls.floor.world, walls.floor.system, build_app(walls.floor.system.settings, walls.floor.system.database, parts))

    found, shown, asked = crossings(walls, Caller(floor, "owner@tea.example"), floor.app, only="LeakView")

    role = walls.theirs["role"][0]
    assert asked == 4
    assert found == {f"GET /leak/{role}": 200, f"GET /leak/exists/{role}": 200}
    assert sorted(shown) == sorted([f"GET /leak/{role}", "GET /leak/?q=zqcana"])


def test_table_is_noticed_when_it_has_a_tenant_and_no_wall(walls):
    engine = create_engine(walls.floor.world.owner_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE plg_new_thing (tenant_id int, word text)"))
        connection.execute(text("CREATE TABLE unheard_of (word text)"))
    try:
        found = strangers(walls.floor.world.owner_url)
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE plg_new_thing, unheard_of"))
        engine.dispose()

    assert found == ({"plg_new_thing", "unheard_of"}, {"plg_new_thing"})


def test_table_is_refused_when_its_columns_cannot_be_filled(walls):
    table = Table("odd", MetaData(), Column("tenant_id", Integer), Column("lasts", INTERVAL, nullable=False))

    with walls.floor.world.database.unit(walls.gift) as session, pytest.raises(TypeError, match="cannot be made yet"):
        Filler(session, walls.gift.tenant_id, "word", users=walls.users).row(table, 0)
