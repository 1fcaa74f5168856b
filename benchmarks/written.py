"""The limit of every benchmark that writes: the very rows that the project wrote, written again by bare psycopg in one statement.

`capture` runs a piece of work, reads what it wrote and takes it back; the rows are then as new. The limit's statement has the dedupe, the
customer look-up and the guard on stock, and nothing else: no validation, no encryption, no search words to make.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from benchmarks.stage import Stage
from core.domain.inventory.models import Reservation
from core.domain.orders.models import Order, OrderLine
from core.runtime.events.models import Delivery, Event
from core.runtime.security.audit import AuditEntry

# Columns that the database fills in by itself, for the project as for the limit.
_BY_DATABASE = frozenset(
    {"tenant_id", "created_at", "updated_at", "row_version", "occurred_at", "placed_by", "reserved_at", "next_at", "attempts", "generation"}
)
_DIALECT = postgresql.dialect()


@dataclass(frozen=True)
class Written:
    """Rows by table, as the limit's parameters hold them: text of JSON made when the clock runs."""

    orders: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    tokens: list[dict[str, Any]]
    audits: list[dict[str, Any]]
    events: list[dict[str, Any]]
    wires: list[dict[str, Any]]
    reservations: list[dict[str, Any]]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each kind."""
        kinds = {event["id"]: event["kind"] for event in self.events}
        per_kind: dict[str, int] = {}
        for wire in self.wires:
            per_kind[wire["kind"]] = per_kind.get(wire["kind"], 0) + 1
        return {
            "orders": len(self.orders),
            "lines": len(self.lines),
            "tokens": sum(len(one["words"]) for one in self.tokens),
            "audits": len(self.audits),
            "events": len(self.events),
            "deliveries": sum(per_kind.get(kind, 0) for kind in kinds.values()),
            "reservations": len(self.reservations),
        }


def capture(stage: Stage, work: Callable[[Session], Iterable[UUID]]) -> Written:
    """Run `work`, which returns the ids of the orders that it made; read what it wrote; take it all back."""
    with stage.database.unit(stage.scope) as session:
        savepoint = session.begin_nested()
        written = read_back(session, list(work(session)))
        savepoint.rollback()
    return written


def read_back(session: Session, ids: Sequence[UUID]) -> Written:
    """What stands in the database about these orders."""
    texts = [str(one) for one in ids]

    def rows(table: str, where: str, given: Any) -> list[dict[str, Any]]:
        statement = text(f"SELECT to_jsonb(t) FROM {table} t WHERE {where} ORDER BY t.tenant_id, t.id")
        return [_bare_row(row[0]) for row in session.connection().execute(statement, {"ids": given})]

    lines = rows("order_line", "order_id = ANY(:ids)", list(ids))
    owners = [f"line:{line['id']}" for line in lines]
    words = text("SELECT record_id, array_agg(token ORDER BY token) FROM search_token WHERE record_id = ANY(:ids) GROUP BY 1")
    tokens = session.connection().execute(words, {"ids": list(ids)})
    events = rows("event", "subject_type = 'order' AND subject_id = ANY(:ids)", texts)
    wires = session.connection().execute(
        text(
            "SELECT DISTINCT e.kind, d.subscriber, d.state FROM delivery d JOIN event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id "
            "WHERE e.subject_type = 'order' AND e.subject_id = ANY(:ids)"
        ),
        {"ids": texts},
    )
    return Written(
        orders=rows("sales_order", "id = ANY(:ids)", list(ids)),
        lines=lines,
        tokens=[{"id": str(row[0]), "words": row[1]} for row in tokens],
        audits=rows("audit_entry", "subject_type = 'order' AND subject_id = ANY(:ids)", texts),
        events=events,
        wires=[{"kind": row.kind, "subscriber": row.subscriber, "state": row.state} for row in wires],
        reservations=rows("reservation", "owner = ANY(:ids)", owners),
    )


def _bare_row(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in _BY_DATABASE and value is not None}


def _columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _record(model: type, columns: Iterable[str]) -> str:
    table = model.__table__  # type: ignore[attr-defined]
    return ", ".join(f"{name} {table.c[name].type.compile(_DIALECT)}" for name in columns)


class Limit:
    """Writes captured rows on a bare connection, one transaction and one statement a batch."""

    def __init__(self, stage: Stage, connection: psycopg.Connection, sample: Written) -> None:
        self._connection = connection
        self._tenant = stage.scope.tenant_id
        self._statement = _statement(sample)
        self.pid = connection.info.backend_pid

    def write(self, rows: Written) -> None:
        """Write them and commit."""
        values = {
            "tenant": self._tenant,
            "source": rows.orders[0]["shop_id"],
            "orders": _json(rows.orders),
            "lines": _json(rows.lines),
            "tokens": _json(rows.tokens),
            "audits": _json(rows.audits),
            "events": _json(rows.events),
            "wires": _json(rows.wires),
            "reservations": _json(rows.reservations),
        }
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, true)", (str(self._tenant),))
            cursor.execute(self._statement, values)
            written = cursor.fetchone()
        if written is None or written[0] != len(rows.orders):
            raise RuntimeError(f"the limit wrote {written} of {len(rows.orders)} orders")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _statement(sample: Written) -> bytes:
    order, line = _columns(sample.orders), _columns(sample.lines)
    audit, event, kept = _columns(sample.audits), _columns(sample.events), _columns(sample.reservations)
    own = [name for name in order if name != "customer_id"]
    parts = [
        f"""placed AS (
    INSERT INTO sales_order (tenant_id, customer_id, {", ".join(own)})
    SELECT %(tenant)s, c.customer_id, {", ".join("r." + name for name in own)}
    FROM jsonb_to_recordset(%(orders)s::jsonb) AS r({_record(Order, order)})
    LEFT JOIN customer_identity c ON c.tenant_id = %(tenant)s AND c.source = %(source)s AND c.customer_id = r.customer_id
    ON CONFLICT (tenant_id, shop_id, external_id) DO NOTHING RETURNING id)""",
        _insert("order_line", OrderLine, line, "lines", "lined"),
        """worded AS (
    INSERT INTO search_token (tenant_id, entity, token, record_id)
    SELECT %(tenant)s, 'orders.order', word, r.id
    FROM jsonb_to_recordset(%(tokens)s::jsonb) AS r(id uuid, words text[]), unnest(r.words) AS word
    RETURNING 1)""",
        _insert("audit_entry", AuditEntry, audit, "audits", "audited"),
        _insert("event", Event, event, "events", "happened", "RETURNING id, subject_type, subject_id, seq, kind"),
        f"""addressed AS (
    INSERT INTO delivery (tenant_id, event_id, subscriber, subject, seq, state)
    SELECT %(tenant)s, h.id, w.subscriber, h.subject_type || ':' || h.subject_id, h.seq, w.state
    FROM happened h JOIN jsonb_to_recordset(%(wires)s::jsonb) AS w({_record(Event, ["kind"])}, {_record(Delivery, ["subscriber", "state"])})
        ON w.kind = h.kind
    RETURNING 1)""",
    ]
    if kept:
        record = _record(Reservation, kept)
        parts += [
            _insert("reservation", Reservation, kept, "reservations", "kept"),
            f"""taken AS (
    UPDATE stock s SET reserved = s.reserved + n.quantity, updated_at = now()
    FROM (SELECT r.sku_id, r.warehouse_id, sum(r.quantity) AS quantity
          FROM jsonb_to_recordset(%(reservations)s::jsonb) AS r({record}) GROUP BY 1, 2) n
    WHERE s.tenant_id = %(tenant)s AND s.sku_id = n.sku_id AND s.warehouse_id = n.warehouse_id AND s.on_hand - s.reserved >= n.quantity
    RETURNING 1)""",
        ]
    return ("WITH " + ",\n".join(parts) + "\nSELECT count(*) FROM placed").encode()


def _insert(table: str, model: type, columns: Sequence[str], parameter: str, name: str, returning: str = "RETURNING 1") -> str:
    listed, picked = ", ".join(columns), ", ".join("r." + column for column in columns)
    return f"""{name} AS (
    INSERT INTO {table} (tenant_id, {listed}) SELECT %(tenant)s, {picked}
    FROM jsonb_to_recordset(%({parameter})s::jsonb) AS r({_record(model, columns)}) {returning})"""
