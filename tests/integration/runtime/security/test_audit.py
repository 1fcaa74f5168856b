"""The audit trail on the real database: what is written, by whom, and that nobody can change it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Mapped

from core.runtime.db.base import Base, TenantOwned, Versioned
from core.runtime.db.rls import wall_statements
from core.runtime.security.audit import CHANGED, AuditFilter, acting_from, entries, record, record_many
from core.runtime.tenancy.scope import Actor, Scope, ScopeMissing
from tests.factories.security import NOON

pytestmark = pytest.mark.database


class AuditedThing(TenantOwned, Versioned, Base):
    """A table of this test, with one of each kind of column."""

    __tablename__ = "test_audited_thing"
    __audited__ = "thing"
    __audit_secret__ = frozenset({"pin"})

    name: Mapped[str]
    price: Mapped[Decimal | None]
    pin: Mapped[str | None]
    sealed: Mapped[bytes | None]


@pytest.fixture(scope="module", autouse=True)
def _table(world):
    engine = create_engine(world.owner_url)
    with engine.begin() as connection:
        AuditedThing.__table__.create(connection, checkfirst=True)
        for statement in wall_statements(["test_audited_thing"]):
            connection.execute(text(statement))
    engine.dispose()


def test_flush_leaves_entries_with_diffs_and_hides_secrets(world):
    scope = Scope(world.tea.tenant_id, "tea", Actor("user", "7", "Wei"), trace="t1")
    with world.database.unit(scope) as session, acting_from(via="jd", address="10.0.0.9"):
        thing = AuditedThing(name="a", price=Decimal("1.50"), pin="1234", sealed=b"x")
        session.add(thing)
        session.flush()
        thing.name, thing.pin, thing.sealed = "b", "9999", b"y"
        session.flush()
        thing.price = Decimal("1.50")
        session.flush()
        session.delete(thing)
        session.flush()
        found = entries(session, AuditFilter(subject_type="thing", subject_id=str(thing.id)))

        assert [(one.action, one.changes) for one in reversed(found)] == [
            ("created", {"name": [None, "a"], "price": [None, "1.50"], "pin": CHANGED, "sealed": CHANGED}),
            ("updated", {"name": ["a", "b"], "pin": CHANGED, "sealed": CHANGED}),
            ("deleted", {"name": ["b", None], "price": ["1.50", None], "pin": CHANGED, "sealed": CHANGED}),
        ]
        assert {(one.actor_kind, one.actor_id, one.actor_label, one.via, one.address, one.trace) for one in found} == {
            ("user", "7", "Wei", "jd", "10.0.0.9", "t1")
        }


def test_entry_is_gone_when_the_transaction_rolls_back(world):
    def fail():
        with world.database.unit(world.tea) as session:
            record(session, "rolled_back", "thing", "1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    with world.database.unit(world.tea) as session:
        assert entries(session, AuditFilter(action="rolled_back")) == []


def test_entries_page_by_key_and_filter_by_time(world):
    with world.database.unit(world.tea) as session:
        record_many(session, "counted", "page", [(number, {"n": [None, number]}) for number in range(5)])
        wanted = AuditFilter(action="counted")
        first = entries(session, wanted, limit=2)
        second = entries(session, wanted, before=first[-1].id, limit=10)

        assert [one.subject_id for one in (*first, *second)] == ["4", "3", "2", "1", "0"]
        assert entries(session, AuditFilter(action="counted", until=NOON.replace(year=2020))) == []
        assert len(entries(session, AuditFilter(action="counted", since=NOON.replace(year=2020)))) == 5


def test_entries_of_other_tenants_stay_hidden(world):
    with world.database.unit(world.gift) as session:
        record(session, "secret_act", "thing", "gift-canary")
    with world.database.unit(world.tea) as session:
        assert entries(session, AuditFilter(action="secret_act")) == []


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"])
def test_application_cannot_change_the_trail(world, statement):
    with world.database.unit(world.tea) as session:
        record(session, "kept", "thing", statement)

    with pytest.raises(ProgrammingError, match="permission denied"), world.database.unit(world.tea) as session:
        session.execute(text(statement))

    with world.database.unit(world.tea) as session:
        assert len(entries(session, AuditFilter(action="kept", subject_id=statement))) == 1


def test_record_needs_a_scope(world):
    with world.database.platform() as session, pytest.raises(ScopeMissing):
        record(session, "x", "thing", "1")
