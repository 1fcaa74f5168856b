"""The table of notes."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from core.sdk.models import Base, TenantOwned


class Note(TenantOwned, Base):
    """One note."""

    __tablename__ = "plg_toy_notes_note"

    text: Mapped[str]
