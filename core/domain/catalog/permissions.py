"""What people may do with the catalog."""

from __future__ import annotations

from core.kernel.messages import N_
from core.runtime.security.permission import Permission

_GROUP = N_("Catalog")
PERMISSIONS = (
    Permission("catalog.read", N_("See products and SKUs"), _GROUP),
    Permission("catalog.write", N_("Change products and SKUs"), _GROUP),
    Permission("catalog.delete", N_("Delete products and SKUs"), _GROUP),
    Permission("catalog.export", N_("Export the catalog"), _GROUP),
)
