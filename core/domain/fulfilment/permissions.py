"""What people may do with fulfilment."""

from __future__ import annotations

from core.kernel.messages import N_
from core.runtime.security.permission import Permission

_GROUP = N_("Fulfilment")
PERMISSIONS = (
    Permission("fulfilment.read", N_("See shipments"), _GROUP),
    Permission("fulfilment.write", N_("Change shipments and carriers"), _GROUP),
    Permission("fulfilment.ship", N_("Ship orders"), _GROUP),
    Permission("fulfilment.delete", N_("Delete carriers"), _GROUP),
    Permission("fulfilment.export", N_("Export shipments"), _GROUP),
)
