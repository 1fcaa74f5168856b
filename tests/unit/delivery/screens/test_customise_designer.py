"""Moves of the layout designer."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from core.delivery.screens.customise_designer import Arrangement, Section, TabPart

KNOWN = ("a", "b", "c", "d", "e")


def arrangement():
    tabs = [TabPart("One", [Section("", 2, ["a", "b"]), Section("Low", 1, ["c"])]), TabPart("Two", [Section("", 3, ["d"])])]
    return Arrangement(tabs, ["a", "b"], ["a"])


def placed(made):
    return [[section.fields for section in tab.sections] for tab in made.tabs]


@pytest.mark.parametrize(
    ("move", "after"),
    [
        ("down:a", [[["b", "a"], ["c"]], [["d"]]]),
        ("up:b", [[["b", "a"], ["c"]], [["d"]]]),
        ("up:a", [[["a", "b"], ["c"]], [["d"]]]),
        ("after:b", [[["a"], ["b", "c"]], [["d"]]]),
        ("after:c", [[["a", "b"], []], [["c", "d"]]]),
        ("before:d", [[["a", "b"], ["c", "d"]], [[]]]),
        ("before:a", [[["a", "b"], ["c"]], [["d"]]]),
        ("out:c", [[["a", "b"], []], [["d"]]]),
        ("in:e", [[["a", "b"], ["c"]], [["d", "e"]]]),
        ("in:a", [[["a", "b"], ["c"]], [["d"]]]),
        ("place:d:0.0.1", [[["a", "d", "b"], ["c"]], [[]]]),
        ("place:a:out", [[["b"], ["c"]], [["d"]]]),
        ("place:a:9.0.0", [[["a", "b"], ["c"]], [["d"]]]),
        ("tab-add", [[["a", "b"], ["c"]], [["d"]], [[]]]),
        ("tab-drop:1", [[["a", "b"], ["c", "d"]]]),
        ("tab-up:1", [[["d"]], [["a", "b"], ["c"]]]),
        ("section-add:1", [[["a", "b"], ["c"]], [["d"], []]]),
        ("section-drop:0.0", [[["c", "a", "b"]], [["d"]]]),
        ("section-up:0.1", [[["c"], ["a", "b"]], [["d"]]]),
        ("section-drop:1.0", [[["a", "b"], ["c"]], [["d"]]]),
        ("nonsense", [[["a", "b"], ["c"]], [["d"]]]),
    ],
)
def test_move_rearranges_the_form(move, after):
    made = arrangement()

    made.move(move)

    assert placed(made) == after


@pytest.mark.parametrize(
    ("move", "after"),
    [
        ("columns-in:c", ["a", "b", "c"]),
        ("columns-in:a", ["a", "b"]),
        ("columns-out:a", ["b"]),
        ("columns-down:a", ["b", "a"]),
        ("columns-place:b:0", ["b", "a"]),
        ("cards-in:b", ["a", "b"]),
    ],
)
def test_move_rearranges_the_columns_of_the_list(move, after):
    made = arrangement()

    made.move(move)

    assert (made.cards if move.startswith("cards") else made.columns) == after


def test_arrangement_survives_the_way_through_its_form_without_unknown_fields_and_sizes():
    form = MultiDict(
        [
            ("t0.title", " One "), ("t0.s0.title", ""), ("t0.s0.columns", "2"), ("t0.s0.f", "a"), ("t0.s0.f", "nosuch"), ("t0.s0.f", "b"),
            ("t0.s1.title", "Low"), ("t0.s1.columns", "9"), ("t0.s1.f", "c"), ("t1.title", "Empty"), ("t1.s0.columns", "1"),
            ("l.columns", "b"), ("l.columns", "a"), ("l.columns", "b"),
        ]
    )  # fmt: skip

    body = Arrangement.posted(form, KNOWN).body()

    assert body == {
        "tabs": [
            {"title": "One", "sections": [{"title": "", "columns": 2, "fields": ["a", "b"]}, {"title": "Low", "columns": 2, "fields": ["c"]}]}
        ],
        "columns": ["b", "a"],
        "cards": [],
    }
