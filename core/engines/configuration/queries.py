"""Reading the configuration: items, versions, and what changed between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.engines.configuration.changes import Draft, Item, ItemKey, Step
from core.engines.configuration.models import ConfigHead, ConfigItem, ConfigVersion


def present_version(session: Session) -> int:
    """The number of the present configuration; 0 while nobody changed anything."""
    return session.scalar(select(ConfigHead.version)) or 0


def present_serial(session: Session) -> int:
    """What counts up whenever schemas have to be compiled anew; 0 while nobody changed anything."""
    return session.scalar(select(ConfigHead.serial)) or 0


def items_of(session: Session, kind: str = "") -> list[Item]:
    """The items of the tenant, or of one kind, by kind and key."""
    statement = select(ConfigItem.kind, ConfigItem.key, ConfigItem.body, ConfigItem.version).order_by(ConfigItem.kind, ConfigItem.key)
    if kind:
        statement = statement.where(ConfigItem.kind == kind)
    return [Item(row.kind, row.key, row.body, row.version) for row in session.execute(statement)]


def item(session: Session, kind: str, key: str) -> Item | None:
    """One item, or None."""
    row = session.execute(
        select(ConfigItem.body, ConfigItem.version).where(ConfigItem.kind == kind, ConfigItem.key == key)
    ).one_or_none()
    return Item(kind, key, row.body, row.version) if row is not None else None


def present_draft(session: Session) -> Draft:
    """The whole configuration."""
    return Draft({ItemKey(found.kind, found.key): found.body for found in items_of(session)})


def versions(session: Session, *, before: int | None = None, limit: int = 50) -> Sequence[ConfigVersion]:
    """Versions, newest first; `before` is the last number of the page shown so far."""
    statement = select(ConfigVersion).order_by(ConfigVersion.number.desc()).limit(limit)
    if before is not None:
        statement = statement.where(ConfigVersion.number < before)
    return session.scalars(statement).all()


def versions_after(session: Session, number: int) -> Sequence[ConfigVersion]:
    """Every version after `number`, newest first."""
    return session.scalars(select(ConfigVersion).where(ConfigVersion.number > number).order_by(ConfigVersion.number.desc())).all()


def steps_of(version: ConfigVersion) -> list[Step]:
    """The steps that a version carried out, in their order."""
    return [Step.of(one) for one in cast("list[dict[str, object]]", version.changes["changes"])]
