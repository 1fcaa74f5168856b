"""Plain writing of records for entity types that need no rules of their own, with database refusals turned into errors that name the
field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.kernel.errors import Conflict, Invalid

_UNIQUE, _FOREIGN, _CHECK, _NOT_NULL = "23505", "23503", "23514", "23502"


class Taken(Invalid):
    """Another record has this value already."""

    code = "record.taken"


class InUse(Conflict):
    """Other records still refer to this one."""

    code = "record.in_use"


@contextmanager
def refusals(session: Session, model: type) -> Iterator[None]:
    """Run a write in a savepoint; a constraint that refuses it raises `Taken`, `InUse` or `Invalid` with the field's name, never SQL."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        raise _explained(error, model) from error


def _explained(error: IntegrityError, model: type) -> Exception:
    state = getattr(error.orig, "sqlstate", "")
    diagnosis = getattr(error.orig, "diag", None)
    name = getattr(diagnosis, "constraint_name", None) or ""
    table = model.__table__  # type: ignore[attr-defined]
    if state == _UNIQUE:
        return Taken(field=_unique_field(table, name))
    if state == _FOREIGN:
        if getattr(diagnosis, "table_name", "") != table.name:
            return InUse(by=getattr(diagnosis, "table_name", ""))
        return Invalid("There is no such record.", field=_last_column(name, table))
    if state == _NOT_NULL:
        return Invalid("This is needed.", field=getattr(diagnosis, "column_name", None))
    if state == _CHECK:
        return Invalid("This value is not allowed.", field=name.removeprefix(f"ck_{table.name}_"))
    return Invalid("The record cannot be stored like this.")


def _unique_field(table: Any, name: str) -> str | None:
    for constraint in (*table.constraints, *table.indexes):
        if constraint.name == name:
            columns = [column.name for column in constraint.columns if column.name != "tenant_id"]
            return columns[-1] if columns else None
    return None


def _last_column(name: str, table: Any) -> str | None:
    return next((column.name for column in reversed(list(table.columns)) if name.endswith(column.name)), None)


def creator(model: type, **fixed: Any) -> Callable[[Session, Mapping[str, Any]], Any]:
    """A `create` for an entity type that stores what it is given, with `fixed` values added."""

    def create(session: Session, values: Mapping[str, Any]) -> Any:
        record = model(**{**values, **fixed})
        with refusals(session, model):
            session.add(record)
        return record

    return create


def updater(model: type) -> Callable[[Session, Any, Mapping[str, Any]], None]:
    """An `update` for an entity type that stores what it is given."""

    def update(session: Session, record: Any, values: Mapping[str, Any]) -> None:
        with refusals(session, model):
            for key, value in values.items():
                setattr(record, key, value)

    return update


def deleter(model: type) -> Callable[[Session, Any], None]:
    """A `delete` for an entity type; a record that others refer to raises `InUse`."""

    def delete(session: Session, record: Any) -> None:
        with refusals(session, model):
            session.delete(record)

    return delete
