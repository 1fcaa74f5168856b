"""Rows for any tenant table, made from the mapped columns: every text says where it stands, so that it can be recognised wherever it turns up.

New tables need nothing here as long as their CHECKs are of the form `column IN (…)`; figures that other rules ask for stand in FIGURES.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Column, Date, DateTime, Integer, LargeBinary, Numeric, Table, Uuid, insert
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import String

from core.kernel.ids import new_id
from core.runtime.db.base import Base, TenantScoped, metadata
from tests.fixtures.database import load_every_model

MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROWS = 2
# Numbers start here, above those that a world counts up to by itself.
FIRST = 11
_ONE_OF = re.compile(r"(\w+) IN \(([^)]*)\)")
# What rules other than `IN` ask for; the rest of such a table is filled as usual.
FIGURES: Mapping[str, Mapping[str, Any]] = {
    "stock": {"on_hand": 9, "reserved": 1},
    "order_line": {"quantity": 3},
}
# Texts that are read as something else than words; `%s` is the word.
SHAPES: Mapping[tuple[str, str], str] = {("plg_outbound_webhooks_message", "body"): '{"text": "%s"}'}
# Documents that are read as something else than names and values.
DOCUMENTS: Mapping[tuple[str, str], Callable[[str], Any]] = {
    ("config_version", "changes"): lambda word: {"changes": [{"kind": "field", "key": word, "before": None, "after": {"label": word}}]},
}


def tenant_models() -> list[type]:
    """The mapped classes of all tenant tables of the core and of the plugins here, parents before children."""
    load_every_model()
    found = {
        mapper.local_table.name: mapper.class_
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, TenantScoped)
        and mapper.class_.__module__.split(".")[0] in ("core", "plugins")
        and not mapper.local_table.name.startswith("plg_toy_")  # of test plugins that another module has loaded
    }
    return [found[table.name] for table in metadata.sorted_tables if table.name in found]


def text_columns(table: Table) -> Iterator[tuple[Column[Any], str]]:
    """The columns of a table that can hold words, with the reason why one cannot hold any word (empty: it can)."""
    closed = _closed_columns(table)
    for column in table.columns:
        if isinstance(column.type, String | JSONB | LargeBinary) or (isinstance(column.type, ARRAY) and isinstance(column.type.item_type, String)):
            yield column, f"one of {closed[column.name]}" if column.name in closed else ""


def _closed_columns(table: Table) -> dict[str, list[str]]:
    found = {}
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            for name, values in _ONE_OF.findall(str(constraint.sqltext)):
                found[name] = [value.strip().strip("'") for value in values.split(",")]
    return found


class Filler:
    """Puts rows into every table of one tenant. `mark` is the word in every text; `ids` are the rows made, by table; `figures` may be added to."""

    def __init__(self, session: Session, tenant_id: int, mark: str, *, users: list[int], keep_bytes: bool = True) -> None:
        self.session = session
        self.figures: dict[str, Mapping[str, Any]] = dict(FIGURES)
        self.tenant_id = tenant_id
        self.mark = mark
        self.users = users
        self.keep_bytes = keep_bytes
        self.ids: dict[str, list[UUID]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def fill(self, *, leave_out: frozenset[str] = frozenset()) -> None:
        """Two rows in each table, but for those left out."""
        for model in tenant_models():
            table: Table = model.__table__  # type: ignore[attr-defined]
            if table.name not in leave_out:
                # A table whose key is the tenant alone has one row of each.
                for number in range(1 if list(table.primary_key.columns) == [table.columns["tenant_id"]] else ROWS):
                    self.row(table, number)

    def row(self, table: Table, number: int) -> dict[str, Any]:
        """One row; `number` tells rows of a table apart."""
        values = {"tenant_id": self.tenant_id, **self._references(table, number), **self.figures.get(table.name, {})}
        closed = _closed_columns(table)
        for column in table.columns:
            if column.name not in values:
                value = self._value(table, column, number, closed.get(column.name))
                if value is not None:
                    values[column.name] = value
        self.session.connection().execute(insert(table), [values])
        self.ids.setdefault(table.name, []).append(values.get("id", new_id()))
        self.rows.setdefault(table.name, []).append(values)
        return values

    def _references(self, table: Table, number: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        used: dict[str, int] = {}
        for constraint in sorted(table.foreign_key_constraints, key=lambda one: one.column_keys[-1]):
            target, column = constraint.referred_table.name, table.columns[constraint.column_keys[-1]]
            if target == "ab_user":
                found[column.name] = self.users[number]
            elif self.ids.get(target):
                # A second reference to one table takes the other row, as kits and their components have to differ.
                found[column.name] = self.ids[target][(number + used.get(target, 0)) % len(self.ids[target])]
                used[target] = used.get(target, 0) + 1
        return found

    def _value(self, table: Table, column: Column[Any], number: int, closed: list[str] | None) -> Any:
        word, kind = f"{self.mark}-{table.name}-{column.name}-{number}", column.type
        if closed:
            return next(value for value in closed if value)
        if isinstance(kind, String):
            return SHAPES.get((table.name, column.name), "%s") % word
        if isinstance(kind, JSONB):
            shape = DOCUMENTS.get((table.name, column.name))
            return shape(word) if shape is not None else {"text": word, "name": word}
        if isinstance(kind, ARRAY):
            return [word]
        if isinstance(kind, LargeBinary):
            return word.encode() if self.keep_bytes or not column.nullable else None
        if column.name == "id":
            return new_id()
        if column.server_default is not None or column.nullable:
            return None
        return self._plain(kind, number)

    @staticmethod
    def _plain(kind: Any, number: int) -> Any:
        if isinstance(kind, Uuid):
            return new_id()
        if isinstance(kind, DateTime):
            return MOMENT
        if isinstance(kind, Date):
            return MOMENT.date()
        if isinstance(kind, Boolean):
            return False
        if isinstance(kind, Integer | Numeric):
            return number + FIRST
        raise TypeError(f"rows with a column of type {kind!r} cannot be made yet")
