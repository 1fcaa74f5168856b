"""Formulas worked out from a record's values: in their order, and empty where there is no result."""

from __future__ import annotations

from decimal import Decimal

from core.engines.metadata.entity import EntityType, Field, FieldType
from core.engines.metadata.formulas import calculation_of, fits_result, names_used, with_formulas
from core.kernel.expressions import ValueType

FIELDS = (
    Field("price", "Price", FieldType.MONEY, slot="f1"),
    Field("number", "Number", FieldType.INTEGER, slot="f2"),
    Field("pin", "Pin", slot="f3", is_sealed=True),
    Field("gross", "Gross", FieldType.DECIMAL, formula="net * 1.2"),
    Field("net", "Net", FieldType.DECIMAL, formula="price * number"),
    Field("each", "Each", FieldType.DECIMAL, formula="gross / number"),
    Field("whole", "Whole", FieldType.DECIMAL, formula="number + 1"),
    Field("leak", "Leak", formula="pin"),
)
THING = EntityType("custom.thing", "thing", object, "Thing", "Things", "things", fields=FIELDS, list_fields=())


def test_formulas_are_worked_out_behind_those_that_they_use():
    found = with_formulas(THING, {"price": Decimal("2.50"), "number": 4})

    assert (found["net"], found["gross"], found["each"]) == (Decimal("10.00"), Decimal("12.000"), Decimal("3.000"))
    assert (found["whole"], type(found["whole"])) == (Decimal(5), Decimal)


def test_formula_is_empty_when_a_value_is_missing_or_it_divides_by_nothing():
    assert with_formulas(THING, {"price": None, "number": 4})["gross"] is None
    assert with_formulas(THING, {"price": Decimal(1), "number": 0})["each"] is None


def test_formula_starts_from_the_stored_fields_of_all_that_it_uses():
    calculation = calculation_of(THING, THING.by_key["each"])

    assert [item.key for item in calculation.inputs] == ["number", "price"]
    assert [item.key for item, _expression in calculation.steps] == ["net", "gross", "each"]
    assert names_used(THING, THING.by_key["each"]) == {"gross", "number"}


def test_formula_gives_nothing_when_it_names_an_encrypted_field():
    assert with_formulas(THING, {"pin": "1234"})["leak"] is None


def test_result_of_whole_numbers_can_be_shown_as_money():
    fits = {kind: fits_result(ValueType.INTEGER, kind) for kind in (FieldType.INTEGER, FieldType.MONEY, FieldType.TEXT)}

    assert fits == {FieldType.INTEGER: True, FieldType.MONEY: True, FieldType.TEXT: False}
