"""Files of records, kept in the database: what a field of type file refers to.

A file comes first and belongs to whoever sent it; the record that then names it takes it over, once and for good. So nobody reaches a file
through a record of their own that somebody else has put on another: it is given out only by the field that holds it. What kind of file it
is is read from its bytes, never from its name. A file that is replaced is gone with the transaction that replaces it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, delete, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.engines.metadata.entity import EntityRegistry, Field, FieldType
from core.engines.metadata.media import media_type_of
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import new_id
from core.kernel.text import clean_text
from core.runtime.db.base import Base, TenantOwned, tenant_index, tenant_table
from core.runtime.tenancy.scope import require_scope

MIB = 1024 * 1024
MAX_NAME = 200
KEPT_UNUSED = timedelta(days=1)
BATCH = 500


class FileTooLarge(Invalid):
    """This file is too large."""

    code = "file.too_large"


class FilesFull(Invalid):
    """There is no room for more files; remove some first."""

    code = "file.no_room"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Largest file, and all files of one tenant together, in bytes."""

    each: int = 10 * MIB
    total: int = 5_000 * MIB


class StoredFile(Base, TenantOwned):
    """One file. `record_id` and `slot` name the field that holds it; before, it is `sender`'s alone."""

    __tablename__ = "stored_file"
    __table_args__ = tenant_table(
        tenant_index("ix_stored_file_record", "record_id"),
        tenant_index("ix_stored_file_unused", "created_at", where="record_id IS NULL"),
    )

    name: Mapped[str]
    size: Mapped[int]
    media_type: Mapped[str]
    sha256: Mapped[str]
    sender: Mapped[str]
    record_id: Mapped[UUID | None]
    slot: Mapped[str] = mapped_column(server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    data: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


def _sender() -> str:
    actor = require_scope().actor
    return f"{actor.kind}:{actor.id}"


def receive(session: Session, *, name: str, data: bytes, limits: FileLimits, field: str | None = None) -> StoredFile:
    """Keep a file that no record names yet; does not commit. One that stays unused is forgotten after a day.

    Raises: FileTooLarge, FilesFull, Invalid - it is empty; with `field`.
    """
    if not data:
        raise Invalid("This file is empty.", field=field)
    if len(data) > limits.each:
        raise FileTooLarge(field=field, limit=limits.each)
    used = session.scalar(select(func.coalesce(func.sum(StoredFile.size), 0))) or 0
    if used + len(data) > limits.total:
        raise FilesFull(field=field, limit=limits.total)
    # Only the last part: some browsers send the whole path.
    plain = clean_text(name.replace("\\", "/").rpartition("/")[2], max_length=10_000, field=field)[-MAX_NAME:]
    made = StoredFile(
        id=new_id(),
        name=plain or "file",
        size=len(data),
        media_type=media_type_of(data),
        sha256=hashlib.sha256(data).hexdigest(),
        sender=_sender(),
        data=data,
    )
    session.add(made)
    session.flush()
    return made


def file_names(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What these files are called; of those that no record names yet, the actor's own alone."""
    mine = or_(StoredFile.record_id.is_not(None), StoredFile.sender == _sender())
    rows = session.execute(select(StoredFile.id, StoredFile.name).where(StoredFile.id.in_(list(ids)), mine))
    return {row.id: row.name for row in rows}


def file_kind(session: Session, file_id: UUID) -> str:
    """The media type of a file, empty when there is none."""
    return session.scalar(select(StoredFile.media_type).where(StoredFile.id == file_id)) or ""


def content_of(session: Session, record_id: UUID, item: Field, file_id: UUID) -> StoredFile:
    """The file that a record's field holds, with its bytes. Raises NotFound - it holds another one, or none."""
    found = session.scalars(
        select(StoredFile).where(StoredFile.id == file_id, StoredFile.record_id == record_id, StoredFile.slot == item.slot)
    ).one_or_none()
    if found is None:
        raise NotFound(id=str(file_id))
    return found


def settle(session: Session, record_id: UUID, changes: Iterable[tuple[Field, UUID | None]]) -> None:
    """Let the record's fields hold these files and no others; what they held before is gone.

    Raises: Invalid with the field's name - there is no such file, somebody else sent it, or another record holds it.
    """
    for item, file_id in changes:
        held = (StoredFile.record_id == record_id, StoredFile.slot == item.slot)
        before = set(session.scalars(select(StoredFile.id).where(*held)))
        if file_id is not None and file_id not in before:
            free = (StoredFile.id == file_id, StoredFile.record_id.is_(None), StoredFile.sender == _sender())
            taken = update(StoredFile).where(*free).values(record_id=record_id, slot=item.slot).returning(StoredFile.id)
            if session.scalar(taken.execution_options(synchronize_session=False)) is None:
                raise Invalid("There is no such file.", field=item.key)
        forget_files(session, before - {file_id})


def forget_files(session: Session, ids: Iterable[UUID]) -> None:
    """Delete files; does not commit."""
    wanted = list(ids)
    if wanted:
        session.execute(delete(StoredFile).where(StoredFile.id.in_(wanted)).execution_options(synchronize_session=False))


def forget_files_of(session: Session, record_ids: Sequence[UUID]) -> None:
    """Delete the files of records that are gone; does not commit."""
    gone = delete(StoredFile).where(StoredFile.record_id.in_(list(record_ids)))
    session.execute(gone.execution_options(synchronize_session=False))


def sweep_files(session: Session, registry: EntityRegistry, *, now: datetime) -> int:
    """Delete files that nobody used within a day, and those of records that went without telling; the number of files."""
    unused = delete(StoredFile).where(StoredFile.record_id.is_(None), StoredFile.created_at < now - KEPT_UNUSED)
    gone: Any = session.execute(unused.execution_options(synchronize_session=False))
    found = int(gone.rowcount)
    for entity in registry:
        slots = [item.slot for item in entity.fields if item.type is FieldType.FILE and item.slot]
        if slots:
            model: Any = entity.model
            left = StoredFile.record_id.not_in(select(model.id))
            gone = session.execute(delete(StoredFile).where(StoredFile.slot.in_(slots), left).execution_options(synchronize_session=False))
            found += int(gone.rowcount)
    return found

