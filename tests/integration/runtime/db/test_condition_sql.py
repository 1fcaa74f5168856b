"""Both back ends of the condition language find the same rows, on a real server."""

from __future__ import annotations

import sys
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    create_engine,
    exists,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from core.kernel.conditions import OPS_OF, ConditionInvalid, FieldSpec, FieldType, evaluate, parse_condition
from core.kernel.text import fold_case
from core.runtime.db.condition_sql import CollectionMapping, ColumnMapping, to_sql
from tests.factories.conditions import CATALOGUE, NOW, SCALARS, leaf_fields, random_document, random_leaf, random_tree, randoms

pytestmark = pytest.mark.database

metadata = MetaData()
record = Table(
    "record",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", Text),
    Column("count", Integer),
    Column("total", Numeric(18, 6)),
    Column("due", Date),
    Column("placed", DateTime(timezone=True)),
    Column("is_gift", Boolean),
    Column("state", Text),
    Column("owner", Uuid),
    Column("tags", ARRAY(Text)),
    Column("marks", JSONB(none_as_null=True)),
)
label = Table("label", metadata, Column("record_id", Integer), Column("value", Text))
customer = Table("customer", metadata, Column("record_id", Integer), Column("city", Text), Column("since", Date))
line = Table("line", metadata, Column("id", Integer), Column("record_id", Integer), Column("sku", Text), Column("quantity", Numeric(18, 6)))
product = Table("product", metadata, Column("record_id", Integer), Column("line_id", Integer), Column("brand", Text))


def _of_record(table):
    return lambda criterion: exists().where(table.c.record_id == record.c.id, criterion)


def _of_line(criterion):
    return exists().where(product.c.record_id == line.c.record_id, product.c.line_id == line.c.id, criterion)


COLUMNS = {
    **{name: ColumnMapping(record.c[name], spec.type) for name, spec in SCALARS.items()},
    "tags": ColumnMapping(record.c.tags, FieldType.CHOICES),
    "marks": ColumnMapping(record.c.marks, FieldType.CHOICES),
    "labels": ColumnMapping(label.c.value, FieldType.CHOICES, within=_of_record(label)),
    "customer.city": ColumnMapping(customer.c.city, FieldType.TEXT, within=_of_record(customer)),
    "customer.since": ColumnMapping(
        select(customer.c.since).where(customer.c.record_id == record.c.id).scalar_subquery(), FieldType.DATE
    ),
    "lines": CollectionMapping(
        _of_record(line),
        {
            "sku": ColumnMapping(line.c.sku, FieldType.TEXT),
            "quantity": ColumnMapping(line.c.quantity, FieldType.DECIMAL),
            "product.brand": ColumnMapping(product.c.brand, FieldType.TEXT, within=_of_line),
        },
    ),
}


@pytest.fixture(scope="module")
def engine(cluster):
    """A database with the tables above, as their owner."""
    made = create_engine(cluster.create_database("conditions").owner_url, connect_args={"options": "-c timezone=UTC"})
    metadata.create_all(made)
    yield made
    made.dispose()
    cluster.drop_database("conditions")


def _store(connection, rows):
    parts = {"record": [], "label": [], "customer": [], "line": [], "product": []}
    for number, row in enumerate(rows):
        own = {column.name: row[column.name] for column in record.c if column.name != "id"}
        parts["record"].append(own | {"id": number})
        parts["label"] += [{"record_id": number, "value": value} for value in row["labels"]]
        if row["customer"] is not None:
            parts["customer"].append(row["customer"] | {"record_id": number})
        for at, item in enumerate(row["lines"]):
            parts["line"].append({"id": at, "record_id": number, "sku": item["sku"], "quantity": item["quantity"]})
            if item["product"] is not None:
                parts["product"].append(item["product"] | {"record_id": number, "line_id": at})
    for name, values in parts.items():
        if values:
            connection.execute(insert(metadata.tables[name]), values)


def _found(connection, condition, now=NOW):
    return set(connection.scalars(select(record.c.id).where(to_sql(condition, COLUMNS, now))))


def _disagreements(engine, rng, trees):
    """The first trees with a row that only one of the two back ends finds, out of 60 random rows."""
    rows = [random_document(rng) for _ in range(60)]
    wrong = []
    with engine.connect() as connection:
        _store(connection, rows)
        for tree in trees:
            condition = parse_condition(tree, CATALOGUE)
            by_document = {number for number, row in enumerate(rows) if evaluate(condition, row, NOW)}
            wrong += [(tree, rows[number]) for number in _found(connection, condition) ^ by_document]
        connection.rollback()
    return wrong[:3]


@settings(max_examples=40, deadline=None)
@given(rng=randoms)
def test_both_back_ends_find_the_same_rows_when_trees_and_rows_are_random(engine, rng):
    trees = [random_tree(rng) for _ in range(50)]

    assert _disagreements(engine, rng, trees) == []


@pytest.mark.parametrize(("field", "kind"), leaf_fields(CATALOGUE).items())
def test_both_back_ends_find_the_same_rows_when_one_field_is_asked_everything(engine, field, kind):
    rng = Random(f"{field}")
    leaves = [random_leaf(rng, field, kind, op) for op in sorted(OPS_OF[kind]) for _ in range(30)]

    assert _disagreements(engine, rng, [*leaves, *({"not": leaf} for leaf in leaves)]) == []


def test_both_back_ends_fold_case_alike_when_every_known_code_point_is_asked(engine):
    known = [
        char for char in map(chr, range(1, sys.maxunicode + 1)) if unicodedata.category(char) not in {"Cn", "Cs"}
    ]

    with engine.connect() as connection:
        query = text("SELECT lower(c COLLATE pg_c_utf8) FROM unnest(CAST(:chars AS text[])) WITH ORDINALITY AS u(c, n) ORDER BY n")
        folded = connection.scalars(query, {"chars": known}).all()

    assert [(char, low) for char, low in zip(known, folded, strict=True) if fold_case(char) != low] == []


def test_text_is_ordered_alike_when_code_points_lie_around_the_surrogates(engine):
    samples = ["", "\x01", "a", "ab", "b", "é", "聚", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"]

    with engine.connect() as connection:
        query = text("SELECT c FROM unnest(CAST(:samples AS text[])) AS u(c) ORDER BY c")
        ordered = connection.scalars(query, {"samples": samples[::-1]}).all()

    assert ordered == samples


@pytest.mark.parametrize(
    "leaf",
    [
        {"field": "title", "op": "eq", "value": "x' OR '1'='1"},
        {"field": "title", "op": "contains", "value": "%"},
        {"field": "title", "op": "starts_with", "value": "_"},
        {"field": "title", "op": "in", "value": ["'; DROP TABLE record; --", "}"]},
        {"field": "tags", "op": "has_any", "value": ["{x}", '"']},
    ],
)
def test_values_are_bound_when_they_look_like_sql(engine, leaf):
    condition = parse_condition(leaf, CATALOGUE)

    with engine.connect() as connection:
        _store(connection, [_row(title="plain")])
        found = _found(connection, condition)
        connection.rollback()

    assert found == set()
    values = leaf["value"] if isinstance(leaf["value"], list) else [leaf["value"]]
    rendered = str(to_sql(condition, COLUMNS, NOW).compile(engine))
    assert not any(value in rendered for value in values if len(value) > 2)


def _row(**values):
    return dict.fromkeys(CATALOGUE) | {"labels": [], "lines": []} | values


def test_integers_find_nothing_instead_of_failing_when_the_column_is_too_narrow(engine):
    with engine.connect() as connection:
        _store(connection, [_row(count=1)])
        larger = _found(connection, parse_condition({"field": "count", "op": "lt", "value": 2**63 - 1}, CATALOGUE))
        equal = _found(connection, parse_condition({"field": "count", "op": "eq", "value": 2**63 - 1}, CATALOGUE))
        connection.rollback()

    assert (larger, equal) == ({0}, set())


def test_periods_follow_the_zone_of_now_when_the_day_differs_from_utc(engine):
    # Half past midnight in Shanghai is still yesterday in UTC.
    today = parse_condition({"field": "placed", "op": "in_period", "value": "today"}, CATALOGUE)

    with engine.connect() as connection:
        _store(connection, [_row(placed=datetime(2026, 2, 28, 16, 0, tzinfo=UTC)), _row(placed=datetime(2026, 2, 28, 15, 59, tzinfo=UTC))])
        local, universal = _found(connection, today), _found(connection, today, NOW.astimezone(UTC))
        connection.rollback()

    assert (local, universal) == ({0}, {0, 1})


def test_to_sql_refuses_when_a_field_has_no_column():
    condition = parse_condition({"field": "title", "op": "is_empty"}, CATALOGUE)

    with pytest.raises(ConditionInvalid) as caught:
        to_sql(condition, {}, NOW)

    assert caught.value.field == "title"


def test_to_sql_refuses_when_a_column_has_another_type():
    condition = parse_condition({"field": "title", "op": "eq", "value": "1"}, CATALOGUE)

    with pytest.raises(TypeError, match="title is mapped as integer but used as text"):
        to_sql(condition, {"title": ColumnMapping(record.c.count, FieldType.INTEGER)}, NOW)


INDEXED = {
    "code": FieldSpec(FieldType.TEXT),
    "rank": FieldSpec(FieldType.INTEGER),
    "day": FieldSpec(FieldType.DATE),
    "at": FieldSpec(FieldType.DATETIME),
    "ref": FieldSpec(FieldType.REFERENCE),
}


@pytest.fixture(scope="module")
def walled(cluster):
    """A table of 20,000 rows under row-level security, with an index per column, as the application role sees it."""
    endpoints = cluster.create_database("walled")
    owner = create_engine(endpoints.owner_url)
    own = MetaData()
    table = Table(
        "walled",
        own,
        Column("id", Integer, primary_key=True),
        Column("tenant_id", Integer, nullable=False),
        *(Column(name, kind) for name, kind in (("code", Text), ("rank", Integer), ("day", Date), ("at", DateTime(timezone=True)), ("ref", Uuid))),
    )
    for name in INDEXED:
        Index(f"ix_walled_{name}", table.c.tenant_id, table.c[name])
    with owner.begin() as connection:
        own.create_all(connection)
        connection.execute(
            text(
                "INSERT INTO walled SELECT n, n % 2, 'SO' || lpad(n::text, 8, '0'), n, date '2020-01-01' + n % 3000,"
                " timestamptz '2020-01-01 00:00Z' + n * interval '1 hour', md5(n::text)::uuid FROM generate_series(1, 20000) AS n"
            )
        )
        for statement in (
            "ALTER TABLE walled ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE walled FORCE ROW LEVEL SECURITY",
            "CREATE POLICY wall ON walled TO oms_app USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int)",
            "GRANT SELECT ON walled TO oms_app",
        ):
            connection.execute(text(statement))
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE walled"))
    owner.dispose()
    app = create_engine(endpoints.app_url)
    yield app, table
    app.dispose()
    cluster.drop_database("walled")


@pytest.mark.parametrize(
    ("leaf", "count"),
    [
        ({"field": "code", "op": "eq", "value": "SO00000101"}, 1),
        ({"field": "code", "op": "in", "value": ["SO00000101", "SO00000103", "SO00000104"]}, 2),
        ({"field": "code", "op": "starts_with", "value": "SO0000010"}, 5),
        ({"field": "rank", "op": "between", "value": [11, 19]}, 5),
        ({"field": "rank", "op": "in", "value": [11, 13]}, 2),
        ({"field": "day", "op": "eq", "value": "2020-02-01"}, 7),
        ({"field": "at", "op": "between", "value": ["2020-01-02T00:00:00Z", "2020-01-02T12:00:00Z"]}, 6),
        ({"field": "ref", "op": "eq", "value": "38b3eff8-baf5-6627-478e-c76a704e9b52"}, 1),
    ],
    ids=lambda part: f"{part['field']}-{part['op']}" if isinstance(part, dict) else "",
)
def test_index_is_reached_under_row_security_when_the_operator_is_leakproof(walled, leaf, count):
    app, table = walled
    columns = {name: ColumnMapping(table.c[name], spec.type) for name, spec in INDEXED.items()}
    query = select(table.c.id).where(to_sql(parse_condition(leaf, INDEXED), columns, NOW))

    with app.connect() as connection:
        connection.execute(text("SELECT set_config('app.tenant', '1', true)"))
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params).scalars())
        found = connection.scalars(query).all()

    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    assert leaf["field"] in condition
    assert "Seq Scan" not in plan
    assert len(found) == count


def test_decimals_are_refused_when_they_are_not_finite():
    for value in ("NaN", "Infinity", "-sNaN"):
        with pytest.raises(ConditionInvalid):
            parse_condition({"field": "total", "op": "eq", "value": value}, CATALOGUE)
    assert parse_condition({"field": "total", "op": "eq", "value": "1.50"}, CATALOGUE).value == Decimal("1.5")
