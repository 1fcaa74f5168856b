"""Descriptors of subscribers, and who hears what."""

import pytest

from core.kernel.errors import Invalid
from core.runtime.events import Mode, Subscriber, SubscriberRegistry, gate_from


def nothing(*_args):
    return None


def hearing(key, *events, **rest):
    return Subscriber(key=key, events=events, handle=nothing, **rest)


@pytest.mark.parametrize(
    ("events", "kind", "hears"),
    [
        (("order.paid",), "order.paid", True),
        (("order.paid",), "order.paid_late", False),
        (("order.",), "order.paid", True),
        (("order.",), "orders.paid", False),
        (("stock.", "order.paid"), "order.paid", True),
        ((), "order.paid", False),
    ],
)
def test_subscriber_hears_exact_kinds_and_prefixes(events, kind, hears):
    assert hearing("t.one", *events).hears(kind) is hears


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "nodot", "handle": nothing},
        {"key": "t.neither"},
        {"key": "t.both", "handle": nothing, "send": nothing},
        {"key": "t.far", "send": nothing, "batch": 2},
        {"key": "t.batch", "handle": nothing, "batch": 0},
        {"key": "t.tries", "handle": nothing, "max_attempts": 0},
        {"key": "t.long", "handle": nothing, "timeout_s": 301},
    ],
    ids=lambda wrong: wrong["key"],
)
def test_subscriber_is_refused_when_it_makes_no_sense(wrong):
    with pytest.raises(Invalid):
        Subscriber(events=("a.",), **wrong)


def test_registry_is_refused_when_two_share_a_key():
    with pytest.raises(Invalid) as caught:
        SubscriberRegistry((hearing("t.one"), hearing("t.one")))

    assert caught.value.keys == ["t.one"]


def test_registry_finds_hearers_in_order_of_their_keys():
    registry = SubscriberRegistry((hearing("t.b", "order."), hearing("t.a", "order.paid"), hearing("t.c", "stock.")))

    assert [one.key for one in registry.hearers("order.paid")] == ["t.a", "t.b"]
    assert [one.key for one in registry.hearers("order.placed")] == ["t.b"]


def test_registry_knows_plugins_and_their_modes():
    registry = SubscriberRegistry((hearing("t.core"), hearing("p.one", plugin="p")), gate_from(lambda tenant, plugin: (tenant, plugin) == (1, "p")))

    assert registry.keys_of("p") == ["p.one"]
    assert [registry.mode(tenant, registry.find("p.one")) for tenant in (1, 2)] == [Mode.ON, Mode.OFF]
    assert registry.mode(2, registry.find("t.core")) is Mode.ON


def test_registry_lets_no_dead_delivery_block_where_only_the_newest_counts():
    registry = SubscriberRegistry((hearing("t.a"), hearing("t.b", on_dead="skip"), hearing("t.c", coalesce=True)))

    assert (registry.blocking, registry.coalescing) == (["t.a"], ["t.c"])
