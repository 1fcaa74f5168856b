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
from core.runtime.db.bulk import insert_rows, update_rows

__all__ = [
    "JSON",
    "MONEY",
    "QUANTITY",
    "Base",
    "TenantOwned",
    "Timestamped",
    "Versioned",
    "insert_rows",
    "tenant_index",
    "tenant_ref",
    "tenant_table",
    "tenant_unique",
    "update_rows",
]
