"""Whatever a business does to its fields, one after the other, every stored value stays where it is and is read again when its field is back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.domain.all_entities import core_entities
from core.domain.catalog.models import Product
from core.engines.configuration import Change, KindRegistry, apply_changes, roll_back
from core.engines.configuration.queries import items_of, present_version
from core.engines.metadata import queries, writing
from core.engines.metadata.queries import ListQuery
from core.engines.metadata.stored import FieldSlot, read_stored
from core.engines.metadata.tailor import Schemas
from core.engines.metadata.tailor.kinds import metadata_kinds

pytestmark = pytest.mark.database
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
BASE = core_entities()
KINDS = KindRegistry(metadata_kinds(BASE))
PRODUCT = "catalog.product"
CHOICES = [{"value": "12"}, {"value": "red"}]
START = {"cf_a": "text", "cf_b": "integer", "cf_c": "date", "cf_d": "choices"}
GIVEN = [
    {"cf_a": "12", "cf_b": 7, "cf_c": datetime(2026, 1, 31, tzinfo=UTC).date(), "cf_d": ["12", "red"]},
    {"cf_a": "red", "cf_b": -3, "cf_d": ["red"]},
    {"cf_a": "2026-05-01"},
]
NAMES = ("cf_a", "cf_b", "cf_c", "cf_d", "cf_e")
TYPES = ("text", "integer", "decimal", "date", "boolean", "choice", "choices", "long_text")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("retype"), st.sampled_from(NAMES), st.sampled_from(TYPES)),
        st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("archive"), st.sampled_from(NAMES), st.booleans()),
        st.tuples(st.just("drop"), st.sampled_from(NAMES), st.none()),
        st.tuples(st.just("add"), st.sampled_from(NAMES), st.sampled_from(TYPES)),
        st.tuples(st.just("unfilter"), st.sampled_from(NAMES), st.booleans()),
        st.tuples(st.just("back"), st.just(""), st.integers(0, 5)),
    ),
    max_size=8,
)


def body_of(key, kind, **more):
    found = {"entity": PRODUCT, "key": key, "label": key, "type": kind, **more}
    return {**found, "choices": CHOICES} if kind in ("choice", "choices") else found


@pytest.fixture(scope="module")
def goods(world):
    """Products with values in four fields, and the version at which they got them."""
    with world.database.unit(world.tea) as session:
        apply_changes(session, KINDS, [Change("field", body_of(key, kind)) for key, kind in START.items()])
    with world.database.unit(world.tea) as session:
        entity = Schemas(BASE).of(session).get(PRODUCT)
        ids = [writing.create(session, entity, {"code": f"G{at}", "title": "x", **own}, now=NOW).id for at, own in enumerate(GIVEN)]
        version = present_version(session)
    return ids, version, stored(world)


def stored(world):
    with world.database.unit(world.tea) as session:
        return {row.id: row.custom for row in session.execute(select(Product.id, Product.custom))}


def carry_out(session, step):
    what, name, more = step
    held = {item.key: item for item in items_of(session, "field")}
    found = held.get(f"{PRODUCT}/{name}")
    body = dict(found.body) if found is not None else None
    if what == "add":
        return apply_changes(session, KINDS, [Change("field", body_of(name, more))]) if body is None else None
    if what == "back":
        return roll_back(session, KINDS, max(1, present_version(session) - more))
    if body is None:
        return None
    if what == "retype":
        return apply_changes(session, KINDS, [Change("field", body_of(name, more))])
    if what == "rename":
        wanted = f"{PRODUCT}/{more}"
        return apply_changes(session, KINDS, [Change("field", {**body, "key": more}, found.key)]) if wanted not in held else None
    if what == "drop":
        return apply_changes(session, KINDS, [Change("field", None, found.key)])
    changed = {**body, ("archived" if what == "archive" else "filterable"): more}
    return apply_changes(session, KINDS, [Change("field", changed, found.key)])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_sequence_of_changes_keeps_every_value(world, goods, steps):
    ids, version, before = goods
    with world.database.unit(world.tea) as session:
        roll_back(session, KINDS, version)

    for step in steps:
        with world.database.unit(world.tea) as session:
            carry_out(session, step)
        with world.database.unit(world.tea) as session:
            _check_read(session, before)
    with world.database.unit(world.tea) as session:
        roll_back(session, KINDS, version)

    assert stored(world) == before
    with world.database.unit(world.tea) as session:
        entity = Schemas(BASE).of(session).get(PRODUCT)
        found = [queries.record(session, entity, key) for key in ids]
        assert [{key: getattr(one, key) for key in START if getattr(one, key) is not None} for one in found] == GIVEN
        assert _codes(session, entity, {"field": "cf_a", "op": "eq", "value": "red"}) == ["G1"]
        assert _codes(session, entity, {"field": "cf_b", "op": "le", "value": 0}) == ["G1"]
        assert _codes(session, entity, {"field": "cf_d", "op": "has_all", "value": ["12", "red"]}) == ["G0"]


def _codes(session, entity, condition):
    page = queries.fetch(session, entity, ListQuery(condition=condition, sort="code"), now=NOW, keys=["code"])
    return [row.code for row in page.rows]


def _check_read(session, before):
    """Every live field reads what its slot holds, in lists as on pages, and the index finds just what can be read."""
    entity = Schemas(BASE).of(session).get(PRODUCT)
    own = [item for item in entity.fields if item.slot]
    slots = {row.slot for row in session.scalars(select(FieldSlot))}
    assert {item.slot for item in own} <= slots
    page = queries.fetch(session, entity, ListQuery(size=100), now=NOW, keys=["code", *(item.key for item in own)])
    for item in own:
        listed = {row.id: getattr(row, item.key) for row in page.rows}
        wanted = {key: read_stored(item.type, (document or {}).get(item.slot)) for key, document in before.items()}
        assert listed == wanted
        if item.is_filterable:
            filled = {row.id for row in page.rows if wanted[row.id] not in (None, "", [])}
            found = queries.fetch(session, entity, ListQuery(condition={"field": item.key, "op": "is_not_empty"}), now=NOW, keys=["code"])
            assert {row.id for row in found.rows} == filled
