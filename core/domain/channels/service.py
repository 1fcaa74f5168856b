"""What staff and jobs do with channels: ask for a pull, map a value once and release all that waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.domain.channels.errors import ShopSilent, ShopUnknown
from core.domain.channels.marketplace import Window
from core.domain.channels.models import Shop, UnmappedValue
from core.kernel.errors import Invalid, OrderloomError
from core.kernel.ids import new_id
from core.runtime.events import EventDraft, emit

MAX_NUMBERS = 200


def _shops(session: Session, shop_ids: Sequence[UUID]) -> dict[UUID, Shop]:
    return {shop.id: shop for shop in session.scalars(select(Shop).where(Shop.id.in_(shop_ids)))}


def ask_for_pull(session: Session, shop_ids: Sequence[UUID]) -> Mapping[UUID, OrderloomError | None]:
    """Let these shops fetch what is new as soon as a worker is free. Emits: `channel.pull_asked` per shop."""
    shops = _shops(session, shop_ids)
    outcomes: dict[UUID, OrderloomError | None] = {}
    for shop_id in shop_ids:
        shop = shops.get(shop_id)
        if shop is None:
            outcomes[shop_id] = ShopUnknown(shop=str(shop_id))
        elif not shop.marketplace or not shop.is_active:
            outcomes[shop_id] = ShopSilent(shop=shop.code)
        else:
            outcomes[shop_id] = None
    ready = [shop_id for shop_id, error in outcomes.items() if error is None]
    emit(session, [EventDraft("channel.pull_asked", "shop", shop_id, {"streams": ["orders", "refunds"]}) for shop_id in ready])
    return outcomes


def ask_for_numbers(session: Session, shop_id: UUID, external_ids: Sequence[str]) -> None:
    """Fetch single orders again by their numbers on the channel. Emits: `channel.pull_asked`."""
    numbers = sorted({number.strip() for number in external_ids if number.strip()})
    if not numbers:
        raise Invalid("Give at least one order number.", field="numbers")
    if len(numbers) > MAX_NUMBERS:
        raise Invalid(f"At most {MAX_NUMBERS} order numbers at a time.", field="numbers")
    _ready(session, shop_id)
    emit(session, [EventDraft("channel.pull_asked", "shop", shop_id, {"numbers": numbers})])


def ask_for_window(session: Session, shop_id: UUID, window: Window) -> None:
    """Fetch a span of time again. Emits: `channel.pull_asked`. Raises: Invalid - the end is not after the start."""
    if window.end <= window.start:
        raise Invalid("The end comes after the start.", field="end")
    _ready(session, shop_id)
    span = {"start": window.start.isoformat(), "end": window.end.isoformat()}
    emit(session, [EventDraft("channel.pull_asked", "shop", shop_id, {"window": span})])


def _ready(session: Session, shop_id: UUID) -> Shop:
    shop = _shops(session, [shop_id]).get(shop_id)
    if shop is None:
        raise ShopUnknown(shop=str(shop_id))
    if not shop.marketplace or not shop.is_active:
        raise ShopSilent(shop=shop.code)
    return shop


def map_value(session: Session, unmapped: UnmappedValue, meaning: str) -> None:
    """Say once what a value means; whatever waited for it is tried again. Emits: `channel.value_mapped`."""
    meaning = meaning.strip()
    if not meaning:
        raise Invalid("Say what the value means.", field="mapped_to")
    unmapped.mapped_to = meaning
    unmapped.mapped_at = session.scalar(select(func.now()))
    unmapped.affected = 0
    if unmapped.kind == "carrier":
        shop = session.scalars(select(Shop).where(Shop.id == unmapped.shop_id)).one()
        shop.carriers = {**shop.carriers, unmapped.value: meaning}
    session.flush()
    facts = {"kind": unmapped.kind, "value": unmapped.value, "mapped_to": meaning}
    emit(session, [EventDraft("channel.value_mapped", "shop", unmapped.shop_id, facts)])


def window_from(start: datetime | None, end: datetime | None) -> Window:
    """A window from two moments of a form. Raises Invalid with the field's name."""
    if start is None:
        raise Invalid("Give the start.", field="start")
    if end is None:
        raise Invalid("Give the end.", field="end")
    return Window(start, end)


def ensure_shop(session: Session, *, marketplace: str, instance: str, title: str, currency: str) -> UUID:
    """The shop that a marketplace plugin's set-up stands for; made when the plugin is enabled the first time."""
    found = session.scalar(select(Shop.id).where(Shop.marketplace == marketplace, Shop.instance == instance))
    if found is not None:
        return found
    code = marketplace if instance == "main" else f"{marketplace}-{instance}"
    shop = Shop(id=new_id(), code=code, title=title, marketplace=marketplace, instance=instance, currency=currency)
    session.add(shop)
    session.flush()
    return shop.id
