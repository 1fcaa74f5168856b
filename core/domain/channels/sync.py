"""Keeping a shop in step with its channel: overlapping windows with a stored watermark, re-pulls, push messages and reconciliation.

Every function opens its own short transactions and never holds one while it talks to the channel. All of them may be repeated, stopped
at any point and run side by side: documents are taken in once, and a watermark only moves after everything before it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from time import monotonic
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from core.domain.catalog.matching import ShopSku, match
from core.domain.channels.desk import ChannelDesk, Link, ShopView, talking
from core.domain.channels.inbound import Tally, park, take_in
from core.domain.channels.marketplace import Document, Window
from core.domain.channels.models import Cursor, SyncRun
from core.domain.orders.models import Order
from core.kernel.errors import Invalid, NotFound, OrderloomError
from core.kernel.ids import new_id
from core.runtime.db.bulk import insert_rows
from core.runtime.events import EventDraft, emit
from core.runtime.tenancy.scope import Scope

PAGE = 100
FIRST_PULL = timedelta(hours=24)
RECONCILE_SPAN = timedelta(days=3)
BUDGET_S = 45.0
SKUS_EVERY = timedelta(hours=24)
ORDERS, REFUNDS, SKUS = "orders", "refunds", "skus"


@dataclass(slots=True)
class Run:
    """One run under way. `is_complete` is false when the time budget ended before the present was reached."""

    id: UUID
    shop: ShopView
    tally: Tally = field(default_factory=Tally)
    is_complete: bool = True


def pull(
    desk: ChannelDesk, scope: Scope, shop_id: UUID, *, stream: str = ORDERS, cause: str = "schedule", budget_s: float = BUDGET_S
) -> Run:
    """Fetch what changed since the watermark, window by window, until the present or until `budget_s` is used up.

    Raises what the connection raises; the run is then on record as failed and the watermark stands where the last whole window ended.
    """
    until = monotonic() + budget_s
    with _run(desk, scope, shop_id, stream=stream, cause=cause) as run, desk.link(scope, run.shop) as link:
        market = link.marketplace
        now = desk.clock.now() - market.lag
        mark = _watermark(desk, scope, run.shop, stream) or now - FIRST_PULL
        while mark < now:
            window = Window(mark - market.overlap, min(mark - market.overlap + market.longest_window, now))
            documents = link.connection.changed_orders(window) if stream == ORDERS else link.connection.changed_refunds(window)
            _take_all(desk, scope, run, link, documents)
            mark = window.end
            _move_watermark(desk, scope, run, stream, mark)
            if monotonic() > until and mark < now:
                run.is_complete = False
                break
    return run


def pull_window(desk: ChannelDesk, scope: Scope, shop_id: UUID, *, window: Window, stream: str = ORDERS) -> Run:
    """Fetch a span of time again, apply stored revisions once more, and leave the watermark alone."""
    with _run(desk, scope, shop_id, stream=stream, cause="repull", window=window) as run, desk.link(scope, run.shop) as link:
        start = window.start
        while start < window.end:
            part = Window(start, min(start + link.marketplace.longest_window, window.end))
            documents = link.connection.changed_orders(part) if stream == ORDERS else link.connection.changed_refunds(part)
            _take_all(desk, scope, run, link, documents, again=True)
            start = part.end
    return run


def pull_numbers(desk: ChannelDesk, scope: Scope, shop_id: UUID, *, external_ids: Iterable[str], cause: str = "repull") -> Run:
    """Fetch single orders by their numbers on the channel; unknown numbers are counted as refused."""
    with _run(desk, scope, shop_id, stream=ORDERS, cause=cause) as run, desk.link(scope, run.shop) as link:
        _take_all(desk, scope, run, link, _by_number(link, external_ids, run), again=True)
    return run


def _by_number(link: Link, external_ids: Iterable[str], run: Run) -> Iterator[Document]:
    for number in external_ids:
        try:
            yield link.connection.order(number)
        except NotFound:
            run.tally.refused += 1


def drain_messages(desk: ChannelDesk, scope: Scope, shop_id: UUID) -> Run:
    """Take in what the channel's push messages point at, and confirm them once it is stored. Polling stays the safety net."""
    with _run(desk, scope, shop_id, stream="messages", cause="message") as run, desk.link(scope, run.shop) as link:
        messages = link.connection.messages()
        numbers = {message.external_id for message in messages if message.kind == "order" and message.external_id}
        _take_all(desk, scope, run, link, _by_number(link, sorted(numbers), run))
        if messages:
            link.connection.confirm([message.message_id for message in messages])
    return run


def reconcile(desk: ChannelDesk, scope: Scope, shop_id: UUID, *, span: timedelta = RECONCILE_SPAN) -> Run:
    """Compare the channel's list of orders with ours over the last days, and fetch what is missing or older here."""
    with _run(desk, scope, shop_id, stream="reconcile", cause="schedule") as run, desk.link(scope, run.shop) as link:
        end = desk.clock.now() - link.marketplace.lag
        start = end - span
        while start < end:
            window = Window(start, min(start + link.marketplace.longest_window, end))
            stamps = {stamp.external_id: stamp.modified_at for stamp in link.connection.order_stamps(window)}
            ours = _known_revisions(desk, scope, run.shop, stamps)
            gaps = sorted(key for key, modified in stamps.items() if key not in ours or ours[key] < modified)
            _take_all(desk, scope, run, link, _by_number(link, gaps, run))
            start = window.end
    return run


def refresh_skus(desk: ChannelDesk, scope: Scope, shop_id: UUID) -> Run | None:
    """Go through what the shop lists, once a day: units with a known code are matched, the others show on the list of unmatched ones.

    Returns None when the last time is less than SKUS_EVERY ago.
    """
    now = desk.clock.now()
    with desk.database.unit(scope) as session:
        shop = talking(session, shop_id)
    last = _watermark(desk, scope, shop, SKUS)
    if last is not None and now - last < SKUS_EVERY:
        return None
    with _run(desk, scope, shop_id, stream=SKUS, cause="schedule") as run, desk.link(scope, run.shop) as link:
        units = iter(link.connection.skus())
        while page := list(islice(units, PAGE)):
            with desk.database.unit(scope) as session:
                named = [ShopSku(unit.external_product, unit.external_sku, unit.seller_code, unit.title) for unit in page]
                matched = match(session, shop_id, named)
            run.tally.seen += len(page)
            run.tally.unchanged += sum(sku is not None for sku in matched.values())
        _move_watermark(desk, scope, run, SKUS, now)
    return run


def _known_revisions(desk: ChannelDesk, scope: Scope, shop: ShopView, external_ids: Iterable[str]) -> dict[str, datetime]:
    with desk.database.unit(scope) as session:
        statement = select(Order.external_id, Order.channel_modified_at).where(
            Order.shop_id == shop.id, Order.external_id.in_(list(external_ids))
        )
        return {row.external_id: row.channel_modified_at for row in session.execute(statement)}


def _take_all(desk: ChannelDesk, scope: Scope, run: Run, link: Link, documents: Iterable[Document], *, again: bool = False) -> None:
    """Take documents in, a page a transaction; a page that fails is taken one by one, so that one bad document stops nothing."""
    pages = iter(documents)
    while page := list(islice(pages, PAGE)):
        try:
            run.tally.add(_take_page(desk, scope, run, link, page, again=again))
        except (Invalid, DBAPIError):
            for document in page:
                run.tally.add(_take_alone(desk, scope, run, link, document, again=again))


def _take_page(desk: ChannelDesk, scope: Scope, run: Run, link: Link, page: list[Document], *, again: bool) -> Tally:
    with desk.database.unit(scope) as session:
        return take_in(session, run.shop, link.marketplace, page, now=desk.clock.now(), again=again)


def _take_alone(desk: ChannelDesk, scope: Scope, run: Run, link: Link, document: Document, *, again: bool) -> Tally:
    """Take in one document; when that fails it is parked word for word, with the cause, and the run goes on."""
    try:
        return _take_page(desk, scope, run, link, [document], again=again)
    except (Invalid, DataError, IntegrityError) as error:
        cause = error.code if isinstance(error, Invalid) else "channels.not_storable"
        with desk.database.unit(scope) as session:
            park(session, run.shop, document, cause=cause)
        return Tally(seen=1, refused=1)


@contextmanager
def _run(desk: ChannelDesk, scope: Scope, shop_id: UUID, *, stream: str, cause: str, window: Window | None = None) -> Iterator[Run]:
    with desk.database.unit(scope) as session:
        run = Run(new_id(), talking(session, shop_id))
        row = {"id": run.id, "shop_id": shop_id, "stream": stream, "cause": cause}
        span = {"window_start": window.start if window else None, "window_end": window.end if window else None}
        insert_rows(session, SyncRun, [{**row, **span}])
    try:
        yield run
    except OrderloomError as error:
        _finish(desk, scope, run, state="failed", error=error)
        raise
    _finish(desk, scope, run, state="done" if run.is_complete else "partly")


def _finish(desk: ChannelDesk, scope: Scope, run: Run, *, state: str, error: OrderloomError | None = None) -> None:
    values = {
        "state": state,
        "counts": run.tally.counts(),
        "ended_at": func.now(),
        "error_code": error.code if error else "",
        "error_text": error.message[:500] if error else "",
    }
    with desk.database.unit(scope) as session:
        stored = update(SyncRun).where(SyncRun.id == run.id).values(values).returning(SyncRun.stream)
        stream = session.execute(stored.execution_options(synchronize_session=False)).scalar_one()
        if error is not None:
            facts = {"shop": run.shop.code, "stream": stream, "code": error.code}
            emit(session, [EventDraft("channel.sync_failed", "shop", run.shop.id, facts)])


def _watermark(desk: ChannelDesk, scope: Scope, shop: ShopView, stream: str) -> datetime | None:
    with desk.database.unit(scope) as session:
        return session.scalar(select(Cursor.watermark).where(Cursor.shop_id == shop.id, Cursor.stream == stream))


def _move_watermark(desk: ChannelDesk, scope: Scope, run: Run, stream: str, mark: datetime) -> None:
    """Forward only: a slower run that ends later must not take it back."""
    with desk.database.unit(scope) as session:
        insert_rows(
            session,
            Cursor,
            [{"id": new_id(), "shop_id": run.shop.id, "stream": stream, "watermark": mark}],
            on_conflict=(
                "ON CONFLICT (tenant_id, shop_id, stream) DO UPDATE "
                "SET watermark = greatest(channel_cursor.watermark, excluded.watermark), "
                "updated_at = now()"
            ),
        )
