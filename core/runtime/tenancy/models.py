"""The tenants of the platform. The table itself belongs to no tenant."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from core.runtime.db.base import JSON, Base, Timestamped

SLUG_PATTERN = "^[a-z][a-z0-9-]{1,39}$"


class Tenant(Base, Timestamped):
    """One business. `slug` stands in every address (`/t/<slug>/…`); `epoch` counts up when its plugins or rights change."""

    __tablename__ = "tenant"
    __table_args__ = (CheckConstraint(f"slug ~ '{SLUG_PATTERN}'", name="slug"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(server_default=text("'CNY'"))
    locale: Mapped[str] = mapped_column(server_default=text("'zh'"))
    timezone: Mapped[str] = mapped_column(server_default=text("'Asia/Shanghai'"))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    is_demo: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    epoch: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    data_key: Mapped[bytes | None] = mapped_column(deferred=True)
    settings: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))

    def __repr__(self) -> str:
        return self.name
