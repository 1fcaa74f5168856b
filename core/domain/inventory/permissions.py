"""What people may do with inventory."""

from __future__ import annotations

from core.kernel.messages import N_
from core.runtime.security.permission import Permission

_GROUP = N_("Stock")
PERMISSIONS = (
    Permission("inventory.read", N_("See stock"), _GROUP),
    Permission("inventory.write", N_("Receive and correct stock"), _GROUP),
    Permission("inventory.delete", N_("Delete warehouses"), _GROUP),
    Permission("inventory.export", N_("Export stock"), _GROUP),
)
