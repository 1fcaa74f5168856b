"""Reads for the jobs page: what waits, what runs, what has ended, and why. All within the session's tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.runtime.events.errors import DeliveryUnknown
from core.runtime.events.models import FINISHED, Delivery, Event
from core.runtime.events.outbox import tenant_of_open
from core.runtime.events.pruning import first_id


class SubscriberCount(NamedTuple):
    """How many deliveries of a subscriber are in a state; `oldest_due` is the moment the longest waiting one became due."""

    subscriber: str
    state: str
    number: int
    oldest_due: datetime | None


class Throughput(NamedTuple):
    """What became of a subscriber's deliveries in one minute; `wait_s` is the mean time from the event to the end."""

    minute: datetime
    subscriber: str
    done: int
    dead: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list; an empty field does not restrict. `error_code` None does not restrict, empty means: ended without a
    code."""

    state: str = ""
    subscriber: str = ""
    subject_type: str = ""
    subject_id: str = ""
    kind: str = ""
    error_code: str | None = None


class DeadCause(NamedTuple):
    """Dead deliveries of one subscriber that ended with one error code; `message` and `sample` are of the newest of them."""

    subscriber: str
    code: str
    message: str
    number: int
    first_at: datetime
    last_at: datetime
    sample: UUID


class DeliveryRow(NamedTuple):
    """One delivery in a list."""

    id: UUID
    event_id: UUID
    kind: str
    subject_type: str
    subject_id: str
    seq: int
    subscriber: str
    generation: int
    state: str
    attempts: int
    next_at: datetime
    reason: str | None
    last_error: dict[str, Any] | None
    occurred_at: datetime
    finished_at: datetime | None


_OPEN = text("""
SELECT subscriber, state, count(*) AS number,
    min(next_at) FILTER (WHERE state IN ('pending', 'unknown') AND next_at <= now()) AS oldest_due
FROM delivery WHERE tenant_id = :tenant AND state NOT IN ('done', 'skipped')
GROUP BY subscriber, state ORDER BY subscriber, state
""")

_THROUGHPUT = text("""
SELECT date_trunc('minute', finished_at) AS minute, subscriber, count(*) FILTER (WHERE state = 'done') AS done,
    count(*) FILTER (WHERE state = 'dead') AS dead,
    avg(extract(epoch FROM finished_at - uuid_extract_timestamp(id)))::float8 AS wait_s
FROM delivery WHERE tenant_id = :tenant AND id >= :first AND finished_at >= :since AND state IN ('done', 'dead')
GROUP BY 1, 2 ORDER BY 1, 2
""")


def open_counts(session: Session) -> list[SubscriberCount]:
    """Unfinished deliveries by subscriber and state."""
    rows = session.connection().execute(_OPEN, {"tenant": tenant_of_open(session)})
    return [SubscriberCount(*row) for row in rows]


def throughput(session: Session, now: datetime, *, minutes: int = 60) -> list[Throughput]:
    """What ended in the last `minutes`, by minute and subscriber; of events that are at most an hour older than that."""
    since = now - timedelta(minutes=minutes)
    values = {"tenant": tenant_of_open(session), "since": since, "first": first_id(since - timedelta(hours=1))}
    return [Throughput(*row) for row in session.connection().execute(_THROUGHPUT, values)]


_CAUSES = text("""
SELECT subscriber, coalesce(last_error->>'code', ''), coalesce((array_agg(last_error->>'message' ORDER BY id DESC))[1], ''), count(*),
    coalesce(min(finished_at), now()), coalesce(max(finished_at), now()), (array_agg(id ORDER BY id DESC))[1]
FROM (SELECT * FROM delivery WHERE tenant_id = :tenant AND state = 'dead' ORDER BY id DESC LIMIT :most) dead
GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT :causes
""")


def dead_causes(session: Session, *, causes: int = 20, most: int = 20_000) -> list[DeadCause]:
    """Dead deliveries by subscriber and error code, most frequent first; of very many only the newest `most` are counted."""
    values = {"tenant": tenant_of_open(session), "causes": causes, "most": most}
    return [DeadCause(*row) for row in session.connection().execute(_CAUSES, values)]


def deliveries(session: Session, wanted: DeliveryFilter, *, before: UUID | None = None, limit: int = 50) -> list[DeliveryRow]:
    """Deliveries that match, newest first; `before` is the id of the last one on the page shown so far."""
    statement = _listed(wanted).order_by(Delivery.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Delivery.id < before)
    return [DeliveryRow(*row) for row in session.execute(statement)]


def matching_ids(session: Session, wanted: DeliveryFilter, *, limit: int = 10_000) -> list[UUID]:
    """Ids of deliveries that match, oldest first: what a replay of "all of these" would send."""
    statement = _listed(wanted).with_only_columns(Delivery.id).order_by(Delivery.id).limit(limit)
    return list(session.execute(statement).scalars())


def delivery_with_event(session: Session, delivery: UUID) -> tuple[Delivery, Event]:
    """One delivery and its event. Raises DeliveryUnknown."""
    row = session.execute(
        select(Delivery, Event).join(Event, Event.id == Delivery.event_id).where(Delivery.id == delivery)
    ).one_or_none()
    if row is None:
        raise DeliveryUnknown(delivery=str(delivery))
    return row[0], row[1]


def generations(session: Session, delivery: Delivery) -> list[Delivery]:
    """All generations of a delivery, first to last."""
    statement = select(Delivery).where(Delivery.event_id == delivery.event_id, Delivery.subscriber == delivery.subscriber)
    return list(session.scalars(statement.order_by(Delivery.generation)))


def events_of(
    session: Session, subject_type: str, subject_id: object, *, before_seq: int | None = None, limit: int = 50
) -> list[Event]:
    """A subject's events, newest first; `before_seq` is the last number on the page shown so far."""
    statement = select(Event).where(Event.subject_type == subject_type, Event.subject_id == str(subject_id))
    if before_seq is not None:
        statement = statement.where(Event.seq < before_seq)
    return list(session.scalars(statement.order_by(Event.seq.desc()).limit(limit)))


def waiting_for(session: Session, subject_type: str, subject_id: object) -> list[DeliveryRow]:
    """What has not been carried out yet for a subject: part of the answer to "why is this stuck?"."""
    statement = _listed(DeliveryFilter(subject_type=subject_type, subject_id=str(subject_id)))
    unfinished = statement.where(Delivery.state.not_in(FINISHED)).order_by(Delivery.seq, Delivery.subscriber)
    return [DeliveryRow(*row) for row in session.execute(unfinished)]


def _listed(wanted: DeliveryFilter) -> Any:
    statement: Any = select(
        Delivery.id,
        Delivery.event_id,
        Event.kind,
        Event.subject_type,
        Event.subject_id,
        Delivery.seq,
        Delivery.subscriber,
        Delivery.generation,
        Delivery.state,
        Delivery.attempts,
        Delivery.next_at,
        Delivery.reason,
        Delivery.last_error,
        Event.occurred_at,
        Delivery.finished_at,
    ).join(Event, (Event.id == Delivery.event_id) & (Event.tenant_id == Delivery.tenant_id))
    given = {
        Delivery.state: wanted.state,
        Delivery.subscriber: wanted.subscriber,
        Event.subject_type: wanted.subject_type,
        Event.subject_id: wanted.subject_id,
        Event.kind: wanted.kind,
    }
    for column, value in given.items():
        if value:
            statement = statement.where(column == value)
    if wanted.error_code is not None:
        statement = statement.where(func.coalesce(Delivery.last_error["code"].astext, "") == wanted.error_code)
    return statement
