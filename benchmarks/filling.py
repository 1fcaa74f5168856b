"""Many orders quickly: a few hundred are really accepted and moved on, then multiplied inside the database, with all that belongs to them.

The copies stand in the real tables with lines, search words, an event, an audit entry and, some of them, an open hold; ids, numbers,
moments and states are their own. Indexes are made anew at the end and the tables analysed, as after a restored backup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection, sql

from benchmarks import sample
from benchmarks.stage import Stage
from core.domain.fulfilment import way
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderLine
from core.runtime.events.models import Event
from core.runtime.security.audit import AuditEntry

TEMPLATES, WORDS = 200, 8
_TABLES = ("sales_order", "order_line", "search_token", "event", "audit_entry", "order_hold")

# Of a thousand orders: 5 on hold, 15 placed, 20 paid, 40 approved, 30 shipped, 20 cancelled, 870 done; over the past year.
_MADE = """
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT n, uuidv7() AS id, t.id AS template, now() - (%(rows)s - n) * (interval '364 days' / %(rows)s) - interval '1 hour' AS at,
    CASE WHEN n %% 1000 < 15 THEN 'placed' WHEN n %% 1000 < 40 THEN 'paid' WHEN n %% 1000 < 80 THEN 'approved'
        WHEN n %% 1000 < 110 THEN 'shipped' WHEN n %% 1000 < 130 THEN 'cancelled' WHEN n %% 1000 < 200 THEN 'delivered'
        ELSE 'completed' END AS state,
    n %% 1000 BETWEEN 15 AND 19 AS is_held
FROM generate_series(1, %(rows)s) AS n
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM sales_order WHERE tenant_id = %(tenant)s) t
    ON t.place = n %% %(templates)s
"""
_LEFT = "m.state IN ('shipped', 'delivered', 'completed')"
_OWN: dict[type, Mapping[str, str]] = {
    Order: {
        "id": "m.id",
        "number": "'B' || lpad(m.n::text, 8, '0')",
        "external_id": "'7' || lpad(m.n::text, 11, '0')",
        "state": "m.state",
        "payment": "CASE WHEN m.state = 'placed' THEN 'unpaid' ELSE 'paid' END",
        "fulfilment": f"CASE WHEN {_LEFT} THEN 'shipped' WHEN m.state = 'approved' THEN 'reserved' ELSE 'none' END",
        "hold_count": "m.is_held::int",
        "hold_code": "CASE WHEN m.is_held THEN 'manual' ELSE '' END",
        "placed_at": "m.at",
        "paid_at": "m.at",
        "ship_by": "m.at + interval '2 days'",
        "shipped_at": f"CASE WHEN {_LEFT} THEN m.at + interval '1 day' END",
        "created_at": "m.at",
        "updated_at": "m.at",
        "channel_modified_at": "m.at",
    },
    OrderLine: {
        "id": "uuidv7()",
        "order_id": "m.id",
        "external_id": "m.n || '-' || t.position",
        "reserved": "CASE WHEN m.state = 'approved' THEN t.quantity ELSE 0 END",
        "shipped": f"CASE WHEN {_LEFT} THEN t.quantity ELSE 0 END",
        "cancelled": "CASE WHEN m.state = 'cancelled' THEN t.quantity ELSE 0 END",
        "created_at": "m.at",
        "updated_at": "m.at",
    },
    Event: {"id": "uuidv7()", "subject_id": "m.id::text", "seq": "1", "occurred_at": "m.at"},
    AuditEntry: {"id": "uuidv7()", "subject_id": "m.id::text"},
}
_FROM: dict[type, str] = {
    Order: "sales_order t ON t.tenant_id = %(tenant)s AND t.id = m.template",
    OrderLine: "order_line t ON t.tenant_id = %(tenant)s AND t.order_id = m.template",
    Event: "event t ON t.tenant_id = %(tenant)s AND t.subject_type = 'order' AND t.subject_id = m.template::text"
    " AND t.kind = 'order.accepted'",
    AuditEntry: "audit_entry t ON t.tenant_id = %(tenant)s AND t.subject_id = m.template::text AND t.action = 'orders.approved'",
}
_TOKENS = """
INSERT INTO search_token (tenant_id, entity, token, record_id)
SELECT %(tenant)s, 'orders.order', w.token, m.id FROM made m CROSS JOIN LATERAL (
    SELECT unnest(k.words) AS token FROM kept k WHERE k.record_id = m.template
    UNION SELECT 'b' || lpad(m.n::text, 8, '0') UNION SELECT '7' || lpad(m.n::text, 11, '0')
) w
"""
_KEPT = """
CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT record_id, (array_agg(token ORDER BY md5(token)))[1:%(words)s] AS words
FROM search_token WHERE tenant_id = %(tenant)s AND entity = 'orders.order' AND token !~ '^(s?[0-9]+)$' GROUP BY 1
"""
_HOLDS = """
INSERT INTO order_hold (tenant_id, id, order_id, code, placed_at, placed_by, facts)
SELECT %(tenant)s, uuidv7(), id, 'manual', at, 'bench', '{"reason": "to be looked at"}' FROM made WHERE is_held
"""


def fill(stage: Stage, goods: sample.Goods, rows: int) -> None:
    """Make `rows` orders in a tenant that has none."""
    with stage.database.unit(stage.scope) as session:
        outcomes = accept(session, goods.shop, sample.orders(TEMPLATES, seed=9_999), now=sample.NOON)
        way.advance(session, [one.order_id for one in outcomes if one.order_id is not None], now=sample.NOON)
    values = {"rows": rows, "tenant": stage.scope.tenant_id, "templates": TEMPLATES, "words": WORDS}
    with stage.keeper() as keeper:
        keeper.autocommit = False
        # The copies refer to what their templates refer to, so the foreign keys need no looking after.
        keeper.execute(
            "SELECT set_config('session_replication_role', 'replica', true), set_config('maintenance_work_mem', '512MB', true),"
            " set_config('work_mem', '256MB', true), set_config('statement_timeout', '0', true)"
        )
        remade = _drop_indexes(keeper)
        for statement in (_MADE, _KEPT, *(_copy(model) for model in _OWN), _TOKENS, _HOLDS):
            keeper.execute(statement.encode(), values)
        for statement in remade:
            keeper.execute(statement.encode())
        keeper.commit()
    stage.tidy()


def _copy(model: Any) -> str:
    own = _OWN[model]
    columns = [column.name for column in model.__table__.columns if column.computed is None]
    picked = [own.get(name, f"t.{name}") for name in columns]
    return f"INSERT INTO {model.__tablename__} ({', '.join(columns)}) SELECT {', '.join(picked)} FROM made m JOIN {_FROM[model]}"


def _drop_indexes(keeper: Connection[Any]) -> Sequence[str]:
    """Drop the indexes that belong to no constraint, and the words' primary key; returns how to make them again."""
    names = list(_TABLES)
    indexes = keeper.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = ANY(%s::regclass[])"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        (names,),
    ).fetchall()
    key = keeper.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'search_token'::regclass AND contype = 'p'"
    ).fetchall()
    for name, _definition in indexes:
        keeper.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    for name, _definition in key:
        keeper.execute(sql.SQL("ALTER TABLE search_token DROP CONSTRAINT {}").format(sql.Identifier(name)))
    return [definition for _name, definition in indexes] + [
        f"ALTER TABLE search_token ADD CONSTRAINT {name} {definition}" for name, definition in key
    ]
