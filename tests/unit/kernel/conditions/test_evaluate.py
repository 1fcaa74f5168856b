"""Judging conditions over plain documents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from core.kernel.conditions import DocumentValueInvalid, evaluate, parse_condition
from core.kernel.conditions.nodes import OPS_OF, Comparison, Op
from tests.factories.conditions import CATALOGUE, NOW, SCALARS, documents, random_leaf, trees


def _holds(tree, document, now=NOW):
    return evaluate(parse_condition(tree, CATALOGUE), document, now)


def _leaf(field, op, *value):
    return {"field": field, "op": op} | ({"value": value[0]} if value else {})


@pytest.mark.parametrize(
    ("field", "op", "value", "seen", "expected"),
    [
        ("title", "eq", "a", "a", True),
        ("title", "eq", "a", "A", False),
        ("title", "ne", "a", "b", True),
        ("title", "lt", "b", "ab", True),
        ("title", "lt", "b", "b", False),
        ("title", "le", "b", "b", True),
        ("title", "gt", "B", "b", True),
        ("title", "ge", "\uffff", "\U0001f600", True),
        ("title", "between", ["b", "d"], "d", True),
        ("title", "between", ["b", "d"], "da", False),
        ("title", "contains", "URGENT", "very urgent!", True),
        ("title", "contains", "straße", "STRASSE", False),
        ("title", "contains", "É", "café", True),
        ("title", "starts_with", "SO-", "SO-1", True),
        ("title", "starts_with", "SO-", "so-1", False),
        ("title", "in", ["a", "b"], "b", True),
        ("title", "not_in", ["a", "b"], "b", False),
        ("title", "not_in", ["a", "b"], "", True),
        ("title", "eq", "", "", True),
        ("count", "gt", 3, 4, True),
        ("count", "in", [1, 2], 3, False),
        ("total", "eq", "1.50", Decimal("1.5000"), True),
        ("total", "eq", "2", 2, True),
        ("total", "between", ["-1", "1"], "0.5", True),
        ("due", "lt", "2026-03-01", date(2026, 2, 28), True),
        ("due", "lt", "2026-03-01", "2026-02-28", True),
        ("placed", "eq", "2026-02-28T16:00:00Z", datetime(2026, 3, 1, tzinfo=ZoneInfo("Asia/Shanghai")), True),
        ("placed", "ge", "2026-02-28T16:00:00Z", "2026-03-01T00:00:00+08:00", True),
        ("is_gift", "eq", False, False, True),
        ("is_gift", "ne", True, False, True),
        ("state", "eq", "paid", "paid", True),
        ("owner", "eq", str(UUID(int=1)), UUID(int=1), True),
        ("owner", "not_in", [str(UUID(int=1))], str(UUID(int=2)), True),
        ("tags", "has_any", ["vip", "gift"], ["gift"], True),
        ("tags", "has_any", ["vip"], [], False),
        ("tags", "has_all", ["vip", "gift"], ("gift", "vip", "x"), True),
        ("tags", "has_all", ["vip", "gift"], {"gift"}, False),
    ],
)
def test_comparison_answers_when_a_value_is_there(field, op, value, seen, expected):
    assert _holds(_leaf(field, op, value), {field: seen}) is expected


_VALUE_OPS = [
    (name, spec.type, op) for name, spec in SCALARS.items() for op in sorted(OPS_OF[spec.type] - {Op.IS_EMPTY, Op.IS_NOT_EMPTY})
]


@pytest.mark.parametrize(("field", "kind", "op"), _VALUE_OPS)
def test_comparison_is_false_and_its_opposite_true_when_the_value_is_missing(field, kind, op):
    leaf = random_leaf(Random(1), field, kind, op)

    for document in ({}, {field: None}):
        assert _holds(leaf, document) is False
        assert _holds({"not": leaf}, document) is True


@pytest.mark.parametrize(
    ("field", "seen", "is_empty"),
    [
        ("title", None, True),
        ("title", "", True),
        ("title", " ", False),
        ("count", None, True),
        ("count", 0, False),
        ("total", Decimal(0), False),
        ("is_gift", False, False),
        ("tags", None, True),
        ("tags", [], True),
        ("tags", [""], False),
        ("state", "", True),
        ("due", date.min, False),
    ],
)
def test_is_empty_and_is_not_empty_are_opposites_when_values_are_empty_or_not(field, seen, is_empty):
    assert _holds(_leaf(field, "is_empty"), {field: seen}) is is_empty
    assert _holds(_leaf(field, "is_not_empty"), {field: seen}) is not is_empty


def test_relation_counts_as_missing_values_when_it_is_missing():
    assert _holds(_leaf("customer.city", "is_empty"), {"customer": None}) is True
    assert _holds(_leaf("customer.city", "ne", "x"), {}) is False
    assert _holds(_leaf("customer.city", "eq", "x"), {"customer": {"city": "x"}}) is True


@pytest.mark.parametrize(
    ("match", "skus", "expected"),
    [
        ("any", [], False),
        ("all", [], True),
        ("none", [], True),
        ("any", ["a", "b"], True),
        ("all", ["a", "b"], False),
        ("none", ["a", "b"], False),
        ("all", ["a", "a"], True),
        ("none", ["b", None], True),
        ("all", ["a", None], False),
    ],
)
def test_quantifier_answers_when_rows_match_or_not(match, skus, expected):
    tree = {"field": "lines", "match": match, "where": _leaf("sku", "eq", "a")}

    assert _holds(tree, {"lines": [{"sku": sku} for sku in skus]}) is expected


def test_quantifier_sees_no_rows_when_the_collection_is_missing():
    assert _holds({"field": "lines", "match": "any", "where": {"all": []}}, {}) is False
    assert _holds({"field": "lines", "match": "none", "where": {"all": []}}, {"lines": None}) is True


def test_groups_hold_and_fail_when_they_are_empty():
    assert _holds({"all": []}, {}) is True
    assert _holds({"any": []}, {}) is False


@pytest.mark.parametrize(
    ("field", "op", "value", "inside", "outside"),
    [
        ("due", "within_last", {"days": 2}, [date(2026, 2, 27), date(2026, 3, 1)], [date(2026, 2, 26), date(2026, 3, 2)]),
        ("due", "within_next", {"days": 2}, [date(2026, 3, 1), date(2026, 3, 3)], [date(2026, 2, 28), date(2026, 3, 4)]),
        ("due", "in_period", "today", [date(2026, 3, 1)], [date(2026, 2, 28), date(2026, 3, 2)]),
        ("due", "in_period", "yesterday", [date(2026, 2, 28)], [date(2026, 2, 27), date(2026, 3, 1)]),
        ("due", "in_period", "tomorrow", [date(2026, 3, 2)], [date(2026, 3, 1), date(2026, 3, 3)]),
        ("due", "in_period", "this_week", [date(2026, 2, 23), date(2026, 3, 1)], [date(2026, 2, 22), date(2026, 3, 2)]),
        ("due", "in_period", "last_week", [date(2026, 2, 16), date(2026, 2, 22)], [date(2026, 2, 15), date(2026, 2, 23)]),
        ("due", "in_period", "next_week", [date(2026, 3, 2), date(2026, 3, 8)], [date(2026, 3, 1), date(2026, 3, 9)]),
        ("due", "in_period", "this_month", [date(2026, 3, 1), date(2026, 3, 31)], [date(2026, 2, 28), date(2026, 4, 1)]),
        ("due", "in_period", "last_month", [date(2026, 2, 1), date(2026, 2, 28)], [date(2026, 1, 31), date(2026, 3, 1)]),
        ("due", "in_period", "next_month", [date(2026, 4, 1), date(2026, 4, 30)], [date(2026, 3, 31), date(2026, 5, 1)]),
        ("due", "in_period", "this_year", [date(2026, 1, 1), date(2026, 12, 31)], [date(2025, 12, 31), date(2027, 1, 1)]),
        ("due", "in_period", "last_year", [date(2025, 1, 1), date(2025, 12, 31)], [date(2024, 12, 31), date(2026, 1, 1)]),
        ("placed", "within_last", {"hours": 5}, [NOW, NOW - timedelta(hours=5)], [NOW + timedelta.resolution, NOW - timedelta(hours=5, microseconds=1)]),
        ("placed", "within_next", {"days": 1}, [NOW, NOW + timedelta(days=1)], [NOW - timedelta.resolution, NOW + timedelta(days=1, microseconds=1)]),
        (
            "placed",
            "in_period",
            "today",
            [datetime(2026, 2, 28, 16, tzinfo=UTC), datetime(2026, 3, 1, 15, 59, 59, 999999, tzinfo=UTC)],
            [datetime(2026, 2, 28, 15, 59, 59, 999999, tzinfo=UTC), datetime(2026, 3, 1, 16, tzinfo=UTC)],
        ),
    ],
    ids=lambda part: str(part)[:24],
)
def test_window_has_exact_ends_when_now_is_a_tenants_local_time(field, op, value, inside, outside):
    tree = _leaf(field, op, value)

    assert [_holds(tree, {field: moment}) for moment in inside] == [True, True][: len(inside)]
    assert [_holds(tree, {field: moment}) for moment in outside] == [False, False]


def test_day_has_23_hours_when_the_clocks_go_forward():
    london = datetime(2026, 3, 29, 12, tzinfo=ZoneInfo("Europe/London"))
    tree = _leaf("placed", "in_period", "today")

    assert _holds(tree, {"placed": datetime(2026, 3, 29, 0, 0, tzinfo=UTC)}, london) is True
    assert _holds(tree, {"placed": datetime(2026, 3, 29, 22, 59, tzinfo=UTC)}, london) is True
    assert _holds(tree, {"placed": datetime(2026, 3, 29, 23, 0, tzinfo=UTC)}, london) is False


def test_moment_is_compared_by_instant_when_it_lies_in_a_repeated_hour():
    second_pass = datetime(2026, 10, 25, 1, 30, fold=1, tzinfo=ZoneInfo("Europe/London"))

    assert _holds(_leaf("placed", "eq", "2026-10-25T01:30:00Z"), {"placed": second_pass}) is True


@pytest.mark.parametrize(
    ("field", "seen"),
    [
        ("title", 5),
        ("title", ["a"]),
        ("count", "x"),
        ("count", True),
        ("count", 1.5),
        ("total", 1.5),
        ("total", Decimal("NaN")),
        ("total", "NaN"),
        ("due", datetime(2026, 1, 1, tzinfo=UTC)),
        ("due", "soon"),
        ("placed", datetime(2026, 1, 1)),
        ("placed", date(2026, 1, 1)),
        ("is_gift", 1),
        ("owner", "x"),
        ("tags", "vip"),
        ("tags", [1]),
        ("tags", [[]]),
        ("customer.city", 5),
    ],
)
def test_evaluate_refuses_when_the_document_has_another_type(field, seen):
    document = {"customer": seen} if field == "customer.city" else {field: seen}

    with pytest.raises(DocumentValueInvalid) as caught:
        _holds(_leaf(field, "is_not_empty"), document)

    assert caught.value.field == field.partition(".")[0]


@pytest.mark.parametrize("rows", [{}, "x", [1], [None]])
def test_evaluate_refuses_when_a_collection_is_no_list_of_objects(rows):
    with pytest.raises(DocumentValueInvalid) as caught:
        _holds({"field": "lines", "match": "any", "where": {"all": []}}, {"lines": rows})

    assert caught.value.field == "lines"


@settings(max_examples=150, deadline=None)
@given(tree=trees, document=documents)
def test_not_is_the_plain_opposite_when_trees_and_documents_are_random(tree, document):
    assert _holds({"not": tree}, document) is not _holds(tree, document)


@settings(max_examples=150, deadline=None)
@given(tree=trees, other=trees, document=documents)
def test_groups_follow_de_morgan_when_trees_and_documents_are_random(tree, other, document):
    negated = {"not": {"all": [tree, other]}}
    spread = {"any": [{"not": tree}, {"not": other}]}

    condition = parse_condition({"any": [tree, other]}, CATALOGUE)

    assert evaluate(condition, document, NOW) is (_holds(tree, document) or _holds(other, document))
    assert _holds(negated, document) is _holds(spread, document)


def test_comparison_equals_another_when_only_the_prepared_value_differs_in_identity():
    first = Comparison(("title",), CATALOGUE["title"].type, Op.IN, ("a", "b"))
    second = Comparison(("title",), CATALOGUE["title"].type, Op.IN, ("a", "b"))

    assert (first, hash(first)) == (second, hash(second))
