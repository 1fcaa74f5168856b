"""What a list makes of its address: filters that mean nothing are named, never taken for something else."""

from __future__ import annotations

from datetime import UTC

import pytest
from werkzeug.datastructures import MultiDict

from core.delivery.web.crud.arguments import read_arguments
from core.domain.customers.entities import CUSTOMER
from core.domain.orders.entities import ORDER


@pytest.mark.parametrize(
    ("entity", "args", "names"),
    [
        (ORDER, {"f.shop_id": "xx"}, ["shop_id"]),
        (ORDER, {"f.state": "lost"}, ["state"]),
        (ORDER, {"f.hold_count": "many"}, ["hold_count"]),
        (ORDER, {"f.placed_at.from": "yesterday"}, ["placed_at"]),
        (ORDER, {"f.placed_at.to": "9999-12-31"}, ["placed_at"]),
        (ORDER, {"f.placed_at": "2026-11-20"}, ["placed_at"]),
        (ORDER, {"op.state": "contains", "f.state": "paid"}, ["state"]),
        (ORDER, {"f.paid_total": "10"}, ["paid_total"]),
        (ORDER, {"f.colour": "red"}, ["colour"]),
        (ORDER, {"queue": "nowhere", "sort": "colour"}, ["queue", "sort"]),
        (CUSTOMER, {"f.is_blocked": "maybe"}, ["is_blocked"]),
    ],
)
def test_argument_is_named_when_it_means_nothing(entity, args, names):
    found = read_arguments(entity, MultiDict(args), zone=UTC)

    assert [one.key for one in found.problems] == names


def test_sound_filters_stay_in_force_when_another_means_nothing():
    found = read_arguments(ORDER, MultiDict({"f.state": "paid", "f.shop_id": "xx", "f.city": "杭州"}), zone=UTC)

    assert [one.item.key for one in found.active] == ["state", "city"]
    assert found.query.condition == {
        "all": [{"field": "state", "op": "eq", "value": "paid"}, {"field": "city", "op": "starts_with", "value": "杭州"}]
    }


def test_address_loses_only_the_bad_filter_when_it_is_removed():
    found = read_arguments(ORDER, MultiDict({"f.state": "paid", "f.shop_id": "xx"}), zone=UTC)

    assert found.without(found.problems[0].names) == "?f.state=paid"
