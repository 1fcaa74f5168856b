"""Fields of tenants on the code's own entity types: made, written, listed, filtered, sorted, renamed, retyped, archived; in two tenants."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.domain.all_entities import core_entities
from core.engines.configuration import Change, ConfigRefused, ConfigStale, KindRegistry, apply_changes, propose, roll_back, undo
from core.engines.configuration.queries import items_of, versions
from core.engines.metadata import queries, writing
from core.engines.metadata.queries import ListQuery
from core.engines.metadata.records import Taken
from core.engines.metadata.tailor import Schemas
from core.engines.metadata.tailor.kinds import metadata_kinds
from core.engines.metadata.values import ValuesRefused, take

pytestmark = pytest.mark.database
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
BASE = core_entities()
KINDS = KindRegistry(metadata_kinds(BASE))
PRODUCT = "catalog.product"


@pytest.fixture
def schemas():
    return Schemas(BASE)


def field(key, kind, **more):
    return Change("field", {"entity": PRODUCT, "key": key, "label": key.removeprefix("cf_").title(), "type": kind, **more})


def change(world, *changes, scope=None):
    with world.database.unit(scope or world.tea) as session:
        return apply_changes(session, KINDS, changes)


def add_product(session, schemas, code, **own):
    schema = schemas.of(session)
    entity = schema.get(PRODUCT)
    fields = [entity.by_key[key] for key in entity.form_fields]
    values = take(session, schema, fields, {"code": code, "title": code, **own}, is_new=True)
    return writing.create(session, entity, values, now=NOW).id


def listed(session, schemas, **query):
    entity = schemas.of(session).get(PRODUCT)
    page = queries.fetch(session, entity, ListQuery(size=50, **query), now=NOW, keys=["code"])
    return [row.code for row in page.rows]


def test_field_of_one_tenant_is_written_listed_filtered_and_sorted_by_and_unknown_to_the_other(world, schemas):
    change(
        world,
        field("cf_weight", "decimal"),
        field("cf_season", "choice", choices=[{"value": "spring"}, {"value": "autumn"}]),
        field("cf_since", "date"),
    )
    with world.database.unit(world.tea) as session:
        add_product(session, schemas, "A", cf_weight="12.50", cf_season="spring", cf_since="2026-01-31")
        add_product(session, schemas, "B", cf_weight="-3", cf_season="autumn")
        add_product(session, schemas, "C", cf_weight="100")
        add_product(session, schemas, "D")

    with world.database.unit(world.tea) as session:
        entity = schemas.of(session).get(PRODUCT)
        page = queries.fetch(session, entity, ListQuery(), now=NOW, keys=["code", "cf_weight", "cf_since"])
        shown = {row.code: (row.cf_weight, str(row.cf_since)) for row in page.rows}
        ascending = listed(session, schemas, sort="cf_weight")
        descending = listed(session, schemas, sort="-cf_weight")
        heavy = listed(session, schemas, condition={"field": "cf_weight", "op": "ge", "value": "12.5"}, sort="cf_weight")
        autumn = listed(session, schemas, condition={"field": "cf_season", "op": "in", "value": ["autumn"]})
        empty = listed(session, schemas, condition={"field": "cf_since", "op": "is_empty"}, sort="code")
    with world.database.unit(world.gift) as session:
        other = schemas.of(session).get(PRODUCT)

    assert shown == {"A": (Decimal("12.50"), "2026-01-31"), "B": (Decimal(-3), "None"), "C": (Decimal(100), "None"), "D": (None, "None")}
    assert ascending == ["B", "A", "C", "D"]
    assert descending == ["C", "A", "B", "D"]
    assert heavy == ["A", "C"]
    assert autumn == ["B"]
    assert empty == ["B", "C", "D"]
    assert other is BASE.get(PRODUCT)


def test_pages_by_a_field_of_the_tenant_follow_each_other_without_gap_or_double(world, schemas):
    change(world, field("cf_rank", "integer"))
    with world.database.unit(world.tea) as session:
        for at in range(23):
            add_product(session, schemas, f"P{at:02d}", **({"cf_rank": (at * 7) % 10} if at % 4 else {}))

    with world.database.unit(world.tea) as session:
        entity = schemas.of(session).get(PRODUCT)
        for sort in ("cf_rank", "-cf_rank"):
            seen, cursor = [], None
            while True:
                query = ListQuery(sort=sort, size=4, cursor=cursor, condition={"field": "code", "op": "starts_with", "value": "P"})
                page = queries.fetch(session, entity, query, now=NOW, keys=["code", "cf_rank"])
                seen += [(row.cf_rank, row.code) for row in page.rows]
                cursor = page.next_cursor
                if cursor is None:
                    break
            ranks = [rank for rank, _code in seen]
            filled = [rank for rank in ranks if rank is not None]
            assert len(seen) == len({code for _rank, code in seen}) == 23
            assert filled == sorted(filled, reverse=sort.startswith("-"))
            assert ranks[len(filled) :] == [None] * 6


def test_value_is_refused_by_name_when_it_breaks_the_fields_rules(world, schemas):
    change(
        world,
        field("cf_ean", "text", unique=True, pattern="[0-9]{4}", max_length=4),
        field("cf_stars", "integer", minimum=1, maximum=5),
        field("cf_reason", "text", required_if={"field": "cf_stars", "op": "le", "value": 2}),
        field("cf_praise", "text", visible_if={"field": "cf_stars", "op": "ge", "value": 4}),
    )
    with world.database.unit(world.tea) as session:
        add_product(session, schemas, "E1", cf_ean="1234", cf_stars=5, cf_praise="fine")

    with world.database.unit(world.tea) as session:
        with pytest.raises(ValuesRefused) as wrong:
            add_product(session, schemas, "E2", cf_ean="12a4", cf_stars=9)
        with pytest.raises(ValuesRefused) as missing:
            add_product(session, schemas, "E3", cf_stars=1)
        with pytest.raises(ValuesRefused) as hidden:
            add_product(session, schemas, "E4", cf_stars=3, cf_praise="fine")
        with pytest.raises(Taken) as taken:
            add_product(session, schemas, "E5", cf_ean="1234")
        session.rollback()

    assert set(wrong.value.problems) == {"cf_ean", "cf_stars"}
    assert set(missing.value.problems) == {"cf_reason"}
    assert set(hidden.value.problems) == {"cf_praise"}
    assert taken.value.field == "cf_ean"


def test_values_stay_when_a_field_is_renamed_retyped_archived_and_brought_back(world, schemas):
    change(world, field("cf_size", "text"))
    with world.database.unit(world.tea) as session:
        add_product(session, schemas, "S1", cf_size="42")
        add_product(session, schemas, "S2", cf_size="large")

    renamed = {"entity": PRODUCT, "key": "cf_width", "label": "Width", "type": "text"}
    change(world, Change("field", renamed, key=f"{PRODUCT}/cf_size"))
    with world.database.unit(world.tea) as session:
        by_text = listed(session, schemas, condition={"field": "cf_width", "op": "eq", "value": "large"})
        _made, impacts = propose(session, KINDS, [Change("field", {**renamed, "type": "integer"})])
    change(world, Change("field", {**renamed, "type": "integer"}))
    with world.database.unit(world.tea) as session:
        by_number = listed(session, schemas, condition={"field": "cf_width", "op": "ge", "value": 40})
    change(world, Change("field", None, f"{PRODUCT}/cf_width"))
    with world.database.unit(world.tea) as session:
        gone = "cf_width" in schemas.of(session).get(PRODUCT).by_key
    change(world, Change("field", renamed))
    with world.database.unit(world.tea) as session:
        back = listed(session, schemas, condition={"field": "cf_width", "op": "in", "value": ["42", "large"]}, sort="code")

    assert by_text == ["S2"]
    assert [(one.level, one.count) for one in impacts] == [("bad", 1)]
    assert by_number == ["S1"]
    assert not gone
    assert back == ["S1", "S2"]


def test_configuration_is_refused_as_a_whole_and_names_every_place(world):
    with world.database.unit(world.tea) as session:
        before = items_of(session)

    with pytest.raises(ConfigRefused) as refused:
        change(
            world,
            field("cf_fine", "text"),
            field("colour", "choice"),
            field("cf_to", "reference", target="no.such"),
            field("cf_low", "integer", minimum=5, maximum=1, default="many"),
        )

    with world.database.unit(world.tea) as session:
        assert items_of(session) == before
    assert set(refused.value.problems) == {
        f"field[{PRODUCT}/colour].key",
        f"field[{PRODUCT}/colour].choices",
        f"field[{PRODUCT}/cf_to].target",
        f"field[{PRODUCT}/cf_low].minimum",
        f"field[{PRODUCT}/cf_low].default",
    }


def test_every_change_is_a_version_that_can_be_undone_or_rolled_back_to(world, schemas):
    start = change(world, field("cf_a", "text")).version
    change(world, field("cf_b", "text"), field("cf_a", "text", label="First"))
    change(world, field("cf_c", "text"))

    with world.database.unit(world.tea) as session:
        undo(session, KINDS, start + 2)
    with world.database.unit(world.tea) as session:
        without_b = {item.key.partition("/")[2]: item.body["label"] for item in items_of(session) if item.key.startswith(f"{PRODUCT}/cf_")}
        roll_back(session, KINDS, start + 1)
    with world.database.unit(world.tea) as session:
        rolled = {item.key.partition("/")[2] for item in items_of(session)}
        last = versions(session, limit=1)[0]

    assert without_b["cf_a"] == "A"
    assert "cf_b" not in without_b
    assert "cf_c" in without_b
    assert "cf_a" in rolled
    assert not {"cf_b", "cf_c"} & rolled
    assert last.number == start + 5
    assert last.actor_label == "Test"


def test_second_editor_is_told_when_somebody_else_changed_the_item(world):
    change(world, field("cf_shared", "text"))
    with world.database.unit(world.tea) as session:
        seen = next(item for item in items_of(session) if item.key.endswith("cf_shared")).version
    body = {"entity": PRODUCT, "key": "cf_shared", "label": "Mine", "type": "text"}
    change(world, Change("field", {**body, "label": "Theirs"}, base=seen))

    with pytest.raises(ConfigStale):
        change(world, Change("field", body, base=seen))


def test_two_tenants_give_one_name_to_fields_that_contradict_each_other(world, schemas):
    change(world, field("cf_same", "integer", minimum=10))
    change(world, field("cf_same", "text", max_length=3), scope=world.gift)

    with world.database.unit(world.tea) as session:
        add_product(session, schemas, "SAME", cf_same=12)
        tea = listed(session, schemas, condition={"field": "cf_same", "op": "ge", "value": 11})
    with world.database.unit(world.gift) as session:
        add_product(session, schemas, "SAME", cf_same="abc")
        gift = listed(session, schemas, condition={"field": "cf_same", "op": "starts_with", "value": "ab"})
        with pytest.raises(ValuesRefused):
            add_product(session, schemas, "SAME2", cf_same="abcd")
        session.rollback()

    assert (tea, gift) == (["SAME"], ["SAME"])


def test_field_that_could_not_be_worked_out_is_refused_and_a_kind_keeps_its_key(world, schemas):
    change(world, Change("entity", {"key": "note", "label": "Note", "label_plural": "Notes"}))
    secret = {"entity": "custom.note", "key": "s", "label": "S", "type": "text", "sealed": True}

    with pytest.raises(ConfigRefused) as computed:
        change(world, field("cf_sum", "rollup"), field("cf_calc", "formula", formula="nothing + 1", result="integer"))
    with pytest.raises(ConfigRefused) as renamed:
        change(world, Change("entity", {"key": "memo", "label": "Note", "label_plural": "Notes"}, key="note"))
    with pytest.raises(ConfigRefused) as titled:
        change(world, Change("field", secret), Change("entity", {"key": "note", "label": "Note", "label_plural": "Notes", "title": "s"}))

    assert {place.partition("]")[0] for place in computed.value.problems} == {f"field[{PRODUCT}/cf_sum", f"field[{PRODUCT}/cf_calc"}
    assert set(renamed.value.problems) == {"entity[memo]"}
    assert set(titled.value.problems) == {"entity[note].title"}
