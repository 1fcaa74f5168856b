"""Formulas and rollups: checked with the configuration, shown, filtered and sorted by; kept to what the reader sees; in two tenants."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from core.domain.all_entities import core_entities
from core.engines.configuration import Change, ConfigRefused, KindRegistry, apply_changes
from core.engines.metadata import queries, writing
from core.engines.metadata.queries import ListQuery
from core.engines.metadata.tailor import Reader, Schemas, seen_by
from core.engines.metadata.tailor.kinds import metadata_kinds
from core.kernel.errors import Invalid

pytestmark = pytest.mark.database
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
BASE = core_entities()
KINDS = KindRegistry(metadata_kinds(BASE))
JOB, PART, PRODUCT = "custom.job", "custom.part", "catalog.product"
OWNER, STAFF = Reader(frozenset({"owner"})), Reader(frozenset({"staff"}))


@pytest.fixture(scope="module")
def schemas():
    return Schemas(BASE)


def field(entity, key, kind, **more):
    return Change("field", {"entity": entity, "key": key, "label": key.title(), "type": kind, **more})


def rollup(entity, key, child, via, use="count", **more):
    shape = {name: more.pop(name) for name in ("of", "where") if name in more}
    return field(entity, key, "rollup", rollup={"entity": child, "via": via, "use": use, **shape}, **more)


def change(world, *changes, scope=None):
    with world.database.unit(scope or world.tea) as session:
        return apply_changes(session, KINDS, changes)


@pytest.fixture(scope="module")
def jobs(world, schemas):
    """Jobs with parts: each part costs quantity times price; staff see neither the margin nor parts that are secret."""
    change(
        world,
        Change("entity", {"key": "job", "label": "Job", "label_plural": "Jobs", "title": "name"}),
        Change("entity", {"key": "part", "label": "Part", "label_plural": "Parts", "parent": JOB}),
        field(JOB, "name", "text"),
        field(JOB, "fee", "money", currency="CNY"),
        field(JOB, "margin", "decimal"),
        field(JOB, "due", "date"),
        field(PART, "what", "text"),
        field(PART, "quantity", "integer"),
        field(PART, "price", "money", currency="CNY"),
        field(PART, "other_job_id", "reference", target=JOB),
        field(PART, "cost", "formula", formula="quantity * price", result="money", currency="CNY"),
        rollup(JOB, "parts", PART, "parent_id"),
        rollup(JOB, "parts_cost", PART, "parent_id", "sum", of="cost"),
        rollup(JOB, "dear", PART, "parent_id", "count", where={"field": "price", "op": "ge", "value": "10"}),
        rollup(JOB, "mean_price", PART, "parent_id", "avg", of="price"),
        rollup(JOB, "borrowed", PART, "other_job_id", "sum", of="quantity"),
        field(JOB, "total", "formula", formula="coalesce(fee, 0) + coalesce(parts_cost, 0)", result="money", currency="CNY"),
        field(JOB, "share", "formula", formula="round(parts_cost / total * 100, 1)"),
        field(JOB, "earned", "formula", formula="total * margin"),
        field(JOB, "is_late", "formula", formula="due < add_days(due, 1) and parts > 0"),
        field(JOB, "shout", "formula", formula='concat(upper(name), "!")'),
        Change("access", {"entity": JOB, "field": "margin", "role": "*", "may": "none"}),
        Change("access", {"entity": JOB, "field": "margin", "role": "owner", "may": "write"}),
        Change("rule", {"key": "secret", "entity": PART, "label": "Open", "roles": ["staff"], "condition": {"field": "what", "op": "ne", "value": "secret"}}),
        Change("rule", {"key": "all", "entity": PART, "label": "All", "roles": ["owner"]}),
    )
    ids = {}
    with world.database.unit(world.tea) as session:
        whole = schemas.of(session)
        for name, fee, parts in (
            ("big", "100", [("wood", 3, "20.5"), ("secret", 1, "8"), ("glue", 2, "0.25")]),
            ("small", "0", [("nail", 10, "1")]),
            ("bare", None, []),
        ):
            values = {"name": name, "fee": None if fee is None else Decimal(fee), "margin": Decimal("0.5"), "due": date(2026, 11, 1)}
            ids[name] = writing.create(session, whole.get(JOB), values, now=NOW).id
            for what, quantity, price in parts:
                given = {"parent_id": ids[name], "what": what, "quantity": quantity, "price": Decimal(price), "other_job_id": ids["big"]}
                writing.create(session, whole.get(PART), given, now=NOW)
    return ids


def shown(world, schemas, reader, keys, **query):
    with world.database.unit(world.tea) as session:
        entity = seen_by(schemas.of(session), reader).get(JOB)
        page = queries.fetch(session, entity, ListQuery(**query), now=NOW, keys=["name", *keys])
        return {row.name: tuple(getattr(row, key) for key in keys) for row in page.rows}


def test_formulas_and_rollups_are_worked_out_in_lists_and_on_the_record(world, schemas, jobs):
    keys = ["parts", "parts_cost", "dear", "mean_price", "borrowed", "total", "share", "earned", "shout"]

    found = shown(world, schemas, OWNER, keys)
    with world.database.unit(world.tea) as session:
        record = queries.record(session, seen_by(schemas.of(session), OWNER).get(JOB), jobs["big"])
        alone = tuple(getattr(record, key) for key in keys)

    assert found == {
        "big": (3, Decimal(70), 1, Decimal("9.5833"), 16, Decimal(170), Decimal("41.2"), Decimal(85), "BIG!"),
        "small": (1, Decimal(10), 0, Decimal(1), None, Decimal(10), Decimal(100), Decimal(5), "SMALL!"),
        "bare": (0, None, 0, None, None, Decimal(0), None, Decimal(0), "BARE!"),
    }
    assert alone == found["big"]


def test_rollup_counts_what_the_reader_may_see_and_hides_with_what_it_is_made_of(world, schemas, jobs):
    found = shown(world, schemas, STAFF, ["parts", "parts_cost", "total", "borrowed"])
    with world.database.unit(world.tea) as session:
        entity = seen_by(schemas.of(session), STAFF).get(JOB)

    assert found["big"] == (2, Decimal("62.00"), Decimal("162.00"), 15)
    assert {"margin", "earned"} & entity.by_key.keys() == set()
    assert {"total", "share"} <= entity.by_key.keys()


def test_list_is_filtered_and_sorted_by_computed_fields(world, schemas, jobs):
    filtered = shown(world, schemas, OWNER, [], condition={"field": "total", "op": "gt", "value": "9.99"}, sort="-total")
    counted = shown(world, schemas, OWNER, [], condition={"all": [{"field": "parts", "op": "eq", "value": 0}]})
    late = shown(world, schemas, OWNER, [], condition={"field": "is_late", "op": "eq", "value": True}, sort="share")
    for_staff = shown(world, schemas, STAFF, [], condition={"field": "total", "op": "gt", "value": "165"})
    with pytest.raises(Invalid):
        shown(world, schemas, OWNER, [], condition={"field": "shout", "op": "eq", "value": "BIG!"})
    with pytest.raises(Invalid):
        shown(world, schemas, STAFF, [], condition={"field": "earned", "op": "gt", "value": "0"})

    assert list(filtered) == ["big", "small"]
    assert list(counted) == ["bare"]
    assert list(late) == ["big", "small"]
    assert for_staff == {}


def test_pages_sorted_by_a_computed_field_follow_each_other(world, schemas, jobs):
    seen, cursor = [], None
    with world.database.unit(world.tea) as session:
        entity = schemas.of(session).get(JOB)
        for _ in range(3):
            page = queries.fetch(session, entity, ListQuery(sort="-parts_cost", size=1, cursor=cursor), now=NOW, keys=["name"])
            seen += [row.name for row in page.rows]
            cursor = page.next_cursor

    assert seen == ["big", "small", "bare"]
    assert cursor is None


def test_formula_on_the_codes_records_is_of_one_tenant_alone(world, schemas):
    change(world, field(PRODUCT, "cf_weight", "decimal"), field(PRODUCT, "cf_gross", "formula", formula="cf_weight * 1.1 + len(code)"))
    change(world, field(PRODUCT, "cf_gross", "formula", formula='concat(code, "-gift")'), scope=world.gift)
    with world.database.unit(world.tea) as session:
        entity = schemas.of(session).get(PRODUCT)
        writing.create(session, entity, {"code": "AB", "title": "x", "cf_weight": Decimal(10)}, now=NOW)
    with world.database.unit(world.gift) as session:
        other = schemas.of(session).get(PRODUCT)
        writing.create(session, other, {"code": "AB", "title": "x"}, now=NOW)

    with world.database.unit(world.tea) as session:
        mine = queries.fetch(session, entity, ListQuery(), now=NOW, keys=["cf_gross"]).rows
    with world.database.unit(world.gift) as session:
        theirs = queries.fetch(session, other, ListQuery(), now=NOW, keys=["cf_gross"]).rows

    assert [row.cf_gross for row in mine] == [Decimal("13.00")]
    assert [row.cf_gross for row in theirs] == ["AB-gift"]


def test_rollup_over_the_codes_children_follows_their_reference(world, schemas):
    change(
        world,
        rollup("orders.order", "cf_lines", "orders.line", "order_id"),
        rollup("orders.order", "cf_back", "orders.refund", "order_id", "sum", of="amount", currency="CNY"),
    )
    with world.database.unit(world.tea) as session:
        entity = schemas.of(session).get("orders.order")
        condition = {"field": "cf_back", "op": "gt", "value": 1}
        page = queries.fetch(session, entity, ListQuery(condition=condition, sort="cf_lines"), now=NOW, keys=["cf_lines", "cf_back"])

    assert page.rows == []
    assert (entity.by_key["cf_back"].type, entity.by_key["cf_back"].currency) == ("money", "CNY")


def test_computed_fields_that_make_no_sense_are_refused_and_name_the_place(world, jobs):
    with pytest.raises(ConfigRefused) as refused:
        change(
            world,
            field(JOB, "a", "formula", formula="b + 1"),
            field(JOB, "b", "formula", formula="c + 1"),
            field(JOB, "c", "formula", formula="a + 1"),
            field(JOB, "d", "formula", formula="fee + nothing"),
            field(JOB, "e", "formula", formula="name * 2"),
            field(JOB, "f", "formula", formula="fee + 1", result="date"),
            field(JOB, "g", "formula"),
            rollup(JOB, "h", "custom.none", "parent_id"),
            rollup(JOB, "i", PART, "quantity"),
            rollup(JOB, "j", PART, "parent_id", "sum", of="what"),
            rollup(JOB, "k", PART, "parent_id", "sum"),
            rollup(JOB, "l", PART, "parent_id", where={"field": "colour", "op": "eq", "value": 1}),
            rollup("orders.order", "cf_m", "orders.refund", "order_id", "sum", of="amount"),
            rollup(PART, "n", JOB, "parent_id"),
            field(JOB, "o", "text", sealed=True),
            field(JOB, "p", "formula", formula="len(o)"),
        )

    assert refused.value.problems == {
        f"field[{JOB}/a].formula": "This leads back to itself: a → b → c → a.",
        f"field[{JOB}/b].formula": "This leads back to itself: a → b → c → a.",
        f"field[{JOB}/c].formula": "This leads back to itself: a → b → c → a.",
        f"field[{JOB}/d].formula": "There is no field named nothing. (character 7)",
        f"field[{JOB}/e].formula": "These do not go together: integer, text. (character 1)",
        f"field[{JOB}/f].result": "The formula gives a value of type decimal.",
        f"field[{JOB}/g].formula": "This is needed.",
        f"field[{JOB}/h].rollup.entity": "There is no such kind of record.",
        f"field[{JOB}/i].rollup.via": "This field does not refer to these records.",
        f"field[{JOB}/j].rollup.of": "Values of this field cannot be put together like this.",
        f"field[{JOB}/k].rollup.of": "This is needed.",
        f"field[{JOB}/l].rollup.where.field": "There is no such field here.",
        "field[orders.order/cf_m].currency": "These amounts are in several currencies. Say in which one to sum; the others are left out.",
        f"field[{PART}/n].rollup.via": "This field does not refer to these records.",
        f"field[{JOB}/p].formula": "There is no field named o. (character 5)",
    }


def test_cycle_through_records_of_two_kinds_is_refused(world, jobs):
    with pytest.raises(ConfigRefused) as refused:
        change(
            world,
            field(JOB, "lead_id", "reference", target=PART),
            rollup(PART, "of_jobs", JOB, "lead_id", "sum", of="of_parts"),
            rollup(JOB, "of_parts", PART, "parent_id", "sum", of="of_jobs"),
        )

    assert refused.value.problems == {
        f"field[{JOB}/of_parts].rollup": f"This leads back to itself: of_parts → {PART}/of_jobs → of_parts.",
        f"field[{PART}/of_jobs].rollup": f"This leads back to itself: of_parts → {PART}/of_jobs → of_parts.",
    }


def test_sum_is_hidden_with_the_field_of_the_other_records_that_it_tells_about(world, schemas, jobs):
    change(world, Change("access", {"entity": PART, "field": "price", "role": "clerk", "may": "none"}))

    with world.database.unit(world.tea) as session:
        seen = seen_by(schemas.of(session), Reader(frozenset({"clerk"})))
        job, part = seen.get(JOB).by_key.keys(), seen.get(PART).by_key.keys()

    assert not {"parts_cost", "dear", "mean_price", "total", "share", "earned"} & job
    assert {"parts", "borrowed", "shout"} <= job
    assert not {"price", "cost"} & part


def test_rule_may_ask_for_a_sum_and_then_counts_all_rows(world, schemas, jobs):
    rule = {"key": "busy", "entity": JOB, "label": "Busy", "roles": ["staff"], "condition": {"field": "parts", "op": "ge", "value": 3}}
    change(world, Change("rule", rule))

    found = shown(world, schemas, STAFF, ["parts"])

    change(world, Change("rule", None, "busy"))
    assert found == {"big": (2,)}
