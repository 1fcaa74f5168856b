"""For plugins with tables of their own: the base and the shape of a tenant's table (names start with `plg_<id>_`)."""

from __future__ import annotations

from core.runtime.db.base import (
    JSON,
    MONEY,
    QUANTITY,
    Base,
    TenantOwned,
    Timestamped,
    Versioned,
    tenant_index,
    tenant_ref,
    tenant_table,
    tenant_unique,
)

__all__ = [
    "JSON",
    "MONEY",
    "QUANTITY",
    "Base",
    "TenantOwned",
    "Timestamped",
    "Versioned",
    "tenant_index",
    "tenant_ref",
    "tenant_table",
    "tenant_unique",
]
