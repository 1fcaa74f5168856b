"""The configuration as a file: written, read again, compared, applied; the same through REST's and the command line's door."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from jsonschema import Draft202012Validator

from core.domain.all_entities import core_entities
from core.engines.configuration import ConfigRefused, ConfigStale, KindRegistry, propose
from core.engines.configuration.described import document_schema
from core.engines.configuration.document import apply_document, changes_of, export_document, read_text, write_text
from core.engines.configuration.queries import present_version
from core.engines.metadata.tailor import Schemas
from core.engines.metadata.tailor.kinds import metadata_kinds

pytestmark = pytest.mark.database
BASE = core_entities()
KINDS = KindRegistry(metadata_kinds(BASE))
FILE = """
format = 1
[[entity]]
key = "complaint"
label = "投诉"
label_plural = "投诉"
title = "number"
[[field]]
entity = "custom.complaint"
key = "number"
label = "Number"
type = "number"
series = "SC-{yyyy}-{n:4}"
[[field]]
entity = "custom.complaint"
key = "kind"
label = "Kind"
type = "choice"
choices = [{value = "late", label = "Late", kind = "bad"}, {value = "broken"}]
[[field]]
entity = "orders.order"
key = "cf_gift"
label = "Gift"
type = "boolean"
[[label]]
entity = "orders.order"
field = "state"
value = "placed"
label = "Waiting for us"
[[layout]]
entity = "custom.complaint"
columns = ["title", "kind"]
tabs = [{title = "Main", sections = [{title = "What", fields = ["kind"]}]}]
[[view]]
entity = "custom.complaint"
key = "late"
label = "Late ones"
condition = {field = "kind", op = "in", value = ["late"]}
[[rule]]
key = "staff_late"
entity = "custom.complaint"
label = "Staff see late ones"
roles = ["staff"]
condition = {field = "kind", op = "eq", value = "late"}
[[access]]
entity = "orders.order"
field = "cf_gift"
role = "warehouse"
may = "read"
"""

EMPTY = {"format": 1, **{kind.key: [] for kind in KINDS}}


def applied(world, scope, document, note=""):
    with world.database.unit(scope) as session:
        return apply_document(session, KINDS, document, note=note)


def exported(world, scope):
    with world.database.unit(scope) as session:
        return export_document(session, KINDS)


@pytest.mark.parametrize("is_toml", [True, False])
def test_file_written_from_one_tenant_makes_another_the_same(world, is_toml):
    document = read_text(FILE, is_toml=True)

    first = applied(world, world.tea, document)
    text = write_text(exported(world, world.tea), is_toml=is_toml)
    applied(world, world.gift, read_text(text, is_toml=is_toml))
    again = applied(world, world.gift, read_text(text, is_toml=is_toml))

    assert len(first.steps) == (9 if is_toml else 0)
    assert again.steps == ()
    assert exported(world, world.gift) == exported(world, world.tea)
    Draft202012Validator(document_schema(KINDS)).validate(exported(world, world.tea))


def test_sections_that_a_file_names_are_whole_and_others_are_left_alone(world):
    applied(world, world.tea, read_text(FILE, is_toml=True))

    made = applied(world, world.tea, {"format": 1, "rule": [], "access": []})

    assert {(step.kind, step.after) for step in made.steps} == {("rule", None), ("access", None)}
    assert len(exported(world, world.tea)["field"]) == 3


def test_item_is_renamed_when_the_file_says_its_last_name(world):
    applied(world, world.tea, read_text(FILE, is_toml=True))
    document = exported(world, world.tea)
    fields = [
        {**body, "key": "cf_wrapped", "renamed_from": "cf_gift"} if body["key"] == "cf_gift" else body for body in document["field"]
    ]
    access = [{**body, "field": "cf_wrapped"} if body.get("field") == "cf_gift" else body for body in document.get("access", [])]

    made = applied(world, world.tea, {"format": 1, "field": fields, "access": access})
    with world.database.unit(world.tea) as session:
        order = Schemas(BASE).of(session).get("orders.order")

    renamed = [step for step in made.steps if step.kind == "field"]
    assert [(step.key, step.renamed_from) for step in renamed] == [("orders.order/cf_wrapped", "orders.order/cf_gift")]
    assert "cf_wrapped" in order.by_key
    assert "cf_gift" not in order.by_key


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({}, {"format"}),
        ({"format": 2}, {"format"}),
        ({"format": 1, "colour": []}, {"colour"}),
        ({"format": 1, "field": {}}, {"field"}),
        ({"format": 1, "field": ["x"]}, {"field[0]"}),
        ({"format": 1, "field": [{"entity": "orders.order", "key": "cf_x", "label": "X", "type": "texxt"}]}, {"field[orders.order/cf_x].type"}),
        ({"format": 1, "field": [{"entity": "orders.order", "key": "cf_x", "label": 5, "type": "text", "hue": 1}]},
         {"field[orders.order/cf_x].label", "field[orders.order/cf_x].hue"}),
        ({**EMPTY, "entity": [{"key": "a", "label": "A", "label_plural": "A", "parent": "custom.a"}]}, {"entity[a].parent"}),
    ],
)  # fmt: skip
def test_file_that_is_wrong_is_refused_with_every_place_and_changes_nothing(world, document, places):
    with world.database.unit(world.gift) as session:
        before = present_version(session)

    with pytest.raises(ConfigRefused) as refused:
        applied(world, world.gift, document)

    with world.database.unit(world.gift) as session:
        assert present_version(session) == before
    assert set(refused.value.problems) == places


def test_looking_at_a_file_changes_nothing_and_tells_what_it_would(world):
    applied(world, world.tea, read_text(FILE, is_toml=True))
    before = exported(world, world.tea)

    with world.database.unit(world.tea) as session:
        made, impacts = propose(session, KINDS, changes_of(session, KINDS, EMPTY))

    assert {step.kind for step in made.steps} >= {"entity", "field"}
    assert any(impact.kind == "entity" and impact.level == "warn" for impact in impacts)
    assert exported(world, world.tea) == before


def test_files_that_are_applied_at_once_never_mix(world):
    applied(world, world.tea, EMPTY)
    field = {"entity": "orders.order", "label": "X", "type": "text"}
    documents = [{"format": 1, "field": [{**field, "key": f"cf_{name}"}]} for name in "abcd"]
    start = Barrier(len(documents))

    def send(document):
        start.wait()
        with world.database.unit(world.tea) as session:
            apply_document(session, KINDS, document)

    with ThreadPoolExecutor(len(documents)) as pool:
        for running in [pool.submit(send, document) for document in documents]:
            running.result()

    assert exported(world, world.tea) in documents


def test_file_is_refused_when_the_configuration_is_no_longer_the_one_it_was_compared_with(world):
    applied(world, world.tea, EMPTY)
    with world.database.unit(world.tea) as session:
        seen = present_version(session)
    applied(world, world.tea, {"format": 1, "field": [{"entity": "orders.order", "key": "cf_new", "label": "X", "type": "text"}]})
    before = exported(world, world.tea)

    with world.database.unit(world.tea) as session, pytest.raises(ConfigStale):
        apply_document(session, KINDS, EMPTY, base=seen)

    assert exported(world, world.tea) == before
