"""What readers see: records by rule, fields by role, with what belongs to them; bulk actions keep to it; nobody writes out of sight."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.domain.all_entities import core_entities
from core.engines.configuration import Change, ConfigRefused, KindRegistry, apply_changes
from core.engines.metadata import queries, writing
from core.engines.metadata.queries import ListQuery
from core.engines.metadata.tailor import Reader, Schemas, seen_by
from core.engines.metadata.tailor.kinds import metadata_kinds
from core.engines.metadata.values import ValuesRefused, take
from core.engines.metadata.writing import OutOfSight
from core.kernel.errors import Invalid, NotFound

pytestmark = pytest.mark.database
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
BASE = core_entities()
KINDS = KindRegistry(metadata_kinds(BASE))
CLAIM, LINE = "custom.claim", "custom.claim_line"
ADA, BEN = UUID(int=1), UUID(int=2)


@pytest.fixture(scope="module")
def schemas():
    return Schemas(BASE)


@pytest.fixture(scope="module")
def claims(world, schemas):
    """Claims of two cities with a line each; the north sees its city, owners everything, each person what they handle."""
    field = {"entity": CLAIM, "type": "text"}
    changes = [
        Change("entity", {"key": "claim", "label": "Claim", "label_plural": "Claims", "title": "subject"}),
        Change("entity", {"key": "claim_line", "label": "Line", "label_plural": "Lines", "parent": CLAIM}),
        Change("field", {**field, "key": "subject", "label": "Subject", "required": True}),
        Change("field", {**field, "key": "city", "label": "City"}),
        Change("field", {**field, "key": "cost", "label": "Cost", "type": "money"}),
        Change("field", {**field, "key": "handler", "label": "Handler", "type": "user"}),
        Change("field", {"entity": LINE, "key": "what", "label": "What", "type": "text"}),
        Change("rule", _rule("north", ["north"], {"field": "city", "op": "eq", "value": "Harbin"})),
        Change("rule", _rule("all", ["owner"], None)),
        Change("rule", _rule("mine", [], {"field": "handler", "op": "eq", "value": {"me": "member"}})),
        Change("access", {"entity": CLAIM, "field": "cost", "role": "*", "may": "none"}),
        Change("access", {"entity": CLAIM, "field": "cost", "role": "owner", "may": "write"}),
        Change("access", {"entity": CLAIM, "field": "city", "role": "north", "may": "read"}),
    ]
    ids = {}
    with world.database.unit(world.tea) as session:
        apply_changes(session, KINDS, changes)
    with world.database.unit(world.tea) as session:
        whole = schemas.of(session)
        for subject, city, handler in (("Wet", "Harbin", None), ("Torn", "Sanya", BEN), ("Late", "Sanya", None)):
            values = {"subject": subject, "city": city, "cost": 5, "handler": handler}
            ids[subject] = writing.create(session, whole.get(CLAIM), values, now=NOW).id
            writing.create(session, whole.get(LINE), {"parent_id": ids[subject], "what": f"{subject} line"}, now=NOW)
    return ids


def _rule(key, roles, condition):
    return {"key": key, "entity": CLAIM, "label": key, "roles": roles, "condition": condition}


def titles_seen(world, schemas, reader, entity=CLAIM, **query):
    with world.database.unit(world.tea) as session:
        shown = seen_by(schemas.of(session), reader).get(entity)
        page = queries.fetch(session, shown, ListQuery(**query), now=NOW, keys=["title"])
        number, _capped = queries.count(session, shown, ListQuery(**query), now=NOW)
        assert number == len(page.rows)
        return sorted(row.title for row in page.rows)


def test_each_reader_sees_the_records_that_a_rule_for_their_roles_gives(world, schemas, claims):
    owner, north, nobody, ben = Reader(frozenset({"owner"})), Reader(frozenset({"north"})), Reader(frozenset({"staff"})), Reader(frozenset(), BEN)

    seen = [titles_seen(world, schemas, reader) for reader in (owner, north, nobody, ben, Reader(frozenset({"north"}), BEN))]

    assert seen == [["Late", "Torn", "Wet"], ["Wet"], [], ["Torn"], ["Torn", "Wet"]]


def test_what_belongs_to_unseen_records_is_unseen_and_so_are_their_names(world, schemas, claims):
    north = Reader(frozenset({"north"}))

    lines = titles_seen(world, schemas, north, LINE)
    found = titles_seen(world, schemas, north, search="torn")
    with world.database.unit(world.tea) as session:
        shown = seen_by(schemas.of(session), north).get(CLAIM)
        names = queries.titles(session, shown, claims.values())
        kept = queries.visible_ids(session, shown, list(claims.values()))
        with pytest.raises(NotFound):
            queries.record(session, shown, claims["Torn"])

    assert lines == ["Wet line"]
    assert found == []
    assert names == {claims["Wet"]: "Wet"}
    assert kept == [claims["Wet"]]


def test_hidden_field_is_nowhere_and_a_fixed_one_cannot_be_written(world, schemas, claims):
    north = Reader(frozenset({"north"}))
    with world.database.unit(world.tea) as session:
        shown = seen_by(schemas.of(session), north).get(CLAIM)
        fields = [shown.by_key[key] for key in shown.form_fields]
        with pytest.raises(Invalid):
            queries.fetch(session, shown, ListQuery(condition={"field": "cost", "op": "ge", "value": 1}), now=NOW, keys=["title"])
        with pytest.raises(Invalid):
            queries.fetch(session, shown, ListQuery(sort="cost"), now=NOW, keys=["title"])
        with pytest.raises(ValuesRefused) as refused:
            take(session, schemas.of(session), fields, {"subject": "x", "cost": "1", "city": "Harbin"}, is_new=True)

    assert "cost" not in shown.by_key
    assert set(refused.value.problems) == {"cost", "city"}


def test_best_role_counts_when_somebody_has_several(world, schemas, claims):
    with world.database.unit(world.tea) as session:
        shown = seen_by(schemas.of(session), Reader(frozenset({"north", "owner"}))).get(CLAIM)

    assert "cost" in shown.form_fields
    assert "city" in shown.form_fields


def test_nobody_writes_a_record_out_of_their_own_sight(world, schemas, claims):
    ben = Reader(frozenset(), BEN)
    with world.database.unit(world.tea) as session:
        shown = seen_by(schemas.of(session), ben).get(CLAIM)
        record = queries.record(session, shown, claims["Torn"])
        with pytest.raises(OutOfSight):
            writing.update(session, shown, record, {"handler": ADA}, now=NOW)
        session.rollback()
    with world.database.unit(world.tea) as session:
        shown = seen_by(schemas.of(session), ben).get(CLAIM)
        with pytest.raises(OutOfSight):
            writing.create(session, shown, {"subject": "Mine?"}, now=NOW)
    assert titles_seen(world, schemas, Reader(frozenset({"owner"}))) == ["Late", "Torn", "Wet"]


def test_rule_about_orders_confines_what_belongs_to_them(world, schemas):
    with world.database.unit(world.gift) as session:
        rule = {"key": "big", "entity": "orders.order", "label": "Big", "roles": ["staff"], "condition": {"field": "number", "op": "eq", "value": "X"}}
        apply_changes(session, KINDS, [Change("rule", rule)])
    with world.database.unit(world.gift) as session:
        shown = seen_by(schemas.of(session), Reader(frozenset({"staff"})))
        plain = seen_by(schemas.of(session), Reader(frozenset({"owner"})))

    assert {entity.key for entity in shown if entity.confine is not None} >= {"orders.order", "orders.line", "orders.refund", "fulfilment.shipment"}
    assert plain.get("orders.line").confine is not None
    assert plain.get("catalog.sku").confine is None


def test_rules_that_say_nothing_sensible_are_refused(world):
    with world.database.unit(world.tea) as session, pytest.raises(ConfigRefused) as refused:
        apply_changes(
            session,
            KINDS,
            [
                Change("rule", {"key": "a", "entity": "no.such", "label": "A"}),
                Change("rule", {"key": "b", "entity": CLAIM, "label": "B", "condition": {"field": "nothing", "op": "eq", "value": 1}}),
                Change("access", {"entity": CLAIM, "field": "title", "role": "staff", "may": "none"}),
                Change("view", {"entity": CLAIM, "key": "v", "label": "V", "sort": "-subjectt", "columns": ["city", "what"]}),
                Change("layout", {"entity": CLAIM, "tabs": [{"sections": [{"fields": ["city", "city"]}]}]}),
            ],
        )

    assert set(refused.value.problems) == {
        "rule[a].entity",
        "rule[b].condition.field",
        f"access[{CLAIM}/title/staff].may",
        f"view[{CLAIM}/v].sort",
        f"view[{CLAIM}/v].columns[1]",
        f"layout[{CLAIM}/].tabs[0].sections[0].fields[1]",
    }
