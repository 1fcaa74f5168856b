"""Reading the server's plans: which statements read a large table from end to end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

LARGE = frozenset({"sales_order", "order_line", "search_token", "event", "audit_entry", "delivery", "reservation"})


@dataclass(frozen=True, slots=True)
class Scan:
    """A table read from end to end by a statement."""

    page: str
    table: str
    statement: str


def whole_reads(connection: psycopg.Connection[Any], tenant_id: int, page: str, sent: Iterable[tuple[str, Any]]) -> list[Scan]:
    """The scans of whole large tables in the plans of these statements, made as the application's role with its tenant open."""
    found = []
    for statement, values in sent:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, true), set_config('enable_seqscan', 'off', true)", (str(tenant_id),))
            row = cursor.execute(b"EXPLAIN (FORMAT JSON) " + statement.encode(), values).fetchone()
        plan = row[0] if row else []
        tops = json.loads(plan) if isinstance(plan, str) else plan
        found += [Scan(page, node["Relation Name"], statement) for top in tops for node in _nodes(top["Plan"]) if _is_whole(node)]
    return found


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _is_whole(node: dict[str, Any]) -> bool:
    return node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE
