"""How the relay shares out work."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from core.runtime.events.rules import ALONE
from core.runtime.events.sharing import Lane, Pair, Picked, Queued, greedy_tenants, lane_of, messages, shares, suspected
from core.runtime.events.subscribers import Subscriber, SubscriberRegistry

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def nothing(*_args):
    return None


REGISTRY = SubscriberRegistry(
    (
        Subscriber(key="t.one", events=("a.",), handle=nothing),
        Subscriber(key="t.batch", events=("a.",), handle=nothing, batch=100),
        Subscriber(key="t.far", events=("a.",), send=nothing, repeatable=True),
        Subscriber(key="t.slow", events=("a.",), handle=nothing, lane="slow"),
    )
)


def picked(number, tenant=1, key="t.one", subject="s", seq=1, attempts=0, interrupted=False):
    return Picked(UUID(int=number), tenant, key, subject, seq, NOW, attempts, interrupted)


def test_room_is_three_messages_per_worker():
    assert [Lane("default", waiting, workers).room for waiting, workers in [(0, 2), (5, 2), (6, 2), (0, 0)]] == [6, 1, 0, 3]


def test_shares_are_equal_among_tenants_and_then_among_their_subscribers():
    pairs = [Pair(1, "t.one"), Pair(1, "t.batch"), Pair(1, "t.slow"), Pair(2, "t.one")]

    given = shares(pairs, Lane("default", 0, 1), REGISTRY, after=0, greedy=())

    assert given == {Pair(1, "t.one"): 50, Pair(1, "t.batch"): 500, Pair(1, "t.slow"): 50, Pair(2, "t.one"): 150}


def test_shares_go_round_when_there_are_more_tenants_than_room():
    pairs = [Pair(tenant, "t.far") for tenant in range(1, 101)]
    lane = Lane("remote", 2, 1)

    first = shares(pairs, lane, REGISTRY, after=0, greedy=())
    second = shares(pairs, lane, REGISTRY, after=next(reversed(first)).tenant_id, greedy=())
    last = shares(pairs, lane, REGISTRY, after=95, greedy=())

    assert [pair.tenant_id for pair in first] == list(range(1, 11))
    assert [pair.tenant_id for pair in second] == list(range(11, 21))
    assert [pair.tenant_id for pair in last] == [96, 97, 98, 99, 100, 1, 2, 3, 4, 5]


def test_shares_go_only_to_the_modest_when_the_room_is_used_up():
    pairs = [Pair(1, "t.one"), Pair(2, "t.one")]

    assert shares(pairs, Lane("default", 3, 1), REGISTRY, after=0, greedy={1}) == {Pair(2, "t.one"): 100}
    assert shares(pairs, Lane("default", 4, 1), REGISTRY, after=0, greedy={1}) == {}


def test_greedy_are_those_who_use_up_a_share():
    given = {Pair(1, "t.one"): 2, Pair(2, "t.one"): 2}

    assert greedy_tenants([picked(1), picked(2), picked(3, tenant=2)], given) == {1}


def test_lane_is_the_subscribers_own_unless_nobody_serves_it():
    slow, far, one = REGISTRY.find("t.slow"), REGISTRY.find("t.far"), REGISTRY.find("t.one")

    assert [lane_of(each, {"default", "slow", "remote"}) for each in (slow, far, one, None)] == ["slow", "remote", "default", "default"]
    assert [lane_of(each, {"default"}) for each in (slow, far)] == ["default", "default"]


def test_messages_keep_a_subjects_events_together_and_in_order():
    items = [picked(3, subject="b", seq=2), picked(1, subject="a", seq=5), picked(2, subject="b", seq=1), picked(4, subject="a", seq=4)]

    assert messages(items, REGISTRY, Lane("default", 0, 1)) == [
        [(1, "t.one", 1, [UUID(int=n).hex for n in (4, 1, 2, 3)])],
    ]


def test_messages_hold_several_groups_when_they_are_small():
    items = [picked(1), picked(2, tenant=2), picked(3, tenant=2, key="t.batch"), picked(4, tenant=2, key="t.batch", attempts=2)]

    (message,) = messages(items, REGISTRY, Lane("default", 0, 1))

    assert [(tenant, key, size, len(ids)) for tenant, key, size, ids in message] == [
        (1, "t.one", 1, 1),
        (2, "t.batch", ALONE, 2),
        (2, "t.one", 1, 1),
    ]


def test_messages_hold_one_subject_when_a_worker_has_died_over_it():
    items = [picked(1), picked(2, subject="b", interrupted=True), picked(3, subject="b", seq=2), picked(4, subject="c", interrupted=True)]

    found = messages(items, REGISTRY, Lane("default", 0, 1))

    assert [[[UUID(one).int for one in ids] for _, _, _, ids in message] for message in found] == [[[1]], [[2, 3]], [[4]]]


def test_messages_of_a_suspect_plugin_hold_nobody_elses_work():
    registry = REGISTRY.extended([Subscriber(key="bad.one", events=("x.",), handle=print, plugin="bad")])
    items = [picked(1), picked(2, key="bad.one"), picked(3, tenant=2), picked(4, tenant=2, key="bad.one", subject="t")]

    together = messages(items, registry, Lane("default", 0, 1))
    apart = messages(items, registry, Lane("default", 0, 1), suspects={"bad"})

    assert [[key for _, key, _, _ in message] for message in together] == [["bad.one", "t.one", "bad.one", "t.one"]]
    assert [[key for _, key, _, _ in message] for message in apart] == [["t.one", "t.one"], ["bad.one", "bad.one"]]


def test_suspects_are_the_plugins_of_interrupted_deliveries():
    registry = REGISTRY.extended([Subscriber(key=f"{name}.one", events=("x.",), handle=print, plugin=name) for name in ("bad", "fine")])
    items = [picked(1, key="bad.one", interrupted=True), picked(2, key="fine.one"), picked(3, interrupted=True), picked(4, key="gone.one")]

    assert suspected(items, registry) == {"bad"}


def test_messages_are_divided_among_workers():
    one = [picked(number, subject=f"s{number:03}") for number in range(90)]
    many = [picked(number, subject=f"s{number:04}", key="t.batch") for number in range(2000)]

    sizes = [
        [[len(group[3]) for group in message] for message in messages(items, REGISTRY, Lane("default", 0, 3))] for items in (one, many)
    ]

    assert sizes == [[[30], [30], [30]], [[666], [666], [666], [2]]]


def test_messages_of_remote_calls_are_short():
    items = [picked(number, subject=f"s{number}", key="t.far") for number in range(25)]

    assert [len(message[0][3]) for message in messages(items, REGISTRY, Lane("remote", 0, 1))] == [10, 10, 5]


def test_queued_deliveries_are_not_rung_for_twice_until_the_guard_ends():
    queued, pair = Queued(15.0), Pair(1, "t.one")
    items = [picked(number, subject=f"s{number}") for number in range(3)]

    queued.add(items[:2], now=100.0)

    assert queued.count(pair) == 2
    assert queued.fresh(items, pair, wanted=5, now=101.0) == items[2:]
    assert queued.fresh(items, pair, wanted=5, now=115.1) == items


def test_queued_forgets_what_has_begun_meanwhile():
    queued, pair = Queued(15.0), Pair(1, "t.one")
    items = [picked(number, subject=f"s{number}") for number in range(4)]
    queued.add(items[:3], now=100.0)

    queued.fresh([items[1], items[3]], pair, wanted=5, now=101.0)

    assert queued.count(pair) == 1


def test_queued_forgets_nothing_that_lies_beyond_what_was_looked_at():
    queued, pair = Queued(15.0), Pair(1, "t.one")
    items = [picked(number, subject=f"s{number}") for number in range(6)]
    queued.add(items[3:5], now=100.0)

    assert queued.fresh(items[:3], pair, wanted=1, now=101.0) == items[:1]
    assert queued.count(pair) == 2


def test_queued_takes_a_delivery_that_became_due_anew_for_a_new_one():
    queued, pair = Queued(15.0), Pair(1, "t.one")
    queued.add([picked(1)], now=100.0)
    again = picked(1)._replace(next_at=NOW + timedelta(seconds=1), attempts=1)

    assert queued.fresh([again], pair, wanted=5, now=101.5) == [again]
