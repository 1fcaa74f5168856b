"""Set-based writes: any number of rows in one statement, sent as one JSON document.

`jsonb_to_recordset` turns the document into rows inside the server; measured against COPY and array parameters it is as quick and, unlike COPY,
can skip duplicates (docs/architecture/data.md, "Writing many rows"). Rows are stamped with the open scope's tenant, and the database's
policy checks it again. ORM events and defaults in Python do not run: give every column that has no server default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.kernel.errors import OrderloomError
from core.kernel.jsontext import encode_json
from core.runtime.db.base import TenantScoped

_dialect = postgresql.dialect()


class NoTenant(OrderloomError):
    """The session belongs to no tenant."""

    code = "db.no_tenant"


def tenant_of(session: Session) -> int:
    """The tenant that the session's open transaction belongs to. Raises NoTenant."""
    tenant: int | None = session.info.get("tenant_id")
    if tenant is None:
        raise NoTenant
    return tenant


@lru_cache(maxsize=512)
def _record(model: type, columns: tuple[str, ...]) -> str:
    table = model.__table__  # type: ignore[attr-defined]
    return ", ".join(f"{name} {table.c[name].type.compile(_dialect)}" for name in columns)


@lru_cache(maxsize=512)
def _insert(model: type, columns: tuple[str, ...], conflict: str, returning: str) -> TextClause:
    table = model.__table__.name  # type: ignore[attr-defined]
    names = ", ".join(columns)
    picked = ", ".join(f"r.{name}" for name in columns)
    lead, value = ("tenant_id, ", ":tenant, ") if issubclass(model, TenantScoped) else ("", "")
    return text(
        f"INSERT INTO {table} ({lead}{names}) "  # noqa: S608 - names come from the mapped table, never from input
        f"SELECT {value}{picked} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r({_record(model, columns)}) "
        f"{conflict} {'RETURNING ' + returning if returning else ''}"
    )


def insert_rows(
    session: Session,
    model: type,
    rows: Sequence[Mapping[str, Any]],
    *,
    on_conflict: str = "",
    returning: str = "",
) -> Sequence[Row[Any]]:
    """Insert `rows` (mappings with equal keys, column names) in one statement.

    `on_conflict` is a clause such as `ON CONFLICT (tenant_id, code) DO NOTHING`; `returning` a column list. Both are written by the
    programmer, never by a user. Returns what `returning` names, without order; nothing else.
    """
    if not rows:
        return []
    statement = _insert(model, tuple(rows[0]), on_conflict, returning)
    values: dict[str, Any] = {"rows": encode_json(rows)}
    connection = session.connection()
    if issubclass(model, TenantScoped):
        values["tenant"] = tenant_of(session)
    result = connection.execute(statement, values)
    return result.all() if returning else []


@lru_cache(maxsize=512)
def _update(model: type, keys: tuple[str, ...], columns: tuple[str, ...], clauses: tuple[str, str, str]) -> TextClause:
    sets, where, returning = clauses
    table = model.__table__.name  # type: ignore[attr-defined]
    sets = sets or ", ".join(f"{name} = r.{name}" for name in columns)
    match = " AND ".join(f"t.{name} = r.{name}" for name in keys)
    wall = "t.tenant_id = :tenant AND " if issubclass(model, TenantScoped) else ""
    extra = f" AND ({where})" if where else ""
    return text(
        f"UPDATE {table} AS t SET {sets} "  # noqa: S608 - names come from the mapped table, never from input
        f"FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r({_record(model, keys + columns)}) "
        f"WHERE {wall}{match}{extra} {'RETURNING ' + returning if returning else ''}"
    )


def update_rows(
    session: Session,
    model: type,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: tuple[str, ...] = ("id",),
    sets: str = "",
    where: str = "",
    returning: str = "",
) -> Sequence[Row[Any]]:
    """Update many rows, each with its own values, in one statement.

    Each row holds the key columns and the columns to set. `sets` replaces the plain assignments and `where` adds a condition, both over `t` (stored) and `r`
    (given) and written by the programmer; rows that fail it stay as they are. Returns what `returning` names (also `old.…` and `new.…`), of
    the rows that changed.
    """
    if not rows:
        return []
    columns = tuple(name for name in rows[0] if name not in keys)
    statement = _update(model, keys, columns, (sets, where, returning))
    values: dict[str, Any] = {"rows": encode_json(rows)}
    connection = session.connection()
    if issubclass(model, TenantScoped):
        values["tenant"] = tenant_of(session)
    result = connection.execute(statement, values)
    return result.all() if returning else []
