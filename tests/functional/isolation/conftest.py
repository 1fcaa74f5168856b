"""Two tenants with rows in every table. All that the gift shop knows bears a mark that must never be seen in the tea shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text, update
from werkzeug.routing import Rule

from core.domain.customers.service import create_address, create_customer
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from core.engines.configuration import Change, apply_changes
from core.runtime.db.base import metadata
from core.runtime.plugin_host.models import PluginInstance
from core.runtime.security import accounts, invitations
from core.runtime.security.models import LoginSession, Membership
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import Scope
from tests.factories.anything import Filler, tenant_models
from tests.factories.orders import NOON, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up
from tests.fixtures.database import tables_of_tests
from tests.fixtures.floor import HOST, PASSWORD, Floor, Visitor
from tests.fixtures.programs import Program, switch_on, token_program

MARK = "zqcanaryq"
OWN_KIND = "custom.thing"
PLUGINS = ("outbound_webhooks", "notify_inapp")
# What the platform notes for itself while somebody is signed in; checked by tests of their own.
NOTED = frozenset({"login_session", "security_event", "login_throttle", "audit_entry"})


@dataclass
class Walls:
    """The application, what the gift shop has (`theirs`, ids by table), what the tea shop has (`ours`), and who calls."""

    floor: Floor
    theirs: dict[str, list[Any]]
    ours: dict[str, list[Any]]
    secrets: dict[str, str]
    users: list[int]

    @property
    def tea(self) -> Scope:
        return self.floor.world.tea

    @property
    def gift(self) -> Scope:
        return self.floor.world.gift

    def contents(self, scope: Scope, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """A checksum of every tenant table as the tenant sees it."""
        names = [model.__table__.name for model in tenant_models()]
        with self.floor.world.database.unit(scope) as session:
            return _sums(session, {name: f"SELECT * FROM {name} WHERE tenant_id = {scope.tenant_id}" for name in names if name not in without})

    def belongings(self) -> dict[str, Any]:
        """A checksum of all that is the gift shop's: its rows, its place among the tenants, its people's accounts."""
        found = self.contents(self.gift)
        people = ",".join(str(user) for user in self.users)
        queries = {
            "tenant": f"SELECT * FROM tenant WHERE id = {self.gift.tenant_id}",
            "ab_user": f"SELECT * FROM ab_user WHERE id IN ({people})",
            "account": f"SELECT * FROM account WHERE user_id IN ({people})",
            "login_session": f"SELECT * FROM login_session WHERE user_id IN ({people})",
        }
        with self.floor.world.database.platform() as session:
            return found | _sums(session, queries)

    def fill_ours(self) -> dict[str, list[Any]]:
        """Rows of ours in every table that the day of work has left empty; returns ids of ours by table."""
        with self.floor.world.database.unit(self.tea) as session:
            people = session.scalars(select(Membership.user_id)).all()
            filler = Filler(session, self.tea.tenant_id, "ourword", users=list(people), keep_bytes=False)
            filler.figures["bulk_run_row"] = {"state": "done"}
            filler.figures["custom_record"] = {"entity": OWN_KIND}
            for model in tenant_models():
                column = getattr(model, "id", model.tenant_id)
                found = list(session.scalars(select(column).order_by(column)))
                if found:
                    filler.ids[model.__table__.name] = self.ours.get(model.__table__.name, found)
            filler.fill(leave_out=frozenset(filler.ids))
        return filler.ids

    def switch_all_on(self) -> None:
        """Switch on again what a request may have switched off."""
        with self.floor.world.database.unit(self.tea) as session:
            on = set(session.scalars(select(PluginInstance.plugin).where(PluginInstance.state == "enabled")))
        for plugin in sorted(set(PLUGINS) - on):
            switch_on(self.floor, self.tea, plugin)

    def platform(self, *, without: frozenset[str] = NOTED) -> dict[str, Any]:
        """A checksum of every table that belongs to no tenant."""
        owned = {model.__table__.name for model in tenant_models()}
        names = sorted(set(metadata.tables) - owned - without - tables_of_tests())
        with self.floor.world.database.platform() as session:
            return _sums(session, {name: f"SELECT * FROM {name}" for name in names})


def _sums(session: Any, queries: Mapping[str, str]) -> dict[str, Any]:
    """How many rows each query finds, and a checksum of them; asked in one statement, since it is asked often."""
    parts = [
        f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM ({query}) AS t" for name, query in queries.items()
    ]
    return {row[0]: (row[1], row[2]) for row in session.execute(text(" UNION ALL ".join(parts)))}


class Caller:
    """A signed-in browser that sends its token with every form, and signs in again when it was signed out."""

    def __init__(self, floor: Floor, email: str) -> None:
        self.floor, self.email = floor, email
        self.sign_in()

    def sign_in(self) -> None:
        self.browser: Visitor = self.floor.visitor(self.email)
        self.token = self.browser.token("/account/")

    def ask(self, method: str, path: str, form: Mapping[str, Any] | None = None, *, json: Any = None, with_token: bool = True) -> Any:
        headers = {"X-CSRFToken": self.token} if with_token else {}
        body: dict[str, Any] = {"json": json} if json is not None else {"data": form or {}} if method in ("POST", "PUT", "PATCH", "DELETE") else {}
        return self.browser.client.open(path, method=method, base_url=HOST, headers=headers, **body)

    def is_in(self) -> bool:
        return self.browser.get("/account/").status_code == 200


@pytest.fixture(scope="module")
def walls(floor) -> Walls:
    for scope in (floor.world.tea, floor.world.gift):
        for plugin in PLUGINS:
            switch_on(floor, scope, plugin)
        _own_kind(floor, scope)
    users, secrets = _their_people(floor)
    with floor.world.database.unit(floor.world.gift) as session:
        invitation, secrets["join"] = invitations.invite(
            session, floor.system.rights, email=f"{MARK}@guest.example", role_codes=["staff"], now=datetime.now(UTC), by=None
        )
        theirs = Filler(session, floor.world.gift.tenant_id, MARK, users=users)
        theirs.figures["custom_record"] = {"entity": OWN_KIND}
        theirs.fill(leave_out=frozenset({"config_head"}))
        theirs.ids["invitation"].insert(0, invitation.id)
    with floor.world.database.unit(floor.world.tea) as session:
        ours = _our_goods(session)
    made = Walls(floor, theirs.ids, ours, secrets, users)
    with floor.world.database.platform() as session:
        session.execute(update(Tenant).where(Tenant.id == floor.world.gift.tenant_id).values(name=f"{MARK} tenant", timezone="Europe/Paris"))
        secrets["reset"] = accounts.make_reset_link(session, users[0], now=datetime.now(UTC))
        made.theirs["login_session"] = [session.scalar(LoginSession.__table__.select().where(LoginSession.user_id.in_(users)).limit(1))]
    return made


def _own_kind(floor: Floor, scope: Any) -> None:
    """A kind of record of the tenant's own, of one name in both."""
    body = {"key": "thing", "label": "Thing", "label_plural": "Things"}
    note = {"entity": OWN_KIND, "key": "note", "label": "Note", "type": "text"}
    with floor.world.database.unit(scope) as session:
        apply_changes(session, floor.system.kinds, [Change("entity", body), Change("field", note)])


def _their_people(floor: Floor) -> tuple[list[int], dict[str, str]]:
    """Accounts with the mark in their names; one of them has signed in."""
    users = []
    with floor.world.database.platform() as session:
        for number in range(2):
            new = accounts.NewAccount(f"{MARK}{number}@gift.example", f"{MARK} person {number}", PASSWORD)
            users.append(accounts.create_account(session, new).user_id)
    floor.visitor(f"{MARK}0@gift.example")
    return users, {}


def _our_goods(session: Any) -> dict[str, list[Any]]:
    """What a tea shop has after a day of work."""
    shop, house, carrier = make_shop(session), make_warehouse(session), make_carrier(session)
    sku, other = make_sku(session, "TEA-100"), make_sku(session, "TEA-200")
    stock_up(session, sku, house, 100)
    outcomes = accept(session, shop, [order(f"T{number}") for number in range(4)], now=NOON)
    orders = [one.order_id for one in outcomes]
    advance(session, orders, now=NOON)
    shipment = ship(session, ShipmentOrder(orders[0], carrier, "SF100200"), now=NOON)
    customer = create_customer(session, {"name": "Wang Xiaoming", "phone": "13800138000"})
    address = create_address(session, {"customer_id": customer.id, "name": "Wang", "street": "West Lake 1"})
    return {
        "shop": [shop.id], "sku": [sku, other], "warehouse": [house], "carrier": [carrier], "sales_order": orders, "shipment": [shipment],
        "customer": [customer.id], "address": [address.id],
    }  # fmt: skip


@pytest.fixture(scope="module")
def owner(walls) -> Caller:
    return Caller(walls.floor, "owner@tea.example")


@pytest.fixture(scope="module")
def staff(walls) -> Caller:
    return Caller(walls.floor, "staff@tea.example")


@pytest.fixture(scope="module")
def token(walls) -> Program:
    program = token_program(walls.floor, walls.tea, "owner@tea.example")
    program.headers["Cookie"] = "ol_lang=en"
    return program


def leaks(answer: Any) -> bool:
    """Whether anything of the gift shop stands in an answer, in its body or in its headers."""
    said = answer.get_data().lower() + str(answer.headers).lower().encode()
    return MARK.encode() in said


def rules_of(app: Any) -> Iterator[tuple[Rule, str]]:
    """Every rule with each of its methods, but for those that Flask answers by itself."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
            yield rule, method
