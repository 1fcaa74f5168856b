"""Conditions as sentences."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, settings

from core.kernel.conditions import FieldSpec, FieldType, describe, parse_condition
from core.kernel.conditions.describe import _PERIODS, _SENTENCES
from core.kernel.conditions.nodes import Op, Period
from tests.factories.conditions import CATALOGUE, trees


def _say(tree, translate=str):
    return describe(parse_condition(tree, CATALOGUE), CATALOGUE, translate)


def _leaf(field, op, *value):
    return {"field": field, "op": op} | ({"value": value[0]} if value else {})


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (_leaf("title", "eq", "x"), "Title is “x”"),
        (_leaf("title", "ne", "x"), "Title is filled in, but not “x”"),
        (_leaf("count", "lt", 3), "Count is less than 3"),
        (_leaf("total", "le", "1.50"), "Total is at most 1.5"),
        (_leaf("total", "between", ["1", "2"]), "Total is between 1 and 2"),
        (_leaf("due", "lt", "2026-01-31"), "Due is before 2026-01-31"),
        (_leaf("due", "ge", "2026-01-31"), "Due is 2026-01-31 or later"),
        (_leaf("placed", "le", "2026-01-31T08:00:00Z"), "Placed is 2026-01-31 08:00+00:00 or earlier"),
        (_leaf("placed", "within_last", {"days": 1}), "Placed is within the last 1 day"),
        (_leaf("placed", "within_next", {"hours": 12}), "Placed is within the next 12 hours"),
        (_leaf("due", "in_period", "this_week"), "Due is this week"),
        ({"field": "is_gift", "op": "eq", "value": True}, "Gift is yes"),
        (_leaf("state", "in", ["paid", "new"]), "State is one of Paid, New"),
        (_leaf("tags", "has_all", ["vip"]), "Tags has all of vip"),
        (_leaf("owner", "eq", str(UUID(int=1))), "Owner is 00000000-0000-0000-0000-000000000001"),
        (_leaf("count", "in", [1, 2, 3, 4, 5, 6, 7]), "Count is one of 1, 2, 3, 4, 5 and 2 more"),
        (_leaf("customer.city", "is_empty"), "Customer city is empty"),
        ({"all": []}, "always"),
        ({"any": []}, "never"),
        ({"not": {"field": "is_gift", "op": "eq", "value": False}}, "not (Gift is no)"),
        (
            {"all": [_leaf("count", "eq", 1), {"any": [_leaf("count", "eq", 2), _leaf("count", "eq", 3)]}]},
            "Count is 1 and (Count is 2 or Count is 3)",
        ),
        ({"all": [{"any": [_leaf("count", "eq", 2)]}]}, "Count is 2"),
        (
            {"all": [_leaf("count", "eq", 1), {"field": "lines", "match": "none", "where": _leaf("product.brand", "contains", "x")}]},
            "Count is 1 and (none of Lines meets: Product brand contains “x”)",
        ),
    ],
)
def test_describe_gives_a_sentence_when_asked(tree, sentence):
    assert _say(tree) == sentence


def test_describe_speaks_another_language_when_it_has_a_translation():
    words = {"{field} is {value}": "{field}为{value}", " and ": "并且", "{field} is at least {value}": "{field}至少为{value}"}
    tree = {"all": [_leaf("state", "eq", "paid"), _leaf("total", "ge", "100")]}

    assert _say(tree, lambda source: words.get(source, source)) == "State为Paid并且Total至少为100"


def test_describe_uses_the_name_when_a_field_has_left_the_catalogue():
    parsed = parse_condition(_leaf("customer.city", "eq", "x"), CATALOGUE)

    assert describe(parsed, {}) == "customer city is x"
    assert describe(parsed, {"customer": FieldSpec(FieldType.TEXT, "Buyer")}) == "Buyer city is x"


def test_every_operation_and_period_has_words_when_it_exists():
    assert set(_SENTENCES) == set(Op)
    assert set(_PERIODS) == set(Period)


def test_describe_keeps_braces_when_a_value_holds_them():
    assert _say(_leaf("title", "eq", "{field} {0}")) == "Title is “{field} {0}”"


@settings(max_examples=150, deadline=None)
@given(tree=trees)
def test_describe_says_something_when_trees_are_random(tree):
    assert len(_say(tree)) > 3
