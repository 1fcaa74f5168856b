"""Where values of fields lie, kept in step with the configuration: slots are given out, renamed and indexed, never taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.orm import Session

from core.engines.configuration.changes import Body, ChangeSet
from core.engines.configuration.errors import ConfigRefused
from core.engines.configuration.models import ConfigHead
from core.engines.metadata import custom
from core.engines.metadata.columns import CONDITION_TYPES
from core.engines.metadata.entity import EntityRegistry, EntityType, Field
from core.engines.metadata.records import Taken
from core.engines.metadata.stored import CustomRecord, CustomValue, FieldSlot, read_stored
from core.engines.metadata.tailor.compiled import CUSTOM, field_of
from core.kernel.ids import new_id

BATCH = 1_000
COMPUTED = ("formula", "rollup")
#: Stands in the name of a slot whose field's name another one has taken; no field can be called like this.
ASIDE = "~"


def follow_fields(session: Session, registry: EntityRegistry, changes: ChangeSet) -> None:
    """Give new fields their slots, let renamed ones keep theirs, and build the index anew of those whose type or use has changed.

    Raises: ConfigRefused - a field is to be unique, but its values are not.
    """
    held = {(row.entity, row.key): row for row in session.scalars(select(FieldSlot))}
    fields = [step for step in changes.steps if step.kind == "field"]
    for step in fields:
        if step.renamed_from:
            entity = step.key.partition("/")[0]
            old = held.get((entity, step.renamed_from.partition("/")[2]))
            if old is not None:
                _rename(session, held, old, (entity, step.key.partition("/")[2]))
    for key in dict.fromkeys(step.key for step in fields):
        body = changes.after.get("field", key)
        if body is None or body["type"] in COMPUTED:
            continue
        place = (body["entity"], body["key"])
        if place not in held:
            held[place] = _new_slot(session, *place)
        _reindexed(session, registry, body, held[place])


def _rename(session: Session, held: dict[tuple[str, str], FieldSlot], row: FieldSlot, place: tuple[str, str]) -> None:
    """Let a slot take another name. What had that name steps aside with its values; what once stepped aside for this one comes back."""
    former = (row.entity, row.key)
    aside = held.pop(place, None)
    if aside is not None:
        aside.key = f"{place[1]}{ASIDE}{aside.slot}"
        session.flush()
        held[aside.entity, aside.key] = aside
    held.pop(former, None)
    row.key = place[1]
    session.flush()
    held[place] = row
    waiting = [slot for (entity, key), slot in held.items() if entity == former[0] and key.startswith(f"{former[1]}{ASIDE}")]
    if waiting:
        back = max(waiting, key=lambda slot: slot.updated_at)
        held.pop((back.entity, back.key))
        back.key = former[1]
        session.flush()
        held[former] = back


def _new_slot(session: Session, entity: str, key: str) -> FieldSlot:
    number = session.scalar(
        update(ConfigHead)
        .values(last_slot=ConfigHead.last_slot + 1)
        .returning(ConfigHead.last_slot)
        .execution_options(synchronize_session=False)
    )
    row = FieldSlot(id=new_id(), entity=entity, key=key, slot=f"f{number}")
    session.add(row)
    session.flush()
    return row


def _reindexed(session: Session, registry: EntityRegistry, body: Body, row: FieldSlot) -> None:
    item = field_of(body, row.slot)
    wanted = _use_of(item)
    if row.indexed_as == wanted:
        return
    row.indexed_as = wanted
    session.flush()
    session.execute(delete(CustomValue).where(CustomValue.slot == row.slot).execution_options(synchronize_session=False))
    if not wanted:
        return
    try:
        for values in stored_values(session, registry, row.entity, item):
            custom.add_to_index(session, [item], {record_id: {item.key: value} for record_id, value in values})
    except Taken as error:
        message = "Two records have the same value already, so it cannot be unique."
        raise ConfigRefused({f"field[{row.entity}/{row.key}].unique": message}) from error


def _use_of(item: Field) -> str:
    """What the index of a field depends on."""
    if not custom.is_indexed(item):
        return ""
    return f"{CONDITION_TYPES[item.type]}{'!' if item.is_unique else ''}{'#' if item.is_sealed else ''}"


def stored_values(session: Session, registry: EntityRegistry, entity: str, item: Field) -> Iterator[list[tuple[UUID, Any]]]:
    """The readable values that records hold in the field's slot, a thousand at a time, in the order of the records."""
    for rows in raw_values(session, registry, entity, item.slot):
        found = [(record_id, _typed(session, item, raw)) for record_id, raw in rows]
        yield [(record_id, value) for record_id, value in found if value is not None]


def _typed(session: Session, item: Field, raw: Any) -> Any:
    return custom.opened(session, item, {item.slot: raw}) if item.is_sealed else read_stored(item.type, raw)


def raw_values(session: Session, registry: EntityRegistry, entity: str, slot: str) -> Iterator[list[tuple[UUID, Any]]]:
    """What lies in a slot, as it lies there, a thousand records at a time."""
    model: Any = model_of(registry, entity)
    last: UUID | None = None
    value = func.jsonb_object_field(model.custom, literal(slot), type_=model.custom.type)
    while True:
        statement = select(model.id, value.label("value")).where(func.jsonb_exists(model.custom, slot)).order_by(model.id).limit(BATCH)
        if last is not None:
            statement = statement.where(model.id > last)
        rows: Sequence[Any] = session.execute(statement).all()
        if rows:
            yield [(row.id, row.value) for row in rows]
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def slot_of(session: Session, entity: str, key: str) -> str:
    """The slot of a field, empty when it has none."""
    return session.scalar(select(FieldSlot.slot).where(FieldSlot.entity == entity, FieldSlot.key == key)) or ""


def held(session: Session, registry: EntityRegistry, entity: str, slot: str) -> int:
    """How many records have a value in a slot."""
    model: Any = model_of(registry, entity)
    return session.scalar(select(func.count()).select_from(model).where(func.jsonb_exists(model.custom, slot))) or 0


def unreadable(session: Session, registry: EntityRegistry, entity: str, item: Field) -> int:
    """How many records hold a value in the field's slot that cannot be read as the field's type."""
    return sum(1 for _record, _raw in unreadable_rows(session, registry, entity, item))


def unreadable_rows(session: Session, registry: EntityRegistry, entity: str, item: Field) -> Iterator[tuple[UUID, Any]]:
    """Those records, each with the value as it lies there."""
    for rows in raw_values(session, registry, entity, item.slot):
        for record, raw in rows:
            if _typed(session, item, raw) is None:
                yield record, raw


def model_of(registry: EntityRegistry, entity: str) -> type:
    """The class whose rows hold the records of an entity type."""
    found: EntityType | None = registry.find(entity)
    return found.model if found is not None and not entity.startswith(f"{CUSTOM}.") else CustomRecord
