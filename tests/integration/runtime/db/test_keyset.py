"""Paging by keyset on a real server: each row once, forwards and backwards, whatever ties and NULLs there are."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    create_engine,
    event,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.orm import Session, registry

from core.domain.channels.models import Shop
from core.kernel.errors import Invalid
from core.kernel.paging import Cursor, CursorInvalid
from core.runtime.db.keyset import SortKey, capped_count, page
from tests.factories.orders import make_shop

pytestmark = pytest.mark.database

metadata = MetaData()
item = Table(
    "item",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("note", Text),
    Column("rank", Integer),
    Column("total", Numeric(19, 4)),
    Column("placed_at", DateTime(timezone=True)),
    Column("day", Date),
    Column("is_done", Boolean, nullable=False),
    Column("weight", Float),
)
Index("ix_item_rank", item.c.rank, item.c.id)
Index("ix_item_name", item.c.name, item.c.id)


class Item:
    """One row, mapped."""


mapped = registry()
mapped.map_imperatively(Item, item)
_NULLABLE = {"note", "rank", "total", "placed_at", "day"}
_START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(cluster):
    """A database with the table above, as its owner."""
    made = create_engine(cluster.create_database("keyset").owner_url, connect_args={"options": "-c timezone=UTC"})
    metadata.create_all(made)
    yield made
    made.dispose()
    cluster.drop_database("keyset")


@pytest.fixture
def session(engine):
    """A session whose work is rolled back."""
    with Session(engine) as opened:
        yield opened
        opened.rollback()


def _random_row(rng, number):
    """Few different values, so that ties and NULLs are everywhere."""

    def maybe(value):
        return None if rng.random() < 0.3 else value

    return {
        "id": UUID(int=rng.getrandbits(96) << 16 | number),
        "name": rng.choice(["", "a", "聚", "\U0010ffff"]),
        "note": maybe(rng.choice(["", "x"])),
        "rank": maybe(rng.randint(0, 2)),
        "total": maybe(Decimal(rng.randint(0, 2)) / 4),
        "placed_at": maybe(_START + timedelta(microseconds=rng.randint(0, 2))),
        "day": maybe((_START + timedelta(days=rng.randint(0, 1))).date()),
        "is_done": rng.random() < 0.5,
        "weight": None,
    }


def _keys(columns):
    keys = [SortKey(item.c[name], is_descending=is_descending, is_nullable=name in _NULLABLE) for name, is_descending in columns]
    return [*keys, SortKey(item.c.id, is_descending=len(columns) % 2 == 1)]


def _sorted_ids(rows, columns):
    """The order by plain Python: stable sorts from the last key to the first, NULLs last each time."""
    ordered = sorted(rows, key=lambda row: row["id"], reverse=len(columns) % 2 == 1)
    for name, is_descending in reversed(columns):
        filled = [row for row in ordered if row[name] is not None]
        ordered = sorted(filled, key=lambda row: row[name], reverse=is_descending) + [row for row in ordered if row[name] is None]
    return [row["id"] for row in ordered]


_ORDERS = st.lists(
    st.tuples(st.sampled_from(["name", "note", "rank", "total", "placed_at", "day", "is_done"]), st.booleans()),
    max_size=3,
    unique_by=lambda pair: pair[0],
)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 23), order=_ORDERS, size=st.integers(1, 9))
def test_walk_yields_each_row_once_in_order_when_ties_and_nulls_are_random(engine, seed, count, order, size):
    rng = Random(seed)
    rows = [_random_row(rng, number) for number in range(count)]
    keys = _keys(order)

    with Session(engine) as session:
        if rows:
            session.execute(insert(item), rows)
        found = page(session, select(item.c.id), keys=keys, cursor=None, size=size)
        forth, back = [found.rows], []
        while found.next_cursor is not None:
            found = page(session, select(item.c.id), keys=keys, cursor=found.next_cursor, size=size)
            forth.append(found.rows)
        cursor = found.previous_cursor
        while cursor is not None:
            found = page(session, select(item.c.id), keys=keys, cursor=cursor, size=size)
            back.insert(0, found.rows)
            cursor = found.previous_cursor
        session.rollback()

    expected = _sorted_ids(rows, order)
    assert [key for part in forth for key in part] == expected
    assert [key for part in back for key in part] == expected[: len(expected) - len(forth[-1])]
    assert all(len(part) == size for part in forth[:-1])


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), order=_ORDERS, size=st.integers(1, 4))
def test_page_is_the_same_when_it_is_reached_from_the_other_side(engine, seed, order, size):
    rng = Random(seed)
    keys = _keys(order)

    with Session(engine) as session:
        session.execute(insert(item), [_random_row(rng, number) for number in range(12)])
        first = page(session, select(item.c.id), keys=keys, cursor=None, size=size)
        second = page(session, select(item.c.id), keys=keys, cursor=first.next_cursor, size=size)
        again = page(session, select(item.c.id), keys=keys, cursor=second.previous_cursor, size=size)
        onward = page(session, select(item.c.id), keys=keys, cursor=again.next_cursor, size=size)
        session.rollback()

    assert (first.previous_cursor, again.previous_cursor) == (None, None)
    assert again.rows == first.rows
    assert (onward.rows, onward.next_cursor) == (second.rows, second.next_cursor)


@contextmanager
def _explained(engine):
    """A list that gets each statement of the block and, below it, its plan."""
    plans = []

    def explain(_connection, cursor, statement, parameters, _context, _many):
        cursor.execute(f"EXPLAIN {statement}", parameters)
        plans.append("\n".join([statement, *(row[0] for row in cursor.fetchall())]))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def _fill(session, count):
    rng = Random(5)
    rows = [_random_row(rng, number) | {"rank": number, "name": f"n{number:02}"} for number in range(count)]
    session.execute(insert(item), rows)
    return rows


def _names(found):
    return [row.name if isinstance(row, Item) else row for row in found.rows]


def test_last_page_is_reached_when_the_cursor_means_the_end(session):
    _fill(session, 5)
    keys = [SortKey(item.c.name), SortKey(item.c.id)]
    sort = Cursor.decode(page(session, select(item.c.name), keys=keys, cursor=None, size=2).next_cursor).sort

    last = page(session, select(item.c.name), keys=keys, cursor=Cursor((), is_backward=True, sort=sort).encode(), size=2)

    assert (_names(last), last.next_cursor) == (["n03", "n04"], None)
    before = page(session, select(item.c.name), keys=keys, cursor=last.previous_cursor, size=2)
    assert _names(before) == ["n01", "n02"]


def test_way_back_stays_open_when_the_rows_after_a_cursor_have_gone(session):
    _fill(session, 4)
    keys = [SortKey(Item.name), SortKey(Item.id)]
    first = page(session, select(Item), keys=keys, cursor=None, size=3)
    session.execute(item.delete().where(item.c.name == "n03"))

    empty = page(session, select(Item), keys=keys, cursor=first.next_cursor, size=3)
    back = page(session, select(Item), keys=keys, cursor=empty.previous_cursor, size=3)

    assert (empty.rows, empty.next_cursor) == ([], None)
    assert _names(back) == ["n00", "n01", "n02"]


def test_page_gives_objects_or_rows_when_one_or_several_things_are_selected(session):
    _fill(session, 2)
    keys = [SortKey(Item.name, is_descending=True), SortKey(Item.id)]

    objects = page(session, select(Item).order_by(Item.rank), keys=keys, cursor=None, size=2)
    rows = page(session, select(Item.name, Item.rank), keys=keys, cursor=None, size=2)
    lengths = page(session, select(func.length(Item.name)), keys=keys, cursor=None, size=2)

    assert [type(row) for row in objects.rows] == [Item, Item]
    assert _names(objects) == ["n01", "n00"]
    assert [(row.name, row.rank) for row in rows.rows] == [("n01", 1), ("n00", 0)]
    assert lengths.rows == [3, 3]


def test_page_sorts_by_an_expression_when_it_is_labelled(session):
    _fill(session, 4)
    keys = [SortKey((Item.rank % 2).label("parity"), is_descending=True, is_nullable=True), SortKey(Item.id)]

    first = page(session, select(Item.rank), keys=keys, cursor=None, size=3)
    second = page(session, select(Item.rank), keys=keys, cursor=first.next_cursor, size=3)

    assert [rank % 2 for rank in first.rows + second.rows] == [1, 1, 0, 0]


@pytest.mark.parametrize("size", [0, -1, 1_001])
def test_page_refuses_when_the_size_is_out_of_bounds(session, size):
    with pytest.raises(Invalid) as caught:
        page(session, select(Item), keys=[SortKey(Item.id)], cursor=None, size=size)

    assert caught.value.field == "size"


@pytest.mark.parametrize(
    ("values", "sort"),
    [
        (("n00",), "right"),
        (("n00", UUID(int=1), 5), "right"),
        ((5, UUID(int=1)), "right"),
        ((None, UUID(int=1)), "right"),
        (("n00", "x"), "right"),
        ((True, UUID(int=1)), "right"),
        (("n00", UUID(int=1)), "wrong"),
        ((), "wrong"),
    ],
)
def test_page_refuses_when_a_cursor_does_not_fit_the_keys(session, values, sort):
    _fill(session, 3)
    keys = [SortKey(Item.name), SortKey(Item.id)]
    right = Cursor.decode(page(session, select(Item), keys=keys, cursor=None, size=1).next_cursor).sort

    with pytest.raises(CursorInvalid) as caught:
        page(session, select(Item), keys=keys, cursor=Cursor(values, sort=right if sort == "right" else sort).encode(), size=1)

    assert caught.value.field == "cursor"


def test_page_refuses_when_the_cursor_was_made_for_another_order(session):
    _fill(session, 3)
    made = page(session, select(Item), keys=[SortKey(Item.name), SortKey(Item.id)], cursor=None, size=1).next_cursor

    with pytest.raises(CursorInvalid):
        page(session, select(Item), keys=[SortKey(Item.name, is_descending=True), SortKey(Item.id)], cursor=made, size=1)


def test_page_finds_nothing_beyond_when_a_cursor_holds_a_huge_number(session):
    _fill(session, 3)
    keys = [SortKey(Item.rank, is_nullable=True), SortKey(Item.id)]
    sort = Cursor.decode(page(session, select(Item), keys=keys, cursor=None, size=1).next_cursor).sort

    found = page(session, select(Item), keys=keys, cursor=Cursor((2**63 - 1, UUID(int=1)), sort=sort).encode(), size=1)

    assert found.rows == []


def test_page_refuses_when_a_column_cannot_be_paged_by(session):
    keys = [SortKey(Item.weight), SortKey(Item.id)]
    cursor = Cursor((None, UUID(int=1))).encode()

    with pytest.raises((TypeError, CursorInvalid)):
        page(session, select(Item), keys=keys, cursor=cursor, size=1)


def test_two_statements_run_when_the_first_key_may_be_null(session, engine):
    _fill(session, 5)
    session.execute(item.update().where(item.c.rank == 4).values(rank=None))
    keys = [SortKey(Item.rank, is_descending=True, is_nullable=True), SortKey(Item.id)]

    with _explained(engine) as first_plans:
        first = page(session, select(Item.rank), keys=keys, cursor=None, size=3)
    with _explained(engine) as second_plans:
        second = page(session, select(Item.rank), keys=keys, cursor=first.next_cursor, size=3)

    assert (first.rows, second.rows) == ([3, 2, 1], [0, None])
    assert (len(first_plans), len(second_plans)) == (1, 2)


@pytest.mark.parametrize(
    ("name", "is_descending", "is_nullable"),
    [("rank", False, True), ("rank", True, True), ("name", False, False), ("name", True, False)],
)
def test_deep_page_reads_few_rows_when_the_index_is_plain(engine, name, is_descending, is_nullable):
    keys = [SortKey(item.c[name], is_descending=is_descending, is_nullable=is_nullable), SortKey(item.c.id, is_descending=is_descending)]
    with Session(engine) as session:
        session.execute(
            text(
                "INSERT INTO item (id, name, rank, is_done) SELECT md5(n::text)::uuid, 'n' || lpad((n / 3)::text, 6, '0'), n / 3, true"
                " FROM generate_series(1, 20000) AS n"
            )
        )
        session.execute(text("ANALYZE item"))
        middle = session.execute(select(item.c[name], item.c.id).where(item.c.rank == 3_000).limit(1)).one()
        sort = Cursor.decode(page(session, select(item.c.id), keys=keys, cursor=None, size=1).next_cursor).sort
        with _explained(engine) as plans:
            found = page(session, select(item.c.id), keys=keys, cursor=Cursor(tuple(middle), sort=sort).encode(), size=10)
        session.rollback()

    assert len(found.rows) == 10
    assert "Index" in plans[0]
    assert "Seq Scan" not in plans[0]
    assert "Sort" not in plans[0].replace("Sort Key", "")


@pytest.mark.parametrize(("cap", "expected"), [(10, (7, False)), (7, (7, False)), (6, (6, True)), (1, (1, True))])
def test_capped_count_stops_when_the_cap_is_reached(session, cap, expected):
    _fill(session, 7)

    assert capped_count(session, select(Item).order_by(Item.name), cap=cap) == expected


def test_capped_count_is_zero_when_nothing_is_found(session):
    assert capped_count(session, select(Item)) == (0, False)


def test_count_and_page_stay_within_the_tenant_when_another_has_rows_too(world):
    with world.database.unit(world.gift) as session:
        make_shop(session)
    with world.database.unit(world.tea) as session:
        shop = make_shop(session)
        with _explained(session.get_bind()) as plans:
            counted = capped_count(session, select(Shop))
            found = page(session, select(Shop.id), keys=[SortKey(Shop.id)], cursor=None, size=10)

    assert (counted, found.rows) == ((1, False), [shop.id])
    # The ORM's wall writes its filter into the statement, the database's shows in the plan.
    assert ["shop.tenant_id = %(" in plan for plan in plans] == [True, True]
    assert ["current_setting" in plan for plan in plans] == [True, True]
