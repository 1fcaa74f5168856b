"""Formulas: what they calculate, what types they have, and what they do with missing values."""

from __future__ import annotations

import re
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernel.conditions import FieldSpec, FieldType
from core.kernel.errors import Invalid
from core.kernel.expressions import FUNCTIONS, ExpressionFailed, ExpressionInvalid, ValueType, compile_expression, names_of

NAMES = {
    "qty": ValueType.INTEGER,
    "price": ValueType.DECIMAL,
    "name": ValueType.TEXT,
    "is_gift": ValueType.BOOLEAN,
    "due": ValueType.DATE,
    "placed": ValueType.DATETIME,
    "amounts": ValueType.DECIMALS,
    "counts": ValueType.INTEGERS,
    "words": ValueType.TEXTS,
}
VALUES = {
    "qty": 3,
    "price": Decimal("9.99"),
    "name": "Tea",
    "is_gift": True,
    "due": date(2026, 1, 31),
    "placed": datetime(2026, 1, 31, 12, tzinfo=UTC),
    "amounts": [Decimal("1.10"), None, Decimal("2.20")],
    "counts": (4, 1),
    "words": ["b", "a"],
}


def _run(text, values=VALUES):
    return compile_expression(text, NAMES).evaluate(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("0.1 + 0.2", Decimal("0.3")),
        ("12345678901234567890.123", Decimal("12345678901234567890.123")),
        ("qty * price", Decimal("29.97")),
        ("7 / 2", Decimal("3.5")),
        ("1 / 3", Decimal("0.3333333333333333333333333333333333")),
        ("-7 // 2", -4),
        ("-7.0 // 2", Decimal(-4)),
        ("7.5 // -2", Decimal(-4)),
        ("-7 % 3", 2),
        ("-7.5 % 3", Decimal("1.5")),
        ("7.5 % -3", Decimal("-1.5")),
        ("6.0 % 3", Decimal(0)),
        ("-qty", -3),
        ("+price", Decimal("9.99")),
        ("--qty", 3),
        ("name + 's'", "Teas"),
        ('"it\'s"', "it's"),
        ("'a' 'b'", "ab"),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("qty == 3.0", True),
        ("qty != 3", False),
        ("name >= 'Te'", True),
        ("due < due", False),
        ("is_gift == True", True),
        ("not is_gift or qty > 2 and True", True),
        ("is_gift and qty > 5", False),
        ("'many' if qty > 2 else 'few'", "many"),
        ("if_(qty > 2, 'many', 'few')", "many"),
        ("if_(qty > 5, 1 / 0, 2)", Decimal(2)),
        ("1 if is_gift else 2.5", Decimal(1)),
        ("None", None),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(qty * price * 0.175, 2)", Decimal("5.24")),
        ("round(1.005, 2)", Decimal("1.01")),
        ("round(7, 2)", 7),
        ("floor(-1.5)", -2),
        ("ceil(1.1)", 2),
        ("ceil(3)", 3),
        ("abs(-price)", Decimal("9.99")),
        ("min(3, 1, 2)", 1),
        ("max(1, 2.5)", Decimal("2.5")),
        ("min(words)", "a"),
        ("max(due, due)", date(2026, 1, 31)),
        ("sum(amounts)", Decimal("3.30")),
        ("sum(counts)", 5),
        ("sum(1, 2.5)", Decimal("3.5")),
        ("min(amounts)", Decimal("1.10")),
        ("len(name)", 3),
        ("len(amounts)", 3),
        ("concat(name, ' ', qty, ' ', price, ' ', is_gift, ' ', due)", "Tea 3 9.99 true 2026-01-31"),
        ("upper(name) + lower(name)", "TEAtea"),
        ("trim('  x ')", "x"),
        ("left(name, 2)", "Te"),
        ("right(name, 2)", "ea"),
        ("right(name, 0)", ""),
        ("left(name, 99) + right(name, 99)", "TeaTea"),
        ("contains(name, 'EA')", True),
        ("starts_with(name, 'te')", False),
        ("days_between(due, add_days(due, 30))", 30),
        ("days_between(placed, add_days(placed, -1))", -1),
        ("add_days(due, 1)", date(2026, 2, 1)),
        ("year(due) * 10000 + month(due) * 100 + day(due)", 20260131),
        ("weekday(due)", 6),
        ("text(1.50)", "1.50"),
        ("text(1 / 8)", "0.125"),
        ("text(placed)", "2026-01-31T12:00:00+00:00"),
        ("number(' 12.50 ')", Decimal("12.50")),
        ("number('abc')", None),
        ("number('NaN')", None),
        ("number('1e400')", None),
        ("coalesce(number('x'), 5)", Decimal(5)),
        ("is_empty('')", True),
        ("is_empty(words)", False),
        ("  qty\n  + 1  ", 4),
    ],
)
def test_formula_gives_an_exact_value_when_it_is_valid(text, expected):
    result = _run(text)

    assert (type(result), result) == (type(expected), expected)
    assert not isinstance(result, Decimal) or str(result.normalize()) == str(expected.normalize())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("qty", "integer"),
        ("qty + 1", "integer"),
        ("qty + 1.0", "decimal"),
        ("qty / 1", "decimal"),
        ("qty > 1", "boolean"),
        ("name + 'x'", "text"),
        ("add_days(due, 1)", "date"),
        ("add_days(placed, 1)", "datetime"),
        ("round(price)", "integer"),
        ("round(price, 2)", "decimal"),
        ("sum(amounts)", "decimal"),
        ("max(counts)", "integer"),
        ("if_(is_gift, 1, 2.5)", "decimal"),
        ("if_(is_gift, None, name)", "text"),
        ("coalesce(None, qty)", "integer"),
        ("None", "nothing"),
        ("len(words)", "integer"),
        ("concat(qty)", "text"),
    ],
)
def test_formula_tells_its_type_when_it_is_compiled(text, kind):
    assert compile_expression(text, NAMES).result_type == ValueType(kind)


def test_formula_tells_its_names_when_it_is_compiled():
    assert compile_expression("if_(qty > 1, price, price * qty) + round(1.5)", NAMES).names == {"qty", "price"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("qty + 1", None),
        ("-qty", None),
        ("qty * price / 2", None),
        ("name + 'x'", None),
        ("upper(name)", None),
        ("add_days(due, 1)", None),
        ("round(price, 2)", None),
        ("len(words)", None),
        ("qty == qty", False),
        ("qty != 1", False),
        ("qty < 1", False),
        ("not is_gift", True),
        ("is_gift or True", True),
        ("is_gift and True", False),
        ("1 if is_gift else 2", 2),
        ("if_(is_gift, 1, 2)", 2),
        ("coalesce(qty, 5)", 5),
        ("concat(name, 'x', qty)", "x"),
        ("min(qty, 4)", 4),
        ("max(qty)", None),
        ("sum(amounts)", Decimal(0)),
        ("sum(qty, 1)", 1),
        ("is_empty(name)", True),
        ("is_empty(qty)", True),
    ],
)
def test_formula_follows_its_rule_when_values_are_missing(text, expected):
    assert _run(text, {}) == expected
    assert _run(text, dict.fromkeys(NAMES)) == expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("   ", 3),
        ("1 +", 3),
        ("1 + unknown", 4),
        ("  unknown", 2),
        ("nothing(1)", 0),
        ("1 + nothing(1)", 4),
        ("name + 1", 0),
        ("1 + name * 2", 4),
        ("name - 'x'", 0),
        ("due + 1", 0),
        ("due < placed", 0),
        ("is_gift < True", 0),
        ("words == words", 0),
        ("not qty", 0),
        ("qty and True", 0),
        ("-name", 0),
        ("1 if qty else 2", 0),
        ("1 if is_gift else 'x'", 0),
        ("if_(qty, 1, 2)", 0),
        ("if_(is_gift, 1)", 0),
        ("round()", 0),
        ("round(1, 2, 3)", 0),
        ("round('x')", 0),
        ("min()", 0),
        ("min(1, 'x')", 0),
        ("min(counts, counts)", 0),
        ("min(is_gift)", 0),
        ("sum('x')", 0),
        ("len(1)", 0),
        ("concat()", 0),
        ("concat(words)", 0),
        ("coalesce()", 0),
        ("days_between(due, placed)", 0),
        ("year(placed)", 0),
        ("amounts", 0),
        ("if_(is_gift, words, words)", 0),
        ("round", 0),
        ("10000000000000000000000000000", 0),
        ("1 + 10000000000000000000000000000.0", 4),
    ],
)
def test_formula_is_refused_with_its_place_when_it_does_not_fit(text, position):
    with pytest.raises(ExpressionInvalid) as caught:
        compile_expression(text, NAMES)

    assert caught.value.facts["position"] == position
    assert isinstance(caught.value, Invalid)


def test_position_counts_characters_when_wide_ones_stand_before():
    with pytest.raises(ExpressionInvalid) as caught:
        compile_expression("'聚水潭' + unknown", NAMES)

    assert caught.value.facts["position"] == 8


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "1 // 0",
        "1 % 0",
        "1.0 / 0.0",
        "price / (qty - 3)",
        "9999999999999999999999999999 + 1",
        "9999999999999999999999999999 * 9999999999999999999999999999",
        "9999999999999999999999999999.0 * 10",
        "round(1.5, 9)",
        "round(1.5, -1)",
        "left(name, -1)",
        "right(name, -1)",
        "add_days(due, 9999999)",
        "add_days(due, 3000000)",
        "add_days(due, 9999999999999999999)",
        "number('99999999999999999999999999999999')",
    ],
)
def test_formula_fails_when_values_cannot_be_calculated_with(text):
    with pytest.raises(ExpressionFailed):
        _run(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("qty", "3"),
        ("qty", True),
        ("qty", 3.0),
        ("qty", 10**28),
        ("price", 9.99),
        ("price", Decimal("NaN")),
        ("price", Decimal("Infinity")),
        ("price", Decimal("1e28")),
        ("price", Decimal("1e999999")),
        ("price", True),
        ("name", 5),
        ("name", "x" * 10_001),
        ("is_gift", 1),
        ("due", datetime(2026, 1, 1, tzinfo=UTC)),
        ("due", "2026-01-01"),
        ("placed", datetime(2026, 1, 1)),
        ("amounts", 5),
        ("amounts", [1.5]),
        ("amounts", [1] * 10_001),
        ("words", "ab"),
        ("words", [object()]),
    ],
)
def test_formula_fails_when_a_value_has_another_type_than_its_name(name, value):
    expression = compile_expression(f"is_empty({name})", NAMES)

    with pytest.raises(ExpressionFailed) as caught:
        expression.evaluate({name: value})

    assert caught.value.facts == {"name": name}


def test_names_of_offers_plain_fields_when_an_entity_is_described():
    fields = {
        "code": FieldSpec(FieldType.TEXT),
        "state": FieldSpec(FieldType.CHOICE),
        "tags": FieldSpec(FieldType.CHOICES),
        "total": FieldSpec(FieldType.DECIMAL),
        "owner": FieldSpec(FieldType.REFERENCE),
        "lines": FieldSpec(FieldType.COLLECTION, fields={}),
    }

    assert names_of(fields) == {"code": "text", "state": "text", "tags": "texts", "total": "decimal"}


def test_expression_gives_each_thread_its_own_result_when_threads_share_it():
    expression = compile_expression("sum(counts) + qty", NAMES)
    wrong = []

    def work(number):
        values = {"counts": [number] * 50, "qty": number}
        wrong.extend(result for result in (expression.evaluate(values) for _ in range(200)) if result != number * 51)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


_NUMBERS = st.integers(-999, 999).map(str) | st.decimals(-999, 999, places=2).map(lambda number: f"{number:f}")


@settings(max_examples=200, deadline=None)
@given(
    formula=st.recursive(
        _NUMBERS.map(lambda text: f"({text})"),
        lambda inner: st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from("+-*"), inner),
        max_leaves=8,
    )
)
def test_formula_is_exact_when_numbers_are_random(formula):
    exact = eval(_as_fractions(formula), {"F": Fraction})

    assert Fraction(_run(formula)) == exact


def _as_fractions(formula: str) -> str:
    return re.sub(r"[0-9]+(?:\.[0-9]+)?", lambda found: f"F('{found[0]}')", formula)


@settings(max_examples=200, deadline=None)
@given(left=st.decimals(-9999, 9999, places=3), right=st.decimals(-99, 99, places=2).filter(bool))
def test_floor_division_and_remainder_fit_together_when_numbers_are_random(left, right):
    names, values = {"a": ValueType.DECIMAL, "b": ValueType.DECIMAL}, {"a": left, "b": right}

    quotient = compile_expression("a // b", names).evaluate(values)
    rest = compile_expression("a % b", names).evaluate(values)

    assert Fraction(quotient) * Fraction(right) + Fraction(rest) == Fraction(left)
    assert Fraction(quotient) == Fraction(left) // Fraction(right)


def test_every_function_is_used_here_when_it_exists():
    source = " ".join(str(mark) for mark in test_formula_gives_an_exact_value_when_it_is_valid.pytestmark)

    assert [name for name in FUNCTIONS if f"{name}(" not in source] == []
