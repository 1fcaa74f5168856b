"""Lists of tenants' own fields against the same lists of the code's fields, compiling a tenant's schema, and what 500 of them weigh.

Both lists are whole requests of signed-in staff: eleven columns, filtered and sorted by one of them, first page of 25, over the same
orders. Ours shows ten own fields and sorts by an own number; the limit shows ten columns of the code and sorts by the order's moment.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Sequence
from typing import Any

from werkzeug.test import create_environ, run_wsgi_app

from benchmarks import sample
from benchmarks.filling import fill
from benchmarks.measure import Figure, Options, Side, alternately, compared_sides, report
from benchmarks.stage import HOST, Stage, Visitor, server, stage
from core.domain.all_entities import core_entities
from core.engines.configuration import Change, Draft, ItemKey, apply_changes
from core.engines.metadata.layouts import keep_columns
from core.engines.metadata.tailor import compile_schema
from core.kernel.collector import settle_collector

ROWS, TARGET, COMPILE_MS = 1_000_000, 1.3, 100
ROUNDS, WARM = 60, 12
TENANTS, KEPT = 500, 200
ORDER = "orders.order"
LIST = "/t/bench/orders/list/?queue=all&size=25"
BUILT_IN = ("number", "state", "payment", "fulfilment", "external_id", "buyer_masked", "city", "paid_total", "placed_at", "ship_by", "tags")
CHOICES = [{"value": value} for value in ("red", "green", "blue", "white")]
FIELDS: Sequence[dict[str, Any]] = (
    {"key": "cf_rank", "type": "integer"},
    {"key": "cf_score", "type": "integer"},
    {"key": "cf_weight", "type": "decimal"},
    {"key": "cf_cost", "type": "money", "currency": "CNY"},
    {"key": "cf_batch", "type": "text"},
    {"key": "cf_route", "type": "text"},
    {"key": "cf_due", "type": "date"},
    {"key": "cf_colour", "type": "choice", "choices": CHOICES},
    {"key": "cf_gift", "type": "boolean"},
    {"key": "cf_seen", "type": "datetime"},
)
# The value of each field in an order's document and its key in the index, over `n`, the order's place in the table.
_VALUES: dict[str, tuple[str, str]] = {
    "cf_rank": ("n % 100000", "'1' || lpad((n % 100000)::text || repeat('0', 12), 42, '0')"),
    "cf_score": ("n % 97", "'1' || lpad((n % 97)::text || repeat('0', 12), 42, '0')"),
    "cf_weight": ("(n % 500)::text || '.25'", "'1' || lpad((n % 500)::text || '25' || repeat('0', 10), 42, '0')"),
    "cf_cost": ("(n % 900)::text || '.50'", "'1' || lpad((n % 900)::text || '50' || repeat('0', 10), 42, '0')"),
    "cf_batch": ("'batch-' || n % 5000", "'batch-' || n % 5000"),
    "cf_route": ("'route-' || n % 300", "'route-' || n % 300"),
    "cf_due": ("(date '2026-01-01' + (n % 365)::int)::text", "(date '2026-01-01' + (n % 365)::int)::text"),
    "cf_colour": ("(ARRAY['red','green','blue','white'])[1 + n % 4]", "(ARRAY['red','green','blue','white'])[1 + n % 4]"),
    "cf_gift": ("n % 2 = 0", "CASE WHEN n % 2 = 0 THEN '1' ELSE '0' END"),
    "cf_seen": (
        "to_char(timestamp '2026-01-01' + n % 500000 * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI:SS') || '+00:00'",
        "to_char(timestamp '2026-01-01' + n % 500000 * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')",
    ),
}


def run(options: Options) -> None:
    """Measure lists, compilation and memory."""
    rows = options.rows or ROWS
    with server() as cluster, stage(cluster, "own", db_pool_size=2) as place:
        figures = [_lists(place, rows, options)]
    figures += [_compiling(options), _memory(options)]
    report("custom_fields", figures, json=options.json)


def _lists(place: Stage, rows: int, options: Options) -> Figure:
    with place.database.unit(place.scope) as session:
        goods = sample.furnish(session)
    people = [place.member(f"{name}@bench.example", "staff") for name in ("own", "plain")]
    fill(place, goods, rows)
    with place.database.unit(place.scope) as session:
        made = [Change("field", {"entity": ORDER, "label": one["key"], **one}) for one in FIELDS]
        apply_changes(session, place.system.kinds, made)
        schema = place.system.schemas.of(session).get(ORDER)
        slots = {item.key: item.slot for item in schema.fields if item.slot}
        keep_columns(session, ORDER, user_id=str(people[0]), columns=["number", *(one["key"] for one in FIELDS)])
        keep_columns(session, ORDER, user_id=str(people[1]), columns=list(BUILT_IN))
    _fill_own(place, slots)
    application = place.web()
    settle_collector()
    sides = []
    for name, more in (("own", "&op.cf_rank=ge&f.cf_rank=5000&sort=-cf_rank"), ("plain", "&f.placed_at.from=2026-01-02&sort=-placed_at")):
        visitor = Visitor(application)
        visitor.sign_in(f"{name}@bench.example")
        sides.append(Side(_asking(application, LIST + more, visitor.cookie), place.backends))
    ours, limit = sides
    alternately(options.rounds(ROUNDS), ours, limit, warm=options.rounds(WARM))
    return compared_sides(f"list of ten own fields, {rows:,} orders", ours, limit, target=TARGET)


def _asking(application: Any, path: str, cookie: str) -> Any:
    environ = create_environ(path, HOST, headers={"Cookie": cookie})

    def ask(_number: int) -> object:
        _body, status, _headers = run_wsgi_app(application.wsgi_app, dict(environ), buffered=True)
        if not status.startswith("200"):
            raise RuntimeError(f"{path} answered {status}")
        return status

    return ask


def _fill_own(place: Stage, slots: dict[str, str]) -> None:
    """Give every order a value of every field, in its document and in the index, inside the database."""
    pairs = ", ".join(f"'{slots[key]}', to_jsonb({value})" for key, (value, _index) in _VALUES.items())
    values = {"tenant": place.scope.tenant_id}
    numbered = "SELECT id, row_number() OVER (ORDER BY id) AS n FROM sales_order WHERE tenant_id = %(tenant)s"
    with place.keeper() as keeper:
        keeper.autocommit = False
        keeper.execute(
            "SELECT set_config('session_replication_role', 'replica', true), set_config('work_mem', '256MB', true),"
            " set_config('maintenance_work_mem', '512MB', true), set_config('statement_timeout', '0', true)"
        )
        keeper.execute(f"CREATE TEMP TABLE numbered ON COMMIT DROP AS {numbered}".encode(), values)
        document = f"UPDATE sales_order t SET custom = jsonb_build_object({pairs}) FROM numbered m WHERE t.id = m.id"
        keeper.execute(f"{document} AND t.tenant_id = %(tenant)s".replace(" % ", " %% ").encode(), values)
        for key, (_value, index) in _VALUES.items():
            rows = f"SELECT %(tenant)s, '{slots[key]}', {index}, id FROM numbered".replace(" % ", " %% ")
            keeper.execute(f"INSERT INTO custom_value (tenant_id, slot, key, record_id) {rows}".encode(), values)
        keeper.commit()
    place.tidy()


def _drafted(number: int, fields: int) -> tuple[Draft, dict[tuple[str, str], str]]:
    """A configuration of its own with this many fields on orders, and their slots."""
    bodies = {}
    for at in range(fields):
        one = FIELDS[at % len(FIELDS)]
        body = {"entity": ORDER, **one, "key": f"{one['key']}_{number}_{at}", "label": f"Field {number} {at}"}
        bodies[ItemKey("field", f"{ORDER}/{body['key']}")] = body
    return Draft(bodies), {(ORDER, body["key"]): f"f{at}" for at, body in enumerate(bodies.values())}


def _compiling(options: Options) -> Figure:
    base, seconds = core_entities(), []
    for number in range(options.rounds(20)):
        draft, slots = _drafted(number, 100)
        began = time.perf_counter()
        compile_schema(base, draft, slots, version=number + 1)
        seconds.append((time.perf_counter() - began) * 1000)
    spread = (min(seconds), max(seconds))
    return Figure("compile 100 own fields", "ms", statistics.median(seconds), None, None, COMPILE_MS, is_absolute=True, spread=spread)


def _memory(options: Options) -> Figure:
    """What the schemas of 500 tenants add to a process that keeps those of 200."""
    base, kept = core_entities(), {}
    gc.collect()
    tracemalloc.start()
    for number in range(options.rounds(TENANTS)):
        draft, slots = _drafted(number, 30)
        kept[number % KEPT] = compile_schema(base, draft, slots, version=number + 1)
    gc.collect()
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Figure("schemas of 500 tenants, 30 fields each", "MiB", held / 2**20, None, None, notes={"kept": len(kept)})


__all__: Sequence[str] = ["run"]
