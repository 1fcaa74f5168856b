"""References of tenants to records of their own kinds: named, looked up and taken as far as the reader sees, never left dangling."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.domain.all_entities import core_entities
from core.engines.configuration import Change, KindRegistry, apply_changes
from core.engines.metadata import queries, writing
from core.engines.metadata.queries import ListQuery
from core.engines.metadata.records import InUse
from core.engines.metadata.tailor import Reader, Schemas, seen_by
from core.engines.metadata.tailor.kinds import metadata_kinds
from core.engines.metadata.values import ValuesRefused, take

pytestmark = pytest.mark.database
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
BASE = core_entities()
KINDS = KindRegistry(metadata_kinds(BASE))
FARM, LOT = "custom.farm", "custom.lot"
OWNER, STAFF = Reader(frozenset({"owner"})), Reader(frozenset({"staff"}))


@pytest.fixture(scope="module")
def schemas():
    return Schemas(BASE)


@pytest.fixture(scope="module")
def farms(world, schemas):
    """Farms, of which staff see those in the hills; lots refer to them, and staff do not see the reference `owner_farm_id`."""
    text = {"type": "text"}
    changes = [
        Change("entity", {"key": "farm", "label": "Farm", "label_plural": "Farms", "title": "name"}),
        Change("entity", {"key": "lot", "label": "Lot", "label_plural": "Lots", "title": "name"}),
        Change("field", {**text, "entity": FARM, "key": "name", "label": "Name"}),
        Change("field", {**text, "entity": FARM, "key": "area", "label": "Area"}),
        Change("field", {**text, "entity": LOT, "key": "name", "label": "Name"}),
        Change("field", {"entity": LOT, "key": "farm_id", "label": "Farm", "type": "reference", "target": FARM}),
        Change("field", {"entity": LOT, "key": "owner_farm_id", "label": "Owner", "type": "reference", "target": FARM}),
        Change("rule", {"key": "hills", "entity": FARM, "label": "Hills", "roles": ["staff"], "condition": {"field": "area", "op": "eq", "value": "hills"}}),
        Change("rule", {"key": "all", "entity": FARM, "label": "All", "roles": ["owner"]}),
        Change("access", {"entity": LOT, "field": "owner_farm_id", "role": "staff", "may": "none"}),
    ]
    with world.database.unit(world.tea) as session:
        apply_changes(session, KINDS, changes)
    with world.database.unit(world.tea) as session:
        entity = schemas.of(session).get(FARM)
        return {
            name: writing.create(session, entity, {"name": name, "area": area}, now=NOW).id
            for name, area in (("Long Jing", "hills"), ("Delta", "plain"), ("Mist", "hills"))
        }


def add_lot(session, schemas, reader, **values):
    schema = seen_by(schemas.of(session), reader)
    entity = schema.get(LOT)
    fields = [entity.by_key[key] for key in entity.form_fields]
    return writing.create(session, entity, take(session, schema, fields, values, is_new=True), now=NOW)


def test_reference_to_an_own_record_is_named_and_filtered_by(world, schemas, farms):
    with world.database.unit(world.tea) as session:
        add_lot(session, schemas, OWNER, name="Spring", farm_id=str(farms["Delta"]))

    with world.database.unit(world.tea) as session:
        found = {}
        for name, reader in (("owner", OWNER), ("staff", STAFF)):
            schema = seen_by(schemas.of(session), reader)
            query = ListQuery(condition={"field": "farm_id", "op": "eq", "value": str(farms["Delta"])})
            rows = queries.fetch(session, schema.get(LOT), query, now=NOW, keys=["name", "farm_id"]).rows
            found[name] = ([row.name for row in rows], queries.labels(session, schema, schema.get(LOT), rows, ["farm_id"]))

    assert found == {"owner": (["Spring"], {farms["Delta"]: "Delta"}), "staff": (["Spring"], {})}


def test_reference_is_looked_up_and_taken_as_far_as_the_reader_sees(world, schemas, farms):
    with world.database.unit(world.tea) as session:
        options = {
            name: sorted(text for _key, text in queries.lookup(session, seen_by(schemas.of(session), reader).get(FARM), "", now=NOW))
            for name, reader in (("owner", OWNER), ("staff", STAFF))
        }
        with pytest.raises(ValuesRefused) as refused:
            add_lot(session, schemas, STAFF, name="Out of sight", farm_id=str(farms["Delta"]))

    assert options == {"owner": ["Delta", "Long Jing", "Mist"], "staff": ["Long Jing", "Mist"]}
    assert refused.value.problems == {"farm_id": "There is no such record."}


def test_record_stays_when_others_refer_to_it_even_by_a_field_that_the_reader_does_not_see(world, schemas, farms):
    with world.database.unit(world.tea) as session:
        add_lot(session, schemas, OWNER, name="Hidden", owner_farm_id=str(farms["Long Jing"]))

    with world.database.unit(world.tea) as session:
        schema = seen_by(schemas.of(session), STAFF)
        with pytest.raises(InUse):
            writing.remove(session, schema, schema.get(FARM), queries.record(session, schema.get(FARM), farms["Long Jing"]))
        writing.remove(session, schema, schema.get(FARM), queries.record(session, schema.get(FARM), farms["Mist"]))
        left = sorted(text for _key, text in queries.lookup(session, schema.get(FARM), "", now=NOW))

    assert left == ["Long Jing"]
