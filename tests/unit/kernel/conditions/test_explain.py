"""Explanations: which leaves decided, and which would have to turn."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings

from core.kernel.conditions import Comparison, Group, Not, describe_change, evaluate, explain, parse_condition
from core.kernel.conditions.evaluate import comparison_holds
from tests.factories.conditions import CATALOGUE, NOW, SCALARS, documents, random_tree, randoms, trees

PAID = {"field": "state", "op": "eq", "value": "paid"}
LARGE = {"field": "total", "op": "ge", "value": "100"}
GIFT = {"field": "is_gift", "op": "eq", "value": True}


def _explain(tree, document):
    return explain(parse_condition(tree, CATALOGUE), document, NOW)


def _places(findings):
    return None if findings is None else [finding.at for finding in findings]


@pytest.mark.parametrize(
    ("tree", "document", "holds", "deciding", "to_change"),
    [
        (PAID, {"state": "paid"}, True, ["$"], ["$"]),
        ({"all": [PAID, LARGE]}, {"state": "paid", "total": 80}, False, ["$.all[1]"], ["$.all[1]"]),
        ({"all": [PAID, LARGE]}, {"state": "new", "total": 80}, False, ["$.all[0]", "$.all[1]"], ["$.all[0]", "$.all[1]"]),
        ({"all": [PAID, LARGE]}, {"state": "paid", "total": 100}, True, ["$.all[0]", "$.all[1]"], ["$.all[0]"]),
        ({"any": [PAID, LARGE]}, {"state": "new", "total": 100}, True, ["$.any[1]"], ["$.any[1]"]),
        ({"any": [PAID, LARGE]}, {"state": "new", "total": 80}, False, ["$.any[0]", "$.any[1]"], ["$.any[0]"]),
        ({"not": {"any": [PAID, LARGE]}}, {"state": "new", "total": 100}, False, ["$.not.any[1]"], ["$.not.any[1]"]),
        ({"any": [{"all": [PAID, LARGE]}, GIFT]}, {"total": 1}, False, ["$.any[0].all[0]", "$.any[0].all[1]", "$.any[1]"], ["$.any[1]"]),
        ({"all": []}, {}, True, [], None),
        ({"any": []}, {}, False, [], None),
        ({"all": [{"any": []}, PAID]}, {"state": "new"}, False, ["$.all[1]"], None),
        ({"all": [{"all": []}, PAID]}, {"state": "paid"}, True, ["$.all[1]"], ["$.all[1]"]),
    ],
)
def test_explain_names_deciding_leaves_and_fewest_changes_when_groups_nest(tree, document, holds, deciding, to_change):
    explanation = _explain(tree, document)

    assert explanation.holds is holds
    assert _places(explanation.deciding) == deciding
    assert _places(explanation.to_change) == to_change


def test_explain_shows_values_as_json_when_it_is_stored():
    explanation = _explain({"all": [LARGE]}, {"total": Decimal("80.50")})

    stored = json.loads(json.dumps(explanation.to_json()))

    finding = {"at": "$.all[0]", "field": "total", "seen": "80.50", "holds": False, "op": "ge", "expected": "100"}
    assert stored == {"holds": False, "deciding": [finding], "to_change": [finding]}


@pytest.mark.parametrize(
    ("match", "quantities", "holds", "seen", "rows"),
    [
        ("all", [1, 0, 2, 0], False, {"rows": 4, "matching": 2}, [1, 3]),
        ("all", [1, 2], True, {"rows": 2, "matching": 2}, [0, 1]),
        ("any", [0, 3], True, {"rows": 2, "matching": 1}, [1]),
        ("any", [0, 0], False, {"rows": 2, "matching": 0}, [0, 1]),
        ("none", [0, 5], False, {"rows": 2, "matching": 1}, [1]),
        ("none", [0], True, {"rows": 1, "matching": 0}, [0]),
        ("all", [0] * 12, False, {"rows": 12, "matching": 0}, list(range(10))),
        ("any", [], False, {"rows": 0, "matching": 0}, []),
    ],
)
def test_explain_names_the_telling_rows_when_a_quantifier_decides(match, quantities, holds, seen, rows):
    tree = {"field": "lines", "match": match, "where": {"field": "quantity", "op": "gt", "value": "0"}}

    [finding] = _explain(tree, {"lines": [{"quantity": quantity} for quantity in quantities]}).deciding

    assert (finding.holds, finding.seen) == (holds, seen)
    assert [row.index for row in finding.rows] == rows
    assert all(_places(row.deciding) == ["$.where"] for row in finding.rows)


def test_explain_stores_rows_when_a_quantifier_decides():
    tree = {"field": "lines", "match": "all", "where": {"field": "sku", "op": "is_not_empty"}}

    [finding] = _explain(tree, {"lines": [{"sku": "a"}, {"sku": None}]}).to_json()["deciding"]

    inner = {"at": "$.where", "field": "sku", "seen": None, "holds": False, "op": "is_not_empty", "expected": None}
    assert finding == {
        "at": "$",
        "field": "lines",
        "seen": {"rows": 2, "matching": 1},
        "holds": False,
        "match": "all",
        "rows": [{"index": 1, "deciding": [inner]}],
    }


@settings(max_examples=150, deadline=None)
@given(tree=trees, document=documents)
def test_explain_agrees_with_evaluate_when_trees_and_documents_are_random(tree, document):
    condition = parse_condition(tree, CATALOGUE)

    explanation = explain(condition, document, NOW)

    assert explanation.holds is evaluate(condition, document, NOW)
    json.dumps(explanation.to_json())


def _with_turned(node, turned, document, at="$"):
    """The answer of a tree when the leaves at the places `turned` give the opposite of what they say."""
    if isinstance(node, Group):
        mode = "all" if node.is_all else "any"
        parts = [_with_turned(child, turned, document, f"{at}.{mode}[{index}]") for index, child in enumerate(node.children)]
        return all(parts) if node.is_all else any(parts)
    if isinstance(node, Not):
        return not _with_turned(node.child, turned, document, f"{at}.not")
    assert isinstance(node, Comparison)
    return comparison_holds(node, document[node.path[0]], NOW) is not (at in turned)


@settings(max_examples=150, deadline=None)
@given(tree=randoms.map(lambda rng: random_tree(rng, SCALARS)), document=documents)
def test_answer_turns_when_the_leaves_to_change_turn(tree, document):
    condition = parse_condition(tree, CATALOGUE)
    explanation = explain(condition, document, NOW)

    if explanation.to_change is None:
        return
    turned = {finding.at for finding in explanation.to_change}
    assert _with_turned(condition, turned, document) is not explanation.holds
    for spared in turned:
        assert _with_turned(condition, turned - {spared}, document) is explanation.holds


def test_describe_change_says_what_is_and_what_is_needed_when_the_answer_is_no():
    condition = parse_condition({"all": [PAID, {"not": LARGE}, {"field": "lines", "match": "any", "where": GIFT_LINE}]}, CATALOGUE)
    explanation = explain(condition, {"state": "new", "total": Decimal(120), "lines": [{"sku": "x"}]}, NOW)

    assert describe_change(explanation, CATALOGUE) == [
        "State is now New; needed: State is Paid",
        "Total is now 120; in the way: Total is at least 100",
        "Lines is now 0 of 1; needed: at least one of Lines meets: SKU is “gift”",
    ]


GIFT_LINE = {"field": "sku", "op": "eq", "value": "gift"}


def test_describe_change_says_nothing_for_values_when_they_are_missing():
    tree = {"all": [PAID, {"field": "tags", "op": "has_any", "value": ["vip"]}, {"field": "marks", "op": "has_any", "value": ["a"]}]}
    explanation = _explain(tree, {"tags": [], "marks": ["b", "c"]})

    assert describe_change(explanation, CATALOGUE) == [
        "State is now nothing; needed: State is Paid",
        "Tags is now nothing; needed: Tags has any of vip",
        "Marks is now b, c; needed: Marks has any of a",
    ]


def test_describe_change_is_empty_when_nothing_can_turn_the_answer():
    assert describe_change(_explain({"any": []}, {}), CATALOGUE) == []
