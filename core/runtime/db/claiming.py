"""Claims on counters in one statement: look, lock, and, where every wanted thing has one counter that suffices, write.

Two round trips less under the lock than looking, deciding in the program and writing. Where the statement decides nothing it has changed
nothing, the counters it returns are locked, and the caller goes on from what it saw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from core.kernel.jsontext import encode_json
from core.runtime.db.bulk import record_of, tenant_of
from core.runtime.db.direct import connection_of, fetch


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """Which columns play which part; conditions and assignments are written by the programmer, never by a user.

    A counter is found by the `thing` wanted and stands in a `place`; a claim has an `owner`, a thing, a place and an `amount`. `free` is
    over the counter's columns. `sets` gives the counter `t` its new values, made of the `carried` columns as they were when they were
    locked (`n.…`) and of `n.wanted`, the sum that is asked of it; `told` names what is returned of each changed one (also `old.…` and
    `new.…`). A claim that fulfils `held` stands already. Only counters that fulfil `usable`, a condition over `counters` by its table's
    name, are looked at. `on_conflict` leaves a claim that stands as it is. All tables belong to tenants.
    """

    counters: type
    claims: type
    thing: str
    place: str
    owner: str
    amount: str
    free: str
    carried: str
    sets: str
    told: str
    held: str
    usable: str
    on_conflict: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the statement saw and did.

    `held` are pairs of owner and thing whose claims stand already, also those that somebody else has written a moment ago; `seen` the
    counters of all things wanted, locked, with what was free before; `told` the changed counters, empty when nothing was decided.
    """

    held: set[tuple[Any, Any]]
    seen: Sequence[Any]
    told: Sequence[Any]


def claim(session: Session, rule: ClaimRule, rows: Sequence[Mapping[str, Any]], *, may_write: bool = True) -> Claimed:
    """Take every row's amount out of the only counter of its thing, if all things have just one and each suffices for all rows.

    Args:
        rows: claims with `id`, owner, thing and amount, each pair of owner and thing once. Amounts are above zero if `may_write`.
    Counters are locked in the order of thing and place. Nothing is written when one of the rows is held already. A claim that somebody else
    writes while this one waits for the counter stands, and nothing is taken for it twice; where nothing was decided the caller looks
    again for such claims, now that the counters are locked.
    """
    if not rows:
        return Claimed(set(), [], [])
    if session.autoflush and (session.new or session.dirty or session.deleted):
        session.flush()
    connection_of(session)
    values = {
        "tenant": tenant_of(session),
        "rows": encode_json(rows),
        "owners": list({row[rule.owner] for row in rows}),
        "things": list({row[rule.thing] for row in rows}),
        "may": may_write,
    }
    found = fetch(session, _statement(rule), values)
    seen = [row for row in found if row.kind != "held"]
    told = [row for row in seen if row.kind == "taken"]
    held = {(getattr(row, rule.owner), getattr(row, rule.thing)) for row in found if row.kind == "held"}
    return Claimed(held, seen, told)


@lru_cache(maxsize=16)
def _statement(rule: ClaimRule) -> str:
    thing, place, owner, amount = rule.thing, rule.place, rule.owner, rule.amount
    counters, claims = rule.counters.__table__.name, rule.claims.__table__.name  # type: ignore[attr-defined]
    types = {name: record_of(rule.claims, (name,)).partition(" ")[2] for name in (owner, thing)}
    told = [part.rpartition(" AS ")[2] for part in rule.told.split(", ")]
    # The change first tries the row as the statement's snapshot has it, and judges its CHECKs, before it notices that somebody changed the
    # row meanwhile. So it uses nothing of that row: the values that were read under the lock are right in both attempts.
    carried = ", ".join(f"seen.{name.strip()}" for name in rule.carried.split(","))
    return f"""
WITH r AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(CAST(%(rows)s AS jsonb)) AS r({record_of(rule.claims, ("id", owner, thing, amount))})),
need AS MATERIALIZED (SELECT {thing}, sum({amount}) AS wanted FROM r GROUP BY {thing}),
held AS MATERIALIZED (
    SELECT {owner}, {thing} FROM {claims}
    WHERE tenant_id = %(tenant)s AND {owner} = ANY(CAST(%(owners)s AS {types[owner]}[])) AND ({rule.held})),
seen AS MATERIALIZED (
    SELECT {thing}, {place}, {rule.free} AS free, {rule.carried} FROM {counters}
    WHERE tenant_id = %(tenant)s AND {thing} = ANY(CAST(%(things)s AS {types[thing]}[])) AND {rule.usable}
    ORDER BY {thing}, {place} FOR UPDATE),
fit AS MATERIALIZED (
    SELECT %(may)s AND (SELECT count(*) FROM seen) = (SELECT count(*) FROM need)
        AND NOT EXISTS (SELECT FROM need WHERE NOT EXISTS (SELECT FROM seen WHERE seen.{thing} = need.{thing} AND free >= wanted))
        AND NOT EXISTS (SELECT FROM held JOIN r USING ({owner}, {thing})) AS yes),
made AS (
    INSERT INTO {claims} (tenant_id, id, {owner}, {thing}, {place}, {amount})
    SELECT %(tenant)s, r.id, r.{owner}, r.{thing}, seen.{place}, r.{amount} FROM r JOIN seen USING ({thing}), fit WHERE fit.yes
    {rule.on_conflict} RETURNING {owner}, {thing}, {amount}),
given AS MATERIALIZED (
    SELECT {thing}, seen.{place}, wanted, {carried}
    FROM (SELECT {thing}, sum({amount}) AS wanted FROM made GROUP BY {thing}) AS sums JOIN seen USING ({thing})),
taken AS (
    UPDATE {counters} AS t SET {rule.sets} FROM given AS n
    WHERE t.tenant_id = %(tenant)s AND t.{thing} = n.{thing} AND t.{thing} = ANY(CAST(%(things)s AS {types[thing]}[]))
        AND t.{place} = n.{place}
    RETURNING t.{thing}, t.{place}, {rule.told})
SELECT CASE WHEN taken.{place} IS NULL THEN 'seen' ELSE 'taken' END AS kind, NULL AS {owner}, seen.{thing}, seen.{place}, seen.free,
    {", ".join(f"taken.{name}" for name in told)}
FROM seen LEFT JOIN taken USING ({thing}, {place})
UNION ALL SELECT 'held', {owner}, {thing}, NULL, 0, {", ".join("NULL" for _ in told)} FROM held
UNION ALL SELECT 'held', {owner}, {thing}, NULL, 0, {", ".join("NULL" for _ in told)} FROM r, fit
WHERE fit.yes AND ({owner}, {thing}) NOT IN (SELECT {owner}, {thing} FROM made)
"""  # noqa: S608 - names come from the mapped tables, never from input
