"""The tables: what each person was told, and what they do not want to be told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.sdk.models import JSON, Base, TenantOwned, tenant_index, tenant_table, tenant_unique

KEPT_SUBJECTS = 50


class Notice(TenantOwned, Base):
    """Something one person is told. While it is unread, more of the same (`group_key`) joins it.

    `subjects` are the latest things it is about (`order:…`), `subject_count` how many different ones there were, `times` how often it
    happened. `facts` make the sentence, together with `kind`.
    """

    __tablename__ = "plg_notify_inapp_notice"
    __table_args__ = tenant_table(
        tenant_unique("user_id", "group_key", name="uq_plg_notify_inapp_notice_unread", where="read_at IS NULL"),
        tenant_index("ix_plg_notify_inapp_notice_latest", "user_id", "last_at", "id"),
        tenant_index("ix_plg_notify_inapp_notice_group", "user_id", "group_key", "read_at"),
    )

    user_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    group_key: Mapped[str]
    subjects: Mapped[list[str]]
    subject_count: Mapped[int] = mapped_column(Integer)
    times: Mapped[int] = mapped_column(Integer)
    facts: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    first_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_at: Mapped[datetime] = mapped_column(server_default=func.now())
    read_at: Mapped[datetime | None]


class Muted(TenantOwned, Base):
    """A kind of notification that one person does not want."""

    __tablename__ = "plg_notify_inapp_muted"
    __table_args__ = tenant_table(tenant_unique("user_id", "kind"))

    user_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
