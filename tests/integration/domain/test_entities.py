"""Every entity type can be listed, searched, counted and filtered by each of its fields, for two tenants apart."""

from __future__ import annotations

import pytest
from sqlalchemy import text as sql

from core.domain.all_entities import core_entities
from core.engines.metadata.queries import ListQuery, count, fetch, lookup, queue_counts, readable_fields
from core.kernel.errors import Invalid
from tests.factories.orders import NOON, make_sku

pytestmark = pytest.mark.database

REGISTRY = core_entities()


@pytest.mark.parametrize("entity", list(REGISTRY), ids=lambda entity: entity.key)
def test_entity_lists_counts_and_filters_by_every_field(world, entity):
    keys = [item.key for item in readable_fields(entity)]
    with world.database.unit(world.tea) as session:
        for item in readable_fields(entity):
            if item.is_sortable:
                fetch(session, entity, ListQuery(sort=f"-{item.key}"), now=NOON, keys=keys)
            if item.is_filterable:
                fetch(session, entity, ListQuery(condition={"field": item.key, "op": "is_empty"}), now=NOON, keys=keys)
        page = fetch(session, entity, ListQuery(search="abc 茶"), now=NOON, keys=keys)
        counts = queue_counts(session, entity, now=NOON)

    assert page.rows == []
    assert counts == {queue.key: (0, False) for queue in entity.queues}


def test_list_shows_only_the_tenants_own_rows(world):
    sku = REGISTRY.get("catalog.sku")
    with world.database.unit(world.tea) as session:
        make_sku(session, "TEA-1")
    with world.database.unit(world.gift) as session:
        make_sku(session, "GIFT-1")

    with world.database.unit(world.gift) as session:
        rows = fetch(session, sku, ListQuery(), now=NOON, keys=["code"]).rows
        found = count(session, sku, ListQuery(search="tea"), now=NOON)

    assert [row.code for row in rows] == ["GIFT-1"]
    assert found == (0, False)


def test_list_is_refused_when_the_sort_field_is_not_sortable(world):
    with world.database.unit(world.tea) as session, pytest.raises(Invalid) as caught:
        fetch(session, REGISTRY.get("catalog.sku"), ListQuery(sort="price"), now=NOON, keys=["code"])

    assert caught.value.field == "sort"


@pytest.mark.parametrize("entity", list(REGISTRY), ids=lambda entity: entity.key)
@pytest.mark.parametrize("text", ["TEA\x00", "\ud83c TEA"], ids=["nul", "surrogate"])
def test_search_finds_nothing_when_no_column_could_hold_the_text(world, entity, text):
    with world.database.unit(world.tea) as session:
        page = fetch(session, entity, ListQuery(search=text), now=NOON, keys=["id"])
        choices = lookup(session, entity, text, now=NOON)

    assert (page.rows, choices) == ([], [])


def test_plans_are_made_for_their_words_in_a_search_and_for_all_values_after_it(world):
    orders = REGISTRY.get("orders.order")
    with world.database.unit(world.tea) as session:
        before = session.scalar(sql("SHOW plan_cache_mode"))
        fetch(session, orders, ListQuery(search="abc"), now=NOON, keys=["number"])
        during = session.scalar(sql("SHOW plan_cache_mode"))
    with world.database.unit(world.tea) as session:
        after = session.scalar(sql("SHOW plan_cache_mode"))

    assert (before, during, after) == ("auto", "force_custom_plan", "auto")
