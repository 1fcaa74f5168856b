"""Reading notices: always those of one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_

from core.sdk import NotFound
from plugins.notify_inapp.models import Muted, Notice

PAGE = 30
SHORT = 8
MOST_COUNTED = 100


class NoticeUnknown(NotFound):
    """There is no such notification."""

    code = "notify_inapp.notice_unknown"


def unread_count(session: Any, user_id: int) -> int:
    """How many notices a person has not read, counted up to MOST_COUNTED."""
    some = select(Notice.id).where(Notice.user_id == user_id, Notice.read_at.is_(None)).limit(MOST_COUNTED).subquery()
    return int(session.scalar(select(func.count()).select_from(some)) or 0)


def latest(session: Any, user_id: int, *, before: Notice | None = None, limit: int = PAGE) -> Sequence[Notice]:
    """A person's notices, the latest first; `before` is the last one of the page shown so far."""
    statement = select(Notice).where(Notice.user_id == user_id)
    if before is not None:
        statement = statement.where(tuple_(Notice.last_at, Notice.id) < (before.last_at, before.id))
    found: Sequence[Notice] = session.scalars(statement.order_by(Notice.last_at.desc(), Notice.id.desc()).limit(limit)).all()
    return found


def get_notice(session: Any, user_id: int, notice_id: UUID) -> Notice:
    """One notice of a person. Raises NoticeUnknown - there is none, or it is somebody else's."""
    found: Notice | None = session.scalars(select(Notice).where(Notice.id == notice_id, Notice.user_id == user_id)).one_or_none()
    if found is None:
        raise NoticeUnknown(notice=str(notice_id))
    return found


def muted_kinds(session: Any, user_id: int) -> frozenset[str]:
    """The kinds that a person does not want."""
    return frozenset(session.scalars(select(Muted.kind).where(Muted.user_id == user_id)))
