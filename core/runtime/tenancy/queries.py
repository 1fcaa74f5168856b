"""What is on record about the tenant of the open scope."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import require_scope


def own_currency(session: Session) -> str:
    """The ISO 4217 code of the currency that the business keeps its books in. Raises ScopeMissing - no scope is open."""
    return session.scalars(select(Tenant.currency).where(Tenant.id == require_scope().tenant_id)).one()
