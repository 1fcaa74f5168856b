"""Direct statements: order, results and errors are those of a statement sent the ordinary way, also when several are under way."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.domain.catalog.models import Sku
from core.engines.metadata.search import SearchToken
from core.kernel.ids import new_id
from core.runtime.db.bulk import find_soon, insert_rows, update_rows
from core.runtime.db.direct import fetch, later, together

pytestmark = pytest.mark.database


class Stop(Exception):
    """What somebody inside the block raises."""


def run_together(session, *parts):
    with together(session):
        for part in parts:
            part()


def undo_together(session, *parts):
    with session.begin_nested():
        run_together(session, *parts)


def stop():
    raise Stop


@pytest.fixture
def unit(world):
    with world.database.unit(world.tea) as session:
        savepoint = session.begin_nested()
        yield session
        savepoint.rollback()


def sku(code, **values):
    return {"id": new_id(), "code": code, "title": values.pop("title", code), **values}


def codes(session):
    return list(session.scalars(select(Sku.code).order_by(Sku.code)))


def test_look_up_sees_earlier_writes_when_both_travel_together(unit):
    with together(unit):
        insert_rows(unit, Sku, [sku("A")])
        before = find_soon(unit, Sku, ("code",), {"code": ["A", "B"]})
        insert_rows(unit, Sku, [sku("B")])
        after = find_soon(unit, Sku, ("code",), {"code": ["A", "B"]}, order_by="code")

    assert [row.code for row in before] == ["A"]
    assert [row.code for row in after] == ["A", "B"]


def test_ordinary_query_sees_earlier_writes_when_they_are_under_way(unit):
    with together(unit):
        insert_rows(unit, Sku, [sku("A")])
        seen = codes(unit)
        update_rows(unit, Sku, [{"code": "A", "title": "Tea"}], keys=("code",))
        title = unit.scalar(select(Sku.title).where(Sku.code == "A"))

    assert (seen, title) == (["A"], "Tea")


def test_rows_reach_then_in_order_when_it_sends_more(unit):
    told = []

    with together(unit):
        later(unit, "SELECT 1 AS n", {}, then=lambda rows: told.append(rows[0].n))
        later(unit, "SELECT 2 AS n", {}, then=lambda _rows: later(unit, "SELECT 4 AS n", {}, then=lambda rows: told.append(rows[0].n)))
        later(unit, "SELECT 3 AS n", {}, then=lambda rows: told.append(rows[0].n))

    assert told == [1, 3, 4]


def test_error_names_the_failing_statement_when_others_follow(unit):
    same = sku("A")
    parts = [lambda row=row: insert_rows(unit, Sku, [row]) for row in (sku("B"), same, same)]

    with pytest.raises(IntegrityError) as caught:
        undo_together(unit, *parts, lambda: later(unit, "SELECT 1 AS n", {}))

    assert caught.value.orig.diag.constraint_name == "pk_sku"
    assert caught.value.statement.startswith("INSERT INTO sku ")
    assert codes(unit) == []


def test_error_names_the_failing_statement_when_a_different_one_was_sent_after_it(unit):
    with pytest.raises(DBAPIError) as caught:
        undo_together(unit, lambda: later(unit, "SELECT 1 / 0 AS n", {}), lambda: later(unit, "SELECT 2 AS n", {}))

    assert caught.value.statement == "SELECT 1 / 0 AS n"


def test_transaction_goes_on_when_a_savepoint_inside_the_block_is_rolled_back(unit):
    with together(unit):
        insert_rows(unit, Sku, [sku("A")])
        savepoint = unit.begin_nested()
        insert_rows(unit, Sku, [sku("B")])
        savepoint.rollback()
        insert_rows(unit, Sku, [sku("C")])

    assert codes(unit) == ["A", "C"]


def test_session_is_usable_when_code_inside_the_block_raises(unit):
    with pytest.raises(Stop):
        undo_together(unit, lambda: insert_rows(unit, Sku, [sku("A")]), stop)

    insert_rows(unit, Sku, [sku("B")])
    assert codes(unit) == ["B"]


def test_block_is_left_in_order_when_a_listener_refuses_a_statement(world, unit):
    def refuse(_connection, _cursor, statement, *_rest):
        if "forbidden" in statement:
            stop()

    event.listen(world.database.engine, "before_cursor_execute", refuse)
    try:
        with pytest.raises(Stop):
            undo_together(unit, lambda: insert_rows(unit, Sku, [sku("A")]), lambda: later(unit, "SELECT 1 AS forbidden", {}))
    finally:
        event.remove(world.database.engine, "before_cursor_execute", refuse)

    assert fetch(unit, "SELECT 1 AS n", {})[0].n == 1
    assert codes(unit) == []


_END = "SELECT pg_terminate_backend(pg_backend_pid())"


def _use(world, work):
    with world.database.unit(world.tea) as session:
        return work(session)


def test_lost_connection_is_told_and_replaced_when_statements_are_under_way(world):
    with pytest.raises(DBAPIError) as caught:
        _use(world, lambda session: run_together(session, lambda: later(session, _END, {}), lambda: insert_rows(session, Sku, [sku("A")])))

    assert caught.value.connection_invalidated
    assert _use(world, codes) == []


def test_lost_connection_is_told_and_replaced_when_one_statement_runs_alone(world):
    with pytest.raises(DBAPIError) as caught:
        _use(world, lambda session: fetch(session, _END, {}))

    assert caught.value.connection_invalidated
    assert _use(world, codes) == []


def test_rows_are_locked_when_a_look_up_says_so(world):
    with world.database.unit(world.tea) as session:
        insert_rows(session, Sku, [sku("B"), sku("A")])

    with world.database.unit(world.tea) as first:
        with together(first):
            held = find_soon(first, Sku, ("code",), {"code": ["B", "A"]}, order_by="code", lock=True)
        with world.database.unit(world.tea) as second:
            free = second.scalars(select(Sku.code).with_for_update(skip_locked=True)).all()

    assert [row.code for row in held] == ["A", "B"]
    assert free == []


def test_other_tenants_rows_stay_hidden_when_statements_are_sent_directly(world):
    with world.database.unit(world.gift) as session:
        insert_rows(session, Sku, [sku("GIFT")])

    with world.database.unit(world.tea) as session, together(session):
        found = find_soon(session, Sku, ("code",), {"code": ["GIFT"]})
        unfiltered = fetch(session, "SELECT code FROM sku WHERE code = 'GIFT'", {})

    assert (list(found), list(unfiltered)) == ([], [])


def test_spread_column_gives_one_row_per_element_when_a_list_is_given(unit):
    record = new_id()

    insert_rows(unit, SearchToken, [{"entity": "t.t", "token": ["tea", "green"], "record_id": record}], spread="token")

    found = unit.scalars(select(SearchToken.token).where(SearchToken.record_id == record).order_by(SearchToken.token))
    assert list(found) == ["green", "tea"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("size", [100_000, 1_000_000, 8_000_000])
def test_statements_larger_than_the_socket_arrive_when_they_travel_together(unit, size):
    found = []
    statement = "SELECT length(%(word)s) AS length, %(word)s AS word"

    for _round in range(5):
        with together(unit):
            for number in range(6):
                later(unit, statement, {"word": str(number) * size}, then=found.extend)

    assert [row.length for row in found] == [size] * 30
    assert {row.word[:1] for row in found} == set("012345")
