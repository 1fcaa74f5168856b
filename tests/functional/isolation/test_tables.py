"""Every tenant table, with and without the ORM, as the application's role in the tea shop: the gift shop's rows are not there.

New tables are covered by themselves: they are found by reflection, and one that is not walled, or whose words are not marked, fails here.
"""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import create_engine, delete, func, insert, inspect, select, text, update
from sqlalchemy.exc import ProgrammingError

from core.runtime.db.base import TenantOwned
from core.runtime.tenancy.scope import ScopeMissing
from core.runtime.tenancy.session import ForeignRow
from tests.factories.anything import tenant_models, text_columns
from tests.functional.isolation.conftest import MARK

pytestmark = pytest.mark.database

MODELS = tenant_models()
NAMES = [model.__table__.name for model in MODELS]
OWNED = [model for model in MODELS if issubclass(model, TenantOwned)]
REFUSED = "42501"  # insufficient_privilege: what row-level security and missing grants answer

# Tables that belong to the platform, each with the reason why it is not behind the wall.
PLATFORM = {
    "account": "an account exists once for all tenants",
    "ab_user": "an account exists once for all tenants",
    "login_session": "a sign-in belongs to an account",
    "login_throttle": "counts attempts per address and account, before any tenant is known",
    "password_reset": "belongs to an account",
    "security_event": "what happened to accounts outside every tenant",
    "tenant": "the list of tenants itself; pages show only those of one's memberships",
    "plugin_package": "what the installation has, the same for all tenants",
    "vault_canary": "proves that a master key is the one of yesterday",
    "alembic_version": "the state of the schema",
}
# Tables of Flask-AppBuilder that nothing uses: roles and permissions are rows of tenants.
UNUSED_PREFIX = "ab_"


@pytest.fixture
def ours(walls):
    with walls.floor.world.database.unit(walls.tea) as session:
        yield session
        session.rollback()


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_rows_of_the_other_tenant_cannot_be_read(walls, ours, model):
    table, their_tenant = model.__table__, walls.gift.tenant_id

    by_orm = ours.scalars(select(model.tenant_id)).all()
    by_core = ours.connection().execute(select(table.c.tenant_id)).scalars().all()
    asked_for = ours.connection().execute(select(func.count()).select_from(table).where(table.c.tenant_id == their_tenant)).scalar()
    in_words = ours.execute(text(f"SELECT count(*) FROM {table.name} AS t WHERE t::text LIKE '%{MARK}%'")).scalar()

    assert set(by_orm) | set(by_core) <= {walls.tea.tenant_id}
    assert (asked_for, in_words) == (0, 0)


@pytest.mark.parametrize("model", OWNED, ids=[model.__table__.name for model in OWNED])
def test_row_of_the_other_tenant_is_not_found_by_its_id(walls, ours, model):
    theirs = walls.theirs[model.__table__.name][0]

    assert ours.get(model, theirs) is None
    assert ours.scalars(select(model).where(model.id == theirs)).all() == []
    assert ours.execute(text(f"SELECT * FROM {model.__table__.name} WHERE id = :id"), {"id": theirs}).all() == []


def _try(walls, model, statement, *, keep=False):
    """How many rows the tea shop's transaction touches; none where the table can only grow."""
    with walls.floor.world.database.unit(walls.tea) as session:
        try:
            touched = session.execute(statement.execution_options(synchronize_session=False)).rowcount
        except ProgrammingError as error:
            if not (model.__append_only__ and error.orig.sqlstate == REFUSED):
                raise
            session.rollback()
            return 0
        if not keep:
            session.rollback()
        return touched


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_rows_of_the_other_tenant_cannot_be_changed_or_deleted(walls, model):
    table, their_tenant = model.__table__, walls.gift.tenant_id
    before = walls.contents(walls.gift)
    column = next(column.name for column in table.columns if column.name not in ("tenant_id", "id"))
    aimed = [
        update(model).where(model.tenant_id == their_tenant).values({column: getattr(model, column)}),
        update(table).where(table.c.tenant_id == their_tenant).values({column: table.c[column]}),
        delete(model).where(model.tenant_id == their_tenant),
        delete(table).where(table.c.tenant_id == their_tenant),
        text(f"UPDATE {table.name} SET {column} = {column} WHERE tenant_id = {their_tenant}"),
        text(f"DELETE FROM {table.name} WHERE tenant_id = {their_tenant}"),
    ]
    at_all = [update(model).values({column: getattr(model, column)}), update(table).values({column: table.c[column]})]

    touched = [_try(walls, model, statement) for statement in aimed]
    for statement in at_all:
        _try(walls, model, statement, keep=True)

    assert touched == [0] * len(aimed)
    assert walls.contents(walls.gift) == before


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_row_cannot_be_written_for_the_other_tenant(walls, model):
    table, their_tenant = model.__table__, walls.gift.tenant_id
    with walls.floor.world.database.unit(walls.gift) as session:
        row = session.connection().execute(select(table).limit(1)).mappings().one()
    values = {**row, "tenant_id": their_tenant}
    before = walls.contents(walls.gift)

    with walls.floor.world.database.unit(walls.tea) as session, pytest.raises(ProgrammingError) as refused:
        session.connection().execute(insert(table), [values])
    if "tenant_id" in {column.key for column in inspect(model).mapper.column_attrs}:
        with walls.floor.world.database.unit(walls.tea) as session:
            session.add(model(tenant_id=their_tenant))
            with pytest.raises(ForeignRow):
                session.flush()
            session.rollback()

    assert refused.value.orig.sqlstate == REFUSED
    assert MARK not in str(refused.value.orig)
    assert walls.contents(walls.gift) == before


def test_row_cannot_be_given_to_the_other_tenant(walls):
    before = walls.contents(walls.gift)

    for name in ("sku", "sales_order", "shop"):
        with walls.floor.world.database.unit(walls.tea) as session, pytest.raises(ProgrammingError) as refused:
            session.execute(text(f"UPDATE {name} SET tenant_id = {walls.gift.tenant_id}"))
        assert refused.value.orig.sqlstate == REFUSED

    assert walls.contents(walls.gift) == before


def test_foreign_keys_do_not_reach_over_the_wall(walls):
    values = {"customer": "customer_id", "shop": "shop_id"}

    for name, column in values.items():
        with walls.floor.world.database.unit(walls.tea) as session, pytest.raises(Exception, match="fk_sales_order") as refused:
            session.execute(text(f"UPDATE sales_order SET {column} = :id"), {"id": walls.theirs[name][0]})
        assert (refused.value.orig.sqlstate, MARK in str(refused.value.orig)) == ("23503", False)


# Columns whose words decide what a row is, so the suite gives them words that mean something.
FIXED = {"custom_record.entity"}


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_nothing_is_there_without_a_tenant(walls, model):
    with walls.floor.world.database.platform() as session:
        with pytest.raises(ScopeMissing):
            session.scalars(select(model)).all()
        assert session.execute(text(f"SELECT count(*) FROM {model.__table__.name}")).scalar() == 0


def test_setting_of_the_tenant_ends_with_the_transaction(walls):
    """A connection that goes back to the pool must not remember for whom it worked."""
    with walls.floor.world.database.unit(walls.gift) as session:
        connection = session.connection()
        assert connection.execute(text("SELECT count(*) FROM sku")).scalar() == 2

    with walls.floor.world.database.engine.connect() as plain:
        assert plain.execute(text("SELECT current_setting('app.tenant', true)")).scalar() in (None, "")
        assert plain.execute(text("SELECT count(*) FROM sku")).scalar() == 0


def test_words_of_the_other_tenant_stand_in_every_column_that_can_hold_words(walls):
    """Without this the tests above could pass because there is nothing to be seen."""
    plain, unmarked, closed = {}, [], []
    with walls.floor.world.database.unit(walls.gift) as session:
        for model in MODELS:
            table = model.__table__
            for column, reason in text_columns(table):
                where = f"{table.name}.{column.name}"
                found = session.execute(text(f"SELECT encode(convert_to({column.name}::text, 'UTF8'), 'escape') FROM {table.name}")).scalars().all()
                marked = any(MARK in str(value) or MARK.encode().hex() in str(value) for value in found)
                plain[where] = marked
                if reason:
                    closed.append(where)
                elif not marked and where not in FIXED:
                    unmarked.append(where)

    assert unmarked == []
    assert len([where for where, marked in plain.items() if marked]) >= 200
    assert not [where for where in closed if plain[where]]


def strangers(owner_url):
    """Tables that nothing here knows, and tables with a tenant that are not among the walled ones."""
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        with_tenant = {name for name in tables if "tenant_id" in {one["name"] for one in inspect(connection).get_columns(name)}}
    engine.dispose()
    unknown = {name for name in tables - set(NAMES) if name not in PLATFORM and not name.startswith(UNUSED_PREFIX)}
    return unknown, with_tenant ^ set(NAMES)


def test_every_table_is_walled_or_belongs_to_the_platform(walls):
    assert strangers(walls.floor.world.owner_url) == (set(), set())


def _rows(walls, query: str):
    engine = create_engine(walls.floor.world.owner_url)
    try:
        with engine.connect() as connection:
            result = connection.execute(text(query))
            rows = result.all() if result.returns_rows else []
            connection.commit()
            return rows
    finally:
        engine.dispose()


def test_every_tenant_table_has_its_policies_and_they_are_forced(walls):
    flags = {
        row.relname: (row.relrowsecurity, row.relforcerowsecurity)
        for row in _rows(walls, "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relkind IN ('r', 'p')")
    }
    policies: dict[str, set] = {}
    for row in _rows(walls, "SELECT tablename, policyname, cmd, roles::text AS roles, permissive FROM pg_policies WHERE schemaname = 'public'"):
        policies.setdefault(row.tablename, set()).add((row.policyname, row.cmd, row.roles, row.permissive))
    wanted = {}
    for model in MODELS:
        wanted[model.__table__.name] = {("tenant_wall", "ALL", "{oms_app}", "PERMISSIVE")}
        if model.__relay__:
            wanted[model.__table__.name].add(("relay_door", "ALL", "{oms_relay}", "PERMISSIVE"))
        if model.__own_rows__:
            wanted[model.__table__.name].add(("own_rows", "SELECT", "{oms_app}", "PERMISSIVE"))

    assert {name: flags[name] for name in NAMES} == dict.fromkeys(NAMES, (True, True))
    assert policies == wanted


def test_policies_compare_the_tenant_and_nothing_else(walls):
    found = {
        (row.qual, row.with_check)
        for row in _rows(walls, "SELECT qual, with_check FROM pg_policies WHERE schemaname = 'public' AND policyname = 'tenant_wall'")
    }

    assert len(found) == 1
    [(reads, writes)] = found
    assert reads == writes
    assert reads.replace(" ", "") == "(tenant_id=(NULLIF(current_setting('app.tenant'::text,true),''::text))::integer)"


def test_roles_have_no_right_that_goes_around_the_walls(walls):
    query = """SELECT c.relname, r.rolname, p.privilege
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'public'
        CROSS JOIN unnest(ARRAY['oms_app', 'oms_relay', 'oms_backup', 'public']) AS r (rolname)
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) AS p (privilege)
        WHERE c.relkind IN ('r', 'p') AND has_table_privilege(r.rolname, c.oid, p.privilege)"""
    held = {(row.relname, row.rolname, row.privilege) for row in _rows(walls, query)}
    relay = {name for name, role, _privilege in held if role == "oms_relay"} & set(NAMES)
    app_changes = {name for name, role, privilege in held if role == "oms_app" and privilege in ("UPDATE", "DELETE")}

    assert [one for one in held if one[2] in ("TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")] == []
    assert [one for one in held if one[1] == "public"] == []
    assert {privilege for _name, role, privilege in held if role == "oms_backup"} == {"SELECT"}
    assert relay == {model.__table__.name for model in MODELS if model.__relay__}
    assert {model.__table__.name for model in MODELS if model.__append_only__} & app_changes == set()


def test_application_role_is_no_owner_and_bypasses_nothing(walls):
    roles = {row.rolname: row for row in _rows(walls, "SELECT * FROM pg_roles WHERE rolname LIKE 'oms_%'")}
    owned = _rows(walls, "SELECT relname FROM pg_class WHERE relowner IN (SELECT oid FROM pg_roles WHERE rolname IN ('oms_app', 'oms_relay'))")
    members = _rows(walls, "SELECT 1 FROM pg_auth_members WHERE member IN (SELECT oid FROM pg_roles WHERE rolname IN ('oms_app', 'oms_relay'))")

    for name in ("oms_app", "oms_relay"):
        role = roles[name]
        assert (role.rolsuper, role.rolbypassrls, role.rolcreaterole, role.rolcreatedb, role.rolreplication) == (False,) * 5
    assert (owned, members) == ([], [])


def test_unique_rules_and_references_of_tenant_tables_begin_with_the_tenant(walls):
    wrong = []
    for model in MODELS:
        table = model.__table__
        wrong += [index.name for index in table.indexes if index.unique and next(iter(index.columns)).name != "tenant_id"]
        for constraint in table.constraints:
            names = [column.name for column in getattr(constraint, "columns", ())]
            if type(constraint).__name__ in ("UniqueConstraint", "PrimaryKeyConstraint") and names[:1] != ["tenant_id"]:
                wrong.append(constraint.name)
        for reference in table.foreign_key_constraints:
            target = reference.referred_table.name
            if target in NAMES and reference.column_keys[:1] != ["tenant_id"]:
                wrong.append(reference.name)
            if target not in NAMES and target != "ab_user":
                wrong.append(reference.name)

    assert wrong == []


def test_statistics_of_walled_tables_are_hidden_from_the_application(walls):
    _rows(walls, "ANALYZE")
    names = ", ".join(f"'{name}'" for name in NAMES)

    with walls.floor.world.database.unit(walls.tea) as session:
        assert session.execute(text(f"SELECT count(*) FROM pg_stats WHERE tablename IN ({names})")).scalar() == 0


def test_views_and_functions_do_not_reach_around_the_walls(walls):
    views = _rows(walls, "SELECT relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = 'public' AND relkind IN ('v', 'm')")
    functions = _rows(walls, "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace")

    assert (views, functions) == ([], [])


def test_relay_sees_no_table_but_its_own(walls):
    relay_tables = {model.__table__.name for model in MODELS if model.__relay__}
    with psycopg.connect(walls.floor.world.relay_url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as connection:
        seen = {}
        for name in NAMES:
            try:
                seen[name] = connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            except psycopg.errors.InsufficientPrivilege:
                continue

    assert set(seen) == relay_tables


@pytest.fixture
def opened(walls):
    """The tea shop's session while the database's own wall is down, so that only the ORM's stands."""
    engine = create_engine(walls.floor.world.owner_url)

    def switch(what):
        with engine.begin() as connection:
            for name in NAMES:
                connection.execute(text(f"ALTER TABLE {name} {what} ROW LEVEL SECURITY"))

    switch("DISABLE")
    try:
        with walls.floor.world.database.unit(walls.tea) as session:
            yield session
            session.rollback()
    finally:
        switch("ENABLE")
        engine.dispose()


def test_orm_finds_changes_and_deletes_only_own_rows_when_the_database_lets_it(walls, opened):
    seen, touched, loaded = {}, {}, {}
    for model in MODELS:
        name, theirs = model.__table__.name, walls.gift.tenant_id
        seen[name] = set(opened.scalars(select(model.tenant_id))) - {walls.tea.tenant_id}
        column = next(column.name for column in model.__table__.columns if column.name not in ("tenant_id", "id"))
        aimed = (update(model).where(model.tenant_id == theirs).values({column: getattr(model, column)}), delete(model).where(model.tenant_id == theirs))
        for statement in aimed:
            try:
                with opened.begin_nested():
                    found = opened.execute(statement.execution_options(synchronize_session=False)).rowcount
            except ProgrammingError as error:
                if not (model.__append_only__ and error.orig.sqlstate == REFUSED):
                    raise
                continue
            touched[name] = touched.get(name, 0) + found
        if model in OWNED and (walls.theirs[name][0] is not None):
            loaded[name] = opened.get(model, walls.theirs[name][0])
    walled_off = opened.execute(text(f"SELECT count(*) FROM sales_order WHERE tenant_id = {walls.gift.tenant_id}")).scalar()

    assert walled_off > 0, "the wall is not down, so this proves nothing"
    assert {name: rows for name, rows in seen.items() if rows} == {}
    assert {name: count for name, count in touched.items() if count} == {}
    assert {name: row for name, row in loaded.items() if row is not None} == {}
