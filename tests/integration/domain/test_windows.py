"""Pulling by overlapping windows: nothing between two windows is left out, and the watermark only moves over what is stored."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.domain.channels import sync
from core.domain.channels.desk import ChannelDesk, Link
from core.domain.channels.marketplace import Marketplace
from core.domain.channels.models import Cursor
from core.kernel.errors import Invalid, Unavailable
from core.kernel.ids import new_id
from tests.factories.orders import NOON, make_shop

pytestmark = pytest.mark.database
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LAG, OVERLAP, LONGEST = 1 * MINUTE, 5 * MINUTE, 6 * HOUR


class NoonClock:
    """A clock that stands at noon."""

    def now(self):
        return NOON


class Channel:
    """A channel without orders that remembers which windows it was asked for; it is away from the `fails_at`-th question on."""

    def __init__(self, fails_at=99):
        self.fails_at, self.windows = fails_at, []

    def changed_orders(self, window):
        self.windows.append((window.start, window.end))
        if len(self.windows) >= self.fails_at:
            raise Unavailable
        return iter(())


def _marketplace(**values):
    spans = {"longest_window": LONGEST, "overlap": OVERLAP, "lag": LAG, **values}
    return Marketplace("toy", "Toy", "CNY", connect=lambda _ctx: None, orders_from=list, refunds_from=list, carriers={}, **spans)


@pytest.fixture
def shop(world):
    with world.database.unit(world.tea) as session:
        return make_shop(session, code=f"w-{new_id()}", marketplace=f"toy-{new_id()}")


def _desk(world, channel):
    @contextmanager
    def link(_scope, _shop):
        yield Link(_marketplace(), channel)

    return ChannelDesk(world.database, link, NoonClock())


def _mark(world, shop, scope=None):
    with world.database.unit(scope or world.tea) as session:
        return session.scalar(select(Cursor.watermark).where(Cursor.shop_id == shop.id))


def test_windows_overlap_and_reach_the_present_when_the_shop_is_new(world, shop):
    channel, present = Channel(), NOON - LAG

    run = sync.pull(_desk(world, channel), world.tea, shop.id)

    first = present - sync.FIRST_PULL - OVERLAP
    step = LONGEST - OVERLAP
    starts = [first + n * step for n in range(5)]
    assert channel.windows == [(start, min(start + LONGEST, present)) for start in starts]
    assert (run.is_complete, _mark(world, shop), _mark(world, shop, world.gift)) == (True, present, None)


def test_watermark_stands_at_the_last_whole_window_when_the_channel_goes_away(world, shop):
    channel = Channel(fails_at=3)

    with pytest.raises(Unavailable):
        sync.pull(_desk(world, channel), world.tea, shop.id)

    done = _mark(world, shop)
    again = Channel()
    sync.pull(_desk(world, again), world.tea, shop.id)
    assert done == channel.windows[1][1]
    assert again.windows[0] == channel.windows[2]


def test_one_window_is_done_and_the_rest_left_when_time_is_up(world, shop):
    channel = Channel()

    run = sync.pull(_desk(world, channel), world.tea, shop.id, budget_s=-1)

    assert (run.is_complete, len(channel.windows), _mark(world, shop)) == (False, 1, channel.windows[0][1])


def test_nothing_is_asked_when_the_watermark_is_the_present(world, shop):
    sync.pull(_desk(world, Channel()), world.tea, shop.id)
    channel = Channel()

    sync.pull(_desk(world, channel), world.tea, shop.id)

    assert channel.windows == []


def test_repull_asks_for_exactly_the_span_and_leaves_the_watermark(world, shop):
    sync.pull(_desk(world, Channel()), world.tea, shop.id)
    channel, start = Channel(), NOON - 10 * HOUR

    sync.pull_window(_desk(world, channel), world.tea, shop.id, window=sync.Window(start, start + 7 * HOUR))

    assert channel.windows == [(start, start + LONGEST), (start + LONGEST, start + 7 * HOUR)]
    assert _mark(world, shop) == NOON - LAG


@pytest.mark.parametrize("overlap", [LONGEST, LONGEST + MINUTE, -MINUTE])
def test_marketplace_is_refused_when_its_windows_would_never_reach_the_present(overlap):
    with pytest.raises(Invalid) as caught:
        _marketplace(overlap=overlap)

    assert caught.value.field == "overlap"
