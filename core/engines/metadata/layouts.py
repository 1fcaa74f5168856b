"""How people arrange lists: their own choice and order of columns."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session

from core.kernel.ids import new_id
from core.runtime.db.base import Base, TenantOwned, Timestamped, tenant_table, tenant_unique
from core.runtime.db.bulk import insert_rows


class ListLayout(Base, TenantOwned, Timestamped):
    """The columns that one user wants in the lists of one entity type; empty means the entity's own."""

    __tablename__ = "list_layout"
    __table_args__ = tenant_table(tenant_unique("entity", "user_id"))

    entity: Mapped[str]
    user_id: Mapped[str]
    columns: Mapped[list[str]]


def columns_for(session: Session, entity: str, *, user_id: str) -> list[str]:
    """The user's columns for an entity, empty when they never chose."""
    found = session.scalar(select(ListLayout.columns).where(ListLayout.entity == entity, ListLayout.user_id == user_id))
    return list(found or [])


def keep_columns(session: Session, entity: str, *, user_id: str, columns: list[str]) -> None:
    """Remember the user's columns; does not commit."""
    insert_rows(
        session,
        ListLayout,
        [{"id": new_id(), "entity": entity, "user_id": user_id, "columns": columns}],
        on_conflict="ON CONFLICT (tenant_id, entity, user_id) DO UPDATE SET columns = excluded.columns, updated_at = now()",
    )
