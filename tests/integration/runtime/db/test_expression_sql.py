"""Both back ends of formulas give the same results, on a real server."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Column, Date, DateTime, Integer, MetaData, Numeric, Table, Text, create_engine, insert, select

from core.kernel.expressions import ExpressionFailed, ExpressionInvalid, ValueType, compile_expression
from core.runtime.db.expression_sql import FormulaSql, formula_sql
from tests.factories.formulas import NAMES, formula, value_for

pytestmark = pytest.mark.database
KINDS = (ValueType.INTEGER, ValueType.DECIMAL, ValueType.TEXT, ValueType.BOOLEAN, ValueType.DATE, ValueType.DATETIME)
_COLUMNS = {
    ValueType.INTEGER: Numeric,
    ValueType.DECIMAL: Numeric,
    ValueType.TEXT: Text,
    ValueType.BOOLEAN: Boolean,
    ValueType.DATE: Date,
    ValueType.DATETIME: lambda: DateTime(timezone=True),
}
metadata = MetaData()
row_of = Table("row_of", metadata, Column("id", Integer, primary_key=True), *(Column(name, _COLUMNS[kind]()) for name, kind in NAMES.items()))
PLACES = {name: FormulaSql(row_of.c[name], kind, 1) for name, kind in NAMES.items()}


@pytest.fixture(scope="module")
def engine(cluster):
    """A database with the table above, as its owner."""
    made = create_engine(cluster.create_database("formulas").owner_url, connect_args={"options": "-c timezone=UTC"})
    metadata.create_all(made)
    yield made
    made.dispose()
    cluster.drop_database("formulas")


def in_python(expression, row):
    try:
        return expression.evaluate(row)
    except ExpressionFailed:
        return None


def in_sql(connection, expression):
    found = formula_sql(expression, PLACES)
    if found is None:
        return None
    return {row[0]: row[1] for row in connection.execute(select(row_of.c.id, found.value))}


def store(connection, rows):
    connection.execute(insert(row_of), [{**row, "id": number} for number, row in enumerate(rows)])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_both_back_ends_give_the_same_when_formulas_and_rows_are_random(engine, seed):
    rng = Random(seed)
    rows = [{name: value_for(rng, kind) for name, kind in NAMES.items()} for _ in range(25)]
    written, wrong = 0, []
    with engine.connect() as connection:
        store(connection, rows)
        for _ in range(30):
            try:
                expression = compile_expression(formula(rng, rng.choice(KINDS)), NAMES)
            except ExpressionInvalid:
                continue
            answers = in_sql(connection, expression)
            if answers is None:
                continue
            written += 1
            for number, row in enumerate(rows):
                expected = in_python(expression, row)
                if expected != answers[number]:
                    wrong.append((expression.text, {name: row[name] for name in expression.names}, expected, answers[number]))
        connection.rollback()

    assert wrong[:3] == []
    assert written > 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("price / 0", None),
        ("coalesce(price / 0, 5)", None),
        ("if_(count == 0, 0, price / count)", Decimal("3." + "3" * 33)),
        ("if_(count == 3, 1, price / 0)", Decimal(1)),
        ("round(price / count, 2)", Decimal("3.33")),
        ("round(2.675, 2)", Decimal("2.68")),
        ("(-7) // count", Decimal(-3)),
        ("(-7) % count", Decimal(2)),
        ("count > 2 or price / 0 > 1", True),
        ("count > 5 or price / 0 > 1", None),
        ("title + note", None),
        ("concat(title, note, count)", "Oolong3"),
        ("note == note", False),
        ("add_days(due, 3660000)", None),
    ],
)
def test_formula_gives_the_same_in_python_and_in_sql_when_values_are_awkward(engine, text, expected):
    row = {"count": 3, "price": Decimal(10), "title": "Oolong", "note": None, "due": value_for(Random(4), ValueType.DATE) or None}
    row = {**dict.fromkeys(NAMES), **row}
    expression = compile_expression(text, NAMES)
    with engine.connect() as connection:
        store(connection, [row])
        found = in_sql(connection, expression)[0]
        connection.rollback()

    assert found == in_python(expression, row)
    assert found == expected


@pytest.mark.parametrize("text", ["upper(title)", "lower(title)", "number(title)", "text(price)", "concat(price)"])
def test_formula_has_no_sql_when_the_server_would_answer_otherwise(text):
    assert formula_sql(compile_expression(text, NAMES), PLACES) is None


def test_formula_has_no_sql_when_it_would_grow_without_end():
    part = FormulaSql(row_of.c.price, ValueType.DECIMAL, 1)
    grown, rounds = part, 0
    while grown is not None and rounds < 20:
        part, rounds = grown, rounds + 1
        grown = formula_sql(compile_expression("price * price + price", NAMES), {"price": part})

    assert grown is None
