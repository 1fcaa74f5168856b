"""Reading conditions from JSON: limits, types and the places that complaints name."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernel.conditions import (
    ALWAYS,
    OPS_OF,
    Comparison,
    ConditionInvalid,
    FieldSpec,
    FieldType,
    Group,
    Match,
    Not,
    Op,
    Period,
    Quantified,
    Span,
    fields_in,
    leaves,
    parse_condition,
    to_json,
)
from core.kernel.errors import Invalid
from tests.factories.conditions import CATALOGUE, trees


def _leaf(field, op, *value):
    return {"field": field, "op": op} | ({"value": value[0]} if value else {})


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        (_leaf("title", "eq", " x "), Comparison(("title",), FieldType.TEXT, Op.EQ, " x ")),
        (_leaf("count", "eq", "-12"), Comparison(("count",), FieldType.INTEGER, Op.EQ, -12)),
        (_leaf("total", "ge", "1e2"), Comparison(("total",), FieldType.DECIMAL, Op.GE, Decimal(100))),
        (_leaf("total", "ge", Decimal("-0.0")), Comparison(("total",), FieldType.DECIMAL, Op.GE, Decimal(0))),
        (_leaf("due", "lt", "2026-02-28"), Comparison(("due",), FieldType.DATE, Op.LT, date(2026, 2, 28))),
        (
            _leaf("placed", "lt", "2026-03-01T00:00:00+08:00"),
            Comparison(("placed",), FieldType.DATETIME, Op.LT, datetime(2026, 2, 28, 16, tzinfo=UTC)),
        ),
        (_leaf("owner", "eq", str(UUID(int=7))), Comparison(("owner",), FieldType.REFERENCE, Op.EQ, UUID(int=7))),
        (_leaf("count", "in", [3, 1, 3]), Comparison(("count",), FieldType.INTEGER, Op.IN, (3, 1))),
        (_leaf("count", "between", [1, 1]), Comparison(("count",), FieldType.INTEGER, Op.BETWEEN, (1, 1))),
        (_leaf("placed", "within_last", {"hours": 4}), Comparison(("placed",), FieldType.DATETIME, Op.WITHIN_LAST, Span("hours", 4))),
        (_leaf("due", "in_period", "today"), Comparison(("due",), FieldType.DATE, Op.IN_PERIOD, Period.TODAY)),
        (_leaf("customer.city", "is_empty"), Comparison(("customer", "city"), FieldType.TEXT, Op.IS_EMPTY)),
        ({"all": []}, ALWAYS),
        ({"not": {"any": []}}, Not(Group(is_all=False, children=()))),
        (
            {"field": "lines", "match": "none", "where": _leaf("product.brand", "eq", "x")},
            Quantified(("lines",), Match.NONE, Comparison(("product", "brand"), FieldType.TEXT, Op.EQ, "x")),
        ),
    ],
    ids=lambda part: json.dumps(part, default=str) if isinstance(part, dict) else "",
)
def test_parse_gives_the_typed_tree_when_the_json_is_valid(leaf, expected):
    assert parse_condition(leaf, CATALOGUE) == expected


@settings(max_examples=200, deadline=None)
@given(tree=trees)
def test_parse_and_to_json_round_trip_when_trees_are_random(tree):
    parsed = parse_condition(tree, CATALOGUE)

    canonical = json.loads(json.dumps(to_json(parsed)))

    assert parse_condition(canonical, CATALOGUE) == parsed
    assert to_json(parse_condition(canonical, CATALOGUE)) == canonical


def test_to_json_writes_one_form_when_values_were_written_differently():
    first = parse_condition(_leaf("total", "in", ["1.50", "100"]), CATALOGUE)
    second = parse_condition(_leaf("total", "in", ["1.5", "1e2", "1.500"]), CATALOGUE)

    assert to_json(first) == to_json(second) == {"field": "total", "op": "in", "value": ["1.5", "100"]}


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (None, "$"),
        ([], "$"),
        ({}, "$"),
        ({"all": [], "any": []}, "$"),
        ({"field": "title", "op": "eq", "value": "x", "sql": "1=1"}, "$"),
        ({"field": "title"}, "$"),
        ({"all": {}}, "$.all"),
        ({"any": [{"all": []}, 5]}, "$.any[1]"),
        ({"not": {"not": []}}, "$.not.not"),
        (_leaf("nothing", "eq", 1), "$.field"),
        (_leaf("__class__", "eq", 1), "$.field"),
        (_leaf("customer.city.name", "eq", "x"), "$.field"),
        (_leaf("customer.nothing", "eq", "x"), "$.field"),
        (_leaf("title.city", "eq", "x"), "$.field"),
        (_leaf("", "eq", "x"), "$.field"),
        (_leaf(["title"], "eq", "x"), "$.field"),
        (_leaf("a" * 1_000, "eq", "x"), "$.field"),
        (_leaf("customer", "is_empty"), "$.field"),
        (_leaf("lines", "is_empty"), "$.field"),
        (_leaf("lines.sku", "eq", "x"), "$.field"),
        (_leaf("title", "like", "x"), "$.op"),
        (_leaf("title", ["eq"], "x"), "$.op"),
        (_leaf("title", "within_last", {"days": 1}), "$.op"),
        (_leaf("count", "contains", "1"), "$.op"),
        ({"field": "is_gift", "op": "lt", "value": True}, "$.op"),
        (_leaf("title", "eq"), "$"),
        (_leaf("title", "is_empty", "x"), "$.value"),
        (_leaf("title", "eq", 5), "$.value"),
        (_leaf("title", "eq", None), "$.value"),
        (_leaf("title", "eq", "a\x00b"), "$.value"),
        (_leaf("title", "eq", "\ud800"), "$.value"),
        (_leaf("title", "eq", "x" * 1_001), "$.value"),
        (_leaf("title", "contains", ""), "$.value"),
        (_leaf("title", "starts_with", ""), "$.value"),
        ({"field": "count", "op": "eq", "value": True}, "$.value"),
        (_leaf("count", "eq", 1.0), "$.value"),
        (_leaf("count", "eq", "１"), "$.value"),
        (_leaf("count", "eq", 2**63), "$.value"),
        (_leaf("count", "eq", "9" * 5_000), "$.value"),
        (_leaf("total", "eq", 1.5), "$.value"),
        (_leaf("total", "eq", "abc"), "$.value"),
        (_leaf("total", "eq", "NaN"), "$.value"),
        (_leaf("total", "eq", "-Infinity"), "$.value"),
        (_leaf("total", "eq", "1e31"), "$.value"),
        (_leaf("total", "eq", "1e99999999999999999999"), "$.value"),
        (_leaf("total", "eq", "1" * 41), "$.value"),
        (_leaf("total", "eq", Decimal("sNaN")), "$.value"),
        ({"field": "total", "op": "eq", "value": True}, "$.value"),
        (_leaf("due", "eq", "2026-02-29"), "$.value"),
        (_leaf("due", "eq", 20260101), "$.value"),
        (_leaf("placed", "eq", "2026-01-01T00:00:00"), "$.value"),
        (_leaf("placed", "eq", "yesterday"), "$.value"),
        (_leaf("placed", "eq", "0001-01-01T00:00:00+08:00"), "$.value"),
        (_leaf("is_gift", "eq", 1), "$.value"),
        (_leaf("state", "eq", "gone"), "$.value"),
        (_leaf("owner", "eq", "not-an-id"), "$.value"),
        (_leaf("owner", "eq", 5), "$.value"),
        (_leaf("count", "in", []), "$.value"),
        (_leaf("count", "in", 5), "$.value"),
        (_leaf("count", "in", [1, "x"]), "$.value[1]"),
        (_leaf("count", "in", list(range(1_001))), "$.value"),
        (_leaf("count", "between", [2, 1]), "$.value"),
        (_leaf("count", "between", [1]), "$.value"),
        (_leaf("count", "between", [1, None]), "$.value[1]"),
        (_leaf("due", "in_period", "this_century"), "$.value"),
        (_leaf("due", "in_period", {}), "$.value"),
        (_leaf("due", "within_last", {"hours": 5}), "$.value"),
        (_leaf("placed", "within_last", {"weeks": 5}), "$.value"),
        (_leaf("placed", "within_last", {"days": 1, "hours": 1}), "$.value"),
        (_leaf("placed", "within_last", 5), "$.value"),
        (_leaf("placed", "within_last", {"days": 0}), "$.value.days"),
        (_leaf("placed", "within_last", {"days": 36_501}), "$.value.days"),
        (_leaf("placed", "within_last", {"days": True}), "$.value.days"),
        ({"field": "title", "match": "any", "where": {"all": []}}, "$.match"),
        ({"field": "lines", "match": "some", "where": {"all": []}}, "$.match"),
        ({"field": "lines", "match": "any", "where": _leaf("title", "eq", "x")}, "$.where.field"),
    ],
)
def test_parse_names_the_place_when_the_json_is_wrong(data, place):
    with pytest.raises(ConditionInvalid) as caught:
        parse_condition(data, CATALOGUE)

    assert caught.value.field == place
    assert isinstance(caught.value, Invalid)


def test_parse_refuses_collections_when_they_are_inside_another():
    nested = {"lines": FieldSpec(FieldType.COLLECTION, fields={"parts": FieldSpec(FieldType.COLLECTION, fields={})})}
    inner = {"field": "parts", "match": "any", "where": {"all": []}}

    with pytest.raises(ConditionInvalid) as caught:
        parse_condition({"field": "lines", "match": "any", "where": inner}, nested)

    assert caught.value.field == "$.where.field"


@pytest.mark.parametrize(("depth", "is_fine"), [(8, True), (9, False), (5_000, False)])
def test_parse_limits_the_depth_when_trees_are_nested(depth, is_fine):
    tree = {"all": []}
    for _ in range(depth - 1):
        tree = {"not": tree}

    if is_fine:
        assert parse_condition(tree, CATALOGUE) is not None
        return
    with pytest.raises(ConditionInvalid) as caught:
        parse_condition(tree, CATALOGUE)

    assert caught.value.field == "$" + ".not" * 8


def test_parse_limits_the_number_of_nodes_when_trees_are_wide():
    fine = parse_condition({"all": [_leaf("count", "eq", 1)] * 199}, CATALOGUE)

    with pytest.raises(ConditionInvalid) as caught:
        parse_condition({"all": [_leaf("count", "eq", 1)] * 200}, CATALOGUE)

    assert len(list(leaves(fine))) == 199
    assert caught.value.field == "$.all[199]"


def test_parse_takes_any_choice_when_the_catalogue_lists_none():
    parsed = parse_condition(_leaf("state", "eq", "anything"), {"state": FieldSpec(FieldType.CHOICE)})

    assert parsed == Comparison(("state",), FieldType.CHOICE, Op.EQ, "anything")


def test_fields_in_names_every_field_when_quantifiers_and_relations_are_inside():
    where = {"any": [_leaf("sku", "eq", "x"), _leaf("product.brand", "eq", "y")]}
    tree = {"all": [{"not": _leaf("title", "eq", "x")}, _leaf("customer.city", "eq", "x"), {"field": "lines", "match": "any", "where": where}]}

    found = fields_in(parse_condition(tree, CATALOGUE))

    assert found == {"title", "customer.city", "lines", "lines.sku", "lines.product.brand"}


@pytest.mark.parametrize(("field", "value"), [("due", date(2026, 1, 31)), ("owner", UUID(int=7)), ("placed", datetime(2026, 1, 1, tzinfo=UTC))])
def test_parse_takes_typed_values_when_code_builds_the_condition(field, value):
    assert parse_condition(_leaf(field, "eq", value), CATALOGUE).value == value


def test_parse_refuses_a_collection_when_it_hangs_on_a_relation():
    lines = FieldSpec(FieldType.COLLECTION, fields={"sku": FieldSpec(FieldType.TEXT)})
    catalogue = {"customer": FieldSpec(FieldType.RELATION, fields={"orders": lines})}

    with pytest.raises(ConditionInvalid) as caught:
        parse_condition({"field": "customer.orders", "match": "any", "where": {"all": []}}, catalogue)

    assert caught.value.field == "$.field"


def test_ops_are_defined_when_a_type_holds_a_value():
    without = set(FieldType) - set(OPS_OF)

    assert without == {FieldType.RELATION, FieldType.COLLECTION}


@settings(max_examples=200, deadline=None)
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats() | st.sampled_from(["title", "eq", "lines"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["all", "any", "not", "field", "op", "value", "match", "where", "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_parse_gives_a_tree_or_condition_invalid_when_the_json_is_random(data):
    try:
        parsed = parse_condition(data, CATALOGUE)
    except ConditionInvalid as error:
        refused = error
    else:
        assert parse_condition(to_json(parsed), CATALOGUE) == parsed
        return
    assert refused.field.startswith("$")
